package slurm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// client calls SLURM's commands.
type client struct{}

// patience is how long a command may take; one that does not reach the controller gives up by itself sooner.
const patience = 60 * time.Second

// run calls a command and returns what it prints; its words on stderr are in the error.
func (client) run(name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = cleanEnvironment(os.Environ())
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	if err := cmd.Run(); err != nil {
		return out.String(), &commandError{name: name, words: strings.TrimSpace(words.String()), err: err}
	}
	return out.String(), nil
}

// cleanEnvironment leaves out what a driver that is itself a job has from SLURM: sbatch would take it for its own, and
// pass it on.
func cleanEnvironment(environ []string) []string {
	var kept []string
	for _, e := range environ {
		name, _, _ := strings.Cut(e, "=")
		foreign := name != "SLURM_CONF" && strings.HasPrefix(name, "SLURM") || strings.HasPrefix(name, "SBATCH_") ||
			strings.HasPrefix(name, "SQUEUE_") || strings.HasPrefix(name, "SACCT_") || strings.HasPrefix(name, "OCEANINV_PROGRESS")
		if !foreign {
			kept = append(kept, e)
		}
	}
	return kept
}

// commandError is a command that failed, with what it said.
type commandError struct {
	name, words string
	err         error
}

func (e *commandError) Error() string {
	if e.words == "" {
		return fmt.Sprintf("%s: %v", e.name, e.err)
	}
	return e.words
}

func (e *commandError) Unwrap() error { return e.err }

func (e *commandError) says(phrases ...string) bool {
	for _, p := range phrases {
		if strings.Contains(e.words, p) {
			return true
		}
	}
	return false
}

// failure is what to do about a refused submission.
type failure int

const (
	refused failure = iota // the request is at fault
	absent                 // the controller does not answer
	crowded                // a limit on submitted jobs is reached; it will pass
)

// classify judges a failed sbatch.
func classify(err error) failure {
	var c *commandError
	if !errors.As(err, &c) {
		return absent
	}
	var notFound *exec.Error
	switch {
	case errors.As(c.err, &notFound):
		return refused
	case c.says("QOSMaxSubmit", "AssocMaxSubmit", "AssocGrpSubmit", "MaxJobCount", "Job violates accounting/QOS policy",
		"temporarily unable to accept job", "Resource temporarily unavailable"):
		return crowded
	case c.says("Unable to contact slurm controller", "Socket timed out", "Connection refused", "Connection timed out",
		"Zero Bytes", "Transport endpoint", "authentication", "Munge", "Unexpected message", "Communication connection failure",
		"Slurm backup controller", "Unable to resolve"), c.words == "", errors.Is(c.err, context.DeadlineExceeded):
		return absent
	}
	return refused
}

// submit calls sbatch and returns the job's id.
func (c client) submit(script string) (string, error) {
	out, err := c.run("sbatch", "--parsable", script)
	if err != nil {
		return "", err
	}
	id, _, _ := strings.Cut(strings.TrimSpace(out), ";") // a federation adds ;cluster
	if _, err := strconv.Atoi(id); err != nil {
		return "", fmt.Errorf("sbatch printed %q instead of a job's number", out)
	}
	return id, nil
}

// row is what the queue says of a job, or of one task of an array.
type row struct {
	id     string // 12, 12_3
	name   string
	state  string
	reason string
	node   string
	signal int
	code   int
}

// fields of the queue are separated by a character that is in none of them but the last.
const fields = "JobArrayID:|,State:|,exit_code:|,NodeList:|,Name:|,Reason:|"

// queue asks for jobs by their ids. Those that SLURM does not know are not in the answer.
func (c client) queue(ids []string) (map[string]row, error) {
	return c.list("-j", strings.Join(ids, ","))
}

// named asks for this user's jobs of a name.
func (c client) named(name string) (map[string]row, error) {
	return c.list("--me", "--name="+name)
}

func (c client) list(which ...string) (map[string]row, error) {
	out, err := c.run("squeue", append([]string{"-h", "-r", "--states=all", "-O", fields}, which...)...)
	var failed *commandError
	if errors.As(err, &failed) && failed.says("Invalid job id specified") {
		return nil, nil // of a single one, or of all
	}
	if err != nil {
		return nil, err
	}
	rows := make(map[string]row)
	for line := range strings.Lines(out) {
		if r, ok := parseRow(line); ok {
			rows[r.id] = r
		}
	}
	return rows, nil
}

// parseRow reads a line of squeue. The exit code there is the status that wait gives.
func parseRow(line string) (row, bool) {
	f := strings.SplitN(strings.TrimSpace(line), "|", 6)
	if len(f) != 6 {
		return row{}, false
	}
	status, err := strconv.Atoi(f[2])
	if err != nil || f[0] == "" {
		return row{}, false
	}
	return row{id: f[0], state: f[1], code: status >> 8 & 0xff, signal: status & 0x7f, node: f[3], name: f[4],
		reason: strings.TrimSuffix(f[5], "|")}, true
}

// accounted asks the accounting for jobs by their ids.
func (c client) accounted(ids []string) (map[string]row, error) {
	out, err := c.run("sacct", "-n", "-P", "-X", "-j", strings.Join(ids, ","), "-o", "JobID,State,ExitCode,NodeList,JobName")
	if err != nil {
		return nil, err
	}
	rows := make(map[string]row)
	for line := range strings.Lines(out) {
		r, ok := parseAccount(line)
		if !ok {
			continue
		}
		for _, id := range expand(r.id) {
			r.id = id
			rows[id] = r
		}
	}
	return rows, nil
}

// expand lists the ids that an entry for several tasks of an array stands for, which have not started or were cancelled
// before: 12_[0-2,5%4].
func expand(id string) []string {
	base, list, several := strings.Cut(strings.TrimSuffix(id, "]"), "_[")
	if !several {
		return []string{id}
	}
	list, _, _ = strings.Cut(list, "%")
	var ids []string
	for _, part := range strings.Split(list, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		if err != nil || err2 != nil || to-from > maxTasks {
			return nil
		}
		for i := from; i <= to; i++ {
			ids = append(ids, fmt.Sprintf("%s_%d", base, i))
		}
	}
	return ids
}

// maxTasks bounds what a line of text may claim; SLURM itself allows 4 million.
const maxTasks = 5_000_000

// parseAccount reads a line of sacct: 12_3|CANCELLED by 1000|0:15|n1|name.
func parseAccount(line string) (row, bool) {
	f := strings.SplitN(strings.TrimSpace(line), "|", 5)
	if len(f) != 5 || f[0] == "" {
		return row{}, false
	}
	r := row{id: f[0], node: f[3], name: f[4]}
	r.state, _, _ = strings.Cut(f[1], " ")
	if _, err := fmt.Sscanf(f[2], "%d:%d", &r.code, &r.signal); err != nil {
		return row{}, false
	}
	return r, true
}

// cancel ends jobs; those that have ended are no error.
func (c client) cancel(ids []string) error {
	_, err := c.run("scancel", ids...)
	return err
}

// maxArraySize asks the cluster; 0 if it does not say.
func (c client) maxArraySize() int {
	out, err := c.run("scontrol", "show", "config")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(out) {
		name, value, ok := strings.Cut(line, "=")
		if ok && strings.TrimSpace(name) == "MaxArraySize" {
			if n, err := strconv.Atoi(strings.TrimSpace(value)); err == nil {
				return n
			}
		}
	}
	return 0
}

package slurmtest_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"oceaninv/workflow"
	"oceaninv/workflow/executor"
	"oceaninv/workflow/executor/slurm"
	"oceaninv/workflow/executor/slurm/slurmtest"
	"oceaninv/workflow/stage/stagetest"
)

// TestMain lets the test binary be the program that SLURM starts, "task DIR", and the driver that tests kill, "drive
// PIPELINE".
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "task" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		code := executor.Execute(ctx, os.Args[2], stagetest.Registry(), os.Stderr)
		stop()
		os.Exit(code)
	}
	if len(os.Args) == 3 && os.Args[1] == "drive" {
		os.Exit(drive(os.Args[2]))
	}
	flag.Parse()
	code := m.Run()
	if missing := slurmtest.Missing(); missing != "" {
		fmt.Fprintln(os.Stderr, missing)
	}
	os.Exit(code)
}

// drive runs a pipeline on SLURM as the program would.
func drive(path string) int {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGUSR1)
	w := new(watch)
	outcome, err := runOn(path, quick(), workflow.RunOptions{Signals: signals, Observe: w.observe})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(strings.Join(w.notices, "\n"))
	fmt.Printf("done=%d cached=%d failed=%d\n", outcome.Counts.Done, outcome.Counts.Cached, outcome.Counts.Failed)
	if outcome.Stopped != nil || len(outcome.Failures) > 0 {
		return 1
	}
	return 0
}

// quick are options for a cluster that answers at once.
func quick() slurm.Options {
	o := slurm.DefaultOptions()
	o.Poll, o.MaxPoll, o.Latency = "150ms", "500ms", "3s"
	return o
}

// watch remembers what a run says.
type watch struct {
	mutex   sync.Mutex
	notices []string
	events  []workflow.Event
}

func (w *watch) observe(e workflow.Event) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.events = append(w.events, e)
	if e.Event == workflow.Notice {
		w.notices = append(w.notices, e.Message)
	}
}

// saw reports whether a notice holds the text.
func (w *watch) saw(text string) bool {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return strings.Contains(strings.Join(w.notices, "\n"), text)
}

// count is how often an event of the type was seen.
func (w *watch) count(t workflow.EventType) int {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	n := 0
	for _, e := range w.events {
		if e.Event == t {
			n++
		}
	}
	return n
}

// runOn runs a pipeline on SLURM with the given options; nil runs it on this machine.
func runOn(path string, o any, r workflow.RunOptions) (*workflow.Outcome, error) {
	p, _, diags := workflow.Open(workflow.Options{Registry: stagetest.Registry(), Path: path, Results: filepath.Join(filepath.Dir(path), "results")})
	if diags.HasErrors() {
		return nil, diags
	}
	defer p.Close()
	plan, diags := p.Plan(context.Background(), r.PlanOptions)
	if diags.HasErrors() {
		return nil, diags
	}
	if o, ok := o.(slurm.Options); ok {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		r.Executor, r.Executors = slurm.Name, []executor.Executor{slurm.New(o, []string{self, "task"})}
	}
	return p.Run(context.Background(), plan, r)
}

// onSLURM runs a pipeline to its end.
func onSLURM(t testing.TB, path string, o slurm.Options) (*workflow.Outcome, *watch) {
	t.Helper()
	w := new(watch)
	outcome, err := runOn(path, o, workflow.RunOptions{Observe: w.observe, KeepGoing: true})
	if err != nil {
		t.Fatal(err)
	}
	return outcome, w
}

// must fails the test if the run failed.
func must(t testing.TB, o *workflow.Outcome, w *watch) {
	t.Helper()
	for _, f := range o.Failures {
		t.Errorf("%s: %s: %s\n%s", f.Action.Address, f.Result.Reason, f.Result.Message, f.Log)
	}
	if t.Failed() {
		t.Fatalf("notices: %q", w.notices)
	}
}

// write puts a pipeline into a directory of its own, which has a space in its name.
func write(t testing.TB, text string) (path string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a place")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, "p.hcl")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// contents is the content digest of every output of a run.
func contents(o *workflow.Outcome) map[string]string {
	all := make(map[string]string)
	for address, r := range o.Records {
		for _, s := range r.Outputs {
			all[address+"."+s.Name] = s.Sum.Content + s.Sum.Bytes
		}
	}
	return all
}

var pauses = regexp.MustCompile(`pause( *)= "[^"]*"`)

// asLocally fails the test unless a run on this machine has the same contents. Here the stages take no time, of which the
// contents know nothing.
func asLocally(t testing.TB, text string, o *workflow.Outcome) {
	t.Helper()
	local, err := runOn(write(t, pauses.ReplaceAllString(text, `pause$1= ""`)), nil, workflow.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := contents(o), contents(local); !maps.Equal(got, want) || len(want) == 0 {
		t.Errorf("on SLURM %v, locally %v", got, want)
	}
}

// driver starts a driver as a process.
func driver(t testing.TB, path string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "drive", path)
	cmd.Stdout, cmd.Stderr = new(strings.Builder), os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
	})
	return cmd
}

// eventually waits for something to be true.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for start := time.Now(); time.Since(start) < 5*time.Minute; time.Sleep(50 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatalf("waited in vain for %s", what)
}

// commits counts, over all runs beside a pipeline, how often each task ended without an error.
func commits(t testing.TB, path string) map[string]int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".oceaninv", "runs", "*", workflow.JournalFile))
	if err != nil {
		t.Fatal(err)
	}
	n := make(map[string]int)
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range workflow.ReadJournal(f) {
			if e.Event == workflow.TaskEnded && e.Reason == "" {
				n[e.Action+" "+e.Task]++
			}
		}
		f.Close()
	}
	return n
}

// noRecords fails the test if submissions are left on record.
func noRecords(t testing.TB, path string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".oceaninv", "slurm", "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("%v, records of submissions are left: %q", err, left)
	}
}

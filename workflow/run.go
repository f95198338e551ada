package workflow

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"oceaninv/workflow/artifact"
	"oceaninv/workflow/config"
	"oceaninv/workflow/executor"
)

// RunOptions say how to run.
type RunOptions struct {
	PlanOptions
	// Parallelism is the number of cores tasks may use together; 0 for all.
	Parallelism int
	// Executors are the executors to choose from, beside the local one, and Executor the choice; "" for local.
	Executors []executor.Executor
	Executor  string
	// KeepGoing runs what does not depend on a failure; KeepFailed keeps failed tasks' directories.
	KeepGoing, KeepFailed bool
	// LockTimeout is how long to wait for an action that another run is doing before it counts as failed; 0 for as long as
	// it takes, negative for not at all.
	LockTimeout time.Duration
	// Command starts this program's `task` verb; nil for this executable.
	Command []string
	// Signals stop the run: the first cleanly, the second at once.
	Signals <-chan os.Signal
	// Observe is told every event, by one goroutine.
	Observe func(Event)
	// Conclude, if given, is called when everything is on record, while the run still counts as living: whoever follows the
	// run finds what it writes.
	Conclude func(*Outcome) error
	// Version of the program, and CommandLine, are recorded in what is made.
	Version, CommandLine string
}

// Outcome is how a run ended.
type Outcome struct {
	Run      string
	Counts   Counts
	Failures []Failure
	Skipped  []string // addresses
	// Stopped is the signal that stopped the run, if one did.
	Stopped os.Signal
	Seconds float64
	// Published says that something new is among the results.
	Published bool
	// Version and CommandLine are those of the options.
	Version, CommandLine string
	Records              map[string]*artifact.Record // of finished actions, by address
}

// Failure is an action that failed, and how.
type Failure struct {
	Action *config.Action
	Result executor.Result
	Dir    string // of the task
	Log    string // its end
}

// Advice is what may be done about the failure; "" where its message says all there is.
func (f Failure) Advice() string {
	switch r := f.Result; {
	case r.Reason == executor.OOM:
		return `resources { memory = "..." } allows it more; with retry { on = ["oom"] } each further attempt gets twice as much.`
	case r.Reason == executor.TimedOut:
		return `timeout = "..." allows it more; with retry { on = ["timeout"] } each further attempt gets twice as much.`
	case r.Reason == executor.NodeFail:
		return `retry { on = ["node_fail"] } tries again elsewhere.`
	case r.Reason == executor.Crashed && r.Code == 128+int(syscall.SIGKILL):
		return "Something else killed it: the system, if memory ran out (its log says so: dmesg, journalctl -k). Then resources { memory = \"...\" } keeps\n" +
			"  others from running beside it, and --parallelism lets fewer run at once."
	}
	return ""
}

// Nothing reports whether there was nothing to do.
func (o *Outcome) Nothing() bool {
	return o.Counts.Done == 0 && len(o.Failures) == 0 && o.Counts.Skipped == 0 && o.Stopped == nil
}

// BadInput reports whether all failures are the user's.
func (o *Outcome) BadInput() bool {
	return len(o.Failures) > 0 && !slices.ContainsFunc(o.Failures, func(f Failure) bool { return f.Result.Reason != executor.BadInput })
}

// newRunID is sortable by time and unique.
func newRunID() string {
	return time.Now().UTC().Format("20060102T150405.000Z") + "-" + strings.ToLower(rand.Text()[:4])
}

// Run does what the plan says is to be done. The error is for what keeps the engine itself from working; failures of
// actions are in the outcome. Publishing the results is part of the run.
func (p *Project) Run(ctx context.Context, plan *Plan, o RunOptions) (*Outcome, error) {
	d, err := p.newDriver(plan, o)
	if err != nil {
		return nil, explainDisk(err)
	}
	outcome, err := d.run(ctx)
	if err != nil {
		return outcome, explainDisk(err)
	}
	return outcome, nil
}

// explainDisk adds what to do to errors of the file system that users meet.
func explainDisk(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w: the disk is full; free some space (see oceaninv gc) and run again, finished work is kept", err)
	case errors.Is(err, syscall.EROFS), errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%w: the working directory must be writable; --workdir names another", err)
	}
	return err
}

func (p *Project) newDriver(plan *Plan, o RunOptions) (*driver, error) {
	if o.Parallelism <= 0 {
		o.Parallelism = runtime.NumCPU()
	}
	if o.Observe == nil {
		o.Observe = func(Event) {}
	}
	if o.Command == nil {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		o.Command = []string{self, "task"}
	}
	o.CommandLine = p.redact(o.CommandLine)
	d := &driver{Project: p, options: o, plan: plan, id: newRunID(), started: time.Now(),
		jobs: make(map[string]*job), inflight: make(map[artifact.Key][]*job), tasks: make(map[*executor.Task]*taskState)}
	d.ledger = readLedger(ledgerPath(p.Workdir, p.Pipeline.Name))
	if err := d.chooseExecutor(); err != nil {
		return nil, err
	}
	if err := p.prepareWorkdir(); err != nil {
		return nil, err
	}
	if err := writableResults(p.Results); err != nil {
		return nil, err
	}
	p.clearPlacing()
	if s, ok := d.executor.(executor.Starter); ok {
		err := s.Start(executor.Session{Run: d.id, Workdir: p.Workdir, Pipeline: p.Pipeline.Path, Living: p.store.Living})
		if err != nil {
			return nil, err
		}
	}
	journal, err := createJournal(RunDir(p.Workdir, d.id))
	if err != nil {
		return nil, err
	}
	d.journal = journal
	d.leases, err = p.store.Leases(d.id)
	return d, err
}

// UsageError is a mistake of the caller's that is no diagnostic.
type UsageError struct{ Message string }

func (e *UsageError) Error() string { return e.Message }

func (d *driver) chooseExecutor() error {
	name := d.options.Executor
	if name == "" || name == "local" {
		d.executor = executor.NewLocal(d.options.Command, executor.Budget{Cores: d.options.Parallelism, Memory: totalMemory()})
		return nil
	}
	names := []string{"local"}
	for _, e := range d.options.Executors {
		if e.Name() == name {
			d.executor = e
			return nil
		}
		names = append(names, e.Name())
	}
	return &UsageError{fmt.Sprintf("there is no executor %q; there is %s", name, strings.Join(names, ", "))}
}

// totalMemory is the machine's memory in bytes; 0 if unknown.
func totalMemory() int64 {
	raw, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	var kB int64
	if _, err := fmt.Sscanf(string(raw), "MemTotal: %d kB", &kB); err != nil {
		return 0
	}
	return kB * 1024
}

// tail is the end of a text file, for people.
func tail(path string, lines int) string {
	raw, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	all := strings.Split(strings.TrimRight(string(raw), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// ExecutorCommand is the command that runs a task of this program, for executors and --print-script.
func ExecutorCommand() ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if resolved, err := filepath.EvalSymlinks(self); err == nil {
		self = resolved
	}
	if _, err := exec.LookPath(self); err != nil {
		return nil, err
	}
	return []string{self, "task"}, nil
}

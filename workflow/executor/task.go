package executor

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"oceaninv/workflow/artifact"
	"oceaninv/workflow/stage"
)

// TaskFormat is the version of task files.
const TaskFormat = 1

// Files in a task's directory.
const (
	taskFile = "task.json"
	exitFile = "exit.json"
	// LogFile holds what the task said.
	LogFile = "log"
	// ProgressFile holds the last progress of a task whose driver is elsewhere.
	ProgressFile = "progress.json"
)

// Rewritten reports whether a file in a task's directory is written anew when the directory is given to another task.
func Rewritten(name string) bool { return name == taskFile || name == LogFile }

// Role is what a task does of an action.
type Role string

// Roles.
const (
	RoleRun   Role = "run"   // all of it
	RoleShard Role = "shard" // one shard
	RoleMerge Role = "merge" // the gathering of the shards
)

// Order is a task file: everything the task's process needs to know.
type Order struct {
	Format     int                 `json:"format"`
	Address    string              `json:"address"`
	Kind       string              `json:"kind"`
	Version    int                 `json:"version"`
	Key        artifact.Key        `json:"key"`
	Params     json.RawMessage     `json:"params"`
	Role       Role                `json:"role"`
	Shard      int                 `json:"shard"`
	Shards     int                 `json:"shards"`
	Cores      int                 `json:"cores"`
	Inputs     map[string][]string `json:"inputs"`
	Outputs    []stage.Output      `json:"outputs"`
	Store      string              `json:"store"`
	Target     string              `json:"target"` // directory of the record
	Parts      []string            `json:"parts,omitempty"`
	Checkpoint string              `json:"checkpoint"`
	Provenance map[string]string   `json:"provenance"`
	Run        string              `json:"run"`
	Attempt    int                 `json:"attempt"`
}

// Name is the task's name within its action: run, shard-3-of-8, merge.
func (o *Order) Name() string {
	if o.Role == RoleShard {
		return stage.ShardName(o.Shard, o.Shards)
	}
	return string(o.Role)
}

// Write puts the order into a task directory, which it creates.
func (o *Order) Write(dir string) error {
	o.Format = TaskFormat
	raw, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, taskFile), append(raw, '\n'), 0o644)
}

// ReadOrder reads a task directory's order.
func ReadOrder(dir string) (*Order, error) {
	raw, err := os.ReadFile(filepath.Join(dir, taskFile))
	if err != nil {
		return nil, err
	}
	var o Order
	if err := json.Unmarshal(raw, &o); err != nil {
		return nil, fmt.Errorf("%s: %w", taskFile, err)
	}
	if o.Format != TaskFormat {
		return nil, fmt.Errorf("%s: format %d is not %d: the task was written by another version", taskFile, o.Format, TaskFormat)
	}
	return &o, nil
}

// Task is a task to run and what it may use.
type Task struct {
	// ID is unique in the run: "stage.data shard-0-of-4 #1".
	ID string
	// Dir is the task's directory.
	Dir string
	// Order is what its task file says.
	Order *Order
	// Resources are its limits; Cores is a number, never AllCores.
	Resources stage.Resources
	// Queue is what the pipeline says to a batch system.
	Queue Queue
	// Group is equal for the like tasks of a stage: a batch system may submit those that ask for the same as one array.
	Group string
}

// Queue is a batch system's own settings.
type Queue struct {
	Partition, Account, QoS string
	Extra                   []string
}

// Reason is why a task ended. The empty reason is success.
type Reason string

// Reasons. BadInput and Stopped are never retried; the words of the others are those of the retry block.
const (
	Succeeded Reason = ""
	Failed    Reason = "error"     // the task says so
	BadInput  Reason = "bad input" // the data are at fault
	Crashed   Reason = "crash"     // a signal, or no exit file
	OOM       Reason = "oom"
	TimedOut  Reason = "timeout"
	NodeFail  Reason = "node_fail"
	Stopped   Reason = "stopped" // asked to stop, and did
)

// Result is how a task ended.
type Result struct {
	Reason  Reason         `json:"reason"`
	Code    int            `json:"code"`              // exit code; 128 + signal
	Message string         `json:"message,omitempty"` // what went wrong
	Usage   artifact.Usage `json:"usage"`
}

// Exit codes of `oceaninv task`.
const (
	CodeDone     = 0
	CodeFailed   = 1
	CodeBadInput = 2
	CodeStopped  = 75 // sysexits' "temporary failure": resumable
)

func (r Result) write(dir string) error {
	raw, err := artifact.Seal(r)
	if err != nil {
		return err
	}
	return artifact.WriteFileSoon(filepath.Join(dir, exitFile), raw)
}

// ReadResult reads a task directory's exit file.
func ReadResult(dir string) (Result, error) {
	var r Result
	raw, err := os.ReadFile(filepath.Join(dir, exitFile))
	if err != nil {
		return r, err
	}
	return r, artifact.Unseal(raw, &r)
}

// Update is news of a task.
type Update struct {
	Task     *Task
	State    State
	NativeID string          // process or job
	Progress *stage.Progress // when Running, if there is any
	Result   Result          // when Ended
	Note     string          // something to tell the user: why a job is held
}

// State is where a task is.
type State int

// States.
const (
	Queued State = iota
	Running
	Saving // its results wait for the disk; the task needs no core any more
	Ended
)

// Budget is what an executor can run at once; zero fields are no limit (the executor queues by itself).
type Budget struct {
	Cores  int
	Memory int64
	// All is what a task gets that asks for all cores, where Cores is no limit.
	All int
	// Default is the memory and time of a task that does not say.
	Default stage.Resources
}

// Executor runs tasks. One goroutine calls it.
type Executor interface {
	// Name is what --executor calls it.
	Name() string
	// Budget is what may be submitted at a time.
	Budget() Budget
	// Submit accepts tasks; their updates follow on Updates, ending with exactly one Ended each. An error means that
	// none was accepted.
	Submit(tasks []*Task) error
	// Updates is where news arrive. It must be read until Close has returned.
	Updates() <-chan Update
	// Stop asks all tasks to save a checkpoint and end, or ends them at once.
	Stop(now bool)
	// Close ends what still runs and returns when nothing does.
	Close() error
}

// Session is the run that an executor works for.
type Session struct {
	Run      string
	Workdir  string // absolute
	Pipeline string // path
	// Living reports whether another run goes on.
	Living func(run string) bool
}

// Starter is an executor that has to know the run before it is handed tasks.
type Starter interface {
	Start(s Session) error
}

// Leaver is an executor whose tasks outlive the driver. Leave reports all tasks as stopped but lets them run on; when a
// later driver submits the same tasks, it gets those.
type Leaver interface {
	Leave()
}

// grace is how long a task asked to stop may take to save a checkpoint.
const grace = 20 * time.Second

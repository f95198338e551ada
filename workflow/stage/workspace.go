package stage

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
)

// Workspace is what a running task sees of the engine: where its inputs are, where its outputs go, and whom to
// tell. Asking for an input or output that was not declared panics.
type Workspace struct {
	// Shard and Shards are this task's index and the number of shards; 0 and 1 for an action that has none.
	Shard, Shards int
	// Cores is how many cores the task may use. Results must not depend on it.
	Cores int
	// Log takes messages for the task's log; they are shown when the task fails.
	Log *slog.Logger

	layout Layout
}

// Layout is where a workspace's files are. The executor makes it.
type Layout struct {
	Inputs     map[string][]string // paths by input name, in declaration order
	Outputs    map[string]string   // the path to write, by output name
	Also       map[string]string   // the path of its other format, by output name; a shard has none
	Parts      map[string][]string // shards' files by output name, in shard order
	Checkpoint string              // directory that outlives the task
	Progress   func(Progress)      // never nil
}

// NewWorkspace is for executors and tests.
func NewWorkspace(layout Layout, log *slog.Logger) *Workspace {
	if layout.Progress == nil {
		layout.Progress = func(Progress) {}
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Workspace{Shards: 1, Cores: 1, Log: log, layout: layout}
}

// Input is the path of the input of that name.
func (ws *Workspace) Input(name string) string {
	paths := ws.layout.Inputs[name]
	if len(paths) != 1 {
		panic(fmt.Sprintf("stage: input %q stands for %d files", name, len(paths)))
	}
	return paths[0]
}

// Inputs is the paths of all inputs of that name; none if it was left out.
func (ws *Workspace) Inputs(name string) []string { return ws.layout.Inputs[name] }

// HasInput reports whether an optional input was given.
func (ws *Workspace) HasInput(name string) bool { return len(ws.layout.Inputs[name]) > 0 }

// Output is the path to write the output of that name to. It is a temporary name: the engine verifies and renames
// it when Run has returned.
func (ws *Workspace) Output(name string) string {
	path, ok := ws.layout.Outputs[name]
	if !ok {
		panic(fmt.Sprintf("stage: output %q was not declared", name))
	}
	return path
}

// Forms are the paths to write the output of that name to, one for each of its formats; the first is [Workspace.Output].
func (ws *Workspace) Forms(name string) []string {
	paths := []string{ws.Output(name)}
	if also, ok := ws.layout.Also[name]; ok {
		paths = append(paths, also)
	}
	return paths
}

// Parts is what the shards wrote to the output of that name, in shard order. Only Merge has parts.
func (ws *Workspace) Parts(name string) []string {
	parts, ok := ws.layout.Parts[name]
	if !ok {
		panic(fmt.Sprintf("stage: output %q has no parts", name))
	}
	return parts
}

// Checkpoint is a path in a directory that survives the task, until its action is done: a task started again after
// a crash or a time limit finds there what an earlier attempt left. Write it under another name and rename.
func (ws *Workspace) Checkpoint(name string) string {
	// A directory that cannot be made shows when the path is written to.
	_ = os.MkdirAll(ws.layout.Checkpoint, 0o755)
	return filepath.Join(ws.layout.Checkpoint, name)
}

// Progress is how far a task is.
type Progress struct {
	Done    int64  `json:"done"`
	Total   int64  `json:"total,omitempty"` // 0 if unknown
	Unit    string `json:"unit,omitempty"`  // "samples", "epochs"
	Message string `json:"message,omitempty"`
}

// Progress reports how far the task is. Calls are cheap; the engine shows what it has time to show.
func (ws *Workspace) Progress(p Progress) { ws.layout.Progress(p) }

// Rows splits n items over the shards as evenly as can be: this shard does items [from, to).
func (ws *Workspace) Rows(n int) (from, to int) {
	return n * ws.Shard / ws.Shards, n * (ws.Shard + 1) / ws.Shards
}

// ShardName is the base name of a shard's own files.
func ShardName(shard, shards int) string {
	width := len(strconv.Itoa(shards - 1))
	return fmt.Sprintf("shard-%0*d-of-%d", width, shard, shards)
}

type badInput struct{ err error }

func (e badInput) Error() string { return e.err.Error() }
func (e badInput) Unwrap() error { return e.err }

// BadInput marks an error of Run as the user's: the data are at fault, trying again would not help, and the exit
// code is that of bad input.
func BadInput(err error) error { return badInput{err} }

// IsBadInput reports whether an error is marked by BadInput.
func IsBadInput(err error) bool {
	var b badInput
	return errors.As(err, &b)
}

package executor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"oceaninv/workflow/artifact"
	"oceaninv/workflow/stage"
)

// progressFD is the environment variable that names the file descriptor progress is written to.
const progressFD = "OCEANINV_PROGRESS_FD"

// processStarted is when this process began, nearly.
var processStarted = time.Now().UTC()

// Execute does the task in a directory and returns its exit code. It is what `oceaninv task DIR` does: the one way
// tasks run, whoever starts them. When ctx is cancelled the task saves a checkpoint, if its kind can, and stops.
func Execute(ctx context.Context, dir string, registry *stage.Registry, stderr io.Writer) int {
	started := processStarted
	order, err := ReadOrder(dir)
	if err != nil {
		fmt.Fprintf(stderr, "%v\n", err)
		return CodeBadInput
	}
	_ = os.Remove(filepath.Join(dir, exitFile)) // of a time before, if SLURM or a person starts the task again
	runtime.GOMAXPROCS(max(1, order.Cores))
	r := &runner{order: order, dir: dir, registry: registry, stderr: stderr}
	defer r.closeProgress()
	err = r.do(ctx, started)
	result := resultOf(ctx, err)
	result.Usage = usage(started, order.Cores)
	if err != nil {
		fmt.Fprintf(stderr, "%v\n", err)
	}
	if result.Code == CodeDone && r.tell(exitLine, result) {
		return CodeDone // the driver knows; nobody else asks how a task ended that did
	}
	if err := result.write(dir); err != nil {
		fmt.Fprintf(stderr, "cannot write the exit file: %v\n", err)
		if result.Code == CodeDone {
			return CodeDone // the completion record is there, and counts
		}
	}
	return result.Code
}

func resultOf(ctx context.Context, err error) Result {
	switch {
	case err == nil:
		return Result{}
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return Result{Reason: Stopped, Code: CodeStopped, Message: "stopped"}
	case stage.IsBadInput(err):
		return Result{Reason: BadInput, Code: CodeBadInput, Message: err.Error()}
	}
	return Result{Reason: Failed, Code: CodeFailed, Message: err.Error()}
}

// runner does one task.
type runner struct {
	order    *Order
	dir      string
	registry *stage.Registry
	stderr   io.Writer
	mutex    sync.Mutex
	progress *os.File
	last     time.Time
}

func (r *runner) do(ctx context.Context, started time.Time) error {
	o := r.order
	kind, ok := r.registry.Kind(o.Kind)
	if !ok {
		return fmt.Errorf("this program has no kind of stage %q", o.Kind)
	}
	if kind.Version != o.Version {
		return fmt.Errorf("kind %s has version %d, but the task was planned with version %d; run the pipeline again",
			o.Kind, kind.Version, o.Version)
	}
	spec, err := kind.Load(o.Params)
	if err != nil {
		return err
	}
	store := artifact.OpenExisting(o.Store, Digester(r.registry))
	defer store.Close()
	pending, err := store.Begin(o.Target)
	if err != nil {
		return err
	}
	defer pending.Abort()
	ws, err := r.workspace(pending)
	if err != nil {
		return err
	}
	if err := r.call(ctx, spec, ws); err != nil {
		return err
	}
	if o.Role != RoleShard {
		if err := r.annotate(ws); err != nil {
			return err
		}
	}
	_, err = pending.Commit(artifact.Record{Key: o.Key, Address: o.Address, Run: o.Run, Usage: usage(started, o.Cores)}, r.saving)
	return err
}

// call runs the science, turning a panic into an error with its stack: the exit file is written all the same.
func (r *runner) call(ctx context.Context, spec stage.Spec, ws *stage.Workspace) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	if r.order.Role != RoleMerge {
		return spec.Run(ctx, ws)
	}
	sharder, ok := spec.(stage.Sharder)
	if !ok {
		return fmt.Errorf("kind %s cannot merge shards", r.order.Kind)
	}
	return sharder.Merge(ctx, ws)
}

func (r *runner) workspace(pending *artifact.Pending) (*stage.Workspace, error) {
	o := r.order
	layout := stage.Layout{
		Inputs: o.Inputs, Outputs: make(map[string]string), Also: make(map[string]string), Checkpoint: o.Checkpoint, Progress: r.report,
	}
	for _, out := range o.Outputs {
		forms := out.Forms()
		layout.Outputs[out.Name] = pending.Add(out.Name, string(out.Type), out.File)
		if len(forms) > 1 && o.Role != RoleShard {
			layout.Also[out.Name] = pending.Add(forms[1].Name, string(out.Type), forms[1].File)
		}
	}
	if o.Role == RoleMerge {
		layout.Parts = make(map[string][]string)
		for _, out := range o.Outputs {
			for _, dir := range o.Parts {
				layout.Parts[out.Name] = append(layout.Parts[out.Name], filepath.Join(dir, out.File))
			}
		}
	}
	ws := stage.NewWorkspace(layout, slog.New(slog.NewTextHandler(r.stderr, nil)))
	ws.Cores = max(1, o.Cores)
	if o.Role == RoleShard {
		ws.Shard, ws.Shards = o.Shard, o.Shards
	}
	return ws, nil
}

// annotate records inside the outputs, where their format can, how they came to be.
func (r *runner) annotate(ws *stage.Workspace) error {
	for _, out := range r.order.Outputs {
		for _, path := range ws.Forms(out.Name) {
			format, ok := r.registry.Format(path)
			if !ok || format.Annotate == nil {
				continue
			}
			if _, err := os.Stat(path); err != nil {
				return fmt.Errorf("output %s was not written", out.Name)
			}
			if err := format.Annotate(path, maps.Clone(r.order.Provenance)); err != nil {
				return fmt.Errorf("output %s: cannot record its provenance: %w", out.Name, err)
			}
		}
	}
	return nil
}

// Digester is the content digest of the registry's formats.
func Digester(registry *stage.Registry) artifact.Digester {
	return func(path string) (string, error) {
		format, ok := registry.Format(path)
		if !ok {
			return "", nil
		}
		return format.Digest(path)
	}
}

// report passes progress on, at most ten times a second but always the last.
func (r *runner) report(p stage.Progress) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	now := time.Now()
	if now.Sub(r.last) < 100*time.Millisecond && (p.Total == 0 || p.Done < p.Total) {
		return
	}
	r.last = now
	line, err := json.Marshal(p)
	if err != nil {
		return
	}
	if r.progress == nil {
		r.progress = openProgress()
	}
	if r.progress != nil {
		_, _ = r.progress.Write(append(line, '\n')) // nobody may be listening
		return
	}
	_ = os.WriteFile(filepath.Join(r.dir, ProgressFile), line, 0o644)
}

// What a task writes where progress goes, beside progress: that its results only wait for the disk, and how it ended.
const (
	savingLine = "saving "
	exitLine   = "exit "
)

// saving tells a driver that listens that the task needs no core any more.
func (r *runner) saving() { r.tell(savingLine, nil) }

// tell writes a line to the driver; it reports whether a driver listens.
func (r *runner) tell(what string, v any) bool {
	line, err := artifact.Seal(v)
	if err != nil {
		return false
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.progress == nil {
		r.progress = openProgress()
	}
	if r.progress == nil {
		return false
	}
	_, err = r.progress.Write(append([]byte(what), line...))
	return err == nil
}

func openProgress() *os.File {
	var fd int
	if _, err := fmt.Sscan(os.Getenv(progressFD), &fd); err != nil || fd < 3 {
		return nil
	}
	return os.NewFile(uintptr(fd), "progress")
}

func (r *runner) closeProgress() {
	if r.progress != nil {
		r.progress.Close()
	}
}

func usage(started time.Time, cores int) artifact.Usage {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	u := artifact.Usage{Started: started, Finished: time.Now().UTC(), Cores: cores, Host: host}
	u.CPU, u.PeakRSS = rusage()
	if raw, err := os.ReadFile("/proc/self/io"); err == nil {
		for line := range bytes.Lines(raw) {
			_, _ = fmt.Sscanf(string(line), "rchar: %d", &u.Read)
			_, _ = fmt.Sscanf(string(line), "wchar: %d", &u.Written)
		}
	}
	return u
}

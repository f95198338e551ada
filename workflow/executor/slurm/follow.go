package slurm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"oceaninv/workflow/artifact"
	"oceaninv/workflow/executor"
	"oceaninv/workflow/stage"
)

// Limits on the work of one poll.
const (
	allIDs       = 500 // beyond, the user's whole queue is asked for
	withProgress = 50  // tasks whose progress is read
)

// poll looks at everything that is with SLURM, by one call of squeue and at most one of sacct.
func (e *Executor) poll() {
	var ids []string
	for _, j := range e.jobs {
		if j.id != "" {
			ids = append(ids, j.id)
		}
	}
	if len(ids) == 0 {
		return
	}
	rows, err := e.look(ids)
	if err != nil {
		e.silence(err)
		return
	}
	if !e.silent.IsZero() {
		e.note(e.any(), fmt.Sprintf("SLURM answers again, after %s", time.Since(e.silent).Round(time.Second)))
		e.silent = time.Time{}
	}
	before := e.live
	changed := false
	var missing []missed
	for _, j := range slices.Clone(e.jobs) {
		if j.id == "" {
			continue
		}
		listed := false
		var absent []*followed
		for _, f := range slices.Clone(j.tasks) {
			r, ok := rows[j.native(f.index)]
			if !ok || r.name != j.Name { // an id that was given to another job
				absent = append(absent, f)
				continue
			}
			listed = true
			changed = e.see(j, f, r) || changed
		}
		listed = listed || others(rows, j)
		for _, f := range absent {
			missing = append(missing, missed{j, f, listed})
		}
	}
	e.account(missing)
	e.adapt(changed || e.live != before || len(missing) > 0)
	e.progress()
}

// missed is a task that the queue does not list; siblings says whether it lists others of its array.
type missed struct {
	job      *job
	task     *followed
	siblings bool
}

func (e *Executor) look(ids []string) (map[string]row, error) {
	if len(ids) > allIDs {
		return e.client.list("--me")
	}
	return e.client.queue(ids)
}

// others reports whether any task of the job's array is listed.
func others(rows map[string]row, j *job) bool {
	for i := range j.Tasks {
		if r, ok := rows[j.native(i)]; ok && r.name == j.Name {
			return true
		}
	}
	return false
}

func (e *Executor) any() *followed { return e.jobs[0].tasks[0] }

// adapt makes the interval grow while nothing happens.
func (e *Executor) adapt(changed bool) {
	if changed || e.stopping {
		e.hurry()
		return
	}
	e.interval = min(e.interval*5/4, max(mustDuration(e.options.MaxPoll), mustDuration(e.options.Poll)))
}

// silence goes by the exit files while SLURM does not answer.
func (e *Executor) silence(err error) {
	if e.silent.IsZero() {
		e.silent = time.Now()
		e.note(e.any(), fmt.Sprintf("SLURM does not answer (%v); going by the tasks' exit files", err))
	}
	for _, j := range slices.Clone(e.jobs) {
		for _, f := range slices.Clone(j.tasks) {
			if r, ok := e.exit(f); ok && r.Reason != executor.Stopped {
				e.end(j, f, r)
			}
		}
	}
	e.adapt(false)
}

// see takes in what the queue says of a task, and reports whether that is new.
func (e *Executor) see(j *job, f *followed, r row) bool {
	f.seen = true
	switch {
	case r.stuck():
		_ = e.client.cancel([]string{j.native(f.index)}) // if it fails the job stays held, and is named in the note
		e.resubmit(j, f, "SLURM could not launch it and holds it as "+j.native(f.index))
		return true
	case !r.live():
		return e.conclude(j, f, r)
	}
	f.gone = time.Time{}
	if why := r.hold(j.native(f.index)); why != "" {
		e.once(j.Name+why, f, fmt.Sprintf("%s: job %s %s", f.task.Order.Address, j.native(f.index), why))
	}
	if r.fate() == running && f.state == executor.Queued {
		f.state = executor.Running
		e.updates <- executor.Update{Task: f.task, State: executor.Running, NativeID: j.native(f.index)}
		return true
	}
	if r.fate() == queued && f.state == executor.Running {
		f.state = executor.Queued
		e.note(f, fmt.Sprintf("%s %s: SLURM starts job %s again (%s)", f.task.Order.Address, f.task.Order.Name(), j.native(f.index), r.reason))
		return true
	}
	return false
}

// conclude ends a task whose job has ended: the exit file says how, or else the state.
func (e *Executor) conclude(j *job, f *followed, r row) bool {
	result, there := e.exit(f)
	verdict := r.verdict(f.task)
	switch {
	case there && result.Reason != executor.Stopped:
		e.end(j, f, result)
	case e.stopping:
		e.end(j, f, executor.Result{Reason: executor.Stopped, Code: executor.CodeStopped, Message: "stopped"})
	case !there && mayBeLate(r) && !e.overdue(f):
		return false
	case r.fate() == lostNode:
		if r.node != "" && r.state != "PREEMPTED" && !slices.Contains(f.exclude, r.node) {
			f.exclude = append(f.exclude, r.node)
		}
		e.resubmit(j, f, verdict.Message)
	case j.adopted && r.fate() != cancelled: // how it ended is of the past: this run tries for itself
		e.part(j, f)
		e.waiting = append(e.waiting, f)
	default:
		e.keepWords(j, f)
		e.end(j, f, verdict)
	}
	return true
}

// mayBeLate reports whether the task ended by itself, so that it has written an exit file.
func mayBeLate(r row) bool {
	return r.fate() == completed || r.fate() == failed && r.signal == 0 && r.code < 128
}

// overdue reports whether a task's exit file has been waited for long enough.
func (e *Executor) overdue(f *followed) bool {
	if f.gone.IsZero() {
		f.gone = time.Now()
	}
	return time.Since(f.gone) > mustDuration(e.options.Latency)
}

// exit reads a task's exit file; for a success, also its completion record has to be there. Listing a directory makes
// network file systems look again.
func (e *Executor) exit(f *followed) (executor.Result, bool) {
	_, _ = os.ReadDir(f.task.Dir) // for its effect
	r, err := executor.ReadResult(f.task.Dir)
	if err != nil {
		return r, false
	}
	if r.Reason == executor.Succeeded {
		_, _ = os.ReadDir(f.task.Order.Target)
		if !artifact.Recorded(f.task.Order.Target) && !e.overdue(f) {
			return r, false
		}
	}
	return r, true
}

// account judges the tasks that the queue does not list.
func (e *Executor) account(missing []missed) {
	if len(missing) == 0 {
		return
	}
	var ids []string
	for _, m := range missing {
		if !slices.Contains(ids, m.job.id) {
			ids = append(ids, m.job.id)
		}
	}
	rows, err := e.client.accounted(ids) // many clusters keep no accounts: then the exit files have to do
	for _, m := range missing {
		r, ok := rows[m.job.native(m.task.index)]
		if err == nil && ok && r.name == m.job.Name && !r.live() {
			e.conclude(m.job, m.task, r)
			continue
		}
		e.vanished(m)
	}
}

// vanished judges a task that neither the queue nor the accounting lists. A pending task of an array that is cancelled
// disappears at once, while its siblings stay; a job that is gone as a whole was lost with the controller's state, or ended
// so long ago that SLURM has forgotten it.
func (e *Executor) vanished(m missed) {
	j, f := m.job, m.task
	result, there := e.exit(f)
	switch {
	case there && result.Reason != executor.Stopped:
		e.end(j, f, result)
	case e.stopping:
		e.end(j, f, executor.Result{Reason: executor.Stopped, Code: executor.CodeStopped, Message: "stopped"})
	case f.gone.IsZero():
		f.gone = time.Now() // it may be listed at the next look
	case j.adopted:
		e.part(j, f)
		e.waiting = append(e.waiting, f)
	case m.siblings && f.state == executor.Queued:
		e.end(j, f, executor.Result{Reason: executor.Stopped, Code: executor.CodeStopped,
			Message: fmt.Sprintf("its job %s was cancelled before it started", j.native(f.index))})
	case f.state == executor.Running && !e.overdue(f):
	default:
		e.resubmit(j, f, fmt.Sprintf("SLURM has lost job %s", j.native(f.index)))
	}
}

// keepWords appends what SLURM or the set-up lines said to the task's log, which is shown with the failure.
func (e *Executor) keepWords(j *job, f *followed) {
	name := "slurm-" + j.native(f.index) + ".out"
	words, err := os.ReadFile(filepath.Join(j.dir, name))
	if err != nil || len(bytes.TrimSpace(words)) == 0 {
		return
	}
	log, err := os.OpenFile(filepath.Join(f.task.Dir, executor.LogFile), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return
	}
	defer log.Close()
	_, _ = log.Write(words) // the log is for people; the result stands without
}

// progress passes on how far running tasks are, as long as they are few.
func (e *Executor) progress() {
	n := 0
	for _, j := range e.jobs {
		for _, f := range j.tasks {
			if f.state != executor.Running {
				continue
			}
			if n++; n > withProgress {
				return
			}
			e.readProgress(f)
		}
	}
}

func (e *Executor) readProgress(f *followed) {
	path := filepath.Join(f.task.Dir, executor.ProgressFile)
	info, err := os.Stat(path)
	if err != nil || !info.ModTime().After(f.read) {
		return
	}
	f.read = info.ModTime()
	var p stage.Progress
	if raw, err := os.ReadFile(path); err == nil && json.Unmarshal(raw, &p) == nil {
		e.updates <- executor.Update{Task: f.task, State: executor.Running, Progress: &p}
	}
}

// cancelAll cancels what is with SLURM and ends what is not. It is called again until nothing is left.
func (e *Executor) cancelAll() {
	e.dropWaiting()
	ids := e.natives()
	if e.stopping || len(ids) == 0 {
		return
	}
	e.stopping = true
	e.hurry()
	if err := e.client.cancel(ids); err != nil {
		e.stopping = false
		e.once("scancel", e.any(), fmt.Sprintf("cannot cancel the jobs yet: %v", err))
	}
}

// natives lists the jobs of all followed tasks.
func (e *Executor) natives() []string {
	var ids []string
	for _, j := range e.jobs {
		if j.id == "" {
			continue
		}
		if !j.adopted && len(j.tasks) == len(j.Tasks) {
			ids = append(ids, j.id)
			continue
		}
		for _, f := range j.tasks {
			ids = append(ids, j.native(f.index))
		}
	}
	return ids
}

// dropWaiting ends what was not submitted.
func (e *Executor) dropWaiting() {
	stopped := executor.Result{Reason: executor.Stopped, Code: executor.CodeStopped, Message: "stopped"}
	for _, f := range e.waiting {
		e.updates <- executor.Update{Task: f.task, State: executor.Ended, Result: stopped}
	}
	e.waiting = nil
	for _, j := range slices.Clone(e.jobs) {
		if j.id == "" {
			e.refuse(j, stopped)
		}
	}
}

// abandon reports everything as stopped without waiting: cancelled, or left to run.
func (e *Executor) abandon(cancel bool) {
	e.left = true
	e.dropWaiting()
	if ids := e.natives(); cancel && len(ids) > 0 {
		if err := e.client.cancel(ids); err != nil {
			e.note(e.any(), fmt.Sprintf("could not cancel jobs %s: %v", strings.Join(ids, " "), err))
		}
	}
	stopped := executor.Result{Reason: executor.Stopped, Code: executor.CodeStopped, Message: "stopped"}
	for _, j := range e.jobs {
		for _, f := range j.tasks {
			e.updates <- executor.Update{Task: f.task, State: executor.Ended, NativeID: j.native(f.index), Result: stopped}
		}
	}
	e.jobs, e.live = nil, 0
}

// sweep removes the records of this pipeline's earlier runs whose jobs have ended.
func (e *Executor) sweep() {
	if e.left {
		return
	}
	records, err := readRecords(e.session.Workdir)
	if err != nil {
		return
	}
	for _, r := range records {
		if r.Pipeline != e.session.Pipeline || r.Driver || r.Run != e.session.Run && e.session.Living(r.Run) {
			continue
		}
		if ids, err := r.alive(e.client); err == nil && len(ids) == 0 {
			_ = r.remove() // a later run tries again
		}
	}
}

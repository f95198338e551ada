package workflow

import (
	"cmp"
	"container/heap"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"oceaninv/workflow/artifact"
	"oceaninv/workflow/executor"
	"oceaninv/workflow/stage"
)

// patience is how long the first task of the queue lets others pass that fit where it does not.
const patience = 30 * time.Second

// enqueue queues the tasks of an action: one, or one per shard. The merge follows when all shards are done.
func (d *driver) enqueue(j *job) {
	j.shards = 1
	if s, ok := j.action.Spec.(stage.Sharder); ok {
		j.shards = max(1, s.Shards())
	}
	j.left = j.shards
	j.round++
	for shard := range j.shards {
		role := executor.RoleRun
		if j.shards > 1 {
			role = executor.RoleShard
		}
		d.push(d.newTask(j, role, shard))
	}
}

func (d *driver) newTask(j *job, role executor.Role, shard int) *taskState {
	d.sequence++
	t := &taskState{job: j, round: j.round, sequence: d.sequence, limits: j.action.Policy.Resources.Resources}
	t.limits.Cores = d.cores(t.limits.Cores)
	if j.action.Policy.Timeout > 0 {
		t.limits.Time = j.action.Policy.Timeout
	}
	usual := d.executor.Budget().Default
	t.limits.Memory, t.limits.Time = cmp.Or(t.limits.Memory, usual.Memory), cmp.Or(t.limits.Time, usual.Time)
	t.order = executor.Order{Role: role, Shard: shard, Shards: j.shards}
	return t
}

// cores is how many a task gets that asks for n.
func (d *driver) cores(n int) int {
	budget := d.executor.Budget()
	limit := budget.Cores
	if n == stage.AllCores {
		return max(1, limit, budget.All)
	}
	if limit > 0 {
		n = min(n, limit)
	}
	return max(1, n)
}

// dispatch submits the ready tasks that fit, and reports whether anything was unlocked meanwhile.
func (d *driver) dispatch() (again bool) {
	var tasks []*executor.Task
	var passed []*taskState
	for len(d.ready) > 0 && !d.halted {
		t := heap.Pop(&d.ready).(*taskState)
		if t.job.state == ended || t.round != t.job.round {
			continue
		}
		if !d.fits(t.limits) {
			passed = append(passed, t)
			if time.Since(t.since) > patience || len(passed) > 64 || d.full() {
				break
			}
			continue
		}
		task := d.start(t)
		if task != nil {
			tasks = append(tasks, task)
			d.inUse.Cores += t.limits.Cores
			d.inUse.Memory += t.limits.Memory
		}
	}
	for _, t := range passed {
		heap.Push(&d.ready, t)
	}
	d.submit(tasks)
	return len(d.unlocked) > 0
}

func (d *driver) fits(r stage.Resources) bool {
	b := d.executor.Budget()
	if b.Cores > 0 && d.inUse.Cores > 0 && d.inUse.Cores+r.Cores > b.Cores {
		return false
	}
	// A task that wants more memory than there is may still try, alone.
	return b.Memory == 0 || d.inUse.Memory == 0 || d.inUse.Memory+r.Memory <= b.Memory
}

func (d *driver) full() bool {
	b := d.executor.Budget()
	return b.Cores > 0 && d.inUse.Cores >= b.Cores
}

func (d *driver) submit(tasks []*executor.Task) {
	if len(tasks) == 0 {
		return
	}
	var err error
	if _, outlives := d.executor.(executor.Leaver); outlives {
		err = d.journal.barrier() // tasks that outlive the driver are on record before they run
	}
	if err == nil {
		err = d.executor.Submit(tasks)
	}
	if err == nil {
		return
	}
	for _, task := range tasks {
		d.update(executor.Update{Task: task, State: executor.Ended,
			Result: executor.Result{Reason: executor.Failed, Code: executor.CodeFailed, Message: "cannot be submitted: " + err.Error()}})
	}
}

// start makes a task ready to be submitted. It returns nil if there is nothing to submit: another run has the action
// in hand or has just done it, this shard is done already, or the task cannot be written.
func (d *driver) start(t *taskState) *executor.Task {
	j := t.job
	if !j.leased && !d.begin(j) {
		return nil
	}
	if t.order.Role == executor.RoleShard {
		if _, err := d.store.LookupIn(d.partDir(j, t.order.Shard), j.key); err == nil {
			d.shardDone(j)
			return nil
		}
	}
	task, err := d.write(t)
	if err != nil {
		d.fail(j, executor.Result{Reason: executor.Failed, Code: executor.CodeFailed, Message: explainDisk(err).Error()}, "")
		return nil
	}
	d.tasks[task] = t
	d.emit(Event{Event: TaskSubmitted, Action: j.action.Address, Stage: j.action.Stage, Task: task.Order.Name(),
		Attempt: t.attempt, Key: j.key, Dir: task.Dir, Cores: t.limits.Cores})
	return task
}

func forced(j *job) bool { return len(j.decision.Reasons) > 0 && j.decision.Reasons[0] == "forced" }

func (d *driver) partDir(j *job, shard int) string {
	return filepath.Join(d.store.WorkDir(j.key), "parts", stage.ShardName(shard, j.shards))
}

// write puts the task's order into a directory of its own.
func (d *driver) write(t *taskState) (*executor.Task, error) {
	j := t.job
	t.attempt++
	o := t.order
	o.Address, o.Kind, o.Version, o.Key, o.Params = j.action.Address, j.action.Kind.Name, j.action.Kind.Version, j.key, j.action.Params
	o.Outputs, o.Cores, o.Store, o.Run, o.Attempt = j.action.Outputs, t.limits.Cores, d.store.Dir(), d.id, t.attempt
	o.Inputs = make(map[string][]string)
	for _, in := range j.action.Inputs {
		at, ok := d.location(in, func(address string) *artifact.Record { return d.jobs[address].record })
		if !ok {
			return nil, fmt.Errorf("input %s is not there", in.Name)
		}
		o.Inputs[in.Name] = append(o.Inputs[in.Name], at)
	}
	o.Target = d.store.ActionDir(j.key)
	switch o.Role {
	case executor.RoleShard:
		o.Target = d.partDir(j, o.Shard)
	case executor.RoleMerge:
		for shard := range j.shards {
			o.Parts = append(o.Parts, d.partDir(j, shard))
		}
	}
	name := o.Name()
	o.Checkpoint = filepath.Join(d.store.WorkDir(j.key), "checkpoint", name)
	o.Provenance = d.provenance(j)
	dir := filepath.Join(d.store.WorkDir(j.key), d.taskDir(name, t.attempt))
	if err := o.Write(dir); err != nil {
		return nil, err
	}
	return &executor.Task{
		ID: fmt.Sprintf("%s %s #%d", j.action.Address, name, t.attempt), Dir: dir, Order: &o, Resources: t.limits,
		Queue: queueOf(j.action.Policy.Resources), Group: groupOf(j, o.Role),
	}, nil
}

// taskDir is the name of a task's directory in that of its action.
func (d *driver) taskDir(task string, attempt int) string {
	return fmt.Sprintf("%s.%s.%d", task, d.id, attempt)
}

// provenance is what is recorded inside the products, beside their content.
func (d *driver) provenance(j *job) map[string]string {
	var digests []string
	for _, name := range slices.Sorted(maps.Keys(j.preimage.Inputs)) {
		for _, digest := range j.preimage.Inputs[name] {
			digests = append(digests, name+"="+digest)
		}
	}
	return map[string]string{
		"run_id": d.id, "action": j.action.Address, "action_key": string(j.key), "stage_kind": j.action.Kind.Name,
		"stage_kind_version": strconv.Itoa(j.action.Kind.Version), "input_digests": strings.Join(digests, " "),
		"program_version": d.options.Version, "command": d.options.CommandLine,
		"date_created": time.Now().UTC().Format(time.RFC3339),
	}
}

// update takes news of a task.
func (d *driver) update(u executor.Update) {
	t, ok := d.tasks[u.Task]
	if !ok {
		return
	}
	e := Event{Action: t.job.action.Address, Stage: t.job.action.Stage, Task: u.Task.Order.Name(), Attempt: t.attempt,
		Key: t.job.key, NativeID: u.NativeID}
	switch {
	case u.State == executor.Ended:
		d.taskEnded(t, u, e)
	case u.Progress != nil:
		e.Event, e.Progress = TaskProgress, u.Progress
		d.emit(e)
	case u.Note != "":
		e.Event, e.Message = Notice, u.Note
		d.emit(e)
	case u.State == executor.Running:
		e.Event = TaskStarted
		d.emit(e)
	case u.State == executor.Saving:
		d.freeCores(t)
	}
}

// mostSaving is how many tasks that only wait for the disk may keep their processes beside those that compute.
const mostSaving = 16

// freeCores gives the cores of a task that only waits for the disk to others, so that the disk's syncs are waited for
// together and not one by one. Its memory stays its own.
func (d *driver) freeCores(t *taskState) {
	if t.saving || d.saving >= mostSaving {
		return
	}
	t.saving = true
	d.saving++
	d.inUse.Cores -= t.limits.Cores
}

func (d *driver) taskEnded(t *taskState, u executor.Update, e Event) {
	delete(d.tasks, u.Task)
	if t.saving {
		t.saving = false
		d.saving--
	} else {
		d.inUse.Cores -= t.limits.Cores
	}
	d.inUse.Memory -= t.limits.Memory
	j := t.job
	r := u.Result
	if r.Reason == executor.Succeeded {
		r = d.collect(t)
	}
	if r.Usage.Started.IsZero() {
		r.Usage = u.Result.Usage
	}
	e.Event, e.Reason, e.Code, e.Message, e.Usage = TaskEnded, string(r.Reason), r.Code, r.Message, &r.Usage
	d.emit(e)
	switch {
	case r.Reason == executor.Succeeded && t.order.Role == executor.RoleShard:
		j.cpu += r.Usage.CPU
		j.rss = max(j.rss, r.Usage.PeakRSS)
		d.shardDone(j)
	case r.Reason == executor.Succeeded:
		if _, outlives := d.executor.(executor.Leaver); outlives {
			d.store.Clear(j.key)
		}
		if !d.options.KeepFailed {
			d.sweep(j)
		}
		d.complete(j, false)
	case r.Reason == executor.Stopped && d.signal != nil: // the next run goes on from its checkpoint
	case d.retries(t, r):
		d.retry(t, r)
	default:
		d.fail(j, r, u.Task.Dir)
	}
}

// collect checks that what a task says it has done is there.
func (d *driver) collect(t *taskState) executor.Result {
	j := t.job
	dir := d.store.ActionDir(j.key)
	if t.order.Role == executor.RoleShard {
		dir = d.partDir(j, t.order.Shard)
	}
	record, err := d.store.LookupIn(dir, j.key)
	if err != nil {
		return executor.Result{Reason: executor.Failed, Code: executor.CodeFailed,
			Message: "the task ended without an error, but its result is not there: " + err.Error()}
	}
	if t.order.Role != executor.RoleShard {
		j.record = record
	}
	return executor.Result{Usage: record.Usage}
}

func (d *driver) shardDone(j *job) {
	if j.left--; j.left == 0 {
		d.push(d.newTask(j, executor.RoleMerge, 0))
	}
}

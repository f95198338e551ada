package slurm

import (
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"oceaninv/workflow/artifact"
	"oceaninv/workflow/executor"
)

// Name is what --executor calls this executor.
const Name = "slurm"

// Executor runs tasks as SLURM jobs. What drivers before this one submitted it follows instead of submitting it again.
type Executor struct {
	options Options
	command []string
	client  client
	session executor.Session
	updates chan executor.Update

	mutex sync.Mutex // of what the driver's goroutine and follow share
	inbox []*executor.Task
	order order
	wake  chan struct{}
	ended chan struct{}

	// All below belongs to follow.
	jobs     []*job
	waiting  []*followed // to be submitted
	orphans  map[taskID]orphan
	sequence int
	maxArray int
	asked    bool // for maxArray
	live     int  // tasks with SLURM
	interval time.Duration
	silent   time.Time // since when SLURM does not answer; zero if it does
	noted    map[string]bool
	stopping bool // all is cancelled
	left     bool // jobs may go on that are followed no more
}

// order is what the driver wants of the executor.
type order int

const (
	goOn  order = iota
	stop        // cancel everything and see it end
	drop        // cancel everything and do not wait
	leave       // let the jobs run on
	quit
)

// taskID tells tasks across drivers: an action's key, and the task's name within.
type taskID struct {
	key  artifact.Key
	name string
}

// orphan is a task that an earlier driver submitted.
type orphan struct {
	record *record
	index  int
}

// job is a submission and those of its tasks that are followed.
type job struct {
	*record
	request  request
	tasks    []*followed
	attempts int       // at sbatch
	due      time.Time // of the next
	adopted  bool
	searched bool // by its name, since sbatch last failed
}

// followed is a task that has not ended.
type followed struct {
	task    *executor.Task
	index   int // in its job
	state   executor.State
	seen    bool      // by squeue
	gone    time.Time // since when the queue does not list it, or has it as ended without an exit file
	again   int       // submissions after the first
	exclude []string  // nodes that lost it
	read    time.Time // of its progress, last
}

// New returns an executor. The command is this program's `task` verb.
func New(o Options, command []string) *Executor {
	if o.problems() != nil {
		panic("slurm: options that Decode would refuse")
	}
	return &Executor{options: o, command: command, updates: make(chan executor.Update, 256), wake: make(chan struct{}, 1),
		ended: make(chan struct{}), noted: make(map[string]bool), orphans: make(map[taskID]orphan)}
}

// Name is "slurm".
func (e *Executor) Name() string { return Name }

// Budget is no limit but on the tasks that ask for all cores, or for nothing.
func (e *Executor) Budget() executor.Budget {
	return executor.Budget{All: e.options.Cores, Default: e.options.usual()}
}

// Updates is where news arrive.
func (e *Executor) Updates() <-chan executor.Update { return e.updates }

// Start reads what earlier drivers left, and begins to follow.
func (e *Executor) Start(s executor.Session) error {
	e.session = s
	records, err := readRecords(s.Workdir)
	if err != nil {
		return err
	}
	for _, r := range records {
		for i, m := range r.Tasks {
			e.orphans[taskID{m.Key, m.Name}] = orphan{r, i}
		}
	}
	go e.follow()
	return nil
}

// Submit takes tasks in; they are submitted, or adopted, soon.
func (e *Executor) Submit(tasks []*executor.Task) error {
	e.mutex.Lock()
	e.inbox = append(e.inbox, tasks...)
	e.mutex.Unlock()
	e.rouse()
	return nil
}

// Stop cancels all jobs. SLURM asks the tasks to end first: they save a checkpoint.
func (e *Executor) Stop(now bool) {
	if now {
		e.want(drop)
		return
	}
	e.want(stop)
}

// Leave reports every task as stopped but lets the jobs run: the next driver finds them.
func (e *Executor) Leave() { e.want(leave) }

// Close ends the following.
func (e *Executor) Close() error {
	e.want(quit)
	for {
		select {
		case <-e.updates: // nobody else reads any more
		case <-e.ended:
			return nil
		}
	}
}

func (e *Executor) want(o order) {
	e.mutex.Lock()
	e.order = max(e.order, o)
	e.mutex.Unlock()
	e.rouse()
}

func (e *Executor) rouse() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// follow is the goroutine that does everything.
func (e *Executor) follow() {
	defer close(e.ended)
	timer := time.NewTimer(0)
	defer timer.Stop()
	e.interval = mustDuration(e.options.Poll)
	next := time.Now()
	for {
		select {
		case <-e.wake:
		case <-timer.C:
		}
		e.mutex.Lock()
		tasks, want := e.inbox, e.order
		e.inbox = nil
		e.mutex.Unlock()
		e.take(tasks)
		switch want {
		case stop:
			e.cancelAll()
		case drop, leave:
			e.abandon(want == drop)
		case quit:
			e.sweep()
			return
		}
		e.submitDue()
		if !time.Now().Before(next) {
			e.poll()
			next = time.Now().Add(e.interval)
		}
		timer.Reset(max(10*time.Millisecond, time.Until(e.nextDue(next))))
	}
}

// nextDue is when there is something to do again.
func (e *Executor) nextDue(poll time.Time) time.Time {
	for _, j := range e.jobs {
		if j.id == "" && j.due.Before(poll) {
			poll = j.due
		}
	}
	return poll
}

// take adopts tasks that are with SLURM already, and queues the others.
func (e *Executor) take(tasks []*executor.Task) {
	for _, t := range tasks {
		f := &followed{task: t}
		id := taskID{t.Order.Key, t.Order.Name()}
		old, ok := e.orphans[id]
		delete(e.orphans, id)
		if !ok {
			e.waiting = append(e.waiting, f)
			continue
		}
		e.adopt(f, old)
	}
	if len(tasks) > 0 {
		e.hurry()
	}
}

// adopt follows a task in the job of an earlier driver, where it left its exit file.
func (e *Executor) adopt(f *followed, old orphan) {
	f.index = old.index
	f.task.Dir = old.record.Tasks[old.index].Dir
	e.live++
	for _, j := range e.jobs {
		if j.record == old.record {
			j.tasks = append(j.tasks, f)
			return
		}
	}
	e.jobs = append(e.jobs, &job{record: old.record, tasks: []*followed{f}, adopted: true})
}

// hurry looks at the queue often again.
func (e *Executor) hurry() { e.interval = mustDuration(e.options.Poll) }

// submitDue makes submissions of what waits, as far as max_jobs lets it, and calls sbatch for those that are due.
func (e *Executor) submitDue() {
	if room := e.options.MaxJobs - e.live; room > 0 && len(e.waiting) > 0 && !e.stopping {
		batch := e.waiting[:min(room, len(e.waiting))]
		e.waiting = slices.Clone(e.waiting[len(batch):])
		for _, group := range grouped(batch, e.arraySize()) {
			e.prepare(group)
		}
	}
	now := time.Now()
	for _, j := range slices.Clone(e.jobs) {
		if j.id == "" && !now.Before(j.due) {
			e.try(j)
		}
	}
}

// grouped puts together, in order, tasks that ask for the same, at most limit at a time.
func grouped(tasks []*followed, limit int) [][]*followed {
	var groups [][]*followed
	open := make(map[string]int)
	for _, f := range tasks {
		key := fmt.Sprintf("%+v", requestOf(f))
		i, ok := open[key]
		if !ok || len(groups[i]) >= limit {
			i = len(groups)
			open[key] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], f)
	}
	return groups
}

func requestOf(f *followed) request {
	r := request{group: f.task.Group, resources: f.task.Resources, queue: f.task.Queue}
	for i, node := range f.exclude {
		if i > 0 {
			r.exclude += ","
		}
		r.exclude += node
	}
	r.resources.Disk = 0
	return r
}

// arraySize is the largest array that may be submitted.
func (e *Executor) arraySize() int {
	if e.options.MaxArray > 0 {
		return e.options.MaxArray
	}
	if !e.asked {
		e.asked = true
		e.maxArray = e.client.maxArraySize()
	}
	if e.maxArray > 0 {
		return e.maxArray
	}
	return 1000 // SLURM's default allows 1001
}

// prepare puts a submission on record.
func (e *Executor) prepare(tasks []*followed) {
	r := requestOf(tasks[0])
	e.sequence++
	name := fmt.Sprintf("%s.%s.%d", label(r.group), e.session.Run, e.sequence)
	rec := &record{Name: name, Run: e.session.Run, Pipeline: e.session.Pipeline, Written: time.Now().UTC(),
		dir: filepath.Join(recordsDir(e.session.Workdir), name)}
	for i, f := range tasks {
		f.index, f.state, f.seen, f.gone = i, executor.Queued, false, time.Time{}
		rec.Tasks = append(rec.Tasks, member{Key: f.task.Order.Key, Name: f.task.Order.Name(), Dir: f.task.Dir})
	}
	j := &job{record: rec, request: r, tasks: tasks, searched: true}
	e.jobs = append(e.jobs, j)
	e.live += len(tasks)
	if err := rec.write(e.options.script(name, rec.dir, len(tasks), r, e.command)); err != nil {
		e.refuse(j, executor.Result{Reason: executor.Failed, Code: executor.CodeFailed, Message: "cannot be submitted: " + err.Error()})
	}
}

// try calls sbatch. After a failure it first looks whether the job is there all the same.
func (e *Executor) try(j *job) {
	if j.adopted || !j.searched {
		found, err := j.find(e.client)
		switch {
		case err != nil:
			e.postpone(j, err)
			return
		case found:
			e.hurry()
			return
		case j.adopted:
			e.resubmitAll(j) // an earlier driver died before it had submitted this
			return
		}
		j.searched = true
	}
	id, err := e.client.submit(j.script())
	if err == nil {
		err = j.identify(id)
	}
	switch {
	case err == nil:
		e.hurry()
	case j.id != "":
		e.note(j.tasks[0], fmt.Sprintf("cannot write down the number of job %s (%v); should this driver die, the job is found by its name", j.id, err))
	case classify(err) == refused:
		e.refuse(j, executor.Result{Reason: executor.BadInput, Code: executor.CodeBadInput,
			Message: "SLURM refuses the job: " + err.Error() + "\nThe script is " + j.script()})
	default:
		j.searched = classify(err) == crowded
		e.postpone(j, err)
	}
}

// postpone tries later: for as long as it takes if there are too many jobs, else a number of times.
func (e *Executor) postpone(j *job, err error) {
	if classify(err) != crowded {
		j.attempts++
	}
	if j.attempts >= e.options.SubmitAttempts && !j.adopted {
		e.refuse(j, executor.Result{Reason: executor.Failed, Code: executor.CodeFailed,
			Message: fmt.Sprintf("cannot be submitted, after %d attempts: %v", j.attempts, err)})
		return
	}
	delay := min(time.Second<<min(j.attempts, 6), time.Minute)
	j.due = time.Now().Add(delay)
	e.once("submit "+err.Error(), j.tasks[0], fmt.Sprintf("sbatch fails: %v; trying again", err))
}

// refuse ends all tasks of a job that was not submitted.
func (e *Executor) refuse(j *job, r executor.Result) {
	for _, f := range slices.Clone(j.tasks) {
		e.end(j, f, r)
	}
}

// end reports a task's end and forgets it.
func (e *Executor) end(j *job, f *followed, r executor.Result) {
	e.part(j, f)
	native := ""
	if j.id != "" {
		native = j.native(f.index)
	}
	e.updates <- executor.Update{Task: f.task, State: executor.Ended, NativeID: native, Result: r}
}

// part takes a task out of a job; the last one takes the record along, unless others of an adopted job may be asked for.
func (e *Executor) part(j *job, f *followed) {
	e.live--
	j.tasks = slices.DeleteFunc(j.tasks, func(other *followed) bool { return other == f })
	if len(j.tasks) > 0 {
		return
	}
	e.jobs = slices.DeleteFunc(e.jobs, func(other *job) bool { return other == j })
	if !j.adopted {
		_ = j.remove() // what stays is swept by a later run
	}
}

// resubmit submits a task that was lost, elsewhere.
func (e *Executor) resubmit(j *job, f *followed, why string) {
	if f.again >= e.options.Resubmit {
		e.end(j, f, executor.Result{Reason: executor.NodeFail, Code: executor.CodeFailed,
			Message: fmt.Sprintf("%s; it had been submitted %d times", why, f.again+1)})
		return
	}
	f.again++
	e.note(f, fmt.Sprintf("%s %s: %s; submitting it again", f.task.Order.Address, f.task.Order.Name(), why))
	e.part(j, f)
	e.waiting = append(e.waiting, f)
}

// resubmitAll submits the tasks of an adopted job that does not exist.
func (e *Executor) resubmitAll(j *job) {
	for _, f := range slices.Clone(j.tasks) {
		e.part(j, f)
		e.waiting = append(e.waiting, f)
	}
	_ = j.remove()
}

func (e *Executor) note(f *followed, message string) {
	e.updates <- executor.Update{Task: f.task, State: f.state, Note: message}
}

// once notes what need not be said twice in a row.
func (e *Executor) once(what string, f *followed, message string) {
	if !e.noted[what] {
		e.noted[what] = true
		e.note(f, message)
	}
}

var (
	_ executor.Executor = (*Executor)(nil)
	_ executor.Starter  = (*Executor)(nil)
	_ executor.Leaver   = (*Executor)(nil)
)

package workflow

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"oceaninv/workflow/artifact"
	"oceaninv/workflow/config"
	"oceaninv/workflow/dag"
	"oceaninv/workflow/executor"
	"oceaninv/workflow/stage"
)

// driver is a run in progress. All its fields belong to the goroutine of run.
type driver struct {
	*Project
	options  RunOptions
	plan     *Plan
	id       string
	started  time.Time
	ledger   *ledger
	journal  *journal
	leases   *artifact.Leases
	executor executor.Executor

	graph    *dag.Graph
	jobs     map[string]*job
	unlocked []*job                  // whose dependencies are done, in order, to be looked up
	inflight map[artifact.Key][]*job // others that wait for a key one of ours is working on; nil entry: nobody waits
	leased   []*job                  // that another run is working on
	ready    queue
	delayed  []*taskState
	tasks    map[*executor.Task]*taskState
	inUse    executor.Budget
	saving   int // tasks that only wait for the disk
	open     int // jobs not ended

	failures  []Failure
	skipped   []string
	counts    Counts
	published bool      // anything new
	halted    bool      // no new tasks
	signal    os.Signal // that stopped the run
	signalled time.Time
	trouble   error // of the engine itself
	sequence  int
	asked     time.Time // whether somebody wants the run to stop, last
	sweeping  sync.WaitGroup
	swept     []string // directories to be removed at the end
	spare     []string // as swept, but another action may have them
}

// jobState is where an action is.
type jobState int

const (
	waiting jobState = iota
	working
	ended
)

// job is an action in a run.
type job struct {
	action   *config.Action
	decision *Decision
	state    jobState
	missing  int // dependencies not done
	priority float64
	key      artifact.Key
	preimage artifact.Preimage
	record   *artifact.Record
	shards   int
	left     int     // shards not done
	cpu      float64 // s, of the shards done by this run
	rss      int64   // B, the largest of theirs
	round    int     // tasks of earlier rounds are void
	owner    bool    // of its key among this run's jobs
	leased   bool    // by us
	started  time.Time
	waiting  time.Time // for another run, since
}

// taskState is a task of a job, through all its attempts.
type taskState struct {
	job      *job
	order    executor.Order
	attempt  int
	round    int
	limits   stage.Resources
	due      time.Time // when delayed
	sequence int
	since    time.Time // ready since
	saving   bool      // its cores have been given to others
}

// run is the loop.
func (d *driver) run(ctx context.Context) (*Outcome, error) {
	d.prepare()
	d.emit(Event{Event: RunStarted, Message: d.Pipeline.Path})
	poll := time.NewTicker(200 * time.Millisecond)
	defer poll.Stop()
	signals := d.options.Signals
	cancelled := ctx.Done()
	for {
		d.advance()
		if (d.open == 0 || d.halted) && len(d.tasks) == 0 {
			break
		}
		select {
		case u := <-d.executor.Updates():
			d.update(u)
		case <-poll.C:
			d.wake()
			if d.cancelled() {
				d.interrupt(os.Interrupt)
			}
		case s := <-signals:
			d.interrupt(s)
		case <-cancelled:
			cancelled = nil
			d.interrupt(os.Interrupt)
		}
	}
	return d.finish()
}

// prepare makes a job of every action and unlocks those that depend on nothing.
func (d *driver) prepare() {
	d.graph = new(dag.Graph)
	for _, decision := range d.plan.Decisions {
		a := decision.Action
		d.graph.Add(a.Address)
		for _, dependency := range a.DependsOn {
			d.graph.Depend(a.Address, dependency)
		}
	}
	remaining := d.graph.Remaining(func(address string) float64 {
		decision := d.plan.byAddress[address]
		if decision.Status == Cached {
			return 0
		}
		return max(decision.Estimate.Seconds, 1e-3)
	})
	for _, decision := range d.plan.Decisions {
		a := decision.Action
		j := &job{action: a, decision: decision, missing: len(a.DependsOn), priority: remaining[a.Address]}
		d.jobs[a.Address] = j
		d.open++
		if j.missing == 0 {
			d.unlocked = append(d.unlocked, j)
		}
	}
}

// advance does everything that can be done now.
func (d *driver) advance() {
	for {
		for len(d.unlocked) > 0 {
			j := d.unlocked[0]
			d.unlocked = d.unlocked[1:]
			d.unlock(j)
		}
		if d.halted || !d.dispatch() {
			return
		}
	}
}

// unlock looks an action up whose dependencies are done, and queues it if there is no result.
func (d *driver) unlock(j *job) {
	if d.halted {
		return
	}
	if j.decision.Status == Cached {
		j.key, j.record = j.decision.Key, j.decision.record
		d.complete(j, true)
		return
	}
	if err := d.resolve(j); err != nil {
		d.fail(j, executor.Result{Reason: executor.Failed, Code: executor.CodeFailed, Message: err.Error()}, "")
		return
	}
	if others, busy := d.inflight[j.key]; busy {
		d.inflight[j.key] = append(others, j)
		return
	}
	if record, err := d.store.Lookup(j.key); err == nil && !forced(j) && !record.Discarded {
		j.record = record
		d.complete(j, true)
		return
	}
	d.inflight[j.key], j.owner = nil, true
	d.enqueue(j)
}

func (d *driver) resolve(j *job) error {
	pre, upstream, err := d.preimageOf(j.action, func(address string) *artifact.Record { return d.jobs[address].record })
	if err != nil {
		return err
	}
	if len(upstream) > 0 {
		return fmt.Errorf("workflow: %v are not done", upstream)
	}
	j.preimage = pre
	j.key, err = pre.Key()
	return err
}

// complete ends a job whose result is in the store.
func (d *driver) complete(j *job, cached bool) {
	j.state = ended
	d.open--
	entry := entry{Address: j.action.Address, Kind: j.action.Kind.Name, Key: j.key, Run: d.id, Time: time.Now().UTC(),
		Usage: j.record.Usage, Ran: !cached}
	for _, o := range j.record.Outputs {
		entry.Bytes += o.Identity.Size
	}
	if cached {
		d.counts.Cached++
		d.emit(Event{Event: ActionCached, Action: j.action.Address, Stage: j.action.Stage, Key: j.key})
	} else {
		d.counts.Done++
		entry.Usage.CPU += j.cpu
		entry.Usage.PeakRSS = max(entry.Usage.PeakRSS, j.rss)
		entry.Usage.Started = j.started.UTC()
		entry.Usage.Finished = entry.Time
		d.emit(Event{Event: ActionDone, Action: j.action.Address, Stage: j.action.Stage, Key: j.key, Usage: &entry.Usage})
	}
	if err := d.ledger.append(entry); err != nil {
		d.notice(j, "the history of the pipeline cannot be written: "+err.Error())
	}
	if err := d.publish(j); err != nil {
		d.stopFor(fmt.Errorf("%s is done, but cannot be published: %w", j.action.Address, err))
	}
	d.release(j)
	for _, address := range d.graph.Dependents(j.action.Address) {
		next := d.jobs[address]
		if next.missing--; next.missing == 0 && next.state == waiting {
			d.unlocked = append(d.unlocked, next)
		}
	}
}

// release gives up the key and lets those look again who waited for it.
func (d *driver) release(j *job) {
	if j.leased {
		d.leases.Release(j.key)
		j.leased = false
	}
	if j.owner {
		j.owner = false
		d.unlocked = append(d.unlocked, d.inflight[j.key]...)
		delete(d.inflight, j.key)
	}
}

// fail ends a job for good and decides what else cannot run.
func (d *driver) fail(j *job, r executor.Result, dir string) {
	if j.state == ended {
		return
	}
	j.state = ended
	d.open--
	d.counts.Failed++
	f := Failure{Action: j.action, Result: r, Dir: dir}
	if dir != "" {
		f.Log = d.redact(tail(dir+"/"+executor.LogFile, 20))
	}
	f.Result.Message = d.redact(r.Message)
	d.failures = append(d.failures, f)
	d.emit(Event{Event: ActionFailed, Action: j.action.Address, Stage: j.action.Stage, Key: j.key, Dir: dir,
		Reason: string(r.Reason), Code: r.Code, Message: f.Result.Message, Log: f.Log})
	d.release(j)
	for _, address := range d.graph.Descendants(j.action.Address) {
		d.skip(d.jobs[address], "needs "+j.action.Address)
	}
	if !d.options.KeepGoing && !j.action.Policy.Continue {
		d.halted = true
	}
}

func (d *driver) skip(j *job, why string) {
	if j.state == ended {
		return
	}
	j.state = ended
	d.open--
	d.counts.Skipped++
	d.skipped = append(d.skipped, j.action.Address)
	d.emit(Event{Event: ActionSkipped, Action: j.action.Address, Stage: j.action.Stage, Message: why})
}

// echo is how soon after a signal another counts as the same: what ends a process often signals it and its group.
const echo = 300 * time.Millisecond

// interrupt stops the run: cleanly at first, at once when asked again.
func (d *driver) interrupt(s os.Signal) {
	if d.signal != nil {
		if time.Since(d.signalled) < echo {
			return
		}
		d.notice(nil, "Second signal: stopping at once.")
		d.executor.Stop(true)
		return
	}
	d.signal, d.signalled = s, time.Now()
	d.halted = true
	if len(d.tasks) > 0 {
		d.notice(nil, fmt.Sprintf("%s: stopping %d running task(s); again to stop at once.", signalName(s), len(d.tasks)))
	}
	if leaver, ok := d.executor.(executor.Leaver); ok && s == syscall.SIGUSR1 {
		leaver.Leave() // only the driver's time is up, not the tasks'
		return
	}
	d.executor.Stop(false)
}

func signalName(s os.Signal) string {
	switch s {
	case os.Interrupt:
		return "Interrupted"
	case syscall.SIGTERM:
		return "Asked to end"
	case syscall.SIGHUP:
		return "The terminal has gone"
	case syscall.SIGUSR1:
		return "Time is nearly up"
	}
	return s.String()
}

// stopFor stops the run because the engine itself cannot go on.
func (d *driver) stopFor(err error) {
	if d.trouble == nil {
		d.trouble = err
	}
	d.halted = true
}

func (d *driver) emit(e Event) {
	e.Time, e.Run = time.Now().UTC(), d.id
	e.Reason, e.Message = d.redact(e.Reason), d.redact(e.Message)
	if e.Event != TaskProgress {
		d.journal.append(e)
	}
	d.options.Observe(e)
}

func (d *driver) notice(j *job, message string) {
	e := Event{Event: Notice, Message: message}
	if j != nil {
		e.Action, e.Stage = j.action.Address, j.action.Stage
	}
	d.emit(e)
}

// finish closes everything and sums up.
func (d *driver) finish() (*Outcome, error) {
	err := d.executor.Close()
	for _, dir := range append(d.swept, d.spare...) {
		os.RemoveAll(dir) // what cannot be removed is left to gc
	}
	d.sweeping.Wait()
	d.counts.Pending = d.open
	o := &Outcome{Run: d.id, Counts: d.counts, Failures: d.failures, Skipped: d.skipped, Stopped: d.signal,
		Seconds: time.Since(d.started).Seconds(), Published: d.published, Version: d.options.Version,
		CommandLine: d.options.CommandLine, Records: make(map[string]*artifact.Record)}
	keys := make(map[string]artifact.Key)
	for address, j := range d.jobs {
		if j.record != nil {
			o.Records[address] = j.record
			keys[address] = j.key
		}
	}
	if d.open == 0 && len(d.failures) == 0 {
		d.discard()
	}
	if len(d.options.Targets) == 0 && d.open == 0 && len(d.failures) == 0 {
		s := snapshot{Pipeline: d.Pipeline.Path, Keys: keys, Run: d.id}
		err = errors.Join(err, s.write(snapshotPath(d.Workdir, d.Pipeline.Name)))
	}
	d.emit(Event{Event: RunEnded, Counts: &d.counts, Message: d.ending()})
	d.ledger.close()
	err = errors.Join(d.trouble, err, d.journal.close(), d.writeTrace())
	if d.options.Conclude != nil {
		err = errors.Join(err, d.options.Conclude(o))
	}
	d.leases.Close() // last: a run without its lease has its end in the journal, or its driver has died
	return o, err
}

func (d *driver) ending() string {
	switch {
	case d.trouble != nil:
		return "failed: " + d.trouble.Error()
	case d.signal != nil:
		return "stopped: " + d.signal.String()
	case len(d.failures) > 0:
		return "failed"
	}
	return "done"
}

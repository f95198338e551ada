package workflow

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"oceaninv/workflow/artifact"
	"oceaninv/workflow/executor"
)

// begin takes the lease of an action and prepares its directories.
func (d *driver) begin(j *job) bool {
	held, other, dead, err := d.leases.Acquire(j.key)
	if dead != nil {
		d.notice(j, fmt.Sprintf("taking over %s from %s, which is gone", j.action.Address, dead))
	}
	if err != nil {
		d.stopFor(err)
		return false
	}
	if !held {
		if !slices.Contains(d.leased, j) {
			d.leased = append(d.leased, j)
			j.round++ // its queued tasks are void
			if j.waiting.IsZero() {
				j.waiting = time.Now()
			}
			d.notice(j, fmt.Sprintf("%s is being done by %s; waiting for it", j.action.Address, other))
		}
		return false
	}
	j.leased = true
	if record, err := d.store.Lookup(j.key); err == nil && !record.Discarded && !forced(j) { // done by another run since we looked
		j.record = record
		d.complete(j, true)
		return false
	}
	if _, outlives := d.executor.(executor.Leaver); !outlives {
		d.store.Clear(j.key) // else a task of a dead driver may be writing there: that is cleared when the action is done
	}
	d.recycle(j)
	if err := d.store.Prepare(j.key, j.preimage); err != nil {
		d.stopFor(err)
		return false
	}
	if !j.started.IsZero() {
		return true
	}
	j.state, j.started = working, time.Now()
	d.emit(Event{Event: ActionStarted, Action: j.action.Address, Stage: j.action.Stage, Key: j.key, Tasks: j.shards,
		Reason: strings.Join(j.decision.Reasons, "; ")})
	return true
}

// wake queues what was waiting for time to pass or for another run.
func (d *driver) wake() {
	now := time.Now()
	d.delayed = slices.DeleteFunc(d.delayed, func(t *taskState) bool {
		if now.Before(t.due) {
			return false
		}
		d.push(t)
		return true
	})
	if d.halted {
		return
	}
	leased := d.leased
	d.leased = nil
	for _, j := range leased {
		d.lookAgain(j)
	}
}

// lookAgain sees what became of an action that another run had in hand.
func (d *driver) lookAgain(j *job) {
	if j.state == ended {
		return
	}
	if record, err := d.store.Lookup(j.key); err == nil && !record.Discarded {
		j.record = record
		d.complete(j, true)
		return
	} else if !errors.Is(err, artifact.ErrMissing) && !errors.Is(err, artifact.ErrDamaged) && err != nil {
		d.stopFor(err)
		return
	}
	holder := d.leases.Holder(j.key)
	if holder == nil {
		j.waiting = time.Time{}
		d.enqueue(j)
		return
	}
	if limit, waited := d.options.LockTimeout, time.Since(j.waiting); limit != 0 && waited >= limit {
		d.fail(j, executor.Result{Reason: executor.Failed, Code: executor.CodeFailed,
			Message: fmt.Sprintf("is being done by %s, and the wait of %s is over (--lock-timeout)", holder, max(limit, 0))}, "")
		return
	}
	d.leased = append(d.leased, j)
}

package workflow

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"oceaninv/workflow/config"
	"oceaninv/workflow/executor"
	"oceaninv/workflow/stage"
)

// retries decides whether a failed task is tried again.
func (d *driver) retries(t *taskState, r executor.Result) bool {
	policy := t.job.action.Policy.Retry
	if t.attempt >= policy.Attempts || r.Reason == executor.BadInput || r.Reason == executor.Stopped || d.signal != nil || t.job.state == ended {
		return false
	}
	if len(policy.On) == 0 {
		return true
	}
	return slices.Contains(policy.On, string(r.Reason)) || slices.Contains(policy.On, strconv.Itoa(r.Code))
}

func (d *driver) retry(t *taskState, r executor.Result) {
	escalate(&t.limits, t.job.action.Policy.Resources, r.Reason)
	delay := backoff(t.job.action.Policy.Retry, t.attempt)
	t.due = time.Now().Add(delay)
	d.delayed = append(d.delayed, t)
	d.emit(Event{Event: TaskRetry, Action: t.job.action.Address, Stage: t.job.action.Stage, Task: t.order.Name(), Attempt: t.attempt + 1,
		Reason: string(r.Reason), Code: r.Code, Message: r.Message, Delay: delay.Seconds()})
}

// escalate gives a task more of what it had too little of.
func escalate(limits *stage.Resources, r config.Resources, reason executor.Reason) {
	switch {
	case reason == executor.OOM && limits.Memory > 0:
		limits.Memory = int64(ceiling(float64(limits.Memory)*r.Growth, float64(r.MaxMemory)))
	case reason == executor.TimedOut && limits.Time > 0:
		limits.Time = time.Duration(ceiling(float64(limits.Time)*r.Growth, float64(r.MaxTime)))
	}
}

func ceiling(v, limit float64) float64 {
	if limit > 0 {
		return min(v, limit)
	}
	return v
}

// backoff is how long to wait after the given number of attempts.
func backoff(r config.Retry, attempts int) time.Duration {
	delay := float64(r.Delay) * math.Pow(max(1, r.Backoff), float64(attempts-1))
	delay = ceiling(delay, float64(r.MaxDelay))
	delay *= 1 + r.Jitter*(2*rand.Float64()-1)
	return time.Duration(delay)
}

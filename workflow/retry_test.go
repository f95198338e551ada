package workflow

import (
	"testing"
	"time"

	"oceaninv/workflow/config"
	"oceaninv/workflow/executor"
	"oceaninv/workflow/stage"
)

// TestBackoff: delay, delay·backoff, delay·backoff², ... up to max_delay, each within the jitter's fraction, and not all alike.
func TestBackoff(t *testing.T) {
	r := config.Retry{Delay: time.Second, Backoff: 3, MaxDelay: 20 * time.Second, Jitter: 0.25}
	for attempts, want := range map[int]time.Duration{1: time.Second, 2: 3 * time.Second, 3: 9 * time.Second, 4: 20 * time.Second, 40: 20 * time.Second} {
		seen := make(map[time.Duration]bool)
		for range 200 {
			got := backoff(r, attempts)
			seen[got] = true
			if off := float64(got-want) / float64(want); off < -0.25-1e-9 || off > 0.25+1e-9 {
				t.Fatalf("after %d attempts: %s, which is %g off %s", attempts, got, off, want)
			}
		}
		if len(seen) < 100 {
			t.Errorf("after %d attempts: %d different delays of 200", attempts, len(seen))
		}
	}
	r.Jitter = 0
	if got := backoff(r, 2); got != 3*time.Second {
		t.Errorf("without jitter: %s", got)
	}
}

// TestEscalate: what ran out grows by the factor up to its ceiling, the other does not.
func TestEscalate(t *testing.T) {
	r := config.Resources{Growth: 3, MaxMemory: 500, MaxTime: time.Hour}
	start := stage.Resources{Memory: 100, Time: 10 * time.Minute}
	for _, c := range []struct {
		reason executor.Reason
		times  int
		want   stage.Resources
	}{
		{executor.OOM, 1, stage.Resources{Memory: 300, Time: 10 * time.Minute}},
		{executor.OOM, 2, stage.Resources{Memory: 500, Time: 10 * time.Minute}},
		{executor.TimedOut, 1, stage.Resources{Memory: 100, Time: 30 * time.Minute}},
		{executor.TimedOut, 3, stage.Resources{Memory: 100, Time: time.Hour}},
		{executor.Crashed, 2, start},
	} {
		got := start
		for range c.times {
			escalate(&got, r, c.reason)
		}
		if got != c.want {
			t.Errorf("%s, %d times: %+v, want %+v", c.reason, c.times, got, c.want)
		}
	}
	unlimited := stage.Resources{}
	if escalate(&unlimited, r, executor.OOM); unlimited != (stage.Resources{}) {
		t.Errorf("what had no limit got one: %+v", unlimited)
	}
}

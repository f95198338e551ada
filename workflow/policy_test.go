package workflow_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oceaninv/workflow"
	"oceaninv/workflow/executor"
)

// run runs a pipeline that may fail.
func run(t *testing.T, path string, o workflow.RunOptions, vars ...string) *workflow.Outcome {
	t.Helper()
	outcome, err := runPipeline(path, vars, o)
	if err != nil {
		t.Fatal(err)
	}
	return outcome
}

func TestFailuresAreTold(t *testing.T) {
	for _, c := range []struct {
		how, body string
		reason    executor.Reason
		code      int
		message   string
	}{
		{"error", "", executor.Failed, 1, "no luck"},
		{"bad input", "", executor.BadInput, 2, "the data are no good"},
		{"panic", "", executor.Failed, 1, "panic: out of ideas"},
		{"kill", "", executor.Crashed, 137, "signal: killed"},
		{"nothing written", "", executor.Failed, 1, "output words was not written"},
		{"hang", `timeout = "200ms"`, executor.TimedOut, 137, "did not end within 200ms"},
		{"memory", `resources { memory = "100MB" }`, executor.OOM, 137, "used more than its 100 MB of memory"},
	} {
		t.Run(c.how, func(t *testing.T) {
			path := write(t, `stage "fail" "x" {
  how = "`+c.how+`"
  `+c.body+`
}`)
			o := run(t, path, workflow.RunOptions{})
			if len(o.Failures) != 1 {
				t.Fatalf("%d failures", len(o.Failures))
			}
			r := o.Failures[0].Result
			if r.Reason != c.reason || r.Code != c.code || !strings.Contains(r.Message, c.message) {
				t.Errorf("%+v, want %s, code %d, %q", r, c.reason, c.code, c.message)
			}
			if o.BadInput() != (c.reason == executor.BadInput) {
				t.Errorf("bad input: %v", o.BadInput())
			}
		})
	}
}

func TestRetryUntilItSucceeds(t *testing.T) {
	path := write(t, `stage "fail" "x" {
  times = 2
  retry {
    attempts = 3
    delay    = "10ms"
  }
}`)
	o := run(t, path, workflow.RunOptions{})
	if o.Counts.Done != 1 || len(o.Failures) != 0 {
		t.Fatalf("%+v %v", o.Counts, o.Failures)
	}
	retries := 0
	for _, e := range journals(t, path) {
		if e.Event == workflow.TaskRetry {
			retries++
		}
	}
	if retries != 2 {
		t.Errorf("%d retries", retries)
	}
}

func TestRetryOnlyForTheReasonsGiven(t *testing.T) {
	for _, c := range []struct {
		on   string
		want int
	}{{`["crash"]`, 1}, {`["error"]`, 0}, {`["137"]`, 1}, {`[]`, 1}} {
		path := write(t, `stage "fail" "x" {
  how   = "kill"
  times = 1
  retry {
    attempts = 2
    delay    = "1ms"
    on       = `+c.on+`
  }
}`)
		if o := run(t, path, workflow.RunOptions{}); o.Counts.Done != c.want {
			t.Errorf("on = %s: %+v", c.on, o.Counts)
		}
	}
}

// TestMemoryGrows: a task that was out of memory gets more, until it is enough.
func TestMemoryGrows(t *testing.T) {
	t.Parallel()
	path := write(t, `stage "fail" "x" {
  how   = "memory"
  times = 2
  resources {
    memory = "64MB"
    growth = 2
  }
  retry {
    attempts = 3
    delay    = "1ms"
    on       = ["oom"]
  }
}`)
	if o := run(t, path, workflow.RunOptions{}); o.Counts.Done != 1 {
		t.Fatalf("%+v: %+v", o.Counts, o.Failures)
	}
	var told []string
	for _, e := range journals(t, path) {
		if e.Event == workflow.TaskRetry {
			told = append(told, e.Message)
		}
	}
	want := "used more than its 64 MB of memory, used more than its 128 MB of memory"
	if got := strings.Join(told, ", "); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

const halfBroken = `
stage "fail" "broken" {}
stage "join" "needs_it" {
  words = stage.broken.words
}
stage "join" "needs_that" {
  words      = stage.good.words
  depends_on = [stage.needs_it]
}
stage "make" "good" {
  count = 3
  until = var.until
}
stage "join" "alright" {
  words = stage.good.words
}
variable "until" { default = "" }
`

func TestKeepGoingNamesWhatItSkips(t *testing.T) {
	o := run(t, write(t, halfBroken), workflow.RunOptions{KeepGoing: true})
	if got := strings.Join(o.Skipped, " "); got != "stage.needs_it stage.needs_that" || o.Counts.Done != 2 || o.Counts.Failed != 1 {
		t.Errorf("skipped %s, %+v", got, o.Counts)
	}
}

func TestFailureStopsTheRestButLetsRunningTasksEnd(t *testing.T) {
	path := write(t, halfBroken)
	gate := filepath.Join(t.TempDir(), "gate") // holds the good task until the other has failed
	o := run(t, path, workflow.RunOptions{Parallelism: 2, Observe: func(e workflow.Event) {
		if e.Event == workflow.ActionFailed {
			if err := os.WriteFile(gate, nil, 0o644); err != nil {
				t.Error(err)
			}
		}
	}}, "until="+gate)
	if o.Counts.Done != 1 || o.Counts.Pending != 1 {
		t.Errorf("%+v, want the running task done and what needs it left", o.Counts)
	}
}

func TestOnFailureContinue(t *testing.T) {
	path := write(t, strings.Replace(halfBroken, `stage "fail" "broken" {}`, `stage "fail" "broken" {
  on_failure = "continue"
}`, 1))
	if o := run(t, path, workflow.RunOptions{}); o.Counts.Done != 2 || o.Counts.Skipped != 2 {
		t.Errorf("%+v", o.Counts)
	}
}

// TestEarlyCutoff: when a stage that ran again gives the same content, what follows is spared.
func TestEarlyCutoff(t *testing.T) {
	text := `stage "make" "data" {
  count = 3
  pause = "PAUSE"
}
stage "join" "book" {
  words = stage.data.words
}`
	path := write(t, strings.Replace(text, "PAUSE", "1ms", 1))
	mustRun(t, path)
	if err := os.WriteFile(path, []byte(strings.Replace(text, "PAUSE", "2ms", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if o := mustRun(t, path); o.Counts.Done != 1 || o.Counts.Cached != 1 {
		t.Errorf("%+v, want one done and one spared", o.Counts)
	}
}

// TestDiscard: outputs that are not kept go when the run is over, come back when something needs them, and are not missed.
func TestDiscard(t *testing.T) {
	text := `stage "make" "data" {
  count = 3
  keep  = false
}
stage "join" "book" {
  title = "TITLE"
  words = stage.data.words
}`
	path := write(t, text)
	first := mustRun(t, path)
	stored := filepath.Join(filepath.Dir(path), ".oceaninv", "store", "actions", "*", string(first.Records["stage.data"].Key), "words.txt")
	if found, _ := filepath.Glob(stored); len(found) != 0 {
		t.Errorf("%v was kept", found)
	}
	if o := mustRun(t, path); !o.Nothing() {
		t.Errorf("a second run did %+v", o.Counts)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(text, "TITLE", "other", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if o := mustRun(t, path); o.Counts.Done != 2 {
		t.Errorf("with a change downstream: %+v, want both done", o.Counts)
	}
}

// TestEqualActionsAreDoneOnce: two stages that ask for the same thing share it.
func TestEqualActionsAreDoneOnce(t *testing.T) {
	o := mustRun(t, write(t, `
stage "make" "a" {
  count = 5
  pause = "20ms"
}
stage "make" "b" {
  count = 5
  pause = "20ms"
}`))
	if o.Counts.Done != 1 || o.Counts.Cached != 1 {
		t.Errorf("%+v", o.Counts)
	}
}

// TestResultsDoNotDependOnShardsOrWorkers: the contents are the same however the work is cut.
func TestResultsDoNotDependOnShardsOrWorkers(t *testing.T) {
	var want string
	for _, c := range []struct{ shards, workers int }{{1, 1}, {2, 1}, {5, 3}, {7, 2}} {
		path := write(t, strings.Replace(`stage "make" "data" {
  count  = 23
  shards = N
}`, "N", string(rune('0'+c.shards)), 1))
		o := run(t, path, workflow.RunOptions{Parallelism: c.workers})
		got := contents(o)["stage.data.words"]
		if want == "" {
			want = got
		}
		if got != want || got == "" {
			t.Errorf("%+v: %s, want %s", c, got, want)
		}
	}
}

// TestInterrupt: the first signal lets tasks save a checkpoint and end; the next run goes on from there.
func TestInterrupt(t *testing.T) {
	path := write(t, `stage "make" "slow" {
  count = 100000
  pause = "50ms"
}`)
	signals := make(chan os.Signal, 1)
	o := run(t, path, workflow.RunOptions{Signals: signals, Observe: func(e workflow.Event) {
		if e.Event == workflow.TaskProgress {
			select {
			case signals <- os.Interrupt:
			default:
			}
		}
	}})
	if o.Stopped != os.Interrupt || o.Counts.Pending != 1 || len(o.Failures) != 0 {
		t.Fatalf("%+v", o)
	}
	found, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".oceaninv", "store", "work", "*", "checkpoint", "run", "at"))
	if err != nil || len(found) != 1 {
		t.Errorf("checkpoints %v, %v", found, err)
	}
}

// TestSecondSignalKills: a task that does not stop when asked is killed by the second signal, before its grace is over; the
// two count as one where they are an echo.
func TestSecondSignalKills(t *testing.T) {
	t.Parallel()
	path := write(t, `stage "fail" "deaf" {
  how = "deaf"
}`)
	signals := make(chan os.Signal, 3)
	var asked, ended time.Time
	var told []string
	o := run(t, path, workflow.RunOptions{Signals: signals, Observe: func(e workflow.Event) {
		switch {
		case e.Event == workflow.TaskProgress:
			signals <- os.Interrupt
			signals <- os.Interrupt // an echo
			time.AfterFunc(time.Second, func() { signals <- os.Interrupt })
		case e.Event == workflow.Notice && asked.IsZero():
			asked = e.Time
		case e.Event == workflow.Notice:
			told = append(told, e.Message)
		case e.Event == workflow.TaskEnded:
			ended = e.Time
		}
	}})
	if o.Stopped != os.Interrupt || o.Counts.Pending != 1 || len(o.Failures) != 0 {
		t.Errorf("%+v", o)
	}
	if strings.Join(told, "; ") != "Second signal: stopping at once." {
		t.Errorf("told %q", told)
	}
	if grace := 20 * time.Second; ended.Sub(asked) >= grace {
		t.Errorf("it took %s: that was the end of its grace", ended.Sub(asked))
	}
}

// TestTimeBudgetIsNotSpentByWaiting: the limit of a task counts from its own start, not from when another had the core.
func TestTimeBudgetIsNotSpentByWaiting(t *testing.T) {
	t.Parallel()
	path := write(t, `stage "make" "long" {
  count = 1
  pause = "9s"
}
stage "make" "brief" {
  count   = 2
  timeout = "8s"
}`)
	started := make(map[string]time.Time)
	o := run(t, path, workflow.RunOptions{Parallelism: 1, Observe: func(e workflow.Event) {
		if e.Event == workflow.TaskStarted {
			started[e.Action] = e.Time
		}
	}})
	if o.Counts.Done != 2 {
		t.Errorf("%+v", o.Counts)
	}
	if d := started["stage.brief"].Sub(started["stage.long"]); d < 8*time.Second {
		t.Errorf("two tasks ran at once on one core, the second started after %v", d)
	}
}

package workflow_test

import (
	"os"
	"path/filepath"
	"testing"

	"oceaninv/workflow"
	"oceaninv/workflow/stage/stagetest"
)

const collected = `
variable "title" { default = "a" }
variable "broken" { default = 0 }
variable "slow" { default = 0 }
stage "make" "data" {
  count = 3
}
stage "join" "book" {
  title = var.title
  words = stage.data.words
}
stage "fail" "broken" {
  for_each   = toset([for i in range(var.broken) : tostring(i)])
  depends_on = [stage.book]
}
stage "make" "slow" {
  for_each = toset([for i in range(var.slow) : tostring(i)])
  count    = 100000
  pause    = "50ms"
}
`

func collect(t *testing.T, path string, dry bool) *workflow.Collected {
	t.Helper()
	c, err := workflow.Collect(stagetest.Registry(), filepath.Join(filepath.Dir(path), ".oceaninv"), dry)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCollect: what the latest complete run uses stays, and what later runs that failed or were stopped have finished or
// begun; the rest goes, unless only asked about.
func TestCollect(t *testing.T) {
	path := write(t, collected)
	mustRun(t, path)
	mustRun(t, path, "title=b")
	if c := collect(t, path, true); c.Removed != 1 || c.Kept != 2 {
		t.Errorf("asked about: %+v", c)
	}
	run(t, path, workflow.RunOptions{}, "title=c", "broken=1")
	if c := collect(t, path, false); c.Removed != 1 || c.Kept != 4 { // data, two books, and what the failure left
		t.Errorf("after a failure: %+v", c)
	}
	if o := mustRun(t, path, "title=c"); !o.Nothing() {
		t.Errorf("what the failed run had finished was lost: %+v", o.Counts)
	}
	signals := make(chan os.Signal, 1)
	run(t, path, workflow.RunOptions{Signals: signals, Observe: func(e workflow.Event) {
		if e.Event == workflow.TaskProgress {
			select {
			case signals <- os.Interrupt:
			default:
			}
		}
	}}, "title=c", "slow=1")
	if c := collect(t, path, false); c.Removed != 2 {
		t.Errorf("after a run that was stopped: %+v", c)
	}
	checkpoints, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".oceaninv", "store", "work", "*", "checkpoint", "run", "at"))
	if err != nil || len(checkpoints) != 1 {
		t.Errorf("checkpoints of the run that was stopped: %v, %v", checkpoints, err)
	}
	mustRun(t, path, "title=c")
	collect(t, path, false)
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".oceaninv", "store", "work", "*")); err != nil || len(left) != 0 {
		t.Errorf("after a complete run: %v, %v", left, err)
	}
}

// TestCollectDuringARun takes nothing that the run still needs, whether this run made it or found it.
func TestCollectDuringARun(t *testing.T) {
	path := write(t, diamond)
	mustRun(t, path)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(text, "\nstage \"join\" \"last\" {\n  title = \"last\"\n  words = [stage.data.words, stage.new.words]\n}\nstage \"make\" \"new\" {\n  count = 5\n}\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
	o := run(t, path, workflow.RunOptions{Observe: func(e workflow.Event) {
		if e.Event == workflow.ActionDone && e.Action == "stage.new" {
			if c := collect(t, path, false); c.Removed != 0 {
				t.Errorf("%+v", c)
			}
		}
	}})
	if o.Counts.Done != 2 || len(o.Failures) != 0 {
		t.Errorf("%+v", o)
	}
}

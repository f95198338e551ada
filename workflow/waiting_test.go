package workflow_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oceaninv/workflow"
)

// TestLockTimeout: a run that is not to wait for another names the holder of what it cannot have, and takes nothing from it.
func TestLockTimeout(t *testing.T) {
	path := write(t, `stage "make" "slow" {
  count = 1000
  pause = "100ms"
}`)
	cmd := driverCommand(path)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	waitFor(t, "the other run to take its lease", func() bool {
		held, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".oceaninv", "store", "leases", "????????????????*"))
		return err == nil && len(held) > 1 // its own file, and a key's
	})
	for _, limit := range []time.Duration{-1, 300 * time.Millisecond} {
		o := run(t, path, workflow.RunOptions{LockTimeout: limit})
		if len(o.Failures) != 1 || !strings.Contains(o.Failures[0].Result.Message, "is being done by run ") ||
			!strings.Contains(o.Failures[0].Result.Message, "(process ") {
			t.Fatalf("with a limit of %s: %+v", limit, o.Failures)
		}
	}
	if len(children(cmd.Process.Pid)) == 0 {
		t.Error("the other run has lost its task")
	}
}

// TestRecycledDirectories: actions that share a directory one after the other leave nothing in it for each other, and the
// store's work directory is empty in the end.
func TestRecycledDirectories(t *testing.T) {
	path := write(t, `
stage "make" "each" {
  for_each = toset([for i in range(12) : tostring(i)])
  count    = 3
  seed     = parseint(each.key, 10)
}
stage "fail" "thrice" {
  for_each   = toset(["a", "b"])
  times      = each.key == "a" ? 1 : 2
  depends_on = [stage.each]
  retry { attempts = 3 }
}
stage "make" "after" {
  for_each   = toset(["p", "q"])
  count      = 2
  recipe     = { letters = each.key, length = 3 }
  depends_on = [stage.thrice]
}
stage "join" "all" {
  words = concat([for m in stage.each : m.words], [for m in stage.after : m.words])
}`)
	o := mustRun(t, path)
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".oceaninv", "store", "work", "*"))
	if err != nil || len(left) > 0 || o.Counts.Done != 17 {
		t.Errorf("%+v, left behind: %v %v", o.Counts, left, err)
	}
	for _, e := range journals(t, path) {
		if e.Event == workflow.TaskRetry && !strings.HasPrefix(e.Action, "stage.thrice") {
			t.Errorf("%s was tried again", e.Action)
		}
	}
}

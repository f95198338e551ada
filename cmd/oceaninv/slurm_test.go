package main

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"oceaninv/workflow/executor/slurm/slurmtest"
)

// TestSLURM runs testdata/slurm: the command line on a cluster.
func TestSLURM(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a cluster of processes, half a minute; run without -short")
	}
	c := slurmtest.Start(t, slurmtest.Options{Nodes: 3})
	testscript.Run(t, testscript.Params{
		Dir: "testdata/slurm",
		Setup: func(env *testscript.Env) error {
			env.Setenv("SLURM_CONF", c.Config())
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"await": func(ts *testscript.TestScript, _ bool, args []string) { await(ts, args[0]) },
			"warn":  func(ts *testscript.TestScript, _ bool, _ []string) { warn(ts) },
		},
	})
}

// queue lists the jobs that have not ended: state and name.
func queue(ts *testscript.TestScript) []string {
	out, err := exec.Command("squeue", "-h", "-r", "-o", "%T %j %i").Output()
	ts.Check(err)
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// await waits for a line of the queue that begins with the text, such as "RUNNING slow."; "nothing" for an empty queue.
func await(ts *testscript.TestScript, text string) {
	eventually(ts, text, func() bool {
		for _, line := range queue(ts) {
			if text == "nothing" && line == "" || text != "nothing" && strings.HasPrefix(line, text) {
				return true
			}
		}
		return false
	})
}

// warn tells the driver's job that its time is nearly up, as --signal=B:USR1@120 does, and waits until another runs.
func warn(ts *testscript.TestScript) {
	before := drivers(ts)
	for id := range before {
		ts.Check(exec.Command("scancel", "--signal=USR1", "--batch", id).Run())
	}
	eventually(ts, "the driver to be submitted again", func() bool {
		for id, state := range drivers(ts) {
			if before[id] == "" && state == "RUNNING" {
				return true
			}
		}
		return false
	})
}

// drivers are the states of the drivers' jobs, by id.
func drivers(ts *testscript.TestScript) map[string]string {
	states := make(map[string]string)
	for _, line := range queue(ts) {
		if f := strings.Fields(line); len(f) == 3 && strings.HasPrefix(f[1], "driver.") {
			states[f[2]] = f[0]
		}
	}
	return states
}

// eventually waits for something to be true.
func eventually(ts *testscript.TestScript, what string, is func() bool) {
	for start := time.Now(); time.Since(start) < 5*time.Minute; time.Sleep(50 * time.Millisecond) {
		if is() {
			return
		}
	}
	ts.Fatalf("waited in vain for %s; the queue is %q", what, queue(ts))
}

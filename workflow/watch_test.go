package workflow_test

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"oceaninv/workflow"
)

const twoWords = `stage "make" "data" {
  count = 2
}`

// look opens the project anew, as another process would.
func look(t *testing.T, path string) *workflow.Project {
	t.Helper()
	p, err := open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// TestStatusNeverSaysDiedOfARunThatEnds: at no event of a run, and not between its last one and its end, does another
// process see a driver that has died.
func TestStatusNeverSaysDiedOfARunThatEnds(t *testing.T) {
	path := write(t, twoWords)
	events := 0
	run(t, path, workflow.RunOptions{Observe: func(e workflow.Event) {
		s, err := look(t, path).Status()
		if err != nil || s.State == workflow.Died {
			t.Errorf("at %s: %+v, %v", e.Event, s, err)
		}
		if leases, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".oceaninv/store/leases/run-*")); err != nil || len(leases) != 1 {
			t.Errorf("at %s: leases %q, %v", e.Event, leases, err) // which it keeps until its end is on disk
		}
		events++
	}})
	if s, err := look(t, path).Status(); err != nil || s.State != "done" || events < 4 {
		t.Errorf("%+v, %v, after %d events", s, err, events)
	}
}

// TestWatchTellsHowRunsEnd: a watcher that comes at any moment of a run sees all of its events, and that it is done.
func TestWatchTellsHowRunsEnd(t *testing.T) {
	for range rounds(8) {
		path := write(t, twoWords)
		var watchers []chan error
		states := make(chan string, 100)
		run(t, path, workflow.RunOptions{Observe: func(workflow.Event) {
			ended := make(chan error, 1)
			watchers = append(watchers, ended)
			p := look(t, path)
			go func() {
				var last workflow.EventType
				s, err := p.Watch(t.Context(), func(e workflow.Event) { last = e.Event })
				if s.Run != "" { // else it came before the journal
					states <- s.State + " after " + string(last)
				}
				ended <- err
			}()
		}})
		for _, w := range watchers {
			if err := <-w; err != nil {
				t.Fatal(err)
			}
		}
		close(states)
		for s := range states {
			if s != "done after run_ended" {
				t.Fatalf("a watcher saw %s", s)
			}
		}
	}
}

// TestWatchersFindWhatTheDriverWritesLast: whoever watches a run to its end finds its report.
func TestWatchersFindWhatTheDriverWritesLast(t *testing.T) {
	path := write(t, twoWords)
	report := filepath.Join(filepath.Dir(path), "written last")
	ended := make(chan error, 1)
	once := false
	run(t, path, workflow.RunOptions{
		Observe: func(workflow.Event) {
			p := look(t, path)
			if s, err := p.Status(); once || err != nil || s.Run == "" {
				return
			}
			once = true
			go func() {
				if _, err := p.Watch(t.Context(), func(workflow.Event) {}); err != nil {
					ended <- err
					return
				}
				_, err := os.Stat(report)
				ended <- err
			}()
		},
		Conclude: func(o *workflow.Outcome) error {
			if s, err := look(t, path).Status(); err != nil || s.State != "done" {
				t.Errorf("at the end: %+v, %v", s, err)
			}
			time.Sleep(time.Second) // longer than a watcher's look takes; if it is not, the test only shows less
			return os.WriteFile(report, nil, 0o600)
		},
	})
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestStatusOfDrivers: without a lease and without an end in the journal a driver has died; the lease of a process that is
// gone says so at once.
func TestStatusOfDrivers(t *testing.T) {
	path := write(t, `stage "make" "slow" {
  count = 1000
  pause = "100ms"
}`)
	cmd := driverCommand(path)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the run to be seen", func() bool {
		s, err := look(t, path).Status()
		return err == nil && s.State == "running"
	})
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // killed
	if s, err := look(t, path).Status(); err != nil || s.State != workflow.Died {
		t.Errorf("%+v, %v", s, err)
	}
	leases, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".oceaninv/store/leases/*"))
	if err != nil || len(leases) == 0 {
		t.Fatal(leases, err)
	}
	for _, l := range leases {
		if err := os.Remove(l); err != nil {
			t.Fatal(err)
		}
	}
	if s, err := look(t, path).Status(); err != nil || s.State != workflow.Died {
		t.Errorf("without its lease %+v, %v", s, err)
	}
}

// TestActionsTakeWhatTheirTasksTake: the processor time of an action is that of its shards and of their merge.
func TestActionsTakeWhatTheirTasksTake(t *testing.T) {
	var tasks, action float64
	ended := 0
	run(t, write(t, `stage "make" "data" {
  count  = 6
  shards = 3
}`), workflow.RunOptions{Observe: func(e workflow.Event) {
		switch e.Event {
		case workflow.TaskEnded:
			tasks += e.Usage.CPU
			ended++
		case workflow.ActionDone:
			action = e.Usage.CPU
		}
	}})
	if ended < 4 || tasks <= 0 || math.Abs(action-tasks) > 1e-6*tasks {
		t.Errorf("the %d tasks took %g s, the action %g s", ended, tasks, action)
	}
}

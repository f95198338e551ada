package slurmtest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"oceaninv/workflow"
	"oceaninv/workflow/executor/slurm/slurmtest"
)

// brief skips what takes long under -short.
func brief(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("waits for a cluster's time limits and node failures; run without -short")
	}
}

// background runs a pipeline on SLURM while the test does things to it.
type background struct {
	*watch
	path    string
	outcome *workflow.Outcome
	err     error
	done    chan struct{}
}

func start(t *testing.T, text string, change func(*workflow.RunOptions)) *background {
	t.Helper()
	b := &background{watch: new(watch), path: write(t, text), done: make(chan struct{})}
	r := workflow.RunOptions{Observe: b.observe, KeepGoing: true}
	if change != nil {
		change(&r)
	}
	go func() {
		defer close(b.done)
		b.outcome, b.err = runOn(b.path, quick(), r)
	}()
	return b
}

func (b *background) wait(t *testing.T) *workflow.Outcome {
	t.Helper()
	select {
	case <-b.done:
	case <-time.After(10 * time.Minute):
		t.Fatalf("the run does not end; notices: %q", b.notices)
	}
	if b.err != nil {
		t.Fatal(b.err)
	}
	return b.outcome
}

// gate is a file that the stages of a test wait for, so that what the test does to them comes first however slow the
// machine is.
type gate string

func newGate(t *testing.T) gate { return gate(filepath.Join(t.TempDir(), "gate")) }

// of puts the gate's name where the text of a pipeline says GATE.
func (g gate) of(text string) string { return strings.ReplaceAll(text, "GATE", string(g)) }

func (g gate) open(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(string(g), nil, 0o644); err != nil {
		t.Fatal(err)
	}
}

// job waits for the name of a stage's first job and returns its id and the node, once it runs.
func job(t *testing.T, c *slurmtest.Cluster, stage string) (id, node string) {
	t.Helper()
	eventually(t, stage+" to run", func() bool {
		for _, line := range c.Queue() {
			f := strings.Split(line, " ")
			if strings.HasPrefix(f[len(f)-1], stage+".") && f[1] == "RUNNING" {
				id, node = f[0], f[3]
				return true
			}
		}
		return false
	})
	return id, node
}

// TestHardship: what happens to single jobs on a cluster that stays up.
func TestHardship(t *testing.T) {
	brief(t)
	c := slurmtest.Start(t, slurmtest.Options{CPUs: 16, MemoryKill: os.Geteuid() == 0})
	for _, h := range []struct {
		name string
		test func(*testing.T, *slurmtest.Cluster)
	}{
		{"memory", memory}, {"time", timeLimit}, {"requeue", requeue}, {"vanish", vanish}, {"held", held},
		{"dependent", dependent}, {"throttle", throttle}, {"interrupt", interrupt}, {"foreign", foreign},
	} {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			h.test(t, c)
		})
	}
}

// memory: a task over its memory limit is tried again with more. Clusters without control groups report FAILED 0:9. A
// cluster that an ordinary user has started cannot watch memory; there the task ends as it would.
func memory(t *testing.T, c *slurmtest.Cluster) {
	how := "memory"
	if os.Geteuid() != 0 {
		how = "kill"
	}
	text := strings.ReplaceAll(`stage "fail" "hungry" {
  how   = "HOW"
  times = 1
  retry {
    attempts = 2
    delay    = "0s"
    on       = ["oom"]
  }
  resources {
    memory = "80MiB"
    growth = 3
  }
}`, "HOW", how)
	b := start(t, text, nil)
	must(t, b.wait(t), b.watch)
	var reason string
	var ids []string
	for _, e := range b.events {
		if e.Event == workflow.TaskRetry {
			reason = e.Reason
		}
		if e.Event == workflow.TaskEnded {
			ids = append(ids, e.NativeID)
		}
	}
	if reason != "oom" || len(ids) != 2 {
		t.Fatalf("reason %q, jobs %q", reason, ids)
	}
	if text := c.Control("show", "job", ids[1]); !strings.Contains(text, "MinMemoryNode=240M") {
		t.Errorf("the second try has not three times the memory:\n%s", text)
	}
}

// timeLimit: so with time.
func timeLimit(t *testing.T, c *slurmtest.Cluster) {
	b := start(t, `stage "fail" "slow" {
  how   = "hang"
  times = 1
  retry {
    attempts = 2
    delay    = "0s"
    on       = ["timeout"]
  }
  resources {
    time   = "10m"
    growth = 6
  }
}`, nil)
	id, _ := job(t, c, "slow")
	c.Control("update", "JobId="+id, "EndTime=now+2")
	must(t, b.wait(t), b.watch)
	last := b.events[0]
	for _, e := range b.events {
		if e.Event == workflow.TaskEnded {
			last = e
		}
	}
	if text := c.Control("show", "job", last.NativeID); !strings.Contains(text, "TimeLimit=01:00:00") {
		t.Errorf("the second try has not six times the time:\n%s", text)
	}
}

// requeue: a job that SLURM starts again is followed on.
func requeue(t *testing.T, c *slurmtest.Cluster) {
	g := newGate(t)
	b := start(t, g.of(`stage "make" "twice" {
  count = 20
  until = "GATE"
}`), nil)
	id, _ := job(t, c, "twice")
	eventually(t, "the driver to see it run", func() bool { return b.count(workflow.TaskStarted) == 1 })
	c.Control("requeue", id)
	eventually(t, "the driver to see it queued", func() bool { return b.saw("starts job " + id + " again") })
	g.open(t)
	must(t, b.wait(t), b.watch)
	if n := b.count(workflow.TaskSubmitted); n != 1 {
		t.Errorf("submitted %d times; notices %q", n, b.notices)
	}
}

// vanish: a pending task of an array that is cancelled disappears from every listing; it is reported as cancelled.
func vanish(t *testing.T, c *slurmtest.Cluster) {
	b := start(t, `stage "make" "some" {
  count  = 60
  shards = 3
  resources {
    extra = ["--hold"]
  }
}`, nil)
	var id string
	eventually(t, "the array to be queued", func() bool {
		for _, line := range c.Queue() {
			if strings.Contains(line, " some.") {
				id, _, _ = strings.Cut(line, "_")
				return true
			}
		}
		return false
	})
	if out, err := exec.Command("scancel", id+"_1").CombinedOutput(); err != nil {
		t.Fatalf("scancel: %v: %s", err, out)
	}
	c.Control("release", id)
	o := b.wait(t)
	if len(o.Failures) != 1 || !strings.Contains(o.Failures[0].Result.Message, "cancelled before it started") {
		t.Fatalf("%+v, %q", o.Failures, b.notices)
	}
}

// held: the reason is told, and the job goes on when it is released.
func held(t *testing.T, c *slurmtest.Cluster) {
	b := start(t, `stage "make" "patient" {
  count = 1
  resources {
    extra = ["--hold"]
  }
}`, nil)
	eventually(t, "a notice of the hold", func() bool { return b.saw("is held (JobHeldUser)") })
	for _, line := range c.Queue() {
		if strings.Contains(line, " patient.") {
			c.Control("release", strings.Fields(line)[0])
		}
	}
	must(t, b.wait(t), b.watch)
}

// dependent: what needs a failed action is skipped, and nothing of it is with SLURM.
func dependent(t *testing.T, c *slurmtest.Cluster) {
	b := start(t, `
stage "fail" "broken" {}
stage "join" "needy" {
  words = stage.broken.words
}`, nil)
	o := b.wait(t)
	if len(o.Failures) != 1 || o.Counts.Skipped != 1 || !strings.Contains(o.Failures[0].Result.Message, "no luck") {
		t.Errorf("%+v %+v", o.Counts, o.Failures)
	}
	for _, line := range c.Queue() {
		if strings.Contains(line, " needy.") || strings.Contains(line, " broken.") {
			t.Errorf("left: %s", line)
		}
	}
	noRecords(t, b.path)
}

const many = `
executor "slurm" {}
stage "make" "throttled" {
  count  = 64
  shards = 64
  pause  = "10ms"
}`

// throttle: an array of 64 shards, of which no more run at once than asked for.
func throttle(t *testing.T, c *slurmtest.Cluster) {
	path := write(t, many)
	var most atomic.Int64
	done := make(chan struct{})
	sampled := make(chan struct{})
	go func() {
		defer close(sampled)
		for {
			select {
			case <-done:
				return
			case <-time.After(100 * time.Millisecond):
				out, err := exec.Command("squeue", "-h", "-r", "-t", "RUNNING", "-o", "%j").Output()
				if err == nil {
					most.Store(max(most.Load(), int64(strings.Count(string(out), "throttled."))))
				}
			}
		}
	}()
	o := quick()
	o.Throttle = 20
	outcome, w := onSLURM(t, path, o)
	close(done)
	<-sampled
	must(t, outcome, w)
	asLocally(t, many, outcome)
	if n := most.Load(); n > 20 {
		t.Errorf("%d ran at once", n)
	}
	arrays := regexp.MustCompile(`^(\d+)_\d+$`)
	ids := map[string]bool{}
	for _, e := range w.events {
		if m := arrays.FindStringSubmatch(e.NativeID); m != nil {
			ids[m[1]] = true
		}
	}
	if len(ids) != 1 {
		t.Errorf("%d arrays, want 1", len(ids))
	}
}

// interrupt: Ctrl-C cancels the jobs, and the next run goes on.
func interrupt(t *testing.T, c *slurmtest.Cluster) {
	signals := make(chan os.Signal, 1)
	b := start(t, `stage "make" "endless" {
  count  = 4000
  shards = 4
  pause  = "100ms"
}`, func(o *workflow.RunOptions) { o.Signals = signals })
	job(t, c, "endless")
	signals <- os.Interrupt
	if o := b.wait(t); o.Stopped != os.Interrupt {
		t.Errorf("%+v", o)
	}
	for _, line := range c.Queue() {
		if strings.Contains(line, " endless.") && !strings.Contains(line, " COMPLETING ") {
			t.Errorf("left: %s", line)
		}
	}
}

// foreign: set-up lines that fail are shown with the failure.
func foreign(t *testing.T, c *slurmtest.Cluster) {
	path := write(t, `stage "make" "lost" { count = 1 }`)
	o := quick()
	o.Setup = []string{"echo no such module >&2", "exit 3"}
	outcome, _ := onSLURM(t, path, o)
	if len(outcome.Failures) != 1 || outcome.Failures[0].Result.Code != 3 || !strings.Contains(outcome.Failures[0].Log, "no such module") {
		t.Errorf("%+v", outcome.Failures)
	}
}

// TestMaxArraySize: more shards than an array may have become several.
func TestMaxArraySize(t *testing.T) {
	brief(t)
	slurmtest.Start(t, slurmtest.Options{Nodes: 3, CPUs: 16, MaxArraySize: 11})
	const text = `stage "make" "data" {
  count  = 24
  shards = 24
}`
	o, w := onSLURM(t, write(t, text), quick())
	must(t, o, w)
	asLocally(t, text, o)
	ids := map[string]bool{}
	for _, e := range w.events {
		if base, _, ok := strings.Cut(e.NativeID, "_"); ok {
			ids[base] = true
		}
	}
	if len(ids) != 3 { // 11 + 11 + 2
		t.Errorf("%d arrays, want 3", len(ids))
	}
}

// TestNodeDies: a node loses power in mid-job. The tasks run again elsewhere, started by SLURM or, where that may not, by
// the driver.
func TestNodeDies(t *testing.T) {
	brief(t)
	c := slurmtest.Start(t, slurmtest.Options{Nodes: 3})
	g := newGate(t)
	text := g.of(`stage "make" "doomed" {
  count = 30
  until = "GATE"
  resources {
    extra = ["--no-requeue"]
  }
}`)
	b := start(t, text, nil)
	_, node := job(t, c, "doomed")
	c.CutPower(int(node[1] - '0'))
	g.open(t)
	o := b.wait(t)
	must(t, o, b.watch)
	asLocally(t, text, o)
	if !b.saw("lost with its node "+node) || !b.saw("submitting it again") {
		t.Errorf("notices %q", b.notices)
	}
	noRecords(t, b.path)
}

const slow = `
stage "make" "slow" {
  count  = 120
  shards = 6
  until  = "GATE"
}
stage "join" "book" {
  words = stage.slow.words
}`

// TestDriverDies: the driver is killed while jobs run; the next one follows those jobs, and nothing is done twice.
func TestDriverDies(t *testing.T) {
	brief(t)
	c := slurmtest.Start(t, slurmtest.Options{Nodes: 3})
	g := newGate(t)
	text := g.of(slow)
	path := write(t, text)
	d := driver(t, path)
	id, _ := job(t, c, "slow")
	if err := d.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = d.Wait() // its exit code is not the point
	before := jobs(t)
	g.open(t)
	o, w := onSLURM(t, path, quick())
	must(t, o, w)
	asLocally(t, text, o)
	base, _, _ := strings.Cut(id, "_")
	adopted := false
	for _, e := range w.events {
		adopted = adopted || strings.HasPrefix(e.NativeID, base+"_")
	}
	after := jobs(t)
	if !adopted || after-before != 2 { // the merge and the book
		t.Errorf("adopted: %v; %d jobs before, %d after, want two more", adopted, before, after)
	}
	for task, n := range commits(t, path) {
		if n != 1 {
			t.Errorf("%s was done %d times", task, n)
		}
	}
	noRecords(t, path)
}

// jobs is how many jobs, or tasks of arrays, SLURM has ever had.
func jobs(t *testing.T) int {
	t.Helper()
	out, err := exec.Command("squeue", "-h", "-r", "--states=all", "-o", "%i").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(out), "\n")
}

// TestDriverLeaves: at the end of its own time the driver stops, the jobs go on, and the next driver has them.
func TestDriverLeaves(t *testing.T) {
	brief(t)
	c := slurmtest.Start(t, slurmtest.Options{Nodes: 3})
	signals := make(chan os.Signal, 1)
	g := newGate(t)
	text := g.of(slow)
	b := start(t, text, func(o *workflow.RunOptions) { o.Signals = signals })
	job(t, c, "slow")
	signals <- userSignal
	if o := b.wait(t); o.Stopped == nil {
		t.Fatalf("%+v", o)
	}
	before := jobs(t)
	if len(c.Queue()) == 0 {
		t.Fatal("the jobs are gone")
	}
	g.open(t)
	o, w := onSLURM(t, b.path, quick())
	must(t, o, w)
	asLocally(t, text, o)
	if after := jobs(t); after-before != 2 {
		t.Errorf("%d jobs before, %d after, want two more", before, after)
	}
	noRecords(t, b.path)
}

// TestControllerAway: slurmctld is down for half a minute; tasks that end meanwhile are known by their exit files, and what
// follows is submitted when it is back.
func TestControllerAway(t *testing.T) {
	brief(t)
	c := slurmtest.Start(t, slurmtest.Options{Nodes: 3})
	g := newGate(t)
	text := g.of(slow)
	b := start(t, text, nil)
	job(t, c, "slow")
	c.StopController(false)
	down := time.Now()
	eventually(t, "the silence to be noticed", func() bool { return b.saw("SLURM does not answer") })
	g.open(t)
	eventually(t, "the shards' ends to be known", func() bool { return b.count(workflow.TaskEnded) >= 6 })
	time.Sleep(30*time.Second - time.Since(down))
	c.StartController()
	o := b.wait(t)
	must(t, o, b.watch)
	asLocally(t, text, o)
	noRecords(t, b.path)
}

// TestControllerKilled: slurmctld is killed right after a submission, which it may forget, giving the number to another.
func TestControllerKilled(t *testing.T) {
	brief(t)
	c := slurmtest.Start(t, slurmtest.Options{Nodes: 3})
	g := newGate(t)
	text := g.of(slow)
	b := start(t, text, nil)
	eventually(t, "a submission", func() bool {
		ids, err := filepath.Glob(filepath.Join(filepath.Dir(b.path), ".oceaninv", "slurm", "*", "id"))
		return err == nil && len(ids) > 0
	})
	c.StopController(true)
	c.StartController()
	g.open(t)
	o := b.wait(t)
	must(t, o, b.watch)
	asLocally(t, text, o)
	t.Logf("after the kill: %q", b.notices)
	noRecords(t, b.path)
}

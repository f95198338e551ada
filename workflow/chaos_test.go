package workflow_test

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// diamond has shards, a fan-out, a fan-in and stages that take a little time, so that a kill meets every phase.
const diamond = `
stage "make" "data" {
  count  = 40
  seed   = 7
  shards = 3
  pause  = "2ms"
}
stage "make" "more" {
  for_each = toset(["a", "b", "c"])
  count    = 10
  seed     = strlen(each.key)
  recipe   = { letters = "${each.key}xyz", length = 4 }
  pause    = "3ms"
}
stage "join" "novel" {
  words = concat([stage.data.words], [for m in stage.more : m.words])
}
stage "join" "short" {
  title = "short"
  words = stage.more["b"].words
}
stage "measure" "size" {
  book = stage.novel.book
}
`

// TestChaosKill kills the driver, a task, or both, with SIGKILL at random moments, again and again in the same directory,
// and then runs: the contents are those of an undisturbed run, without help.
func TestChaosKill(t *testing.T) {
	t.Parallel()
	want := contents(mustRun(t, write(t, diamond)))
	n := rounds(10)
	killed := map[string]int{}
	for round := range n {
		seed := uint64(round)
		random := rand.New(rand.NewPCG(1, seed))
		path := write(t, diamond)
		kills := 1 + random.IntN(3)
		for range kills {
			killed[killOnce(t, path, random)]++
		}
		o := mustRun(t, path)
		if got := contents(o); !maps.Equal(got, want) {
			t.Fatalf("round %d: contents %v, want %v", round, got, want)
		}
		if again := mustRun(t, path); !again.Nothing() {
			t.Fatalf("round %d: a run after a complete one did %d actions", round, again.Counts.Done)
		}
	}
	t.Logf("%d of %d directories ended with the contents of an undisturbed run; kills: %v", n, n, killed)
}

// killOnce starts a driver and kills something at a random moment. It says what.
func killOnce(t *testing.T, path string, random *rand.Rand) string {
	t.Helper()
	cmd := driverCommand(path)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Duration(random.IntN(600)) * time.Millisecond)
	what := []string{"driver", "task", "both"}[random.IntN(3)]
	if what != "driver" {
		for _, pid := range children(cmd.Process.Pid) {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have just ended
			break
		}
	}
	if what != "task" {
		_ = cmd.Process.Kill()
	}
	_ = cmd.Wait() // its exit code is not the point
	return what
}

// children lists the processes whose parent is pid.
func children(pid int) []int {
	var pids []int
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil
	}
	for _, f := range stats {
		raw, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
		if len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			if child, err := strconv.Atoi(filepath.Base(filepath.Dir(f))); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}

// TestChaosNoOrphans: when the driver is killed outright, its tasks end too.
func TestChaosNoOrphans(t *testing.T) {
	path := write(t, `stage "make" "slow" {
  count = 1000
  pause = "100ms"
}`)
	cmd := driverCommand(path)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var tasks []int
	waitFor(t, "a task to start", func() bool {
		tasks = children(cmd.Process.Pid)
		return len(tasks) > 0
	})
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	waitFor(t, "the task to end", func() bool { return errors.Is(syscall.Kill(tasks[0], 0), syscall.ESRCH) })
}

func waitFor(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// TestTwoDrivers starts two drivers together in one directory: no task is done twice, neither waits for ever, and the
// contents are right.
func TestTwoDrivers(t *testing.T) {
	t.Parallel()
	want := contents(mustRun(t, write(t, diamond)))
	n := max(3, rounds(3)/3)
	for round := range n {
		path := write(t, diamond)
		first, second := driverCommand(path), driverCommand(path)
		var out [2]bytes.Buffer
		for i, cmd := range []*exec.Cmd{first, second} {
			cmd.Stdout, cmd.Stderr = &out[i], &out[i]
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(first.Wait(), second.Wait()); err != nil {
			t.Fatalf("round %d: %v\n%s\n%s", round, err, &out[0], &out[1])
		}
		if done := doneIn(t, path); len(done) != 7 {
			t.Fatalf("round %d: actions done: %v", round, done)
		} else {
			for action, times := range done {
				if times != 1 {
					t.Fatalf("round %d: %s was done %d times\n%s\n%s", round, action, times, &out[0], &out[1])
				}
			}
		}
		if got := contents(mustRun(t, path)); !maps.Equal(got, want) {
			t.Fatalf("round %d: contents %v, want %v", round, got, want)
		}
	}
	t.Logf("%d of %d pairs of drivers did every action once", n, n)
}

package workflow_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"oceaninv/workflow"
)

// stored finds a file of a stage's stored result.
func stored(t *testing.T, path string, o *workflow.Outcome, address, file string) string {
	t.Helper()
	key := string(o.Records[address].Key)
	return filepath.Join(filepath.Dir(path), ".oceaninv", "store", "actions", key[:2], key, file)
}

// TestFaultDamage damages what is in the store, in every way it can be: each time the next run notices, does that action
// again, and ends with the same contents.
func TestFaultDamage(t *testing.T) {
	t.Parallel()
	flip := func(at string) error {
		raw, err := os.ReadFile(at)
		if err != nil {
			return err
		}
		raw[len(raw)/2] ^= 1
		return os.WriteFile(at, raw, 0o644)
	}
	truncate := func(at string) error { return os.Truncate(at, 10) }
	empty := func(at string) error { return os.Truncate(at, 0) }
	for _, c := range []struct {
		name, file string
		damage     func(string) error
		reason     string
	}{
		{"artifact bit flipped", "words.txt", flip, "the bytes of output words have changed"},
		{"artifact truncated", "words.txt", truncate, "has 10 bytes instead of"},
		{"artifact removed", "words.txt", os.Remove, "is gone"},
		{"record truncated", "record.json", truncate, "completion record: damaged"},
		{"record empty", "record.json", empty, "completion record: damaged"},
		{"record bit flipped", "record.json", flip, "completion record: damaged"},
		{"record removed", "record.json", os.Remove, "its result has been removed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, diamond)
			first := mustRun(t, path)
			if err := c.damage(stored(t, path, first, "stage.data", c.file)); err != nil {
				t.Fatal(err)
			}
			p, err := open(path, nil)
			if err != nil {
				t.Fatal(err)
			}
			plan, diags := p.Plan(t.Context(), workflow.PlanOptions{})
			p.Close()
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			var reasons []string
			for _, d := range plan.Decisions {
				if d.Action.Address == "stage.data" {
					reasons = d.Reasons
				}
			}
			if !strings.Contains(strings.Join(reasons, " "), c.reason) {
				t.Errorf("reasons %q, want one with %q", reasons, c.reason)
			}
			again := mustRun(t, path)
			if again.Counts.Done != 1 {
				t.Errorf("%+v, want only the damaged action done", again.Counts)
			}
			if got, want := contents(again), contents(first); !maps.Equal(got, want) {
				t.Errorf("contents %v, want %v", got, want)
			}
		})
	}
}

// TestFaultBitUnderUnchangedTimes: a change that leaves size and times alone is found by --verify.
func TestFaultBitUnderUnchangedTimes(t *testing.T) {
	path := write(t, diamond)
	first := mustRun(t, path)
	at := stored(t, path, first, "stage.data", "words.txt")
	info, err := os.Stat(at)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(at)
	if err != nil {
		t.Fatal(err)
	}
	raw[3] ^= 1
	if err := os.WriteFile(at, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(at, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	o := run(t, path, workflow.RunOptions{PlanOptions: workflow.PlanOptions{Verify: true}})
	if o.Counts.Done != 1 {
		t.Errorf("%+v", o.Counts)
	}
}

// TestFaultClockSetBack: files from the future are no reason for anything.
func TestFaultClockSetBack(t *testing.T) {
	path := write(t, diamond)
	mustRun(t, path)
	future := time.Now().Add(1000 * time.Hour)
	err := filepath.WalkDir(filepath.Dir(path), func(p string, d os.DirEntry, err error) error {
		return errors.Join(err, os.Chtimes(p, future, future))
	})
	if err != nil {
		t.Fatal(err)
	}
	if o := mustRun(t, path); !o.Nothing() {
		t.Errorf("%+v", o.Counts)
	}
}

// TestFaultReadOnlyStore: a clear error, and nothing lost.
func TestFaultReadOnlyStore(t *testing.T) {
	path := write(t, diamond)
	mustRun(t, path)
	store := filepath.Join(filepath.Dir(path), ".oceaninv")
	readOnly(t, store)
	cmd := driverCommand(path)
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
		makeReadable(t, filepath.Dir(path))
	}
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "must be writable") {
		t.Errorf("%v: %s", err, out)
	}
	writable(t, store)
	if o := mustRun(t, path); !o.Nothing() {
		t.Errorf("finished work was lost: %+v", o.Counts)
	}
}

func readOnly(t *testing.T, dir string) { chmodAll(t, dir, 0o555, 0o444) }
func writable(t *testing.T, dir string) { chmodAll(t, dir, 0o755, 0o644) }

func chmodAll(t *testing.T, dir string, directories, files os.FileMode) {
	t.Helper()
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(p, directories)
		}
		return os.Chmod(p, files)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// makeReadable lets another user reach a test's directory, and the test binary.
func makeReadable(t *testing.T, dir string) {
	t.Helper()
	for p := dir; len(p) > len(os.TempDir()); p = filepath.Dir(p) {
		if err := os.Chmod(p, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for p := filepath.Dir(program); strings.HasPrefix(p, os.TempDir()) && len(p) > len(os.TempDir()); p = filepath.Dir(p) {
		if err := os.Chmod(p, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFaultDiskFull fills a small file system: a clear error, then, with room again, the rest, nothing done twice.
func TestFaultDiskFull(t *testing.T) {
	small := t.TempDir()
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=600k"); err != nil {
		t.Skipf("no leave to mount a small file system: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(small, syscall.MNT_DETACH) })
	path := filepath.Join(small, "p.hcl")
	text := `
stage "make" "small" {
  count = 10
}
stage "make" "large" {
  count  = 100
  recipe = { letters = "ab", length = 10000 }
  depends_on = [stage.small]
}`
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	o, err := runPipeline(path, nil, workflow.RunOptions{})
	said := ""
	if err != nil {
		said = err.Error()
	} else if len(o.Failures) > 0 {
		said = o.Failures[0].Result.Message
	}
	if !strings.Contains(said, "no space left") {
		t.Fatalf("on a full disk: %v, %q", err, said)
	}
	if err := syscall.Mount("tmpfs", small, "tmpfs", syscall.MS_REMOUNT, "size=20m"); err != nil {
		t.Fatal(err)
	}
	if o := mustRun(t, path); o.Counts.Done != 1 || o.Counts.Cached != 1 {
		t.Errorf("with room again: %+v, want one done and one kept", o.Counts)
	}
}

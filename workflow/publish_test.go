package workflow

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"oceaninv/workflow/report"
	"oceaninv/workflow/stage"
)

// TestPublishingTogether: runs that put the same result in the same place at the same time all succeed, and the stored file
// is untouched.
func TestPublishingTogether(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "stored.txt"), filepath.Join(dir, "results", "a.txt")
	if err := os.WriteFile(from, []byte("the result\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	groups := []report.Group{{Action: "stage.a", Metrics: []stage.Metric{{Name: "m", Value: 1, Sentence: "One."}}}}
	for round := range 50 {
		if err := os.RemoveAll(filepath.Dir(to)); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for run := range 4 {
			all.Go(func() {
				if _, err := place(from, to, fmt.Sprintf("run%d", run)); err != nil {
					t.Errorf("round %d: %v", round, err)
				}
				if err := writeMetrics(filepath.Join(dir, "results", MetricsFile), groups); err != nil {
					t.Errorf("round %d: %v", round, err)
				}
			})
		}
		all.Wait()
		for _, path := range []string{from, to} {
			if raw, err := os.ReadFile(path); err != nil || string(raw) != "the result\n" {
				t.Fatalf("round %d: %s holds %q, %v", round, path, raw, err)
			}
		}
		if left, err := filepath.Glob(filepath.Join(dir, "results", ".*")); err != nil || len(left) != 0 {
			t.Fatalf("round %d: left behind: %v, %v", round, left, err)
		}
	}
}

// TestCopiesNeverOverwrite: where a file cannot be linked it is copied into a new file, never into one that is there: that
// could be a link to the store's own.
func TestCopiesNeverOverwrite(t *testing.T) {
	dir := t.TempDir()
	from, linked := filepath.Join(dir, "stored.txt"), filepath.Join(dir, "linked.txt")
	if err := os.WriteFile(from, []byte("the result\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(from, linked); err != nil {
		t.Skip("no hard links here")
	}
	info, err := os.Stat(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := copyFile(from, linked, info); err == nil {
		t.Error("copied over a link to itself")
	}
	if raw, err := os.ReadFile(from); err != nil || string(raw) != "the result\n" {
		t.Errorf("the stored file holds %q, %v", raw, err)
	}
}

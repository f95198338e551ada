package workflow_test

import (
	"os"
	"path/filepath"
	"testing"

	"oceaninv/workflow"
)

// journals reads the journals of all runs beside a pipeline.
func journals(t testing.TB, path string) []workflow.Event {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".oceaninv", "runs", "*", workflow.JournalFile))
	if err != nil {
		t.Fatal(err)
	}
	var all []workflow.Event
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, workflow.ReadJournal(f)...)
		f.Close()
	}
	return all
}

// doneIn counts how often each action was done, over all runs.
func doneIn(t testing.TB, path string) map[string]int {
	t.Helper()
	done := make(map[string]int)
	for _, e := range journals(t, path) {
		if e.Event == workflow.ActionDone {
			done[e.Action]++
		}
	}
	return done
}

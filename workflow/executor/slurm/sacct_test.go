package slurm

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"oceaninv/workflow/executor"
	"oceaninv/workflow/stage"
)

// TestAccounts reads what the sacct of SLURM 22.05, with slurmdbd on MariaDB, printed of jobs that ended in every way that
// a cluster without control groups has.
func TestAccounts(t *testing.T) {
	recorded, err := filepath.Abs("testdata/sacct.txt")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	tool := "#!/bin/sh\ncat '" + recorded + "'\n"
	if err := os.WriteFile(filepath.Join(dir, "sacct"), []byte(tool), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	rows, err := client{}.accounted([]string{"1"})
	if err != nil {
		t.Fatal(err)
	}
	task := &executor.Task{Resources: stage.Resources{Memory: 50 << 20}}
	for _, w := range []struct {
		ids, name string
		reason    executor.Reason
		code      int
	}{
		{"2", "bad.R.1", executor.Crashed, 5}, {"3", "kill.R.1", executor.OOM, 137}, {"4", "memory.R.1", executor.OOM, 137},
		{"6", "cancelled.R.1", executor.Stopped, 0}, {"10", "whole.R.1", executor.Stopped, 0}, {"11", "time.R.1", executor.TimedOut, 0},
		{"13", "node.R.1", executor.NodeFail, 0}, {"5_1", "array.R.1", executor.Crashed, 1}, {"5_3", "array.R.1", executor.Crashed, 3},
		{"22_0 22_1 22_3 22_4 22_5", "held.R.1", executor.Stopped, 0},
	} {
		for id := range strings.FieldsSeq(w.ids) {
			r := rows[id]
			if v := r.verdict(task); r.name != w.name || r.live() || v.Reason != w.reason || v.Code != w.code {
				t.Errorf("%s: %+v gives %+v, want %s, code %d", id, r, v, w.reason, w.code)
			}
		}
	}
	for id := range strings.FieldsSeq("1 5_0 9_0 9_2 12") {
		if r := rows[id]; r.fate() != completed {
			t.Errorf("%s: %+v, want it completed", id, r)
		}
	}
	if len(rows) != 20 { // 9_1 and 22_2 were cancelled alone before they started: nothing is known of them
		t.Errorf("%d rows, want 20", len(rows))
	}
}

func TestExpand(t *testing.T) {
	for id, want := range map[string]string{
		"12": "12", "12_3": "12_3", "12_[0-2,5%4]": "12_0 12_1 12_2 12_5", "12_[7]": "12_7", "12_[a]": "", "12_[0-99999999]": "",
	} {
		if got := expand(id); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
}

// TestUsual: a task that does not say gets what the block says, so that it can get more when that is too little.
func TestUsual(t *testing.T) {
	o := DefaultOptions()
	o.Memory, o.Time = "2GiB", "90m"
	got := New(o, []string{"oceaninv", "task"}).Budget().Default
	if got.Memory != 2<<30 || got.Time.Minutes() != 90 {
		t.Errorf("%+v", got)
	}
}

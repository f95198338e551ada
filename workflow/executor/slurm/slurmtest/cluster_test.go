package slurmtest_test

import (
	"strings"
	"testing"

	"oceaninv/workflow/executor/slurm/slurmtest"
)

const novel = `
stage "make" "data" {
  count  = 64
  seed   = 7
  shards = 8
}
stage "make" "more" {
  for_each = toset(["a", "b", "c"])
  count    = 10
  recipe   = { letters = "${each.key}xyz", length = 4 }
}
stage "join" "novel" {
  words = concat([stage.data.words], [for m in stage.more : m.words])
}
stage "measure" "size" {
  book = stage.novel.book
}
`

// TestSameContents: a pipeline has equal contents on SLURM and on this machine, and the second run has nothing to do.
func TestSameContents(t *testing.T) {
	c := slurmtest.Start(t, slurmtest.Options{})
	path := write(t, novel)
	o, w := onSLURM(t, path, quick())
	must(t, o, w)
	asLocally(t, novel, o)
	if again, w := onSLURM(t, path, quick()); !again.Nothing() {
		t.Errorf("again %+v, %q", again.Counts, w.notices)
	}
	if q := c.Queue(); len(q) > 0 {
		t.Errorf("jobs are left: %q", q)
	}
	noRecords(t, path)
}

// TestRefused: what sbatch refuses is the user's mistake, with sbatch's words.
func TestRefused(t *testing.T) {
	slurmtest.Start(t, slurmtest.Options{Nodes: 1})
	path := write(t, `stage "make" "data" {
  count = 1
  resources {
    partition = "nowhere"
  }
}`)
	o, _ := onSLURM(t, path, quick())
	if len(o.Failures) != 1 || !o.BadInput() || !strings.Contains(o.Failures[0].Result.Message, "invalid partition") {
		t.Fatalf("%+v", o.Failures)
	}
	noRecords(t, path)
}

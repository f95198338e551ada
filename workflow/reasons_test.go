package workflow_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"

	"oceaninv/workflow"
	"oceaninv/workflow/config"
	"oceaninv/workflow/stage"
	"oceaninv/workflow/stage/stagetest"
)

const reasonsPipeline = `
variable "title" { default = "plain" }
variable "letters" { default = "ab" }
variable "also" { default = [] }
stage "make" "data" {
  count  = 3
  recipe = { letters = var.letters, length = 2 }
}
stage "make" "scratch" {
  count = 2
  keep  = false
}
stage "join" "book" {
  title = var.title
  words = concat([stage.data.words, stage.scratch.words, "notes.txt"], var.also)
}
stage "measure" "size" {
  book = stage.book.book
}
`

// TestReasons holds what a plan says of every cause there is, word by word: testdata/reasons.golden. UPDATE_GOLDEN=1 writes it.
func TestReasons(t *testing.T) {
	path := write(t, reasonsPipeline)
	beside := func(name string) string { return filepath.Join(filepath.Dir(path), name) }
	put := func(name, text string) {
		if err := os.WriteFile(beside(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var b strings.Builder
	plan := func(cause string, o workflow.PlanOptions, registry *stage.Registry, vars ...string) {
		fmt.Fprintf(&b, "== %s\n%s", cause, planText(t, path, o, registry, vars))
	}
	put("notes.txt", "one\n")
	put("more.txt", "more\n")
	plan("never run", workflow.PlanOptions{}, nil)
	first := mustRun(t, path)
	plan("nothing", workflow.PlanOptions{}, nil)
	plan("forced", workflow.PlanOptions{Force: []string{"stage.data"}}, nil)
	plan("a parameter, which another value is part of", workflow.PlanOptions{}, nil, "letters=xyz")
	plan("a parameter downstream; what it needs was not kept", workflow.PlanOptions{}, nil, "title=other")
	plan("an input more", workflow.PlanOptions{}, nil, `also=["more.txt"]`)
	plan("only the target", workflow.PlanOptions{Targets: []string{"stage.data"}}, nil, "letters=xyz", "title=other")
	plan("a new version of a kind", workflow.PlanOptions{}, newerJoin())
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(beside("notes.txt"), later, later); err != nil {
		t.Fatal(err)
	}
	plan("an input with another time and the same content", workflow.PlanOptions{}, nil)
	put("notes.txt", "two\n")
	plan("an input with another content", workflow.PlanOptions{}, nil)
	put("notes.txt", "one\n")
	if err := os.WriteFile(stored(t, path, first, "stage.size", "metrics.json"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	plan("a result that is damaged", workflow.PlanOptions{}, nil)
	if err := os.RemoveAll(filepath.Dir(stored(t, path, first, "stage.size", "record.json"))); err != nil {
		t.Fatal(err)
	}
	plan("a result that has been removed", workflow.PlanOptions{}, nil)

	golden := "testdata/reasons.golden"
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

// newerJoin is the registry of a release in which join does something else.
func newerJoin() *stage.Registry {
	old := stagetest.Registry()
	var kinds []stage.Kind
	for _, name := range old.KindNames() {
		k, _ := old.Kind(name)
		if k.Name == "join" {
			k.Version++
		}
		kinds = append(kinds, k)
	}
	return stage.NewRegistry(kinds...)
}

func planText(t *testing.T, path string, o workflow.PlanOptions, registry *stage.Registry, vars []string) string {
	t.Helper()
	if registry == nil {
		registry = stagetest.Registry()
	}
	options := workflow.Options{Registry: registry, Path: path, Results: filepath.Join(filepath.Dir(path), "results")}
	for _, v := range vars {
		name, text, _ := strings.Cut(v, "=")
		options.Assignments = append(options.Assignments, config.Assignment{Name: name, Text: text})
	}
	p, _, diags := workflow.Open(options)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	defer p.Close()
	plan, diags := p.Plan(t.Context(), o)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var b strings.Builder
	for _, d := range plan.Decisions {
		fmt.Fprintf(&b, "%-7s %s\n", d.Status, d.Action.Address)
		for _, r := range d.Reasons {
			fmt.Fprintf(&b, "        %s\n", r)
		}
	}
	return b.String()
}

// TestLittleDiskSpace: a plan warns before a run that asks for more disk than there is; what is done already asks for none.
func TestLittleDiskSpace(t *testing.T) {
	path := write(t, `stage "make" "data" {
  count = 1
  resources { disk = "900000TB" }
}`)
	warnings := func() (all []string) {
		p, err := open(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		plan, diags := p.Plan(t.Context(), workflow.PlanOptions{})
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		for _, w := range plan.Warnings {
			all = append(all, w.Summary)
		}
		return all
	}
	if got := warnings(); len(got) != 1 || got[0] != "Little disk space" {
		t.Errorf("warnings %q", got)
	}
	mustRun(t, path)
	if got := warnings(); len(got) != 0 {
		t.Errorf("warnings %q of what is done", got)
	}
}

// TestHeadersOfFiles: a file from outside is looked at once, before anything runs, and told wherever it is named; one whose
// action is done is not looked at.
func TestHeadersOfFiles(t *testing.T) {
	text := `
stage "measure" "a" {
  for_each = toset(["x", "y"])
  book     = "book.txt"
}
stage "measure" "b" {
  book = "book.txt"
}`
	path := write(t, text)
	book := filepath.Join(filepath.Dir(path), "book.txt")
	plan := func() hcl.Diagnostics {
		t.Helper()
		p, err := open(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		_, diags := p.Plan(t.Context(), workflow.PlanOptions{})
		return diags
	}
	if err := os.WriteFile(book, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	diags := plan()
	if len(diags) != 2 || diags[0].Subject.Start.Line != 4 || diags[1].Subject.Start.Line != 7 ||
		!strings.Contains(diags[0].Detail, "As a book it will not do: "+book+" has no title.") {
		t.Errorf("%v", diags)
	}
	if err := os.WriteFile(book, []byte("a title\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if diags := plan(); len(diags) != 0 {
		t.Errorf("%v", diags)
	}
}

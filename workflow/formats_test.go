package workflow_test

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oceaninv/workflow"
	"oceaninv/workflow/artifact"
)

const pictured = `stage "make" "data" {
  count = 3
}
stage "join" "book" {
  words = stage.data.words
}
stage "measure" "size" {
  book = stage.book.book
}
`

// storedFile is a file of an action in the store of the pipeline at path.
func storedFile(t *testing.T, path string, key artifact.Key, name string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".oceaninv", "store", "actions", "*", string(key), name))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s in the store: %v, %v", name, found, err)
	}
	return found[0]
}

// TestFigureInTwoFormats: both stand among the results, the report shows one and links the other, the crate lists both, and
// an action that has lost either is done again.
func TestFigureInTwoFormats(t *testing.T) {
	path := write(t, pictured)
	first := mustRun(t, path)
	results := filepath.Join(filepath.Dir(path), "results")
	read := func(name string) string {
		raw, err := os.ReadFile(filepath.Join(results, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	if !strings.HasPrefix(read("figures/size.svg"), "<svg") {
		t.Error("figures/size.svg is no SVG")
	}
	if _, err := png.Decode(strings.NewReader(read("figures/size.png"))); err != nil {
		t.Errorf("figures/size.png: %v", err)
	}
	page := read(workflow.PageFile)
	if strings.Count(page, "<figure>") != 1 || !strings.Contains(page, "data:image/svg") || !strings.Contains(page, `<a href="figures/size.png">PNG</a>`) {
		t.Error("the report does not show the SVG once, with a link to the PNG")
	}
	for _, name := range []string{"figures/size.svg", "figures/size.png"} {
		if !strings.Contains(page, "<code>"+name+"</code>") && !strings.Contains(page, ">"+name+"<") {
			t.Errorf("the report does not list %s", name)
		}
		if crate := read("ro-crate-metadata.json"); !strings.Contains(crate, `"@id": "`+name+`"`) {
			t.Errorf("the crate does not list %s", name)
		}
	}
	if err := os.Remove(storedFile(t, path, first.Records["stage.size"].Key, "picture.png")); err != nil {
		t.Fatal(err)
	}
	if o := mustRun(t, path); o.Counts.Done != 1 || o.Counts.Cached != 2 {
		t.Errorf("with the PNG gone: %+v, want one done again", o.Counts)
	}
}

// TestRecordOfBeforeTheSecondFormat: an action done before its kind drew in two formats stays done, and no picture of another
// result stands beside its own.
func TestRecordOfBeforeTheSecondFormat(t *testing.T) {
	path := write(t, pictured)
	first := mustRun(t, path)
	key := first.Records["stage.size"].Key
	file := storedFile(t, path, key, "record.json")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r artifact.Record
	if err := artifact.Unseal(raw, &r); err != nil {
		t.Fatal(err)
	}
	if last := len(r.Outputs) - 1; r.Outputs[last].Name == "picture.png" {
		r.Outputs = r.Outputs[:last]
	} else {
		t.Fatalf("the record ends in %s", r.Outputs[last].Name)
	}
	if raw, err = artifact.Seal(r); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	if o := mustRun(t, path); o.Counts.Done != 0 {
		t.Errorf("%+v, want nothing done", o.Counts)
	}
	results := filepath.Join(filepath.Dir(path), "results")
	if _, err := os.Stat(filepath.Join(results, "figures", "size.svg")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(results, "figures", "size.png")); !os.IsNotExist(err) {
		t.Errorf("figures/size.png: %v, want none", err)
	}
	if page, err := os.ReadFile(filepath.Join(results, workflow.PageFile)); err != nil || bytes.Contains(page, []byte("figures/size.png")) {
		t.Errorf("the report names the PNG, or %v", err)
	}
}

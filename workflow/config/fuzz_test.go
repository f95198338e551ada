package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"oceaninv/workflow/config"
	"oceaninv/workflow/stage/stagetest"
)

// FuzzLoad: no text makes the loader panic, and a pipeline comes with no errors or not at all.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(archive.Files[0].Data)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, src []byte) {
		path := filepath.Join(dir, "p.hcl")
		if err := os.WriteFile(path, src, 0o644); err != nil {
			t.Fatal(err)
		}
		loaded, diags := config.Load(config.Request{Path: path, Registry: stagetest.Registry()})
		if (loaded.Pipeline == nil) != diags.HasErrors() {
			t.Fatalf("pipeline %v with %v", loaded.Pipeline, diags)
		}
	})
}

package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// arrows lists, for each room of the house, the rooms it may import (besides
// itself and its own subpackages). The longest matching prefix decides. It is
// the one place where the architecture is written down as a rule; the README
// draws it.
var arrows = map[string][]string{
	"acoustics":                         {},
	"surrogate":                         {},
	"inversion":                         {"surrogate", "acoustics"},
	"io/netcdf":                         {},
	"io/figure":                         {},
	"io/dataset":                        {"acoustics", "io/netcdf"},
	"io/envfile":                        {"acoustics"},
	"workflow/dag":                      {},
	"workflow/artifact":                 {},
	"workflow/stage":                    {"workflow/artifact"},
	"workflow/config":                   {"workflow/dag", "workflow/stage", "workflow/artifact"},
	"workflow/executor/slurm":           {"workflow/executor", "workflow/stage", "workflow/artifact"},
	"workflow/executor/slurm/slurmtest": {"workflow"},
	"workflow/executor":                 {"workflow/dag", "workflow/stage", "workflow/artifact"},
	"workflow/report":                   {"workflow/dag", "workflow/stage", "workflow/artifact"},
	"workflow":                          {"workflow"},
	"pipelines/stages":                  {"workflow/stage", "workflow/artifact", "inversion", "surrogate", "acoustics", "io"},
	"cmd":                               {"workflow", "pipelines/stages", "inversion", "surrogate", "acoustics", "io"},
}

// within reports whether package pkg lies in the room.
func within(pkg, room string) bool { return pkg == room || strings.HasPrefix(pkg, room+"/") }

// roomOf returns the longest room that holds pkg, or "".
func roomOf(pkg string) string {
	best := ""
	for room := range arrows {
		if within(pkg, room) && len(room) > len(best) {
			best = room
		}
	}
	return best
}

// allowed reports whether package from may import package to.
func allowed(from, to string) bool {
	room := roomOf(from)
	if room == "" {
		return false
	}
	if within(to, room) {
		return true
	}
	for _, r := range arrows[room] {
		if within(to, r) {
			return true
		}
	}
	return false
}

// goFiles calls visit for every Go file below the module root that belongs to
// a package (testdata, hidden folders and results do not).
func goFiles(t *testing.T, visit func(pkg, file string)) {
	t.Helper()
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if n := d.Name(); file != root && (strings.HasPrefix(n, ".") || n == "testdata" || n == "results") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(file, ".go") {
			return nil
		}
		pkg, err := filepath.Rel(root, filepath.Dir(file))
		if err == nil {
			visit(filepath.ToSlash(pkg), file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestArrows parses every file below the module root and fails on an import
// that the arrows forbid. It reads the sources in this process, so that the
// test cache cannot keep it green after a forbidden import was added.
func TestArrows(t *testing.T) {
	files := 0
	goFiles(t, func(pkg, file string) {
		files++
		checkImports(t, pkg, file)
	})
	if files < 50 {
		t.Errorf("only %d Go files seen: is the walk still looking at the whole module?", files)
	}
}

func checkImports(t *testing.T, pkg, file string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Errorf("%s: %v", file, err)
		return
	}
	if roomOf(pkg) == "" {
		t.Errorf("%s: package %s is in no room of the house", file, pkg)
	}
	for _, imp := range f.Imports {
		p, err := strconv.Unquote(imp.Path.Value)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		to, ours := strings.CutPrefix(p, "oceaninv/")
		if ours && !allowed(pkg, path.Clean(to)) {
			t.Errorf("%s: %s must not import %s", file, pkg, to)
		}
	}
}

// TestArrowsForbid holds the arrows that must never be drawn, so that a mistake
// in the table above cannot silently allow them.
func TestArrowsForbid(t *testing.T) {
	for _, c := range [][2]string{
		{"acoustics/modes", "surrogate"}, {"surrogate/train", "acoustics"},
		{"acoustics", "io/netcdf"}, {"inversion", "io/dataset"}, {"inversion", "workflow/stage"},
		{"surrogate/nn", "workflow"}, {"workflow/executor", "inversion"}, {"workflow", "io/netcdf"},
		{"workflow/stage", "workflow/config"}, {"pipelines/stages", "workflow/executor"},
		{"pipelines/stages", "cmd/oceaninv"}, {"io/netcdf", "acoustics"}, {"util", "acoustics"},
	} {
		if allowed(c[0], c[1]) {
			t.Errorf("%s may import %s", c[0], c[1])
		}
	}
}

// TestNoPackageInIO keeps io/ free of Go files: a package io would shadow the
// standard library's name in every file that imports both.
func TestNoPackageInIO(t *testing.T) {
	entries, err := os.ReadDir(filepath.Join("..", "..", "io"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".go") {
			t.Errorf("io/%s: no Go file may stand directly in io/", e.Name())
		}
	}
}

// TestPackageDocs wants a doc.go in every package that is more than tests.
func TestPackageDocs(t *testing.T) {
	documented := map[string]bool{}
	goFiles(t, func(pkg, file string) {
		if !strings.HasSuffix(file, "_test.go") {
			documented[pkg] = documented[pkg] || filepath.Base(file) == "doc.go"
		}
	})
	for pkg, ok := range documented {
		if !ok {
			t.Errorf("%s has no doc.go", pkg)
		}
	}
}

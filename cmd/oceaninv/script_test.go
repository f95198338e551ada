package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"oceaninv/pipelines/stages"
	"oceaninv/workflow/stage/stagetest"
)

// TestMain lets scripts, and the tasks that runs start, call this test binary as the program itself: with kinds of stages
// that know no science, or, where the script sets STAGES=all, with those of the program.
func TestMain(m *testing.M) {
	testscript.Main(builder{m}, map[string]func(){
		"oceaninv": func() {
			registry := stagetest.Registry()
			if os.Getenv("STAGES") == "all" {
				registry = stages.All()
			}
			os.Exit(program(registry))
		},
	})
}

// TestScripts runs testdata/script: one behaviour of the command line each.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
	})
}

// built is the program as users build it; the tests that need it share one build.
var built struct {
	sync.Once
	dir string
	err error
}

// buildProgram returns the path of the built program.
func buildProgram(t *testing.T) string {
	t.Helper()
	built.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "oceaninv"); built.err != nil {
			return
		}
		if out, err := exec.Command("go", "build", "-o", built.dir, ".").CombinedOutput(); err != nil {
			built.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return filepath.Join(built.dir, "oceaninv")
}

// builder runs the tests, then removes what buildProgram has built.
type builder struct{ *testing.M }

func (b builder) Run() int {
	code := b.M.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	return code
}

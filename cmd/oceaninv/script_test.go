package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"oceaninv/pipelines/stages"
	"oceaninv/workflow/stage/stagetest"
)

// TestMain lets scripts, and the tasks that runs start, call this test binary as the program itself: with kinds of stages
// that know no science, or, where the script sets STAGES=all, with those of the program.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
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

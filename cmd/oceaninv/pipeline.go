package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"oceaninv/workflow"
	"oceaninv/workflow/config"
	"oceaninv/workflow/stage"
)

// pipelineFlags are the flags of every command that reads a pipeline.
type pipelineFlags struct {
	registry    *stage.Registry
	assignments []config.Assignment
	workdir     string
	results     string
	json        bool
}

func (f *pipelineFlags) add(cmd *cobra.Command) {
	cmd.Flags().Var(&assignmentFlag{into: &f.assignments}, "var", "give a `name=value` to a variable")
	cmd.Flags().Var(&assignmentFlag{into: &f.assignments, file: true}, "var-file", "read variables' values from a `file`")
	cmd.Flags().StringVar(&f.workdir, "workdir", "", "`directory` of the store and the journals (default .oceaninv beside the pipeline)")
	cmd.Flags().StringVar(&f.results, "results", "", "`directory` of the results (default results/<pipeline name>)")
	cmd.Flags().BoolVar(&f.json, "json", false, "write JSON to stdout")
}

// open loads the pipeline, printing diagnostics. The error has its exit code.
func (f *pipelineFlags) open(path string, stderr io.Writer) (*workflow.Project, error) {
	p, loaded, diags := workflow.Open(workflow.Options{
		Registry: f.registry, Path: path, Assignments: f.assignments, Workdir: f.workdir, Results: f.results,
	})
	_, more := executorOptions(p)
	diags = append(diags, more...)
	printDiagnostics(redact(stderr, loaded.Secrets), loaded.Files, diags)
	if diags.HasErrors() {
		return nil, &exitError{code: exitBadInput}
	}
	return p, nil
}

// assignmentFlag gathers --var and --var-file in the order given.
type assignmentFlag struct {
	into *[]config.Assignment
	file bool
}

func (a *assignmentFlag) String() string { return "" }
func (a *assignmentFlag) Type() string   { return "assignment" }
func (a *assignmentFlag) Set(text string) error {
	if a.file {
		if _, err := os.Stat(text); err != nil {
			return err
		}
		*a.into = append(*a.into, config.Assignment{File: text})
		return nil
	}
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return fmt.Errorf("%q is not of the form name=value", text)
	}
	*a.into = append(*a.into, config.Assignment{Name: strings.TrimSpace(name), Text: value})
	return nil
}

// redact hides the texts of sensitive values from what is written.
func redact(w io.Writer, secrets []string) io.Writer {
	if len(secrets) == 0 {
		return w
	}
	var pairs []string
	for _, s := range secrets {
		pairs = append(pairs, s, "(sensitive)")
	}
	return &redactor{w, strings.NewReplacer(pairs...)}
}

type redactor struct {
	w       io.Writer
	replace *strings.Replacer
}

func (r *redactor) Write(p []byte) (int, error) {
	if _, err := r.replace.WriteString(r.w, string(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return failed(e.Encode(v))
}

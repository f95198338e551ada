package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"
	"golang.org/x/term"

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

// printDiagnostics writes diagnostics with the lines they speak of.
func printDiagnostics(w io.Writer, files map[string]*hcl.File, diags hcl.Diagnostics) {
	if len(diags) == 0 {
		return
	}
	width, color := 100, false
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		color = os.Getenv("NO_COLOR") == ""
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil {
			width = columns
		}
	}
	short := make(map[string]*hcl.File, len(files))
	for name, f := range files {
		short[shortName(name)] = f
	}
	diags = slices.Clone(diags)
	for i, d := range diags {
		c := *d
		c.Subject, c.Context = shortRange(d.Subject), shortRange(d.Context)
		diags[i] = &c
	}
	// A failure to write to the terminal has nobody to be told to.
	_ = hcl.NewDiagnosticTextWriter(w, short, uint(max(width, 40)), color).WriteDiagnostics(diags)
}

// shortName is a path as seen from the working directory, if it lies below it.
func shortName(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(here, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}

func shortRange(r *hcl.Range) *hcl.Range {
	if r == nil {
		return nil
	}
	c := *r
	c.Filename = shortName(r.Filename)
	return &c
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

package main

import (
	"fmt"
	"io"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"oceaninv/workflow"
	"oceaninv/workflow/stage"
)

func newValidateCommand(registry *stage.Registry) *cobra.Command {
	f := pipelineFlags{registry: registry}
	cmd := &cobra.Command{
		Use:     "validate PIPELINE",
		GroupID: "pipeline",
		Short:   "Check a pipeline and the files it names, without running anything",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.validate(args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f.add(cmd)
	return cmd
}

func (f *pipelineFlags) validate(path string, stdout, stderr io.Writer) error {
	p, loaded, diags := workflow.Open(workflow.Options{
		Registry: f.registry, Path: path, Assignments: f.assignments, Workdir: f.workdir, Results: f.results,
	})
	if p != nil {
		defer p.Close()
		_, more := p.Plan(contextOf(), workflow.PlanOptions{})
		_, executors := executorOptions(p)
		diags = append(append(diags, more...), executors...)
	}
	stdout, stderr = redact(stdout, loaded.Secrets), redact(stderr, loaded.Secrets)
	if f.json {
		if err := writeJSON(stdout, diagnosticsJSON(loaded.Files, diags)); err != nil {
			return err
		}
	} else {
		printDiagnostics(stderr, loaded.Files, diags)
	}
	if diags.HasErrors() {
		return &exitError{code: exitBadInput}
	}
	if !f.json {
		fmt.Fprintf(stdout, "%s is valid: %d actions.\n", path, len(p.Pipeline.Actions))
	}
	return nil
}

// The JSON of validate has the shape of OpenTofu's, which editors know.
type validateJSON struct {
	FormatVersion string           `json:"format_version"`
	Valid         bool             `json:"valid"`
	ErrorCount    int              `json:"error_count"`
	WarningCount  int              `json:"warning_count"`
	Diagnostics   []diagnosticJSON `json:"diagnostics"`
}

type diagnosticJSON struct {
	Severity string       `json:"severity"`
	Summary  string       `json:"summary"`
	Detail   string       `json:"detail"`
	Range    *rangeJSON   `json:"range,omitempty"`
	Snippet  *snippetJSON `json:"snippet,omitempty"`
}

type rangeJSON struct {
	Filename string  `json:"filename"`
	Start    posJSON `json:"start"`
	End      posJSON `json:"end"`
}

type posJSON struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Byte   int `json:"byte"`
}

type snippetJSON struct {
	Context              *string `json:"context"`
	Code                 string  `json:"code"`
	StartLine            int     `json:"start_line"`
	HighlightStartOffset int     `json:"highlight_start_offset"`
	HighlightEndOffset   int     `json:"highlight_end_offset"`
}

func diagnosticsJSON(files map[string]*hcl.File, diags hcl.Diagnostics) validateJSON {
	out := validateJSON{FormatVersion: "1.0", Valid: !diags.HasErrors(), Diagnostics: []diagnosticJSON{}}
	for _, d := range diags {
		j := diagnosticJSON{Severity: "error", Summary: d.Summary, Detail: d.Detail}
		if d.Severity == hcl.DiagWarning {
			j.Severity = "warning"
			out.WarningCount++
		} else {
			out.ErrorCount++
		}
		if d.Subject != nil {
			j.Range = &rangeJSON{Filename: d.Subject.Filename, Start: posJSON(d.Subject.Start), End: posJSON(d.Subject.End)}
			j.Snippet = snippet(files[d.Subject.Filename], *d.Subject)
		}
		out.Diagnostics = append(out.Diagnostics, j)
	}
	return out
}

// snippet is the lines a range touches.
func snippet(file *hcl.File, at hcl.Range) *snippetJSON {
	if file == nil || at.End.Byte > len(file.Bytes) {
		return nil
	}
	start, end := at.Start.Byte, at.End.Byte
	for start > 0 && file.Bytes[start-1] != '\n' {
		start--
	}
	for end < len(file.Bytes) && file.Bytes[end] != '\n' {
		end++
	}
	return &snippetJSON{Code: string(file.Bytes[start:end]), StartLine: at.Start.Line,
		HighlightStartOffset: at.Start.Byte - start, HighlightEndOffset: at.End.Byte - start}
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"oceaninv/workflow"
	"oceaninv/workflow/executor"
	"oceaninv/workflow/stage"
)

// planFlags are the flags of plan.
type planFlags struct {
	pipelineFlags
	workflow.PlanOptions
	all      bool
	detailed bool
}

// exitWork is plan --detailed-exitcode's code for work to be done.
const exitWork = 2

func newPlanCommand(registry *stage.Registry) *cobra.Command {
	f := planFlags{pipelineFlags: pipelineFlags{registry: registry}}
	cmd := &cobra.Command{
		Use:     "plan PIPELINE",
		GroupID: "pipeline",
		Short:   "Say what run would do, and why",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&f.all, "all", false, "list also what is up to date")
	cmd.Flags().BoolVar(&f.detailed, "detailed-exitcode", false, "exit 0 if there is nothing to do, 2 if there is, 1 after an error")
	cmd.Flags().BoolVar(&f.Verify, "verify", false, "read every stored file again")
	cmd.Flags().StringArrayVar(&f.Targets, "target", nil, "plan only this `stage` and what it needs (repeatable)")
	cmd.Flags().StringArrayVar(&f.Force, "force", nil, "plan to run this `stage` although its result is there (repeatable; --replace is the same)")
	cmd.Flags().SetNormalizeFunc(replaceIsForce)
	return cmd
}

// replaceIsForce gives --force the name that users of Terraform know too.
func replaceIsForce(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	if name == "replace" {
		name = "force"
	}
	return pflag.NormalizedName(name)
}

// plan plans an opened pipeline, printing diagnostics.
func (f *pipelineFlags) plan(p *workflow.Project, o workflow.PlanOptions, stderr io.Writer) (*workflow.Plan, error) {
	plan, diags := p.Plan(context.Background(), o)
	printDiagnostics(stderr, p.Files, diags)
	if diags.HasErrors() {
		return nil, &exitError{code: exitBadInput}
	}
	return plan, nil
}

func (f *planFlags) run(path string, stdout, stderr io.Writer) error {
	p, err := f.open(path, stderr)
	if err != nil {
		return f.error(err)
	}
	defer p.Close()
	stdout, stderr = redact(stdout, p.Pipeline.Secrets), redact(stderr, p.Pipeline.Secrets)
	plan, err := f.plan(p, f.PlanOptions, stderr)
	if err != nil {
		return f.error(err)
	}
	if f.json {
		err = f.writeJSON(stdout, plan)
	} else {
		f.write(stdout, plan)
	}
	if err == nil && f.detailed && plan.Count(workflow.Cached) < len(plan.Decisions) {
		return &exitError{code: exitWork}
	}
	return err
}

// error keeps exit code 2 free for "there is work" under --detailed-exitcode.
func (f *planFlags) error(err error) error {
	if f.detailed {
		return &exitError{code: exitFailed}
	}
	return err
}

func (f *planFlags) write(w io.Writer, plan *workflow.Plan) {
	for _, d := range plan.Decisions {
		if d.Status == workflow.Cached && !f.all {
			continue
		}
		mark := map[workflow.Status]string{workflow.Cached: "=", workflow.ToRun: "+", workflow.Maybe: "?"}[d.Status]
		fmt.Fprintf(w, "%s %s (%s)%s\n", mark, d.Action.Address, d.Action.Kind.Name, forecastText(d.Estimate))
		for _, reason := range d.Reasons {
			fmt.Fprintf(w, "      %s\n", reason)
		}
	}
	run, maybe, cached := plan.Count(workflow.ToRun), plan.Count(workflow.Maybe), plan.Count(workflow.Cached)
	if len(plan.Decisions) == 0 {
		fmt.Fprintln(w, noStages)
		return
	}
	if run+maybe == 0 {
		fmt.Fprintf(w, "Nothing to do: all %d results are up to date.\n", cached)
		return
	}
	fmt.Fprintf(w, "%d to run, %d that may be spared if what they need comes out the same, %d up to date.%s\n", run, maybe, cached,
		totalText(plan))
}

func forecastText(e workflow.Estimate) string {
	if e.From == "" {
		return ""
	}
	parts := []string{"about " + duration(e.Seconds)}
	if e.Memory > 0 {
		parts = append(parts, executor.FormatBytes(e.Memory)+" of memory")
	}
	if e.Disk > 0 {
		parts = append(parts, executor.FormatBytes(e.Disk)+" on disk")
	}
	return " " + strings.Join(parts, ", ")
}

// totalText sums up the forecasts of what is to run.
func totalText(plan *workflow.Plan) string {
	total, cores, unknown := 0.0, 0.0, 0
	for _, d := range plan.Decisions {
		switch {
		case d.Status == workflow.Cached:
		case d.Estimate.From == "":
			unknown++
		default:
			total += d.Estimate.Seconds
			cores += d.Estimate.CoreSeconds
		}
	}
	if total == 0 {
		return ""
	}
	text := fmt.Sprintf(" About %s of work", duration(total))
	if hours := cores / 3600; hours >= 0.01 {
		text += fmt.Sprintf(", %.2g core-hours", hours)
	}
	if unknown > 0 {
		text += fmt.Sprintf(", and %d not known", unknown)
	}
	return text + "."
}

func (f *planFlags) writeJSON(w io.Writer, plan *workflow.Plan) error {
	actions := make([]json.Marshaler, len(plan.Decisions))
	for i, d := range plan.Decisions {
		actions[i] = d
	}
	return writeJSON(w, struct {
		FormatVersion string           `json:"format_version"`
		ToRun         int              `json:"to_run"`
		Maybe         int              `json:"maybe"`
		Cached        int              `json:"cached"`
		Actions       []json.Marshaler `json:"actions"`
	}{"1.0", plan.Count(workflow.ToRun), plan.Count(workflow.Maybe), plan.Count(workflow.Cached), actions})
}

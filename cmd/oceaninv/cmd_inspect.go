package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"oceaninv/workflow"
	"oceaninv/workflow/executor"
	"oceaninv/workflow/executor/slurm"
	"oceaninv/workflow/stage"
)

// contextOf is the context of commands that signals simply end.
func contextOf() context.Context { return context.Background() }

func newWhyCommand(registry *stage.Registry) *cobra.Command {
	f := pipelineFlags{registry: registry}
	var path string
	cmd := &cobra.Command{
		Use:     "why ADDRESS [PIPELINE]",
		GroupID: "inspect",
		Short:   "Say why an action runs, or last ran",
		Long: `Compares what determines an action's result now with what did when it last ran; if nothing has changed since, the last
two different times it ran. The pipeline may be left out where the directory holds only one.

  oceaninv why 'stage.train["deep"]' pipelines/study.hcl`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 {
				path = args[1]
			}
			return f.why(args[0], path, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&path, "pipeline", "", "the pipeline `file`")
	return cmd
}

// onlyPipeline is the pipeline meant when none is named.
func onlyPipeline(path string) (string, error) {
	if path != "" {
		return path, nil
	}
	var found []string
	for _, pattern := range []string{"*.hcl", "pipelines/*.hcl"} {
		all, err := filepath.Glob(pattern)
		if err != nil {
			return "", err
		}
		for _, f := range all {
			if !strings.HasSuffix(f, ".auto.hcl") {
				found = append(found, f)
			}
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	return "", badInput("name the pipeline: there are %d here", len(found))
}

func (f *pipelineFlags) why(address, path string, stdout, stderr io.Writer) error {
	path, err := onlyPipeline(path)
	if err != nil {
		return err
	}
	p, err := f.open(path, stderr)
	if err != nil {
		return err
	}
	defer p.Close()
	stdout = redact(stdout, p.Pipeline.Secrets)
	why, err := p.Why(contextOf(), address)
	if err != nil {
		return badInput("%v", err)
	}
	if f.json {
		return writeJSON(stdout, why)
	}
	fmt.Fprintf(stdout, "%s: %s\n", why.Address, why.Verdict)
	for _, c := range why.Changes {
		fmt.Fprintf(stdout, "  %s\n", c)
	}
	for _, r := range why.Reasons {
		fmt.Fprintf(stdout, "  %s\n", r)
	}
	return nil
}

func newStatusCommand(registry *stage.Registry) *cobra.Command {
	f := pipelineFlags{registry: registry}
	cmd := &cobra.Command{
		Use:     "status PIPELINE",
		GroupID: "inspect",
		Short:   "Say how far the latest run is, or how it ended",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := f.open(args[0], cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer p.Close()
			s, err := p.Status()
			if err != nil {
				return failed(err)
			}
			if f.json {
				return writeJSON(cmd.OutOrStdout(), s)
			}
			writeStatus(cmd.OutOrStdout(), s)
			if s.State != "running" && submitsDrivers(p) {
				if job, err := slurm.FindDriver(p.Workdir, p.Pipeline.Path); err == nil && job != nil {
					fmt.Fprintf(cmd.OutOrStdout(), "  the driver of the next is job %s, %s (%s)\n", job.ID, job.State, job.Reason)
				}
			}
			return nil
		},
	}
	f.add(cmd)
	return cmd
}

func writeStatus(w io.Writer, s *workflow.RunStatus) {
	if s.Run == "" {
		fmt.Fprintln(w, "Has not been run here.")
		return
	}
	fmt.Fprintf(w, "Run %s: %s\n", s.Run, s.State)
	c := s.Counts
	fmt.Fprintf(w, "  %d done, %d up to date, %d failed, %d skipped, %d left\n", c.Done, c.Cached, c.Failed, c.Skipped, c.Pending)
	for _, t := range s.Running {
		fmt.Fprintf(w, "  running: %s %s for %s\n", t.Action, t.Task, duration(t.Seconds))
	}
	for _, e := range s.Failed {
		fmt.Fprintf(w, "  failed: %s: %s\n", e.Action, firstLine(e.Message))
	}
}

func newDiffCommand(registry *stage.Registry) *cobra.Command {
	var workdir string
	var tolerance float64
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "diff RUN_A RUN_B",
		GroupID: "inspect",
		Short:   "Compare two runs: what determined their results, and the results",
		Long: `Compares two runs action by action. A run is named by its id, or by the start of it; "last" and "previous" name the two
latest. Results that are still in the store are compared by content, numbers within a relative tolerance.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := workflow.DiffRuns(registry, workdir, args[0], args[1], tolerance)
			if err != nil {
				return badInput("%v", err)
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), d)
			}
			for _, a := range d {
				fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", a.Address, a.Verdict)
				for _, line := range a.Lines {
					fmt.Fprintf(cmd.OutOrStdout(), "  %s\n", line)
				}
			}
			return nil
		},
	}
	addWorkdir(cmd, &workdir)
	cmd.Flags().Float64Var(&tolerance, "tolerance", 1e-6, "difference up to which numbers count as equal, relative to the largest of their variable")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON to stdout")
	return cmd
}

// addWorkdir adds --workdir to a command without a pipeline.
func addWorkdir(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVar(into, "workdir", "", "the working `directory` (default .oceaninv here, or in pipelines)")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if *into != "" {
			return nil
		}
		for _, dir := range []string{".oceaninv", "pipelines/.oceaninv"} {
			if info, err := os.Stat(dir); err == nil && info.IsDir() {
				*into = dir
				return nil
			}
		}
		return badInput("there is no .oceaninv here or in pipelines; name the working directory with --workdir")
	}
}

func newGCCommand(registry *stage.Registry) *cobra.Command {
	var workdir string
	var dry, asJSON bool
	cmd := &cobra.Command{
		Use:     "gc",
		GroupID: "inspect",
		Short:   "Remove stored results that no pipeline uses any more",
		Long: `Removes from the store what nothing needs any more. What stays: results of each pipeline's latest complete run; what runs
since then have finished or begun, checkpoints included, whether they failed, were stopped or are going on; and everything
below results/.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := workflow.Collect(registry, workdir, dry)
			if err != nil {
				return failed(err)
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), c)
			}
			verb := "Removed"
			if dry {
				verb = "Would remove"
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s %d of %d results, %s.\n", verb, c.Removed, c.Removed+c.Kept, executor.FormatBytes(c.Bytes))
			return nil
		},
	}
	addWorkdir(cmd, &workdir)
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only say what would be removed")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON to stdout")
	return cmd
}

func newReportCommand(registry *stage.Registry) *cobra.Command {
	f := pipelineFlags{registry: registry}
	cmd := &cobra.Command{
		Use:     "report PIPELINE",
		GroupID: "inspect",
		Short:   "Write the report again from what is in the store",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := f.open(args[0], cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer p.Close()
			stdout := redact(cmd.OutOrStdout(), p.Pipeline.Secrets)
			summary, err := p.Rewrite(contextOf(), version, strings.Join(os.Args, " "))
			if err != nil {
				return failed(err)
			}
			if f.json {
				return writeJSON(stdout, summary)
			}
			printResults(stdout, summary)
			return nil
		},
	}
	f.add(cmd)
	return cmd
}

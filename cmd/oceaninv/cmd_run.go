package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"oceaninv/workflow"
	"oceaninv/workflow/executor"
	"oceaninv/workflow/executor/slurm"
	"oceaninv/workflow/stage"
)

// runFlags are the flags of run.
type runFlags struct {
	pipelineFlags
	workflow.RunOptions
	printScript bool
	detach      bool
}

func newRunCommand(registry *stage.Registry) *cobra.Command {
	f := runFlags{pipelineFlags: pipelineFlags{registry: registry}}
	cmd := &cobra.Command{
		Use:     "run PIPELINE",
		GroupID: "pipeline",
		Short:   "Run what is not done yet",
		Long: `Runs everything in the pipeline whose result is not in the store: what was never run, and what is affected by a
change. After an interruption or a crash, the same command goes on where it stopped.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd, args[0])
		},
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.IntVar(&f.Parallelism, "parallelism", 0, "cores that tasks may use together (default all)")
	flags.StringVar(&f.Executor, "executor", "", "where tasks run: `local` or slurm (default slurm if the pipeline has an executor \"slurm\" block)")
	flags.BoolVar(&f.printScript, "print-script", false, "print the batch scripts that would be submitted, and do nothing")
	flags.BoolVar(&f.detach, "detach", false, "leave the run to itself: as a job on SLURM, else in the background")
	flags.BoolVar(&f.KeepGoing, "keep-going", false, "after a failure, run what does not depend on it")
	flags.BoolVar(&f.KeepFailed, "keep-failed", false, "keep the directories of tasks")
	flags.DurationVar(&f.LockTimeout, "lock-timeout", 0, "how long to wait for an action that another run is doing, such as 10m (default as long as it takes)")
	flags.BoolVar(&f.Verify, "verify", false, "read every stored file again instead of trusting its times and size")
	flags.StringArrayVar(&f.Targets, "target", nil, "run only this `stage` and what it needs (repeatable)")
	flags.StringArrayVar(&f.Force, "force", nil, "run this `stage` although its result is there (repeatable; --replace is the same)")
	flags.SetNormalizeFunc(replaceIsForce)
	return cmd
}

func (f *runFlags) run(cmd *cobra.Command, path string) error {
	stdout, stderr := cmd.OutOrStdout(), cmd.ErrOrStderr()
	if err := f.check(cmd); err != nil {
		return err
	}
	p, err := f.open(path, stderr)
	if err != nil {
		return err
	}
	defer p.Close()
	stdout, stderr = redact(stdout, p.Pipeline.Secrets), redact(stderr, p.Pipeline.Secrets)
	plan, err := f.plan(p, f.PlanOptions, stderr)
	if err != nil {
		return err
	}
	onSLURM, err := f.chooseExecutor(p, stderr)
	switch {
	case err != nil:
		return err
	case f.printScript:
		return f.printScripts(p, plan, onSLURM, stdout)
	case f.detach:
		return f.detached(cmd, p, onSLURM, stdout)
	}
	return f.drive(p, plan, stdout, stderr)
}

// check refuses flags that cannot be meant.
func (f *runFlags) check(cmd *cobra.Command) error {
	switch {
	case cmd.Flags().Changed("parallelism") && f.Parallelism < 1:
		return badInput("--parallelism is %d; tasks need at least one core", f.Parallelism)
	case cmd.Flags().Changed("lock-timeout") && f.LockTimeout < 0:
		return badInput("--lock-timeout is %s; it cannot be negative", f.LockTimeout)
	case f.Executor != "" && f.Executor != "local" && f.Executor != slurm.Name:
		return badInput("there is no executor %q; there are local and %s", f.Executor, slurm.Name)
	}
	if cmd.Flags().Changed("lock-timeout") && f.LockTimeout == 0 {
		f.LockTimeout = -1 // not at all
	}
	return nil
}

// drive runs the plan and says how it goes.
func (f *runFlags) drive(p *workflow.Project, plan *workflow.Plan, stdout, stderr io.Writer) error {
	signals := stopSignals()
	defer signal.Stop(signals)
	readers := make(chan os.Signal, 1) // notified of, so that a reader of the output that has gone does not end the run
	signal.Notify(readers, syscall.SIGPIPE)
	defer signal.Stop(readers)
	console := newConsole(stderr, plan)
	f.Signals, f.Version, f.CommandLine = signals, version, strings.Join(os.Args, " ")
	f.Observe = console.observe
	if f.json {
		f.Observe = jsonObserver(stdout)
	}
	var report *workflow.ReportSummary
	f.Conclude = func(o *workflow.Outcome) (err error) {
		report, err = p.Report(o)
		return err
	}
	outcome, err := p.Run(context.Background(), plan, f.RunOptions)
	console.close()
	if outcome == nil {
		return failed(err)
	}
	if !f.json {
		printOutcome(stderr, p, outcome, report)
		printResults(stdout, report)
	}
	return outcomeError(outcome, err)
}

// stopSignals are the signals that stop a run. The end of the terminal is none to what was started by nohup.
func stopSignals() chan os.Signal {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGUSR1)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(signals, syscall.SIGHUP)
	}
	return signals
}

// outcomeError gives a run's end its exit code.
func outcomeError(o *workflow.Outcome, err error) error {
	switch {
	case err != nil:
		return failed(err)
	case o.Stopped == os.Interrupt:
		return &exitError{code: exitInterrupted}
	case o.Stopped != nil:
		return &exitError{code: exitResumable}
	case o.BadInput():
		return &exitError{code: exitBadInput}
	case len(o.Failures) > 0:
		return &exitError{code: exitFailed}
	}
	return nil
}

// noStages is said of a pipeline that has nothing to do by its nature.
const noStages = "Nothing to do: the pipeline has no stages."

// printOutcome says how the run ended.
func printOutcome(w io.Writer, p *workflow.Project, o *workflow.Outcome, report *workflow.ReportSummary) {
	for _, f := range o.Failures {
		fmt.Fprintf(w, "\nFailed: %s (%s)\n", f.Action.Address, f.Result.Reason)
		for line := range strings.Lines(f.Result.Message) {
			fmt.Fprintf(w, "  %s\n", strings.TrimRight(line, "\n"))
		}
		if f.Log != "" && strings.TrimSpace(f.Log) != strings.TrimSpace(f.Result.Message) {
			fmt.Fprintf(w, "  The end of its log:\n    %s\n", strings.ReplaceAll(f.Log, "\n", "\n    "))
		}
		if advice := f.Advice(); advice != "" {
			fmt.Fprintf(w, "  %s\n", advice)
		}
		if f.Dir != "" {
			fmt.Fprintf(w, "  Its log: %s\n  To try it by hand: oceaninv task %s\n", shorten(filepath.Join(f.Dir, executor.LogFile)), shorten(f.Dir))
		}
	}
	if len(o.Skipped) > 0 {
		fmt.Fprintf(w, "\nNot run, since they need what failed: %s\n", strings.Join(o.Skipped, ", "))
	}
	if len(p.Pipeline.Actions) == 0 {
		fmt.Fprintln(w, noStages)
		return
	}
	if o.Nothing() && o.Counts.Pending == 0 {
		fmt.Fprintf(w, "Nothing to do: all %d results are up to date.\n", o.Counts.Cached)
		return
	}
	c := o.Counts
	line := fmt.Sprintf("%d done, %d up to date", c.Done, c.Cached)
	for _, part := range []struct {
		n    int
		text string
	}{{c.Failed, "failed"}, {c.Skipped, "skipped"}, {c.Pending, "left"}} {
		if part.n > 0 {
			line += fmt.Sprintf(", %d %s", part.n, part.text)
		}
	}
	fmt.Fprintf(w, "\n%s in %s (run %s).\n", line, duration(o.Seconds), o.Run)
	if o.Stopped != nil || o.Counts.Pending > 0 {
		fmt.Fprintln(w, "The same command goes on from here; what is finished is kept.")
	}
}

// printResults writes the headline metrics, the pipeline's outputs and where things are.
func printResults(w io.Writer, r *workflow.ReportSummary) {
	if r == nil {
		return
	}
	for _, m := range r.Headlines {
		value := fmt.Sprintf("%.4g", m.Value)
		if m.Error > 0 {
			value += fmt.Sprintf(" ± %.2g", m.Error)
		}
		if m.Unit != "" {
			value += " " + m.Unit
		}
		fmt.Fprintf(w, "%s = %s\n    %s\n", m.Name, value, m.Sentence)
	}
	for _, o := range r.Outputs {
		fmt.Fprintf(w, "%s = %s\n", o.Name, o.Text)
	}
	if r.Page != "" {
		fmt.Fprintf(w, "Report: %s\n", shorten(r.Page))
	}
}

// shorten writes a path relative to the working directory where that is shorter.
func shorten(path string) string {
	cwd, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(cwd, path); err == nil && len(rel) < len(path) {
		return rel
	}
	return path
}

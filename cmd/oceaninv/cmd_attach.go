package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"oceaninv/workflow"
	"oceaninv/workflow/executor/slurm"
	"oceaninv/workflow/stage"
)

func newAttachCommand(registry *stage.Registry) *cobra.Command {
	f := pipelineFlags{registry: registry}
	cmd := &cobra.Command{
		Use:     "attach PIPELINE",
		GroupID: "pipeline",
		Short:   "Watch a run that goes on elsewhere, until it ends",
		Long: `Shows the run of a pipeline that another process drives, on this host or another, as run shows its own. Ctrl-C ends
the watching only; cancel ends the run.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := f.open(args[0], cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer p.Close()
			return f.attach(p, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f.add(cmd)
	return cmd
}

func (f *pipelineFlags) attach(p *workflow.Project, stdout, stderr io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	plan, err := f.plan(p, workflow.PlanOptions{}, stderr)
	if err != nil {
		return err
	}
	console := newConsole(stderr, plan)
	observe := console.observe
	if f.json {
		observe = jsonObserver(stdout)
	}
	s, err := f.follow(ctx, p, observe, stderr)
	console.close()
	switch {
	case err != nil:
		return failed(err)
	case s.Run == "":
		return badInput("%s has not been run here", p.Pipeline.Name)
	case ctx.Err() != nil && s.State == "running":
		fmt.Fprintf(stderr, "Run %s goes on.\n", s.Run)
		return &exitError{code: exitInterrupted}
	}
	if !f.json {
		writeStatus(stderr, s)
	}
	if s.State != "done" {
		return &exitError{code: exitFailed}
	}
	return nil
}

// follow watches the pipeline's latest run and, when its driver has left it or has died and SLURM starts another, the next.
func (f *pipelineFlags) follow(ctx context.Context, p *workflow.Project, observe func(workflow.Event), stderr io.Writer) (*workflow.RunStatus, error) {
	for last := ""; ; {
		if err := f.awaitDriver(ctx, p, stderr); err != nil {
			return nil, err
		}
		s, err := p.Status()
		if err != nil || last != "" && s.Run == last {
			return s, err
		}
		s, err = p.Watch(ctx, observe)
		if err != nil || ctx.Err() != nil || !submitsDrivers(p) || s.State != workflow.Died && !strings.HasPrefix(s.State, "stopped") {
			return s, err
		}
		last = s.Run
	}
}

// awaitDriver waits while a detached driver is with SLURM but has not started to run.
func (f *pipelineFlags) awaitDriver(ctx context.Context, p *workflow.Project, stderr io.Writer) error {
	said := ""
	for ctx.Err() == nil {
		s, err := p.Status()
		if err != nil {
			return failed(err)
		}
		if s.State == "running" || !submitsDrivers(p) {
			return nil
		}
		job, err := slurm.FindDriver(p.Workdir, p.Pipeline.Path)
		if err == nil && job == nil || errors.Is(err, exec.ErrNotFound) {
			return nil
		}
		text := fmt.Sprintf("SLURM does not answer: %v", err) // it will again
		if err == nil {
			text = fmt.Sprintf("The driver's job %s is %s (%s).", job.ID, job.State, job.Reason)
		}
		if text != said {
			said = text
			fmt.Fprintln(stderr, text)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	return &exitError{code: exitInterrupted}
}

// submitsDrivers reports whether anything was ever submitted to SLURM from the working directory.
func submitsDrivers(p *workflow.Project) bool {
	_, err := os.Stat(filepath.Join(p.Workdir, "slurm"))
	return err == nil
}

// cancelPatience is how long cancelled drivers and jobs may take to end: they save checkpoints.
const cancelPatience = 90 * time.Second

func newCancelCommand(registry *stage.Registry) *cobra.Command {
	f := pipelineFlags{registry: registry}
	cmd := &cobra.Command{
		Use:     "cancel PIPELINE",
		GroupID: "pipeline",
		Short:   "Stop a run wherever it is driven, and every job it has with SLURM",
		Long: `Asks the driver of the pipeline's run to stop, as Ctrl-C would, and cancels the jobs that the pipeline's runs from
this working directory have with SLURM, a detached driver among them. Other jobs are not touched. What is finished is
kept, and run goes on from there.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := f.open(args[0], cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer p.Close()
			return f.cancel(p, cmd.OutOrStdout())
		},
	}
	f.add(cmd)
	return cmd
}

func (f *pipelineFlags) cancel(p *workflow.Project, w io.Writer) error {
	ctx, stop := context.WithTimeout(context.Background(), cancelPatience)
	defer stop()
	run, err := p.Cancel(ctx)
	done := struct {
		Run  string   `json:"run"`
		Jobs []string `json:"jobs"`
	}{Run: run, Jobs: []string{}}
	if submitsDrivers(p) {
		cancelled, cancelErr := slurm.Cancel(p.Workdir, p.Pipeline.Path, cancelPatience)
		err = errors.Join(err, cancelErr)
		if cancelled != nil {
			done.Jobs = append(done.Jobs, cancelled.Jobs...)
		}
	}
	if f.json {
		return errors.Join(failed(err), writeJSON(w, done))
	}
	switch {
	case run == "" && len(done.Jobs) == 0:
		fmt.Fprintln(w, "Nothing is running.")
	case run != "":
		fmt.Fprintf(w, "Run %s has stopped.\n", run)
	}
	if len(done.Jobs) > 0 {
		fmt.Fprintf(w, "Cancelled jobs: %s\n", strings.Join(done.Jobs, " "))
	}
	return failed(err)
}

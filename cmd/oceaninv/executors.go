package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"oceaninv/workflow"
	"oceaninv/workflow/executor"
	"oceaninv/workflow/executor/slurm"
)

// executorOptions decodes the pipeline's executor blocks.
func executorOptions(p *workflow.Project) (slurm.Options, hcl.Diagnostics) {
	o := slurm.DefaultOptions()
	if p == nil {
		return o, nil
	}
	var diags hcl.Diagnostics
	for name, block := range p.Pipeline.Executors {
		at := block.Range
		if name != slurm.Name {
			diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Unknown executor", Subject: &at,
				Detail: fmt.Sprintf("There is no executor %q to set up; there is %q.", name, slurm.Name)})
			continue
		}
		var more hcl.Diagnostics
		o, more = slurm.Decode(block.Body, block.Context, at)
		diags = append(diags, more...)
	}
	return o, diags
}

// chooseExecutor makes SLURM's executor ready and chooses it if the flag, or without one the pipeline, says so.
func (f *runFlags) chooseExecutor(p *workflow.Project, stderr io.Writer) (onSLURM bool, err error) {
	o, diags := executorOptions(p)
	if diags.HasErrors() { // open has refused them before
		printDiagnostics(stderr, p.Files, diags)
		return false, &exitError{code: exitBadInput}
	}
	if _, ok := p.Pipeline.Executors[slurm.Name]; ok && f.Executor == "" {
		f.Executor = slurm.Name
	}
	if f.Executor != slurm.Name {
		return false, nil
	}
	if _, err := exec.LookPath("sbatch"); err != nil && !f.printScript {
		return false, badInput("there is no sbatch here: run on a login node of the cluster, or with --executor local")
	}
	command, err := workflow.ExecutorCommand()
	if err != nil {
		return false, failed(err)
	}
	f.Executors = []executor.Executor{slurm.New(o, command)}
	return true, nil
}

// printScripts writes what would be submitted.
func (f *runFlags) printScripts(p *workflow.Project, plan *workflow.Plan, onSLURM bool, w io.Writer) error {
	if !onSLURM {
		return badInput("there is nothing to print: tasks run on this machine (see --executor)")
	}
	e := f.Executors[0].(*slurm.Executor)
	for i, script := range e.Scripts(p.Workdir, p.Preview(plan, e)) {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprint(w, script)
	}
	return nil
}

// detached leaves the run to a job of its own, or to a process in the background.
func (f *runFlags) detached(cmd *cobra.Command, p *workflow.Project, onSLURM bool, w io.Writer) error {
	arguments := f.arguments()
	words := arguments[:1:1]
	for _, a := range arguments[1:] {
		if a != "--detach" && a != "--detach=true" {
			words = append(words, a)
		}
	}
	o, _ := executorOptions(p) // checked before
	path := cmd.Flags().Arg(0)
	if !onSLURM || o.Driver.Where == "process" {
		return f.background(p, words, path, w)
	}
	dir, err := os.Getwd()
	if err != nil {
		return failed(err)
	}
	id, log, err := slurm.Detach(o, slurm.Detached{Workdir: p.Workdir, Pipeline: p.Pipeline.Path, Dir: dir, Command: words})
	if err != nil {
		return failed(fmt.Errorf("the driver cannot be submitted: %w", err))
	}
	fmt.Fprintf(w, "The driver is job %s; it writes to %s.\nFollow it with: oceaninv attach %s\n", id, shorten(log), path)
	return nil
}

// arguments are this program's absolute path and the words it was called with.
func (f *runFlags) arguments() []string {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	return slices.Concat([]string{self}, os.Args[1:])
}

// background starts the driver as a process that outlives the terminal, and returns when its run can be seen.
func (f *runFlags) background(p *workflow.Project, words []string, path string, w io.Writer) error {
	if err := os.MkdirAll(p.Workdir, 0o755); err != nil {
		return failed(err)
	}
	name := filepath.Join(p.Workdir, "driver.log")
	log, err := os.Create(name)
	if err != nil {
		return failed(err)
	}
	defer log.Close()
	before, err := p.Status()
	if err != nil {
		return failed(err)
	}
	child := exec.Command(words[0], words[1:]...)
	child.Stdout, child.Stderr, child.SysProcAttr = log, log, ownSession()
	if err := child.Start(); err != nil {
		return failed(err)
	}
	if err := awaitRun(p, before.Run, child); err != nil {
		return failed(fmt.Errorf("the driver has ended without a run (%w); see %s", err, shorten(name)))
	}
	fmt.Fprintf(w, "The driver is process %d; it writes to %s.\nFollow it with: oceaninv attach %s\n", child.Process.Pid, shorten(name),
		strings.TrimSpace(path))
	return nil
}

// awaitRun waits until the child has begun another run than the one before.
func awaitRun(p *workflow.Project, before string, child *exec.Cmd) error {
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	for gone := false; ; {
		s, err := p.Status()
		if err != nil || s.Run != before {
			return err
		}
		if gone {
			return errors.New(child.ProcessState.String())
		}
		select {
		case <-ended:
			gone = true
		case <-time.After(50 * time.Millisecond):
		}
	}
}

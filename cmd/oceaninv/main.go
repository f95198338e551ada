package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"oceaninv/pipelines/stages"
	"oceaninv/workflow"
	"oceaninv/workflow/stage"
)

// version is set when the program is built from a checkout.
var version = "development"

// Exit codes.
const (
	exitDone        = 0
	exitFailed      = 1   // something went wrong while running
	exitBadInput    = 2   // usage, pipeline or data: for the user to mend
	exitUnformatted = 3   // fmt --check found work
	exitResumable   = 75  // asked to stop by SIGTERM, SIGHUP or SIGUSR1; run again to go on
	exitInterrupted = 130 // Ctrl-C
)

func main() { os.Exit(program(stages.All())) }

// program is main with the registry given, for tests.
func program(registry *stage.Registry) int {
	root := newRootCommand(registry)
	cmd, err := root.ExecuteC()
	if err == nil {
		return exitDone
	}
	var exit *exitError
	if !errors.As(err, &exit) {
		// All other errors are cobra's, about the command line.
		fmt.Fprintf(os.Stderr, "Error: %s\n", usageError(cmd, err))
		return exitBadInput
	}
	if exit.err != nil {
		fmt.Fprintf(os.Stderr, "Error: %v\n", exit.err)
	}
	return exit.code
}

// exitError is an error with its exit code; err is nil when everything has been said.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// failed gives an error of a command's work its exit code.
func failed(err error) error {
	if err == nil {
		return nil
	}
	var exit *exitError
	if errors.As(err, &exit) {
		return err
	}
	var usage *workflow.UsageError
	if errors.As(err, &usage) {
		return &exitError{exitBadInput, err}
	}
	return &exitError{exitFailed, err}
}

// badInput is an error that the user can mend.
func badInput(format string, args ...any) error {
	return &exitError{exitBadInput, fmt.Errorf(format, args...)}
}

func newRootCommand(registry *stage.Registry) *cobra.Command {
	root := &cobra.Command{
		Use:   "oceaninv",
		Short: "From an ocean environment to a posterior one can defend",
		Long: `oceaninv runs pipelines, written in HCL, of ocean-acoustic simulation, training and inversion.

Exit codes: 0 done, 1 failed, 2 bad input, 3 fmt --check found work, 75 stopped by SIGTERM, SIGHUP or SIGUSR1 (run
again to go on), 130 interrupted.`,
		Version:       version,
		SilenceErrors: true, SilenceUsage: true,
	}
	root.AddGroup(&cobra.Group{ID: "pipeline", Title: "Pipelines:"}, &cobra.Group{ID: "inspect", Title: "Looking back:"},
		&cobra.Group{ID: "ocean", Title: "Oceans:"})
	root.AddCommand(
		newRunCommand(registry), newPlanCommand(registry), newValidateCommand(registry), newFmtCommand(), newGraphCommand(registry),
		newWhyCommand(registry), newStatusCommand(registry), newDiffCommand(registry), newGCCommand(registry), newReportCommand(registry),
		newTaskCommand(registry), newAttachCommand(registry), newCancelCommand(registry), newInferCommand(), newBenchCommand(),
		newModesCommand(registry), newFieldCommand(registry), newEnvCommand(registry), newDesignCommand(registry),
	)
	return root
}

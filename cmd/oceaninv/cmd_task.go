package main

import (
	"context"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"oceaninv/workflow/executor"
	"oceaninv/workflow/stage"
)

func newTaskCommand(registry *stage.Registry) *cobra.Command {
	return &cobra.Command{
		Use:   "task DIR",
		Short: "Do one task of a run",
		Long: `Does the task in a directory that run has prepared. This is how run does all its work, so a task that failed can
be tried again by hand, under a debugger or elsewhere. SIGTERM makes it save a checkpoint and end with exit code 75.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			if code := executor.Execute(ctx, args[0], registry, cmd.ErrOrStderr()); code != 0 {
				return &exitError{code: code}
			}
			return nil
		},
	}
}

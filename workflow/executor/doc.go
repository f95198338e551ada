// Package executor runs tasks. A task is a directory with a task file; whoever runs it (a child process here, a batch
// job elsewhere, a person by hand) calls `oceaninv task DIR`, which is [Execute], and finds how it ended in the
// directory's exit file. An [Executor] is handed tasks and reports what becomes of them.
package executor

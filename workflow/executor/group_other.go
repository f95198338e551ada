//go:build !linux

package executor

import "syscall"

// ownGroup puts a child into a process group of its own. Without Linux's parent-death signal a child outlives a driver
// that is killed outright; what it finishes then is complete and is found by the next run.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

//go:build unix

package main

import "syscall"

// ownSession detaches a child from the terminal.
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

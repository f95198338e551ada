package slurmtest_test

import "syscall"

// userSignal is what SLURM is asked to send a driver before its time ends.
const userSignal = syscall.SIGUSR1

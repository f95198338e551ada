// Package slurmtest starts a real SLURM cluster for a test: a munged, a slurmctld and several slurmd on this host, from a
// temporary directory, on ports of their own, with nothing in /etc, no privileges and no accounting database. It needs the
// packages that `make deps-test` installs. Each node lives in a process namespace of its own, so that killing it is a
// power cut.
//
// What it cannot show: control groups (a task over its memory limit ends as FAILED 0:9, not OUT_OF_MEMORY), slurmdbd, and
// nodes with clocks and file systems of their own.
package slurmtest

//go:build unix

package bench

import (
	"syscall"
	"time"
)

// processorTime is the time that this process has spent on processors, which other
// processes do not stretch.
func processorTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic("bench: getrusage: " + err.Error())
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

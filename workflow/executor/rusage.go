package executor

import (
	"runtime"
	"syscall"
	"time"
)

// rusage is the processor time, in seconds, and the peak resident set, in bytes, of this process.
func rusage() (cpu float64, peak int64) {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0, 0
	}
	return cpuSeconds(&r), peakBytes(&r)
}

func cpuSeconds(r *syscall.Rusage) float64 {
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()).Seconds()
}

func peakBytes(r *syscall.Rusage) int64 {
	if runtime.GOOS == "darwin" {
		return int64(r.Maxrss)
	}
	return int64(r.Maxrss) * 1024
}

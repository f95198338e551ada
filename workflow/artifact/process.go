package artifact

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// thisProcess describes the process as a holder of leases.
func thisProcess(run string) Holder {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	started, _ := processStart(os.Getpid())
	return Holder{Host: host, Namespace: namespace(), PID: os.Getpid(), Started: started, Job: os.Getenv("SLURM_JOB_ID"), Run: run}
}

// namespace names where process ids can be compared: one boot of one machine, one process namespace.
func namespace() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	ns, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		ns = ""
	}
	return strings.TrimSpace(string(boot)) + " " + ns
}

// processStart returns when a process started, in a form that only equality is asked of, and whether it runs. A
// zombie does not run. The start is "" where the system does not tell.
func processStart(pid int) (string, bool) {
	if err := syscall.Kill(pid, 0); err == syscall.ESRCH {
		return "", false
	}
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		_, noProc := os.Stat("/proc/self/stat")
		return "", noProc != nil // with a /proc, a process not in it is gone
	}
	// The second field is a name in parentheses that may hold anything; state follows it, start is the 22nd.
	fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return "", false
	}
	return fields[19], true
}

package slurm

import (
	"fmt"
	"strings"

	"oceaninv/workflow/executor"
)

// fate is what a state of SLURM's means for a task.
type fate int

const (
	queued    fate = iota // not started, or to be started again
	running               // started, and not final
	completed             // ended with exit code 0
	failed                // ended with another
	timedOut
	outOfMemory
	lostNode // through no fault of the task's
	cancelled
)

// fates maps every state of a job.
var fates = map[string]fate{
	"PENDING": queued, "CONFIGURING": queued, "REQUEUED": queued, "REQUEUE_HOLD": queued, "REQUEUE_FED": queued,
	"RESV_DEL_HOLD": queued, "SPECIAL_EXIT": queued,
	"RUNNING": running, "COMPLETING": running, "SUSPENDED": running, "STOPPED": running, "SIGNALING": running,
	"STAGE_OUT": running, "RESIZING": running, "EXPEDITING": queued, "POWER_UP_NODE": queued,
	"COMPLETED": completed, "FAILED": failed, "TIMEOUT": timedOut, "DEADLINE": timedOut, "OUT_OF_MEMORY": outOfMemory,
	"NODE_FAIL": lostNode, "BOOT_FAIL": lostNode, "PREEMPTED": lostNode, "REVOKED": lostNode, "LAUNCH_FAILED": lostNode,
	"RECONFIG_FAIL": lostNode, "UPDATE_DB": running,
	"CANCELLED": cancelled,
}

// fate judges the row; a state that is not known is taken for one that will pass.
func (r row) fate() fate {
	f, ok := fates[strings.TrimSuffix(r.state, "+")]
	if !ok {
		return running
	}
	return f
}

func (r row) live() bool { return r.fate() <= running }

// stuck reports whether SLURM will not start the job again by itself although nobody asked it to hold it: the node had
// failed to launch it.
func (r row) stuck() bool {
	return r.fate() == queued && (strings.Contains(r.reason, "launch failed requeued held") || strings.Contains(r.reason, "launch_failed_requeued_held"))
}

// hold explains a pending job that waits for more than its turn; "" if it does not.
func (r row) hold(id string) string {
	if r.fate() != queued {
		return ""
	}
	switch r.reason {
	case "JobHeldUser", "JobHeldAdmin", "JobHoldMaxRequeue":
		return fmt.Sprintf("is held (%s); scontrol release %s lets it go", r.reason, id)
	case "BadConstraints", "PartitionDown", "PartitionInactive", "PartitionNodeLimit", "PartitionTimeLimit", "InvalidAccount", "InvalidQOS",
		"QOSMaxCpuPerJobLimit", "QOSMaxMemoryPerJob", "QOSMaxWallDurationPerJobLimit", "AssocMaxWallDurationPerJobLimit",
		"AssocMaxCpuPerJobLimit", "ReservationDeleted", "AccountNotAllowed", "QOSNotAllowed":
		return fmt.Sprintf("cannot start (%s): what it asks for does not fit the cluster; see scontrol show job %s", r.reason, id)
	case "ReqNodeNotAvail", "NodeDown", "BeginTime":
		return fmt.Sprintf("waits (%s)", r.reason)
	}
	if strings.HasPrefix(r.reason, "ReqNodeNotAvail") || strings.HasPrefix(r.reason, "Nodes required") {
		return fmt.Sprintf("waits (%s)", r.reason)
	}
	return ""
}

// verdict is how a task ended that left no exit file, or one that only says that it was asked to stop.
func (r row) verdict(t *executor.Task) executor.Result {
	exit := executor.Result{Code: r.code}
	if r.signal != 0 {
		exit.Code = 128 + r.signal
	}
	switch r.fate() {
	case timedOut:
		exit.Reason, exit.Message = executor.TimedOut, fmt.Sprintf("SLURM ended it at its time limit (%s)", r.state)
	case outOfMemory:
		exit.Reason, exit.Message = executor.OOM, "used more than its memory (OUT_OF_MEMORY)"
	case lostNode:
		exit.Reason, exit.Message = executor.NodeFail, fmt.Sprintf("lost with its node %s (%s)", r.node, r.state)
	case cancelled:
		exit.Reason, exit.Message = executor.Stopped, "its job was cancelled (CANCELLED)"
	case completed:
		exit.Reason, exit.Message = executor.Crashed, "its job is COMPLETED, but there is no exit file"
	default:
		exit.Reason, exit.Message = executor.Crashed, fmt.Sprintf("its job is %s (exit code %d, signal %d), and there is no exit file",
			r.state, r.code, r.signal)
		if (r.signal == 9 || r.code == 137) && t.Resources.Memory > 0 {
			// Where SLURM polls memory instead of using control groups, this is all it says.
			exit.Reason = executor.OOM
			exit.Message = fmt.Sprintf("was killed (%s, signal 9), as SLURM does with what uses more than its %s of memory",
				r.state, executor.FormatBytes(t.Resources.Memory))
		}
	}
	return exit
}

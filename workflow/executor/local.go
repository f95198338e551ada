package executor

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"oceaninv/workflow/artifact"
)

// Local runs tasks as processes on this machine, each in a process group of its own that ends with the driver.
type Local struct {
	// Command is the program and arguments to which the task directory is appended.
	command []string
	budget  Budget
	updates chan Update
	mutex   sync.Mutex
	running map[*process]bool
	stopped bool
	ended   sync.WaitGroup
}

// NewLocal returns an executor on which tasks use at most the given cores and memory together. The command is this
// program's `task` verb.
func NewLocal(command []string, budget Budget) *Local {
	return &Local{command: command, budget: budget, updates: make(chan Update, 64), running: make(map[*process]bool)}
}

// Name is "local".
func (l *Local) Name() string { return "local" }

// Budget is what the machine has, or what the user allows.
func (l *Local) Budget() Budget { return l.budget }

// Updates is where news arrive.
func (l *Local) Updates() <-chan Update { return l.updates }

// Submit starts a process per task.
func (l *Local) Submit(tasks []*Task) error {
	for _, t := range tasks {
		p := &process{local: l, task: t}
		l.mutex.Lock()
		l.running[p] = true
		l.mutex.Unlock()
		l.ended.Add(1)
		go p.run()
	}
	return nil
}

// Stop ends all tasks: by SIGTERM, and SIGKILL after a grace period, or at once.
func (l *Local) Stop(now bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.stopped = true
	for p := range l.running {
		p.stop(now)
	}
}

// Close kills what runs and waits for it.
func (l *Local) Close() error {
	l.Stop(true)
	go func() {
		l.ended.Wait()
		close(l.updates)
	}()
	for range l.updates { // nobody else reads any more
	}
	return nil
}

// process is a task that runs.
type process struct {
	local *Local
	task  *Task
	mutex sync.Mutex
	pid   int
	why   Reason // set by whoever kills it
	asked bool   // to stop
	done  bool
	told  *Result // how it ended, from the task itself; read when follow has returned
}

func (p *process) run() {
	// The kernel ends the child when the thread that made it dies, so that thread must stay, and do nothing else.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer p.local.ended.Done()
	result := p.execute()
	p.local.mutex.Lock()
	delete(p.local.running, p)
	p.local.mutex.Unlock()
	p.local.updates <- Update{Task: p.task, State: Ended, NativeID: strconv.Itoa(p.pid), Result: result}
}

func (p *process) execute() Result {
	log, err := os.Create(filepath.Join(p.task.Dir, LogFile))
	if err != nil {
		return Result{Reason: Failed, Code: CodeFailed, Message: err.Error()}
	}
	defer log.Close()
	reader, writer, err := os.Pipe()
	if err != nil {
		return Result{Reason: Failed, Code: CodeFailed, Message: err.Error()}
	}
	defer reader.Close()
	cmd := exec.Command(p.local.command[0], append(p.local.command[1:len(p.local.command):len(p.local.command)], p.task.Dir)...)
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = log, log, []*os.File{writer}
	cmd.Env = append(os.Environ(), progressFD+"=3", "GOMAXPROCS="+strconv.Itoa(max(1, p.task.Resources.Cores)))
	if m := p.task.Resources.Memory; m > 0 {
		cmd.Env = append(cmd.Env, fmt.Sprintf("GOMEMLIMIT=%d", m*9/10))
	}
	cmd.SysProcAttr = ownGroup()
	err = cmd.Start()
	writer.Close()
	if err != nil {
		return Result{Reason: Failed, Code: CodeFailed, Message: "cannot start the task: " + err.Error()}
	}
	p.started(cmd.Process.Pid)
	news := make(chan struct{})
	go func() { defer close(news); p.follow(reader) }()
	unwatch := p.watch()
	waitErr := cmd.Wait()
	p.finished()
	unwatch()
	_ = reader.SetReadDeadline(time.Now().Add(time.Second)) // a grandchild may hold the pipe open
	<-news
	return p.result(cmd.ProcessState, waitErr)
}

func (p *process) started(pid int) {
	p.local.mutex.Lock()
	stopped := p.local.stopped
	p.local.mutex.Unlock()
	p.mutex.Lock()
	p.pid = pid
	p.mutex.Unlock()
	p.local.updates <- Update{Task: p.task, State: Running, NativeID: strconv.Itoa(pid)}
	if stopped {
		p.stop(false)
	}
}

func (p *process) finished() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.done = true
	_ = syscall.Kill(-p.pid, syscall.SIGKILL) // whatever it left in its group
}

// longestNews is the longest line a task may write to the driver, in bytes.
const longestNews = 1 << 20

// follow passes the task's progress on, and reads on whatever comes: a task must never wait for its driver to read.
func (p *process) follow(r io.Reader) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longestNews)
	for lines.Scan() {
		p.hear(lines.Bytes())
	}
	_, _ = io.Copy(io.Discard, r)
}

// hear takes a line that the task wrote.
func (p *process) hear(line []byte) {
	news := Update{Task: p.task, State: Running, NativeID: strconv.Itoa(p.pid)}
	if exit, ok := bytes.CutPrefix(line, []byte(exitLine)); ok {
		var r Result
		if artifact.Unseal(exit, &r) == nil {
			p.told = &r
		}
		return
	}
	if bytes.HasPrefix(line, []byte(savingLine)) {
		news.State = Saving
	} else if json.Unmarshal(line, &news.Progress) != nil {
		return
	}
	p.local.updates <- news
}

// stop asks the process to end, and makes it after a grace period; or makes it now.
func (p *process) stop(now bool) {
	if now {
		p.kill(Stopped)
		return
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.pid != 0 && !p.done {
		p.asked = true
		_ = syscall.Kill(-p.pid, syscall.SIGTERM)
		time.AfterFunc(grace, func() { p.kill(Stopped) })
	}
}

// kill ends the process group, giving the reason to report.
func (p *process) kill(why Reason) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.pid != 0 && !p.done {
		if p.why == "" {
			p.why = why
		}
		_ = syscall.Kill(-p.pid, syscall.SIGKILL)
	}
}

// watch ends the process at its time or memory limit.
func (p *process) watch() (stop func()) {
	limits := p.task.Resources
	if limits.Time == 0 && limits.Memory == 0 {
		return func() {}
	}
	quit := make(chan struct{})
	go func() {
		var deadline <-chan time.Time
		if limits.Time > 0 {
			timer := time.NewTimer(limits.Time)
			defer timer.Stop()
			deadline = timer.C
		}
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-deadline:
				p.kill(TimedOut)
				return
			case <-tick.C:
				if limits.Memory > 0 && residentBytes(p.pid) > limits.Memory {
					p.kill(OOM)
					return
				}
			}
		}
	}()
	return func() { close(quit) }
}

// residentBytes is the resident set of a process; 0 where the system does not tell.
func residentBytes(pid int) int64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(raw), &size, &resident); err != nil {
		return 0
	}
	return resident * int64(os.Getpagesize())
}

// result is how the process ended: what it says itself if it could, else what the system says.
func (p *process) result(state *os.ProcessState, waitErr error) Result {
	p.mutex.Lock()
	why := p.why
	if why == "" && p.asked && exitCode(state) == 128+int(syscall.SIGTERM) {
		why = Stopped // before it was ready to do so by itself
	}
	p.mutex.Unlock()
	if p.told != nil {
		return *p.told
	}
	r, err := ReadResult(p.task.Dir)
	if err == nil && why == "" {
		return r
	}
	if err == nil && r.Reason == Succeeded {
		return r // it was done before it was killed
	}
	r = Result{Code: exitCode(state), Reason: why, Usage: outsideUsage(state, p.task.Resources.Cores)}
	switch why {
	case TimedOut:
		r.Message = fmt.Sprintf("did not end within %s", p.task.Resources.Time)
	case OOM:
		r.Message = fmt.Sprintf("used more than its %s of memory", FormatBytes(p.task.Resources.Memory))
	case Stopped:
		r.Message = "stopped"
	default:
		r.Reason = Crashed
		r.Message = "ended without saying how"
		var exit *exec.ExitError
		if errors.As(waitErr, &exit) {
			r.Message = exit.String()
		}
	}
	return r
}

func exitCode(state *os.ProcessState) int {
	if s, ok := state.Sys().(syscall.WaitStatus); ok && s.Signaled() {
		return 128 + int(s.Signal())
	}
	return state.ExitCode()
}

func outsideUsage(state *os.ProcessState, cores int) artifact.Usage {
	u := artifact.Usage{Cores: cores, Finished: time.Now().UTC()}
	u.Started = u.Finished
	if r, ok := state.SysUsage().(*syscall.Rusage); ok {
		u.CPU, u.PeakRSS = cpuSeconds(r), peakBytes(r)
	}
	return u
}

// FormatBytes writes a size with a decimal prefix.
func FormatBytes(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB", "PB"}
	v, i := float64(n), 0
	for v >= 1000 && i < len(units)-1 {
		v, i = v/1000, i+1
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.3g %s", v, units[i])
}

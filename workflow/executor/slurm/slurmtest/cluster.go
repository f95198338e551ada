package slurmtest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Options vary the cluster.
type Options struct {
	Nodes        int // 4 if 0
	CPUs         int // of each node, 4 if 0; nodes may claim more than the machine has
	MaxArraySize int // SLURM's default if 0
	// MemoryKill ends tasks over their memory limit. SLURM of Debian 12 can do so without control groups as root only.
	MemoryKill bool
}

// Cluster is a running cluster.
type Cluster struct {
	t     testing.TB
	dir   string
	conf  string
	nodes int
	ctld  *exec.Cmd
	slurm map[int]*exec.Cmd // by node, its namespace's first process
	munge *exec.Cmd
}

// programs are what a cluster is made of.
var programs = []string{"munged", "mungekey", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "sinfo", "scontrol", "unshare"}

// Missing says what a cluster cannot be started for; "" if it can.
func Missing() string {
	for _, p := range programs {
		if _, err := lookPath(p); err != nil {
			return fmt.Sprintf("SLURM is not tested: %s is not installed (make deps-test)", p)
		}
	}
	return ""
}

// Start starts a cluster that ends with the test. Without SLURM the test is skipped, unless the environment says CI=true:
// then it fails.
func Start(t testing.TB, o Options) *Cluster {
	t.Helper()
	if missing := Missing(); missing != "" {
		if os.Getenv("CI") == "true" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	dir, err := os.MkdirTemp("", "slurm") // short: the path of munge's socket is limited
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // munged wants its socket to be reachable for all
		t.Fatal(err)
	}
	if o.Nodes == 0 {
		o.Nodes = 4
	}
	if o.CPUs == 0 {
		o.CPUs = 4
	}
	c := &Cluster{t: t, dir: dir, conf: filepath.Join(dir, "slurm.conf"), nodes: o.Nodes, slurm: make(map[int]*exec.Cmd)}
	t.Cleanup(c.stop)
	c.prepare(o)
	t.Setenv("SLURM_CONF", c.conf)
	c.startMunge()
	c.StartController()
	for n := 1; n <= o.Nodes; n++ {
		c.StartNode(n)
	}
	c.WaitIdle(o.Nodes)
	return c
}

// Config is the path of the cluster's slurm.conf, which clients find in SLURM_CONF.
func (c *Cluster) Config() string { return c.conf }

// lookPath finds daemons too, which are not on every user's path.
func lookPath(name string) (string, error) {
	if p, err := exec.LookPath(name); err == nil {
		return p, nil
	}
	return exec.LookPath("/usr/sbin/" + name)
}

func (c *Cluster) prepare(o Options) {
	c.t.Helper()
	dirs := []string{"state", "log", "run"}
	for n := 1; n <= o.Nodes; n++ {
		dirs = append(dirs, fmt.Sprintf("spool/n%d", n))
	}
	for _, d := range dirs {
		if err := os.MkdirAll(filepath.Join(c.dir, d), 0o755); err != nil {
			c.t.Fatal(err)
		}
	}
	me, err := user.Current()
	if err != nil {
		c.t.Fatal(err)
	}
	port := freePorts(c.t, o.Nodes+1)
	gather := "JobAcctGatherType=jobacct_gather/none"
	if o.MemoryKill {
		gather = "JobAcctGatherType=jobacct_gather/linux\nJobAcctGatherFrequency=task=1\nJobAcctGatherParams=OverMemoryKill"
	}
	if o.MaxArraySize > 0 {
		gather += fmt.Sprintf("\nMaxArraySize=%d", o.MaxArraySize)
	}
	listen := ""
	if onlyLoopback() {
		listen = "CommunicationParameters=NoCtldInAddrAny,NoInAddrAny"
	}
	conf := strings.NewReplacer("$D", c.dir, "$P", fmt.Sprint(port), "$U", me.Username, "$L", listen, "$G", gather,
		"$N", fmt.Sprintf("NodeName=n[1-%d] NodeHostname=localhost NodeAddr=127.0.0.1 Port=[%d-%d] CPUs=%d RealMemory=4000 State=UNKNOWN",
			o.Nodes, port+1, port+o.Nodes, o.CPUs)).Replace(config)
	if err := os.WriteFile(c.conf, []byte(conf), 0o644); err != nil {
		c.t.Fatal(err)
	}
}

// onlyLoopback reports whether this host's name stands for 127.0.0.1 alone, which is where the daemons then listen.
func onlyLoopback() bool {
	name, err := os.Hostname()
	if err != nil {
		return false
	}
	addresses, err := net.LookupHost(name)
	return err == nil && len(addresses) == 1 && addresses[0] == "127.0.0.1"
}

// freePorts finds n ports in a row that nobody listens on, below those that clients get.
func freePorts(t testing.TB, n int) int {
	t.Helper()
next:
	for base := 20000 + os.Getpid()%5000*2; base < 32000; base += n {
		for p := base; p < base+n; p++ {
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", p))
			if err != nil {
				continue next
			}
			l.Close()
		}
		return base
	}
	t.Fatal("no free ports")
	return 0
}

func (c *Cluster) path(name string) string { return filepath.Join(c.dir, name) }

// start starts a daemon whose words go to a log of its own.
func (c *Cluster) start(log, name string, args ...string) *exec.Cmd {
	c.t.Helper()
	path, err := lookPath(name)
	if err != nil {
		c.t.Fatal(err)
	}
	f, err := os.OpenFile(c.path("log/"+log), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		c.t.Fatal(err)
	}
	defer f.Close()
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = f, f
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	return cmd
}

func kill(cmd *exec.Cmd) {
	if cmd == nil || cmd.Process == nil {
		return
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it may have gone by itself
	_ = cmd.Wait()
}

func (c *Cluster) startMunge() {
	c.t.Helper()
	key := c.path("run/munge.key")
	if out, err := exec.Command("mungekey", "--create", "--keyfile="+key).CombinedOutput(); err != nil {
		c.t.Fatalf("mungekey: %v: %s", err, out)
	}
	c.munge = c.start("munged.out", "munged", "-F", "--key-file="+key, "--socket="+c.path("run/munge.sock"),
		"--pid-file="+c.path("run/munged.pid"), "--log-file="+c.path("log/munged.log"), "--seed-file="+c.path("run/munged.seed"))
}

// StartController starts slurmctld.
func (c *Cluster) StartController() {
	c.t.Helper()
	c.ctld = c.start("slurmctld.out", "slurmctld", "-D", "-f", c.conf)
}

// StopController ends slurmctld: in order, by SIGTERM, or by SIGKILL.
func (c *Cluster) StopController(killed bool) {
	c.t.Helper()
	if !killed {
		_ = c.ctld.Process.Signal(syscall.SIGTERM)
		_ = c.ctld.Wait()
		return
	}
	kill(c.ctld)
}

// StartNode starts a node's slurmd.
func (c *Cluster) StartNode(n int) {
	c.t.Helper()
	args := []string{"--pid", "--mount-proc", "--fork", "--kill-child=KILL"}
	if os.Geteuid() != 0 {
		args = append(args, "--user", "--map-current-user")
		stale, _ := filepath.Glob(c.path(fmt.Sprintf("spool/n%d/*", n))) // root's slurmd removes what a killed one left
		for _, s := range stale {
			os.RemoveAll(s)
		}
	}
	slurmd, err := lookPath("slurmd")
	if err != nil {
		c.t.Fatal(err)
	}
	// The shell reaps what slurmd leaves behind; slurmd as first process would not.
	args = append(args, "sh", "-c", fmt.Sprintf("%s -D -N n%d -f %s & wait", slurmd, n, c.conf))
	c.slurm[n] = c.start(fmt.Sprintf("slurmd.n%d.out", n), "unshare", args...)
}

// CutPower kills a node with everything that runs on it, and lets SLURM know at once.
func (c *Cluster) CutPower(n int) {
	c.t.Helper()
	kill(c.slurm[n])
	delete(c.slurm, n)
	c.Control("update", fmt.Sprintf("NodeName=n%d", n), "State=DOWN", "Reason=power")
}

// Control is scontrol.
func (c *Cluster) Control(args ...string) string {
	c.t.Helper()
	out, err := exec.Command("scontrol", args...).CombinedOutput()
	if err != nil {
		c.t.Fatalf("scontrol %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// Queue lists the jobs that have not ended, a line each: "id state reason node name", single array tasks apart.
func (c *Cluster) Queue() []string {
	c.t.Helper()
	out, err := exec.Command("squeue", "-h", "-r", "-o", "%i %T %r %N %j").Output()
	if err != nil {
		c.t.Fatalf("squeue: %v", err)
	}
	var lines []string
	for line := range strings.Lines(string(out)) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}

// WaitIdle waits until n nodes are idle.
func (c *Cluster) WaitIdle(n int) {
	c.t.Helper()
	for start := time.Now(); time.Since(start) < 5*time.Minute; time.Sleep(50 * time.Millisecond) {
		out, err := exec.Command("sinfo", "-h", "-t", "idle", "-o", "%D").Output()
		if err == nil && strings.TrimSpace(string(out)) == fmt.Sprint(n) {
			return
		}
	}
	c.t.Fatalf("the cluster does not come up:\n%s", c.logs())
}

func (c *Cluster) logs() string {
	var all strings.Builder
	files, _ := filepath.Glob(c.path("log/*"))
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err == nil {
			fmt.Fprintf(&all, "== %s\n%s\n", filepath.Base(f), raw[max(0, len(raw)-1000):])
		}
	}
	return all.String()
}

func (c *Cluster) stop() {
	if c.t.Failed() {
		c.t.Logf("the cluster's logs:\n%s", c.logs())
	}
	for _, n := range c.slurm {
		kill(n)
	}
	kill(c.ctld)
	kill(c.munge)
	os.RemoveAll(c.dir)
}

// config is the cluster's slurm.conf. cred_expire is how long a job waits that SLURM starts again; batch_sched_delay and
// the scheduler's intervals are its latency; KillWait is the time from SIGTERM to SIGKILL; MessageTimeout is
// how long commands wait for a controller that is away; ReturnToService lets a node that
// was down come back by itself.
const config = `ClusterName=gotest
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=$P
SlurmUser=$U
SlurmdUser=$U
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$D/run/munge.sock,cred_expire=5
$L
MailProg=/bin/true
StateSaveLocation=$D/state
SlurmdSpoolDir=$D/spool/%n
SlurmctldPidFile=$D/run/slurmctld.pid
SlurmdPidFile=$D/run/slurmd.%n.pid
SlurmctldLogFile=$D/log/slurmctld.log
SlurmdLogFile=$D/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
$G
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=100
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
EnforcePartLimits=ALL
ReturnToService=2
SlurmdTimeout=30
KillWait=2
MessageTimeout=4
MinJobAge=86400
SlurmdParameters=config_overrides
$N
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`

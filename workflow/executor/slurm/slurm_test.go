package slurm

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oceaninv/workflow/executor"
	"oceaninv/workflow/stage"
)

// states are all that squeue's manual names.
var states = strings.Fields(`BOOT_FAIL CANCELLED COMPLETED CONFIGURING COMPLETING DEADLINE FAILED NODE_FAIL OUT_OF_MEMORY
	PENDING PREEMPTED RUNNING RESV_DEL_HOLD REQUEUE_FED REQUEUE_HOLD REQUEUED RESIZING REVOKED SIGNALING SPECIAL_EXIT
	STAGE_OUT STOPPED SUSPENDED TIMEOUT`)

// TestEveryState: no state of SLURM's manual is unknown, and the final ones give the reasons that retry blocks name.
func TestEveryState(t *testing.T) {
	want := map[string]executor.Reason{
		"BOOT_FAIL": executor.NodeFail, "NODE_FAIL": executor.NodeFail, "PREEMPTED": executor.NodeFail, "REVOKED": executor.NodeFail,
		"CANCELLED": executor.Stopped, "DEADLINE": executor.TimedOut, "TIMEOUT": executor.TimedOut,
		"OUT_OF_MEMORY": executor.OOM, "FAILED": executor.Crashed, "COMPLETED": executor.Crashed,
	}
	task := &executor.Task{}
	for _, s := range states {
		r := row{state: s}
		if _, known := fates[s]; !known {
			t.Errorf("%s is not mapped", s)
		}
		reason, final := want[s]
		if r.live() == final {
			t.Errorf("%s: live is %v", s, r.live())
		}
		if final && r.verdict(task).Reason != reason {
			t.Errorf("%s gives %q, want %q", s, r.verdict(task).Reason, reason)
		}
	}
}

// TestKilledIsMemory: where SLURM polls memory, exceeding it looks like signal 9; without a limit it is a crash.
func TestKilledIsMemory(t *testing.T) {
	r := row{state: "FAILED", signal: 9}
	limited := &executor.Task{Resources: stage.Resources{Memory: 1 << 30}}
	if got := r.verdict(limited); got.Reason != executor.OOM || got.Code != 137 {
		t.Errorf("with a limit %+v", got)
	}
	if got := r.verdict(&executor.Task{}); got.Reason != executor.Crashed {
		t.Errorf("without %+v", got)
	}
}

func TestParse(t *testing.T) {
	got, ok := parseRow("12_3|FAILED|1280|n1|data.R.1|(Nodes required | for job are DOWN)|\n")
	if want := (row{id: "12_3", name: "data.R.1", state: "FAILED", reason: "(Nodes required | for job are DOWN)", node: "n1", code: 5}); !ok || got != want {
		t.Errorf("%+v", got)
	}
	got, ok = parseAccount("12_3|CANCELLED by 1000|0:15|None assigned|data.R.1\n")
	if want := (row{id: "12_3", name: "data.R.1", state: "CANCELLED", node: "None assigned", signal: 15}); !ok || got != want {
		t.Errorf("%+v", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("12_3|FAILED|1280|n1|data.R.1|None|")
	f.Add("12_3|CANCELLED by 1000|0:15|n1|data.R.1")
	f.Fuzz(func(t *testing.T, line string) {
		if r, ok := parseRow(line); ok && r.id == "" {
			t.Errorf("a row without an id from %q", line)
		}
		if r, ok := parseAccount(line); ok && r.id == "" {
			t.Errorf("a row without an id from %q", line)
		}
	})
}

func TestClassify(t *testing.T) {
	failed := errors.New("exit status 1")
	for _, c := range []struct {
		words string
		want  failure
	}{
		{"sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)", absent},
		{"sbatch: error: Batch job submission failed: Socket timed out on send/recv operation", absent},
		{"sbatch: error: QOSMaxSubmitJobPerUserLimit", crowded},
		{"sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying", crowded},
		{"sbatch: error: invalid partition specified: nowhere", refused},
		{"sbatch: unrecognized option '--nonsense'", refused},
	} {
		if got := classify(&commandError{name: "sbatch", words: c.words, err: failed}); got != c.want {
			t.Errorf("%q: %v, want %v", c.words, got, c.want)
		}
	}
	if got := classify(&commandError{name: "sbatch", err: &exec.Error{Name: "sbatch", Err: exec.ErrNotFound}}); got != refused {
		t.Errorf("no sbatch: %v", got)
	}
}

// TestGrouped: tasks that ask for the same become arrays of at most the size allowed, in order.
func TestGrouped(t *testing.T) {
	var tasks []*followed
	for i := range 7 {
		cores := 1
		if i == 3 {
			cores = 2
		}
		tasks = append(tasks, &followed{index: i, task: &executor.Task{Group: "stage.a shard", Resources: stage.Resources{Cores: cores}}})
	}
	var sizes []int
	seen := 0
	for _, g := range grouped(tasks, 4) {
		sizes = append(sizes, len(g))
		seen += len(g)
	}
	if seen != 7 || len(sizes) != 3 || sizes[0] != 4 || sizes[1] != 1 || sizes[2] != 2 {
		t.Errorf("%v", sizes)
	}
}

// TestScriptRuns: the script finds its task whatever the path, and the shell and sbatch see the same words.
func TestScriptRuns(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "it's a 100% odd \"place\"")
	task := filepath.Join(dir, "task one")
	if err := os.MkdirAll(task, 0o755); err != nil {
		t.Fatal(err)
	}
	r := record{dir: dir, Name: "n", Tasks: []member{{Dir: filepath.Join(dir, "none")}, {Dir: task}}}
	o := DefaultOptions()
	o.Setup = []string{"export GREETING=hello"}
	script := o.script("n", dir, 2, request{}, []string{"/bin/sh", "-c", `echo "$GREETING $1"`, "sh"})
	if err := r.write(script); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", r.script())
	cmd.Env = append(os.Environ(), "SLURM_ARRAY_TASK_ID=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s\n%s", err, out, script)
	}
	if log, err := os.ReadFile(filepath.Join(task, executor.LogFile)); err != nil || string(log) != "hello "+task+"\n" {
		t.Errorf("%q, %v", log, err)
	}
}

// TestRecords: what is written is read; what is not whole is not there.
func TestRecords(t *testing.T) {
	workdir := t.TempDir()
	r := record{Name: "a.R.1", Run: "R", Pipeline: "/p.hcl", Tasks: []member{{Key: "k", Name: "run", Dir: "/d"}}, dir: filepath.Join(recordsDir(workdir), "a.R.1")}
	if err := errors.Join(r.write("#!/bin/sh\n"), r.identify("7")); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(recordsDir(workdir), "broken"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(recordsDir(workdir), "broken", recordFile), []byte(`{"sha256":"`), 0o644); err != nil {
		t.Fatal(err)
	}
	all, err := readRecords(workdir)
	if err != nil || len(all) != 1 || all[0].id != "7" || all[0].Tasks[0] != r.Tasks[0] {
		t.Errorf("%v, %+v", err, all)
	}
}

func TestSizesAndTimes(t *testing.T) {
	for text, want := range map[string]int64{"": 0, "1GiB": 1024, "1GB": 954, "512M": 489, "1048577": 2, "2 TiB": 2 << 20} {
		if got, err := megabytes(text); err != nil || got != want {
			t.Errorf("%q: %d, %v, want %d", text, got, err, want)
		}
	}
	if _, err := megabytes("much"); err == nil {
		t.Error("much is a size")
	}
	if minutes(61*time.Second) != 2 || minutes(time.Second) != 1 {
		t.Error("time limits are not rounded up to minutes")
	}
}

// TestCleanEnvironment: a driver that is itself a job does not hand its own job's variables on.
func TestCleanEnvironment(t *testing.T) {
	got := cleanEnvironment([]string{"SLURM_JOB_ID=1", "SLURM_CONF=/c", "SBATCH_PARTITION=p", "SQUEUE_FORMAT=x", "PATH=/bin", "SLURMD_NODENAME=n"})
	if strings.Join(got, " ") != "SLURM_CONF=/c PATH=/bin" {
		t.Errorf("%q", got)
	}
}

package workflow_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"oceaninv/workflow"
	"oceaninv/workflow/config"
	"oceaninv/workflow/executor"
	"oceaninv/workflow/stage/stagetest"
)

// TestMain lets the test binary be the program that tests kill: "task DIR" does a task, "drive PIPELINE" runs a pipeline.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "task" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		code := executor.Execute(ctx, os.Args[2], stagetest.Registry(), os.Stderr)
		stop()
		os.Exit(code)
	}
	if len(os.Args) >= 3 && os.Args[1] == "drive" {
		os.Exit(drive(os.Args[2], os.Args[3:]))
	}
	flag.Parse()
	stop := buildProgram()
	code := m.Run()
	stop()
	os.Exit(code)
}

// program is what tasks, and drivers that are killed, are processes of.
var program = os.Args[0]

// buildProgram makes it a build without the race detector, which takes long to start: what the detector watches is the
// drivers in this process.
func buildProgram() (remove func()) {
	if !raceDetector {
		return func() {}
	}
	dir, err := os.MkdirTemp("", "workflow")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "workflow.test")
	if out, err := exec.Command("go", "test", "-c", "-o", program, ".").CombinedOutput(); err != nil {
		panic(fmt.Sprintf("%v: %s", err, out))
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		panic(err)
	}
	return func() { os.RemoveAll(dir) }
}

// drive runs a pipeline as the program would and prints the counts.
func drive(path string, vars []string) int {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGUSR1)
	outcome, err := runPipeline(path, vars, workflow.RunOptions{Signals: signals, Observe: func(e workflow.Event) {
		if e.Event == workflow.Notice {
			fmt.Fprintln(os.Stderr, e.Message)
		}
	}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Printf("done=%d cached=%d failed=%d\n", outcome.Counts.Done, outcome.Counts.Cached, outcome.Counts.Failed)
	switch {
	case outcome.Stopped == os.Interrupt:
		return 130
	case outcome.Stopped != nil:
		return 75
	case len(outcome.Failures) > 0:
		return 1
	}
	return 0
}

// open loads a pipeline whose places are all beside it.
func open(path string, vars []string) (*workflow.Project, error) {
	o := workflow.Options{Registry: stagetest.Registry(), Path: path, Results: filepath.Join(filepath.Dir(path), "results")}
	for _, v := range vars {
		name, text, _ := strings.Cut(v, "=")
		o.Assignments = append(o.Assignments, config.Assignment{Name: name, Text: text})
	}
	p, _, diags := workflow.Open(o)
	if diags.HasErrors() {
		return nil, diags
	}
	return p, nil
}

func runPipeline(path string, vars []string, o workflow.RunOptions) (*workflow.Outcome, error) {
	p, err := open(path, vars)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	plan, diags := p.Plan(context.Background(), o.PlanOptions)
	if diags.HasErrors() {
		return nil, diags
	}
	o.Command = []string{program, "task"}
	outcome, err := p.Run(context.Background(), plan, o)
	if err == nil {
		_, err = p.Report(outcome)
	}
	return outcome, err
}

// write puts a pipeline into a directory of its own.
func write(t testing.TB, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "p.hcl")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// mustRun runs a pipeline to the end in this process.
func mustRun(t testing.TB, path string, vars ...string) *workflow.Outcome {
	t.Helper()
	o, err := runPipeline(path, vars, workflow.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(o.Failures) > 0 {
		t.Fatalf("failed: %s: %s\n%s", o.Failures[0].Action.Address, o.Failures[0].Result.Message, o.Failures[0].Log)
	}
	return o
}

// contents is the content digest of every output of a run.
func contents(o *workflow.Outcome) map[string]string {
	all := make(map[string]string)
	for address, r := range o.Records {
		for _, s := range r.Outputs {
			all[address+"."+s.Name] = s.Sum.Content
		}
	}
	return all
}

// driverCommand is a driver in a process of its own.
func driverCommand(path string, vars ...string) *exec.Cmd {
	cmd := exec.Command(program, append([]string{"drive", path}, vars...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// rounds is how often a test of faults repeats: few in a usual run, as many as OCEANINV_CHAOS says in a long one.
func rounds(usual int) int {
	if n, err := strconv.Atoi(os.Getenv("OCEANINV_CHAOS")); err == nil && n > 0 {
		return max(1, usual*n/10)
	}
	if testing.Short() {
		return max(1, usual/4)
	}
	return usual
}

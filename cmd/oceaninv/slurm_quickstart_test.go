package main

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"oceaninv/workflow/artifact"
	"oceaninv/workflow/executor/slurm/slurmtest"
)

// TestQuickstartOnSLURM runs the quickstart with the real program on this machine and on SLURM: every action has the same
// key and its outputs the same content digests. The training and what follows take a minute; they are in the long form.
func TestQuickstartOnSLURM(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the quickstart on a cluster of processes, a minute; run without -short")
	}
	slurmtest.Start(t, slurmtest.Options{Nodes: 3})
	bin := buildProgram(t)
	args := []string{"run", "../../pipelines/quickstart.hcl", "--var", "samples=64", "--var", "observations=2",
		"--target", "stage.training", "--target", "stage.held_out", "--target", "stage.transmission_loss"}
	want := 3
	if os.Getenv("OCEANINV_CHAOS") != "" {
		args = []string{"run", "../../pipelines/quickstart.hcl", "--var", "samples=1000", "--var", "observations=2"}
		want = 10
	}
	contents := make(map[string]map[string]string)
	for _, where := range []string{"local", "slurm"} {
		dir := t.TempDir()
		cmd := exec.Command(bin, append(args, "--executor", where, "--workdir", dir, "--results", filepath.Join(dir, "results"))...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", where, err, out)
		}
		contents[where] = digests(t, dir)
	}
	if !maps.Equal(contents["local"], contents["slurm"]) || len(contents["local"]) < want {
		t.Errorf("locally %v, on SLURM %v", contents["local"], contents["slurm"])
	}
}

// digests are the content digests of all outputs in a working directory's store, by action key and name.
func digests(t *testing.T, workdir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(workdir, "store", "actions", "*", "*", "record.json"))
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var r artifact.Record
		if err := artifact.Unseal(raw, &r); err != nil {
			t.Fatal(err)
		}
		for _, o := range r.Outputs {
			sum := o.Sum.Content
			if sum == "" {
				sum = o.Sum.Bytes
			}
			all[string(r.Key)+" "+o.Name] = sum
		}
	}
	return all
}

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPipelines validates every pipeline of the project, and runs those of flows and losses for real, as small as
// they go.
func TestPipelines(t *testing.T) {
	if testing.Short() {
		t.Skip("runs every pipeline, for minutes; run without -short")
	}
	bin := buildProgram(t)
	files, err := filepath.Glob("../../pipelines/*.hcl")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if out, err := exec.Command(bin, "validate", f).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", f, err, out)
		}
	}
	for _, c := range []struct {
		args  []string
		table string // of the results, and what it must say
		says  string
	}{
		{[]string{"robot_arm.hcl", "--var", "samples=700", "--var", "epochs=1",
			"--target", `stage.judged["inn_glow_kld_released"]`, "--target", `stage.judged["inn_glow_jsd_corrected_forward"]`,
			"--target", `stage.judged["conditional_iresnet_maximum_likelihood_corrected"]`, "--target", `stage.judged["nf_glow_mmd_corrected"]`}, "", ""},
		{[]string{"displaced_latent.hcl", "--var", "samples=2600", "--var", "epochs=1", "--var", "runs=1", "--var", "displacements=[3]"},
			"displaced.released.table.md", "| kld | 3 | 1 |"},
		{[]string{"pareto.hcl", "--var", "samples=2600", "--var", "epochs=1", "--var", "alphas=[5]"}, "pareto.table.md", "| likelihood | 5 | 1 |"},
	} {
		dir := t.TempDir()
		results := filepath.Join(dir, "results")
		args := append([]string{"run", filepath.Join("../../pipelines", c.args[0]), "--workdir", dir, "--results", results}, c.args[1:]...)
		if out, err := exec.Command(bin, args...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", c.args[0], err, out)
			continue
		}
		if c.table == "" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(results, c.table))
		if err != nil || !strings.Contains(string(text), c.says) {
			t.Errorf("%s: %v, the table is\n%s", c.args[0], err, text)
		}
	}
}

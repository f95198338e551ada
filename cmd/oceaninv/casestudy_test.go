package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"oceaninv/io/dataset"
)

// TestCaseStudy runs the case study at its small size with the real program, and
// holds the table to what the study is about: the recommended flow is the nearest to
// the exact posterior, and every slip of the released code is named.
func TestCaseStudy(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the case study at its small size, half a minute; run without -short")
	}
	dir := t.TempDir()
	bin, results := buildProgram(t), filepath.Join(dir, "results")
	out, err := exec.Command(bin, "run", "../../pipelines/vina_geoacoustic.hcl", "--var", "scale=small",
		"--var", `methods=["nll","kld"]`, "--var", `configurations=["64_18_3"]`, "--workdir", filepath.Join(dir, "work"), "--results", results).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(results, "table.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| NLL, as released (64, 18, 3)", "| NLL, released, sampling put right (64, 18, 3)", "| NLL, corrected (64, 18, 3)",
		"| KLD, as released (64, 18, 3)", "| Recommended flow, raw", "| Recommended flow, refined", "| Exact posterior",
		"sampled in the order (y, z), while trained on (z, y)", "given the observation as it is, while trained on standardised ones",
		"not available", "MSE of water depth (m²)", "MSE of sediment speed ((m/s)²)",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the table lacks %q", want)
		}
	}
	for _, name := range []string{"recommended.nc", "table.data.nc", "figures/table.marginals.svg", "figures/table.marginals.png",
		"figures/table.scatter.svg", "figures/table.scatter.png"} {
		if info, err := os.Stat(filepath.Join(results, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if t.Failed() {
		t.Logf("%s", text)
	}
	// The model applies to observations by itself.
	out, err = exec.Command(bin, "infer", filepath.Join(results, "recommended.nc"), filepath.Join(results, "held_out.nc"),
		"-o", filepath.Join(dir, "posterior.nc")).CombinedOutput()
	if err != nil {
		t.Errorf("infer: %v\n%s", err, out)
	}
	one := filepath.Join(dir, "one.nc")
	if out, err := exec.Command(bin, "infer", filepath.Join(results, "recommended.nc"), filepath.Join(results, "held_out.nc"),
		"--observation", "1", "-o", one).CombinedOutput(); err != nil {
		t.Errorf("infer: %v\n%s", err, out)
	}
	if p, err := dataset.ReadPosterior(one); err != nil || p.Len() != 1 {
		t.Errorf("of one observation: %d posteriors, %v", p.Len(), err)
	}
}

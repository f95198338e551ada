package stages

import (
	"strings"
	"testing"

	"oceaninv/io/dataset"
)

// TestEveryLikelihoodHasItsPosterior: the grid and Markov chains, which share the
// likelihood alone, agree on the posterior under every form of it, with correlated noise
// and with a correlated prior; and draws of one are refined to the other.
func TestEveryLikelihoodHasItsPosterior(t *testing.T) {
	if testing.Short() {
		t.Skip("four posteriors by grid and chains, minutes under the race detector; run without -short")
	}
	correlated := strings.Replace(pekeris, "draws = 64\n", "draws = 64\n    correlation_length = 40\n", 1)
	correlated = strings.Replace(correlated, "  noise {\n", "  correlation {\n    between = [\"water_depth\", \"bottom_speed\"]\n    value   = 0.6\n  }\n  noise {\n", 1)
	snapshots := func(source string) string {
		return strings.Replace(source, "draws   = 1", "draws   = 1\n  snapshots = 6", 1)
	}
	for name, v := range map[string]struct{ source, method string }{
		"unknown amplitude":           {withNoise(`  likelihood = "unknown_amplitude"`) + agreement, ""},
		"unknown variance":            {withNoise(`  likelihood = "unknown_variance"`) + agreement, ""},
		"snapshots":                   {snapshots(withNoise(`  likelihood = "snapshot_covariance"`) + agreement), ""},
		"correlated errors and prior": {correlated + agreement, "hmc"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newChain(t)
			// With two phones an unknown amplitude and variance leave next to nothing: the
			// likelihood of a replica that happens to fit has no bound.
			source := strings.Replace(v.source, "[25, 75]", "[15, 35, 55, 75, 90]", 1)
			if v.method == "hmc" {
				source = strings.Replace(source, `stage "sample" "chains" {`, "stage \"sample\" \"chains\" {\n  method = \"hmc\"\n  start = stage.grid.posterior\n  hmc {\n    burn_in = 200\n    steps = 500\n  }", 1)
			}
			if d := c.decode(source); d.HasErrors() {
				t.Fatal(d)
			}
			for _, s := range [][2]string{{"observe", "one"}, {"interpolate", "prior"}, {"reference", "grid"}, {"sample", "chains"},
				{"refine", "refined"}, {"evaluate", "check"}, {"evaluate", "check_refined"}} {
				if err := c.run(s[0], s[1]); err != nil {
					t.Fatalf("%s %s: %v", s[0], s[1], err)
				}
			}
			if m := c.metrics("check"); !(m["worst_wasserstein_over_floor"] < 3) {
				t.Errorf("chains and grid differ by %.2f times the Monte-Carlo error", m["worst_wasserstein_over_floor"])
			}
			if m := c.metrics("check_refined"); !(m["mean_wasserstein"] < 0.25) {
				t.Errorf("refined draws are %.2f standard deviations from the grid's", m["mean_wasserstein"])
			}
		})
	}
}

// agreement is a posterior found in three ways.
const agreement = `
stage "observe" "one" {
  problem = problem.depth_and_speed
  draws   = 1
  seed    = 3
}
stage "interpolate" "prior" {
  problem    = problem.depth_and_speed
  max_solves = 2000
}
stage "reference" "grid" {
  problem     = problem.depth_and_speed
  observation = stage.one.observation
  field       = stage.prior.field
  polish {
    solves = 0
  }
}
stage "sample" "chains" {
  problem      = problem.depth_and_speed
  observation  = stage.one.observation
  field        = stage.prior.field
  ensembles    = 4
  walkers      = 12
  temperatures = 5
  burn_in      = 300
  steps        = 500
  draws        = 1500
}
stage "refine" "refined" {
  problem     = problem.depth_and_speed
  posterior   = stage.chains.posterior
  observation = stage.one.observation
  field       = stage.prior.field
  direct      = false
}
stage "evaluate" "check" {
  posterior = stage.chains.posterior
  exact     = stage.grid.posterior
}
stage "evaluate" "check_refined" {
  posterior = stage.refined.posterior
  exact     = stage.grid.posterior
}
`

// Several snapshots, in a file of somebody else, are refused by what takes one.
func TestSnapshotsAreRefusedByOtherLikelihoods(t *testing.T) {
	c := newChain(t)
	if d := c.decode(pekeris + agreement); d.HasErrors() {
		t.Fatal(d)
	}
	if err := c.run("observe", "one"); err != nil {
		t.Fatal(err)
	}
	path := c.path("stage.one.observation")
	obs, err := dataset.ReadObservations(path)
	if err != nil {
		t.Fatal(err)
	}
	obs.Snapshots, obs.Pressure = 2, append(obs.Pressure, obs.Pressure...)
	if err := dataset.WriteObservations(path, obs); err != nil {
		t.Fatal(err)
	}
	if err := c.run("sample", "chains"); err == nil || !strings.Contains(err.Error(), "2 snapshots") || !strings.Contains(err.Error(), "snapshot_covariance") {
		t.Errorf("error %v, want one about the snapshots", err)
	}
}

package stages

import (
	"strings"
	"testing"

	"oceaninv/io/dataset"
)

// Observations made with the seed of a data set must not be among its samples:
// a network would be checked on what it has learnt by heart.
func TestObservationsAreNotAmongTheSamples(t *testing.T) {
	c := newChain(t)
	if d := c.decode(pekeris + `
stage "simulate" "data" {
  problem = problem.depth_and_speed
  samples = 20
}
stage "observe" "held_out" {
  problem = problem.depth_and_speed
  draws   = 5
}`); d.HasErrors() {
		t.Fatal(d)
	}
	for _, s := range [][2]string{{"simulate", "data"}, {"observe", "held_out"}} {
		if err := c.run(s[0], s[1]); err != nil {
			t.Fatal(err)
		}
	}
	f, err := dataset.OpenDataset(c.path("stage.data.dataset"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var s dataset.Samples
	if err := f.Read(0, f.Len(), &s); err != nil {
		t.Fatal(err)
	}
	obs, err := dataset.ReadObservations(c.path("stage.held_out.observation"))
	if err != nil {
		t.Fatal(err)
	}
	for _, truth := range obs.Truth {
		for _, v := range s.Parameters {
			if v == truth {
				t.Fatalf("the true value %v is that of a training sample", v)
			}
		}
	}
}

// A recording has no truth, and often there is one: evaluate measures what can
// be measured.
func TestEvaluateOneObservation(t *testing.T) {
	c := newChain(t)
	one := strings.Replace(pekeris, `  parameter "bottom_speed" {
    quantity = "sound_speed"
    layer    = "bottom"
    prior "uniform" {
      low  = 1600
      high = 1800
    }
  }
`, "", 1)
	if d := c.decode(one + `
stage "simulate" "data" {
  problem = problem.depth_and_speed
  samples = 600
}
stage "observe" "one" {
  problem = problem.depth_and_speed
  draws   = 1
}
stage "train" "flow" {
  dataset = stage.data.dataset
  conditional {
    matched_field {
      points = [100]
    }
  }
  training {
    epochs = 2
  }
}
stage "infer" "posterior" {
  model       = stage.flow.model
  observation = stage.one.observation
}
stage "reference" "exact" {
  problem     = problem.depth_and_speed
  observation = stage.one.observation
  interpolation {
    max_solves = 1000
  }
}
stage "evaluate" "check" {
  posterior = stage.posterior.posterior
  exact     = stage.exact.posterior
  density   = stage.exact.density
}
`); d.HasErrors() {
		t.Fatal(d)
	}
	for _, s := range [][2]string{
		{"simulate", "data"}, {"observe", "one"}, {"train", "flow"}, {"infer", "posterior"}, {"reference", "exact"}, {"evaluate", "check"},
	} {
		if err := c.run(s[0], s[1]); err != nil {
			t.Fatalf("%s %s: %v", s[0], s[1], err)
		}
	}
	if m := c.metrics("check"); !(m["mean_wasserstein"] < 0.5) {
		t.Errorf("one parameter: %.2f exact standard deviations from the exact posterior", m["mean_wasserstein"])
	}
}

// One mistake is one diagnostic: blocks further down must not echo it.
func TestMistakesAreNotEchoed(t *testing.T) {
	source := strings.Replace(pekeris, "[40, 60]", "[]", 1) + `
stage "field" "loss" {
  environment  = environment.pekeris
  frequencies  = [100]
  source_depth = 36
  max_range    = 1000
}
`
	d := newChain(t).decode(source)
	if len(d) != 1 || !strings.Contains(d[0].Detail, "no tone") {
		t.Errorf("diagnostics %v, want one about the missing tones", d)
	}
}

// A faulty field block is asked for its outputs all the same.
func TestFaultyFieldHasOutputs(t *testing.T) {
	if n := len(new(field).Outputs()); n != 2 {
		t.Errorf("%d outputs, want 2", n)
	}
}

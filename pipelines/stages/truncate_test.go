package stages

import (
	"math"
	"strings"
	"testing"

	"oceaninv/io/netcdf"
	"oceaninv/workflow/stage"
)

// sharp is the small problem with little noise: its posterior is a small part of the prior.
var sharp = strings.Replace(pekeris, "snr   = 15", "snr   = 25", 1)

// flowOf trains a small flow on a data set, on summaries against so many replicas along each
// parameter, and draws from it.
func flowOf(name, replicas string) string {
	return strings.NewReplacer("NAME", name, "POINTS", replicas).Replace(`
stage "train" "NAME_flow" {
  dataset = stage.NAME.dataset
  seed    = 3
  conditional {
    matched_field {
      points = [POINTS, POINTS]
    }
  }
  flow {
    blocks = 2
    hidden = 32
  }
  training {
    epochs     = 20
    batch_size = 64
  }
}
stage "infer" "NAME_draws" {
  model       = stage.NAME_flow.model
  observation = stage.mine.observation
  draws       = 1000
}
stage "evaluate" "NAME_check" {
  posterior   = stage.NAME_draws.posterior
  exact       = stage.exact.posterior
  density     = stage.exact.density
  model       = stage.NAME_flow.model
  observation = stage.mine.observation

  classifier_draws = 100
}
`)
}

const secondRound = `
stage "simulate" "second" {
  problem = problem.depth_and_speed
  samples = 500
  design  = "sobol"
  seed    = 2
  shards  = SHARDS
  truncate {
    model       = stage.first_flow.model
    observation = stage.mine.observation
    quantile    = 1e-3
  }
}
`

const firstRound = `
stage "observe" "mine" {
  problem = problem.depth_and_speed
  truth   = [{ water_depth = 101, bottom_speed = 1690 }]
  seed    = 2
}
stage "observe" "others" {
  problem = problem.depth_and_speed
  draws   = 2
  seed    = 3
}
stage "reference" "exact" {
  problem     = problem.depth_and_speed
  observation = stage.mine.observation
  draws       = 1000
}
stage "simulate" "first" {
  problem = problem.depth_and_speed
  samples = 500
  design  = "sobol"
  seed    = 1
}
`

// A second round around the observation comes nearer to its exact posterior than the first,
// with as many simulations.
func TestTruncatedRoundsRefineTheFlow(t *testing.T) {
	c := newChain(t)
	source := sharp + firstRound + flowOf("first", "10") +
		strings.Replace(secondRound, "SHARDS", "2", 1) + flowOf("second", "10") + `
stage "infer" "foreign" {
  model       = stage.second_flow.model
  observation = stage.others.observation
}`
	if d := c.decode(source); d.HasErrors() {
		t.Fatal(d)
	}
	shortfall := map[string]float64{}
	for _, s := range [][2]string{{"observe", "mine"}, {"observe", "others"}, {"reference", "exact"},
		{"simulate", "first"}, {"train", "first_flow"}, {"infer", "first_draws"}, {"evaluate", "first_check"},
		{"simulate", "second"}, {"train", "second_flow"}, {"infer", "second_draws"}, {"evaluate", "second_check"}} {
		if err := c.run(s[0], s[1]); err != nil {
			t.Fatal(s, err)
		}
		if name, ok := strings.CutSuffix(s[1], "_check"); ok {
			m := c.metrics(s[1])
			shortfall[name] = m["shortfall"]
			t.Logf("%s: shortfall %.3f nat, Wasserstein %.3f", name, m["shortfall"], m["mean_wasserstein"])
		}
	}
	if !(shortfall["second"] < shortfall["first"]-0.1) {
		t.Errorf("shortfalls %v: the second round is no nearer to the exact posterior", shortfall)
	}
	if err := c.run("infer", "foreign"); !stage.IsBadInput(err) || !strings.Contains(err.Error(), "valid for that one only; observation 0 is another") {
		t.Errorf("the second round's flow is applied to other observations: %v", err)
	}
	holdsTruncated(t, c)
}

// holdsTruncated checks what the truncated round left behind: the same data set from any
// number of shards and cores, draws within the box, and a density that is normalised there.
func holdsTruncated(t *testing.T, c *chain) {
	t.Helper()
	want, err := netcdf.Digest(c.path("stage.second.dataset"))
	if err != nil {
		t.Fatal(err)
	}
	c.cores = 1
	one := strings.NewReplacer(`"second"`, `"again"`, "SHARDS", "1").Replace(secondRound)
	if d := c.decode(one); d.HasErrors() {
		t.Fatal(d)
	}
	if err := c.run("simulate", "again"); err != nil {
		t.Fatal(err)
	}
	if got, err := netcdf.Digest(c.path("stage.again.dataset")); err != nil || got != want {
		t.Errorf("the data set depends on shards and cores: %v, %v", got, err)
	}
	e, layout, err := readModel(c.path("stage.second_flow.model"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := regionOf(layout)
	if err != nil || r == nil {
		t.Fatal(r, err)
	}
	if r.Mass <= 0 || r.Mass > 0.3 {
		t.Errorf("the truncated prior is %.3f of the prior", r.Mass)
	}
	integral(t, e.NewSampler(1).(density), c, r.Low, r.High)
}

type density interface {
	LogDensity(dst, theta []float64, data []complex128) error
}

// integral checks that the density integrates to 1 over the box, by midpoints.
func integral(t *testing.T, d density, c *chain, low, high []float64) {
	t.Helper()
	o, err := loadObserved(&c.specs["second"].(*simulate).Problem, c.path("stage.mine.observation"))
	if err != nil {
		t.Fatal(err)
	}
	const n = 300
	theta, dst := make([]float64, 0, 2*n*n), make([]float64, n*n)
	for i := range n * n {
		theta = append(theta, low[0]+(high[0]-low[0])*(float64(i/n)+0.5)/n, low[1]+(high[1]-low[1])*(float64(i%n)+0.5)/n)
	}
	if err := d.LogDensity(dst, theta, o.data(0)); err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, l := range dst {
		sum += math.Exp(l) * (high[0] - low[0]) * (high[1] - low[1]) / (n * n)
	}
	if math.Abs(sum-1) > 0.01 {
		t.Errorf("the density integrates to %.4f over the truncated prior's box", sum)
	}
}

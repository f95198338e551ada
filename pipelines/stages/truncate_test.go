package stages

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"oceaninv/inversion"
	"oceaninv/inversion/amortized"
	"oceaninv/io/dataset"
	"oceaninv/io/netcdf"
	"oceaninv/surrogate"
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
stage "observe" "both" {
  problem = problem.depth_and_speed
  truth   = [{ water_depth = 101, bottom_speed = 1690 }]
  draws   = 1
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
}
stage "infer" "all" {
  model       = stage.second_flow.model
  observation = stage.both.observation
}
stage "stopwatch" "first_of_both" {
  model       = stage.second_flow.model
  observation = stage.both.observation
  draws       = 20
  repeats     = 1
}
stage "evaluate" "scores_of_both" {
  posterior   = stage.second_draws.posterior
  model       = stage.second_flow.model
  observation = stage.both.observation
}`
	if d := c.decode(source); d.HasErrors() {
		t.Fatal(d)
	}
	shortfall := map[string]float64{}
	for _, s := range [][2]string{{"observe", "mine"}, {"observe", "both"}, {"observe", "others"}, {"reference", "exact"},
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
	usesItsOwnRow(t, c)
	holdsTruncated(t, c)
}

// usesItsOwnRow: of a file that begins with the round's observation, what takes that one alone
// works, and what takes all is refused.
func usesItsOwnRow(t *testing.T, c *chain) {
	t.Helper()
	for _, s := range [][2]string{{"stopwatch", "first_of_both"}, {"evaluate", "scores_of_both"}} {
		if err := c.run(s[0], s[1]); err != nil {
			t.Errorf("%s of the first observation: %v", s[0], err)
		}
	}
	if _, ok := c.metrics("scores_of_both")["log_density_at_truth"]; !ok {
		t.Error("the model's density at the truth is not evaluated")
	}
	if err := c.run("infer", "all"); !stage.IsBadInput(err) || !strings.Contains(err.Error(), "observation 1 is another: observation 0 is its own") ||
		!strings.Contains(err.Error(), "--observation 0") {
		t.Errorf("infer of both observations: %v", err)
	}
	in := Inference{Model: c.path("stage.second_flow.model"), Observation: c.path("stage.both.observation"), Draws: 20, Seed: 3, Cores: 1}
	for number, wrong := range map[int]string{0: "", 1: "observation 1 is another", 2: "there is no number 2", -1: "there is no number -1"} {
		in.Only = &number
		p, err := Infer(context.Background(), in)
		switch {
		case wrong == "" && (err != nil || p.Len() != 1):
			t.Errorf("observation %d alone: %d posteriors, %v", number, p.Len(), err)
		case wrong != "" && (!stage.IsBadInput(err) || !strings.Contains(err.Error(), wrong)):
			t.Errorf("observation %d alone: %v", number, err)
		}
	}
	onlyOneOfMany(t, c)
}

// onlyOneOfMany: of a model of the whole prior, the draws of one observation are those that it
// has among all, with its own truth.
func onlyOneOfMany(t *testing.T, c *chain) {
	t.Helper()
	in := Inference{Model: c.path("stage.first_flow.model"), Observation: c.path("stage.both.observation"), Draws: 20, Seed: 3, Cores: 1}
	all, err := Infer(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	in.Only = new(1)
	one, err := Infer(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	if half := len(all.Values) / 2; !slices.Equal(one.Values, all.Values[half:]) || !slices.Equal(one.Truth, all.Truth[len(all.Truth)/2:]) {
		t.Error("the second observation alone has other draws or another truth than with the first")
	}
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

// shallow is the problem of smallModel, with a prior to fill in; the model is PATH.
var shallow = strings.NewReplacer(pekerisPart("parameter \"water_depth\"", "  noise {"), `parameter "water_depth" {
    prior PRIOR
  }
`).Replace(pekeris)

// pekerisPart is the text of the problem from one mark to another.
func pekerisPart(from, to string) string {
	lo := strings.Index(pekeris, from)
	return pekeris[lo : lo+strings.Index(pekeris[lo:], to)]
}

// truncatedBy is a round with files of the user's.
func truncatedBy(problem, model, observation string) string {
	return problem + fmt.Sprintf(`
stage "simulate" "round" {
  problem = problem.depth_and_speed
  samples = 64
  truncate {
    model       = %q
    observation = %q
  }
}
`, model, observation)
}

// withPrior is the problem of one parameter with a prior.
func withPrior(prior string) string { return strings.Replace(shallow, "PRIOR", prior, 1) }

const ofSmallModel = "\"uniform\" {\n low = 95\n high = 105\n}"

// Files of the user's that do not fit are told when the pipeline is planned and, should they
// come later, by the stage before it solves anything.
func TestRoundsRefuseForeignFiles(t *testing.T) {
	model, layout := smallModel(t)
	observed := func(n int) string {
		path := filepath.Join(t.TempDir(), "observation.nc")
		o := dataset.Observations{Layout: layout, Pressure: slices.Repeat([]complex128{1, 2i, -1, 0.5}, n)}
		if err := dataset.WriteObservations(path, o); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for want, source := range map[string]string{
		`the model infers ["water_depth"], the problem's parameters are ["water_depth" "bottom_speed"]`:                                                       truncatedBy(pekeris, model, observed(1)),
		`the model was trained for the prior {"kind":"uniform","low":95,"high":105} of "water_depth", the problem has {"kind":"uniform","low":90,"high":110}`: truncatedBy(withPrior("\"uniform\" {\n low = 90\n high = 110\n}"), model, observed(1)),
		`a round is around one observation and these are 3: give a file with the one that matters alone`:                                                      truncatedBy(withPrior(ofSmallModel), model, observed(3)),
	} {
		c := newChain(t)
		if d := c.decode(source); d.HasErrors() {
			t.Fatal(d)
		}
		var available []stage.Available
		for _, in := range c.specs["round"].Inputs() {
			available = append(available, stage.Available{Input: in, Location: in.Path})
		}
		if d := c.specs["round"].(stage.Checker).Check(available); len(d) != 1 || d[0].Detail != want+"." {
			t.Errorf("the plan says %v, want %q", d, want)
		}
		if err := c.run("simulate", "round"); !stage.IsBadInput(err) || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("the stage says %v, want %q", err, want)
		}
	}
}

// A model much narrower than what can be drawn from is the user's to change.
func TestRoundsRefuseARegionTooSmall(t *testing.T) {
	source := withPrior("\"log_normal\" {\n median = 100\n sd = 0.02\n}") // no box restricts it
	c := newChain(t)
	if d := c.decode(source + "stage \"observe\" \"one\" {\n problem = problem.depth_and_speed\n draws = 1\n}\n"); d.HasErrors() {
		t.Fatal(d)
	}
	if err := c.run("observe", "one"); err != nil {
		t.Fatal(err)
	}
	p := &c.specs["one"].(*observe).Problem
	prior, err := p.Prior()
	if err != nil {
		t.Fatal(err)
	}
	narrow := &amortized.Conditional{Prior: prior, Form: inversion.AbsoluteField, Receivers: 2, Tones: 2,
		Zeta: surrogate.Standardizer{Mean: []float64{0}, Scale: []float64{1e-6}}}
	model, _ := writeUntrained(t, p, narrow)
	if d := c.decode(truncatedBy(source, model, c.path("stage.one.observation"))); d.HasErrors() {
		t.Fatal(d)
	}
	if err := c.run("simulate", "round"); !stage.IsBadInput(err) || !strings.Contains(err.Error(), "the region is too small a part of the box") {
		t.Errorf("a region of a millionth of the prior: %v", err)
	}
}

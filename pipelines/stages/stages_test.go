package stages

import (
	"bytes"
	"encoding/xml"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"oceaninv/io/dataset"
	"oceaninv/io/netcdf"
	"oceaninv/workflow/stage"
)

// pekeris is a small problem: two tones, two phones, one layerless ocean.
const pekeris = `
environment "pekeris" {
  water {
    depth       = 100
    sound_speed = 1500
  }
  bottom {
    sound_speed = 1700
    density     = 1800
    attenuation = "0.5 dB/wavelength"
  }
}
problem "depth_and_speed" {
  environment = environment.pekeris
  frequencies = [40, 60]
  source {
    depth = 36
  }
  receivers {
    depths = [25, 75]
    range  = 1000
  }
  parameter "water_depth" {
    prior "uniform" {
      low  = 95
      high = 105
    }
  }
  parameter "bottom_speed" {
    quantity = "sound_speed"
    layer    = "bottom"
    prior "uniform" {
      low  = 1600
      high = 1800
    }
  }
  noise {
    snr   = 15
    draws = 64
  }
}
`

func TestSimulateDoesNotDependOnShardsOrCores(t *testing.T) {
	var digests []string
	for _, v := range []struct {
		shards string
		cores  int
	}{{"1", 1}, {"1", 2}, {"3", 1}} {
		c := newChain(t)
		c.cores = v.cores
		if d := c.decode(pekeris + `
stage "simulate" "data" {
  problem = problem.depth_and_speed
  samples = 50
  design  = "sobol"
  seed    = 7
  shards  = ` + v.shards + `
}`); d.HasErrors() {
			t.Fatal(d)
		}
		if err := c.run("simulate", "data"); err != nil {
			t.Fatal(err)
		}
		digest, err := netcdf.Digest(c.path("stage.data.dataset"))
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, digest)
	}
	if digests[0] != digests[1] || digests[0] != digests[2] {
		t.Errorf("digests differ: %v", digests)
	}
}

// TestChain takes a small ocean through every stage, and holds the recommended
// flow to the exact posterior.
func TestChain(t *testing.T) {
	if testing.Short() {
		t.Skip("the longest chain, three minutes under the race detector; run without -short")
	}
	c := newChain(t)
	if d := c.decode(pekeris + `
stage "simulate" "data" {
  problem = problem.depth_and_speed
  samples = 1500
  design  = "sobol"
}
stage "observe" "held_out" {
  problem = problem.depth_and_speed
  truth   = [{ water_depth = 101, bottom_speed = 1690 }]
  draws   = 19
  seed    = 2
}
stage "train" "flow" {
  dataset = stage.data.dataset
  conditional {
    noise_draws = 2
    matched_field {
      points = [80, 120]
    }
  }
  flow {
    blocks = 2
    hidden = 32
  }
  training {
    epochs     = 12
    batch_size = 128
  }
}
stage "train" "paper" {
  dataset = stage.data.dataset
  inn {
    latent = 4
  }
  training {
    epochs = 2
  }
}
stage "infer" "posterior" {
  model       = stage.flow.model
  observation = stage.held_out.observation
}
stage "infer" "posterior_paper" {
  model       = stage.paper.model
  observation = stage.held_out.observation
}
stage "reference" "exact" {
  problem     = problem.depth_and_speed
  observation = stage.held_out.observation
  interpolation {
    max_solves = 4000 # a mode is cut off inside the prior: more would go there
  }
}
stage "evaluate" "check" {
  posterior   = stage.posterior.posterior
  exact       = stage.exact.posterior
  density     = stage.exact.density
  model       = stage.flow.model
  observation = stage.held_out.observation
  ensemble    = [stage.posterior.posterior, stage.posterior_paper.posterior]
}
stage "refine" "refined" {
  problem     = problem.depth_and_speed
  posterior   = stage.posterior.posterior
  observation = stage.held_out.observation
  interpolation {
    max_solves = 4000
  }
}
stage "evaluate" "check_refined" {
  problem     = problem.depth_and_speed
  posterior   = stage.refined.posterior
  exact       = stage.exact.posterior
  observation = stage.held_out.observation
}
stage "evaluate" "check_alone" {
  posterior = stage.refined.posterior
}
stage "stopwatch" "time" {
  problem     = problem.depth_and_speed
  model       = stage.flow.model
  observation = stage.held_out.observation
  draws       = 100
  repeats     = 2
  interpolation {
    max_solves = 500
  }
}
stage "evaluate" "check_paper" {
  posterior = stage.posterior_paper.posterior
  exact     = stage.exact.posterior
}
`); d.HasErrors() {
		t.Fatal(d)
	}
	for _, s := range [][2]string{
		{"simulate", "data"}, {"observe", "held_out"}, {"train", "flow"}, {"train", "paper"}, {"infer", "posterior"},
		{"infer", "posterior_paper"}, {"reference", "exact"}, {"evaluate", "check"}, {"evaluate", "check_paper"},
		{"refine", "refined"}, {"evaluate", "check_refined"}, {"evaluate", "check_alone"}, {"stopwatch", "time"},
	} {
		if err := c.run(s[0], s[1]); err != nil {
			t.Fatalf("%s %s: %v", s[0], s[1], err)
		}
	}
	flow, paper := c.metrics("check"), c.metrics("check_paper")
	c.checkRefined(flow)
	c.checkReported(flow)
	if w := flow["mean_wasserstein"]; !(w < 0.3) {
		t.Errorf("the recommended flow is %.2f exact standard deviations from the exact posterior", w)
	}
	if s := flow["shortfall"]; !(s > -0.05 && s < 0.3) {
		t.Errorf("the recommended flow gives away %.3f nat", s)
	}
	if !(paper["mean_wasserstein"] > 3*flow["mean_wasserstein"]) {
		t.Errorf("two epochs of the paper's network (%.2f) rival the recommended flow (%.2f): is the distance measured?",
			paper["mean_wasserstein"], flow["mean_wasserstein"])
	}
}

// checkReported holds the metrics that need the model's density, and the rarer
// distances, to what they must be for a good flow.
func (c *chain) checkReported(m map[string]float64) {
	for name, within := range map[string][2]float64{
		"hpd_coverage_error": {0, 0.4}, "hpd_coverage_bias": {-0.3, 0.3}, "log_density_at_truth": {-10, 0},
		"coverage_bias_water_depth": {-0.3, 0.3}, "calibration_error_water_depth": {0, 0.3}, "calibration_error_68_water_depth": {-0.5, 0.5},
		"tarp_bias": {-0.3, 0.3}, "tarp_p": {0.001, 1}, "mmd_squared": {-0.02, 0.1}, "sliced_wasserstein": {0, 0.5},
		"ensemble_spread": {0.3, 1e3}, // two epochs of the paper's network do not know where the flow is
	} {
		if v, ok := m[name]; !ok || !(v >= within[0] && v <= within[1]) {
			c.t.Errorf("%s is %g (reported: %v), want %g to %g", name, v, ok, within[0], within[1])
		}
	}
}

// checkRefined holds the refined draws to the exact posterior more closely than the
// flow's own, and to the data.
func (c *chain) checkRefined(flow map[string]float64) {
	if s := c.metrics("time"); !(s["raw_seconds"] > 0 && s["refined_seconds"] > 0) {
		c.t.Errorf("raw draws take %g s, refined ones %g s", s["raw_seconds"], s["refined_seconds"])
	}
	t, weights, refined, alone := c.t, c.metrics("refined"), c.metrics("check_refined"), c.metrics("check_alone")
	if e := weights["median_efficiency"]; !(e > 0.2 && e <= 1) {
		t.Errorf("median efficiency of the flow's importance weights is %.3f", e)
	}
	if w := refined["mean_wasserstein"]; !(w < 0.1 && w < flow["mean_wasserstein"]) {
		t.Errorf("refined draws are %.3f exact standard deviations from the exact posterior, the flow's %.3f", w, flow["mean_wasserstein"])
	}
	if a := refined["c2st"]; !(a < 0.54) {
		t.Errorf("classifiers tell refined draws from exact ones with accuracy %.3f", a)
	}
	// 8 real degrees of freedom, 2 of them fitted: χ² over 8 has mean 1 about draws
	// and standard deviation below 0.5 over one observation.
	if x := (refined["chi_square_40hz"] + refined["chi_square_60hz"]) / 2; !(x > 0.6 && x < 1.5) {
		t.Errorf("chi-square at refined draws is %.2f per degree of freedom", x)
	}
	if _, ok := alone["mean_wasserstein"]; ok || alone["coverage_error_water_depth"] != refined["coverage_error_water_depth"] {
		t.Error("without an exact posterior, calibration must be as with it, and distances absent")
	}
}

// TestChainsAgreeWithTheGrid samples the posterior of one observation in another
// way, times a model, draws what a geoacoustician expects, and tables the outcome.
func TestChainsAgreeWithTheGrid(t *testing.T) {
	c := newChain(t)
	source := pekeris + `
stage "observe" "one" {
  problem = problem.depth_and_speed
  truth   = [{ water_depth = 101, bottom_speed = 1690 }]
}
stage "interpolate" "prior" {
  problem    = problem.depth_and_speed
  max_solves = 2000
}
stage "reference" "grid" {
  problem     = problem.depth_and_speed
  observation = stage.one.observation
  field       = stage.prior.field
}
stage "reference" "grid_alone" {
  problem     = problem.depth_and_speed
  observation = stage.one.observation
  interpolation {
    max_solves = 2000
  }
}
stage "sample" "chains" {
  problem      = problem.depth_and_speed
  observation  = stage.one.observation
  ensembles    = 4
  walkers      = 12
  temperatures = 6
  burn_in      = 400
  steps        = 800
  draws        = 2000
  field        = stage.prior.field
}
stage "evaluate" "check" {
  posterior = stage.chains.posterior
  exact     = stage.grid.posterior
}
stage "sample" "hamiltonian" {
  problem     = problem.depth_and_speed
  observation = stage.one.observation
  start       = stage.chains.posterior
  method      = "hmc"
  draws       = 1000
  hmc {
    burn_in = 200
    steps   = 400
  }
  field = stage.prior.field
}
stage "evaluate" "check_hamiltonian" {
  posterior = stage.hamiltonian.posterior
  exact     = stage.grid.posterior
}
stage "portrait" "picture" {
  problem     = problem.depth_and_speed
  posterior   = stage.chains.posterior
  observation = stage.one.observation
}
stage "bounds" "table" {
  row "agreement" {
    metrics = stage.check.metrics
    metric  = "worst_wasserstein_over_floor"
    label   = "chains against grid"
    at_most = 2.5
  }
  row "impossible" {
    metrics  = stage.check.metrics
    metric   = "c2st"
    label    = "C2ST"
    at_least = 0.9
  }
}
`
	if testing.Short() { // all goroutines meet within a few steps; whether chains agree the long form sees
		source = strings.NewReplacer("= 400\n", "= 20\n", "= 800\n", "= 40\n", "= 200\n", "= 50\n", "= 2000\n  field", "= 50\n  field", "= 1000\n  hmc", "= 50\n  hmc").Replace(source)
	}
	if d := c.decode(source); d.HasErrors() {
		t.Fatal(d)
	}
	for _, s := range [][2]string{{"observe", "one"}, {"interpolate", "prior"}, {"reference", "grid"}, {"reference", "grid_alone"}, {"sample", "chains"}, {"evaluate", "check"},
		{"sample", "hamiltonian"}, {"evaluate", "check_hamiltonian"}, {"bounds", "table"}} {
		if err := c.run(s[0], s[1]); err != nil {
			t.Fatalf("%s %s: %v", s[0], s[1], err)
		}
	}
	own, errOwn := dataset.ReadPosterior(c.path("stage.grid_alone.posterior"))
	shared, errShared := dataset.ReadPosterior(c.path("stage.grid.posterior"))
	if errOwn != nil || errShared != nil || !reflect.DeepEqual(own, shared) {
		t.Error("a shared interpolation must give the posterior that one's own gives, to the bit")
	}
	if testing.Short() {
		return
	}
	c.checkAgreement()
	if err := c.run("portrait", "picture"); err != nil {
		t.Fatal(err)
	}
	c.figures()
}

// checkAgreement holds both kinds of chains to the grid, and the table of bounds to what it says.
func (c *chain) checkAgreement() {
	c.t.Helper()
	t := c.t
	c.metrics("chains")
	if m := c.metrics("check"); !(m["worst_wasserstein_over_floor"] < 2.5) || !(m["c2st"] < 0.55) {
		t.Errorf("chains and grid differ by %.2f times the Monte-Carlo error; classifiers tell them apart with accuracy %.3f",
			m["worst_wasserstein_over_floor"], m["c2st"])
	}
	c.metrics("hamiltonian")
	if m := c.metrics("check_hamiltonian"); !(m["worst_wasserstein_over_floor"] < 3) {
		t.Errorf("Hamiltonian chains and grid differ by %.2f times the Monte-Carlo error", m["worst_wasserstein_over_floor"])
	}
	table, err := os.ReadFile(c.path("stage.table.table"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(table)), "\n")
	if len(lines) != 4 || !strings.HasSuffix(lines[2], "| at most 2.5 | met |") || !strings.HasSuffix(lines[3], "| at least 0.9 | not met |") {
		t.Errorf("table:\n%s", table)
	}
}

// figures checks that every figure of the stages is there as SVG and as PNG, each readable, of one shape, and the PNG of at
// least 200 dots per inch.
func (c *chain) figures() {
	c.t.Helper()
	found := 0
	for name, spec := range c.specs {
		for _, o := range spec.Outputs() {
			if o.Type != stage.Figure {
				continue
			}
			found++
			var drawn, pixels [2]float64 // width and height, in points and in dots
			for _, f := range o.Forms() {
				raw, err := os.ReadFile(c.path("stage." + name + "." + f.Name))
				if err != nil {
					c.t.Errorf("%s.%s: %v", name, f.Name, err)
				} else if filepath.Ext(f.File) == ".svg" {
					drawn = c.svgSize(raw)
				} else if picture, err := png.Decode(bytes.NewReader(raw)); err != nil {
					c.t.Errorf("%s.%s: %v", name, f.Name, err)
				} else {
					pixels = [2]float64{float64(picture.Bounds().Dx()), float64(picture.Bounds().Dy())}
				}
			}
			for i, points := range drawn {
				if dots := pixels[i] / (points / 72); !(math.Abs(dots-200) < 0.5) {
					c.t.Errorf("%s.%s: %v points as SVG and %v dots as PNG, want 200 an inch", name, o.Name, drawn, pixels)
				}
			}
		}
	}
	if found == 0 {
		c.t.Error("no stage has a figure")
	}
}

// svgSize reads a whole SVG and returns its size in points.
func (c *chain) svgSize(raw []byte) (size [2]float64) {
	c.t.Helper()
	var root struct {
		XMLName xml.Name
		Width   string `xml:"width,attr"`
		Height  string `xml:"height,attr"`
	}
	if err := xml.Unmarshal(raw, &root); err != nil || root.XMLName.Local != "svg" {
		c.t.Errorf("not an SVG: %v", err)
	}
	for i, text := range []string{root.Width, root.Height} {
		var err error
		if size[i], err = strconv.ParseFloat(strings.TrimSuffix(text, "pt"), 64); err != nil {
			c.t.Errorf("size %q of an SVG: %v", text, err)
		}
	}
	return size
}

func (c *chain) metrics(name string) map[string]float64 {
	list, err := stage.ReadMetrics(c.path("stage." + name + ".metrics"))
	if err != nil {
		c.t.Fatal(err)
	}
	out := map[string]float64{}
	for _, m := range list {
		out[m.Name] = m.Value
		c.t.Logf("%s: %s = %.4g %s", name, m.Name, m.Value, m.Unit)
	}
	return out
}

func TestMistakesAreReportedWhereTheyAre(t *testing.T) {
	for name, v := range map[string]struct {
		old, new string
		line     int
		say      string
	}{
		"no mode":           {"[40, 60]", "[2, 60]", 15, "no mode propagates at 2 Hz"},
		"negative density":  {"1800\n    attenuation", "-1800\n    attenuation", 9, "density"},
		"phone below floor": {"[25, 75]", "[25, 99]", 20, "phone"},
		"no unit":           {`"0.5 dB/wavelength"`, `"0.5"`, 10, "unknown unit"},
		"empty prior":       {"low  = 95", "low  = 195", 24, "low"},
		"unknown layer":     {`"bottom"`, `"mud"`, 31, "mud"},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(pekeris, v.old) {
				t.Fatalf("nothing to replace: %q", v.old)
			}
			diags := newChain(t).decode(strings.Replace(pekeris, v.old, v.new, 1))
			if !diags.HasErrors() {
				t.Fatal("no diagnostic")
			}
			text := diags[0].Summary + ": " + diags[0].Detail
			if !strings.Contains(text, v.say) {
				t.Errorf("diagnostic %q does not say %q", text, v.say)
			}
			if got := diags[0].Subject.Start.Line; got != v.line {
				t.Errorf("diagnostic %q at line %d, want %d", text, got, v.line)
			}
		})
	}
}

package stages

import (
	"context"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"oceaninv/inversion"
	"oceaninv/inversion/amortized"
	"oceaninv/inversion/matchedfield"
	"oceaninv/io/dataset"
	"oceaninv/io/netcdf"
	"oceaninv/surrogate"
	"oceaninv/workflow/stage"
)

// smallModel writes an untrained model of two phones and two tones, whose table holds
// four replicas of size 1 under noise of variance 0.02, and returns its path with the
// layout of its data.
func smallModel(t *testing.T) (string, dataset.Layout) {
	t.Helper()
	p := inversion.DefaultProblem()
	p.Array.Depths, p.Frequencies = []float64{25, 75}, []float64{40, 60}
	p.Parameters = []inversion.Parameter{{Name: "water_depth", Prior: inversion.Marginal{Kind: inversion.Uniform, Low: 95, High: 105}}}
	prior, err := p.Prior()
	if err != nil {
		t.Fatal(err)
	}
	table := &matchedfield.Table{Zeta: []float64{-1, -0.3, 0.3, 1}, Floor: []float64{0.1}, HalfEnergy: make([]float64, 4), Whitening: slices.Repeat([]float64{10}, 8)}
	for j := range 4 {
		for i := range 8 {
			v := 10 * math.Cos(float64(i*(j+1)))
			table.Replicas, table.HalfEnergy[j] = append(table.Replicas, float32(v)), table.HalfEnergy[j]+v*v/2
		}
	}
	c := &amortized.Conditional{Prior: prior, Form: inversion.AbsoluteField, Receivers: 2, Tones: 2, Match: table, Temperatures: []float64{1}}
	return writeUntrained(t, &p, c)
}

// writeUntrained writes a model whose flow has not been trained, for a problem of one
// parameter and two tones, and returns its path with the layout of its data.
func writeUntrained(t *testing.T, p *inversion.Problem, c *amortized.Conditional) (string, dataset.Layout) {
	t.Helper()
	spec := surrogate.DefaultFlow()
	spec.Dim, spec.CondDim, spec.Coupling, spec.Blocks, spec.Hidden = 1, c.ConditionSize(), "elementwise_spline", 1, 4
	var err error
	if c.Flow, err = surrogate.NewFlow[float64](spec); err != nil {
		t.Fatal(err)
	}
	c.Condition = surrogate.Standardizer{Mean: make([]float64, spec.CondDim), Scale: slices.Repeat([]float64{1}, spec.CondDim)}
	layout, err := layoutOf(p, &inversion.Noise{Variance: []float64{0.02, 0.02}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "model.nc")
	if err := writeModel(path, layout, architecture{Kind: kindConditional, Flow: spec, Form: c.Form, Temperatures: c.Temperatures}, c); err != nil {
		t.Fatal(err)
	}
	return path, layout
}

// An observation that does not fit the model is refused with a reason; one unlike
// anything the model knows is answered with a warning.
func TestInferRefusesAndWarns(t *testing.T) {
	model, layout := smallModel(t)
	fits := []complex128{complex(1, math.Cos(2)), complex(math.Cos(1), math.Cos(3)), complex(math.Cos(4), math.Cos(6)), complex(math.Cos(5), math.Cos(7))}
	infer := func(change func(o *dataset.Observations)) (warnings []string, p dataset.Posterior, err error) {
		o := dataset.Observations{Layout: layout, Pressure: slices.Clone(fits)}
		change(&o)
		path := filepath.Join(t.TempDir(), "observation.nc")
		if err := dataset.WriteObservations(path, o); err != nil {
			t.Fatal(err)
		}
		p, err = Infer(context.Background(), Inference{Model: model, Observation: path, Draws: 50, Cores: 1, Warn: func(s string) { warnings = append(warnings, s) }})
		return warnings, p, err
	}
	for want, change := range map[string]func(o *dataset.Observations){
		"the model was trained for phones at [25 75] m, the observation has [25 80] m": func(o *dataset.Observations) { o.ReceiverDepths = []float64{25, 80} },
		"the model was trained for phones at [25 75] m, the observation has [25] m": func(o *dataset.Observations) {
			o.ReceiverDepths, o.Pressure = []float64{25}, o.Pressure[:2]
		},
		"the model was trained for tones of [40 60] Hz, the observation has [40 61] Hz": func(o *dataset.Observations) { o.Frequencies = []float64{40, 61} },
	} {
		if _, _, err := infer(change); err == nil || !stage.IsBadInput(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if _, err := Infer(context.Background(), Inference{Model: model, Observation: inKilometres(t, layout, fits), Draws: 50, Cores: 1}); err == nil ||
		!stage.IsBadInput(err) || !strings.Contains(err.Error(), `its units are "km", where "m" is expected`) {
		t.Errorf("depths in kilometres: %v", err)
	}
	warnings, p, err := infer(func(*dataset.Observations) {})
	if err != nil || len(warnings) != 0 || len(p.Values) != 50 || p.LogProb == nil {
		t.Errorf("a fitting observation: %v, warnings %q, %d draws", err, warnings, len(p.Values))
	}
	warnings, _, err = infer(func(o *dataset.Observations) { o.Pressure[2] = 40 - 30i })
	if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "observation 0 is unlike anything the model was trained on") {
		t.Errorf("a foreign observation: %v, warnings %q", err, warnings)
	}
}

// inKilometres writes an observation that gives its phones' depths in kilometres.
func inKilometres(t *testing.T, layout dataset.Layout, pressure []complex128) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kilometres.nc")
	f, err := netcdf.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Abort()
	put := func(name, unit string, dims []string, values []float64) {
		v, err := f.AddVariable(netcdf.Definition{Name: name, Type: netcdf.Double, Dimensions: dims, Attributes: []netcdf.Attribute{netcdf.Text("units", unit)}})
		if err == nil {
			err = netcdf.WriteAll(v, values)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []struct {
		name   string
		length int
	}{{"observation", 1}, {"receiver", 2}, {"frequency", 2}} {
		if err := f.AddDimension(d.name, d.length); err != nil {
			t.Fatal(err)
		}
	}
	var re, im []float64
	for _, p := range pressure {
		re, im = append(re, real(p)), append(im, imag(p))
	}
	put("receiver_depth", "km", []string{"receiver"}, []float64{0.025, 0.075})
	put("frequency", "Hz", []string{"frequency"}, layout.Frequencies)
	put("pressure_real", "1", []string{"observation", "receiver", "frequency"}, re)
	put("pressure_imag", "1", []string{"observation", "receiver", "frequency"}, im)
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	return path
}

// A model without replicas warns too: of observations farther out than what its problem
// simulates, and of no others.
func TestInferWarnsWithoutReplicas(t *testing.T) {
	c := newChain(t)
	if d := c.decode(pekeris + `
stage "simulate" "data" {
  problem = problem.depth_and_speed
  samples = 600
}
stage "observe" "some" {
  problem = problem.depth_and_speed
  draws   = 4
}
stage "train" "paper" {
  dataset = stage.data.dataset
  inn {
    latent = 4
  }
  training {
    epochs = 1
  }
}
`); d.HasErrors() {
		t.Fatal(d)
	}
	for _, s := range [][2]string{{"simulate", "data"}, {"observe", "some"}, {"train", "paper"}} {
		if err := c.run(s[0], s[1]); err != nil {
			t.Fatalf("%s %s: %v", s[0], s[1], err)
		}
	}
	path := c.path("stage.some.observation")
	infer := func() (warnings []string, p dataset.Posterior) {
		p, err := Infer(context.Background(), Inference{Model: c.path("stage.paper.model"), Observation: path, Draws: 20, Cores: 2,
			Warn: func(s string) { warnings = append(warnings, s) }})
		if err != nil {
			t.Fatal(err)
		}
		return warnings, p
	}
	if warnings, p := infer(); len(warnings) != 0 || len(diagnostic(&p, typicalityColumn)) != 4 {
		t.Errorf("observations of the model's own problem: warnings %q, typicality %v", warnings, diagnostic(&p, typicalityColumn))
	}
	obs, err := dataset.ReadObservations(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range obs.Size() { // the first observation alone
		obs.Pressure[i] *= 30
	}
	if err := dataset.WriteObservations(path, obs); err != nil {
		t.Fatal(err)
	}
	if warnings, _ := infer(); len(warnings) != 1 || !strings.Contains(warnings[0], "observation 0 is unlike anything the model was trained on") {
		t.Errorf("a source thirty times as strong: warnings %q", warnings)
	}
}

package inversion

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"oceaninv/acoustics"
)

// shelf is a sea of two layers, by the numbers of SWellEx-96 rounded.
func shelf() acoustics.Environment {
	material := func(c, rho, alpha float64) acoustics.Material {
		return acoustics.Material{SoundSpeed: c, Density: rho, Attenuation: acoustics.Attenuation{Value: alpha, Unit: acoustics.DBPerMetreKHz}}
	}
	return acoustics.Environment{
		Surface: acoustics.Boundary{Kind: acoustics.PressureRelease},
		Water: acoustics.Water{
			Depth:   216.5,
			Profile: acoustics.SoundSpeedProfile{Depth: []float64{0, 50, 164, 216.5}, Speed: []float64{1522, 1495, 1488, 1488}, Interpolation: acoustics.CLinear},
			Density: 1000,
		},
		Layers: []acoustics.Layer{
			{Name: "sediment", Thickness: 23.5, Interpolation: acoustics.CLinear, Knots: []acoustics.Knot{
				{Depth: 0, Material: material(1572, 1760, 0.2)}, {Depth: 23.5, Material: material(1593, 1760, 0.2)}}},
			{Name: "mudstone", Thickness: 800, Interpolation: acoustics.CLinear, Knots: []acoustics.Knot{{Depth: 0, Material: material(1881, 2060, 0.06)}}},
		},
		Bottom: acoustics.Boundary{Kind: acoustics.Halfspace, Material: material(5200, 2660, 0.02)},
	}
}

func shelfProblem(parameters ...Parameter) *Problem {
	p := DefaultProblem()
	p.Environment = shelf()
	p.Source.Depth = 60
	p.Array = acoustics.ReceiverArray{Depths: []float64{94.125, 99.755, 116.62}, Range: 3000}
	p.Frequencies = []float64{49, 388}
	p.Parameters = parameters
	return &p
}

func uniform(low, high float64) Marginal { return Marginal{Kind: Uniform, Low: low, High: high} }

func apply(t *testing.T, p *Problem, theta ...float64) *Experiment {
	t.Helper()
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	m, err := NewParameterization(p)
	if err != nil {
		t.Fatal(err)
	}
	e := m.NewExperiment()
	if err := m.Apply(e, theta); err != nil {
		t.Fatal(err)
	}
	if err := e.Environment.Validate(); err != nil {
		t.Errorf("the experiment at %v is not valid: %v", theta, err)
	}
	return e
}

func TestWaterDepthMovesTheSeaBed(t *testing.T) {
	depth := Parameter{Name: "water_depth", Prior: uniform(200.5, 236.5)}
	e := apply(t, shelfProblem(depth), 230)
	if e.Environment.Water.Depth != 230 || e.Environment.Layers[0].Thickness != 23.5 {
		t.Errorf("depth %g, sediment %g m thick", e.Environment.Water.Depth, e.Environment.Layers[0].Thickness)
	}
	profile := e.Environment.Water.Profile
	if n := len(profile.Depth); profile.Depth[n-1] != 230 || profile.Speed[n-1] != 1488 {
		t.Errorf("profile %v %v does not hold its last speed down to the sea floor", profile.Depth, profile.Speed)
	}
	if e.Array.Depths[0] != 94.125 {
		t.Error("the array moved")
	}

	p := shelfProblem(depth)
	p.ReceiversWithWaterDepth = true
	if e := apply(t, p, 210); math.Abs(e.Array.Depths[0]-(94.125-6.5)) > 1e-12 {
		t.Errorf("phone at %g m", e.Array.Depths[0])
	}
	p = shelfProblem(depth)
	p.LayersWithWaterDepth = LayersStay
	for _, d := range []float64{210, 216.5, 230} {
		e := apply(t, p, d)
		s := e.Environment.Layers[0]
		if got := d + s.Thickness; math.Abs(got-240) > 1e-9 {
			t.Errorf("at %g m the sediment ends at %g m", d, got)
		}
		want := 1572 + 21/23.5*math.Max(0, d-216.5)
		if math.Abs(s.Knots[0].SoundSpeed-want) > 1e-9 {
			t.Errorf("at %g m the sediment starts with %g m/s, not %g", d, s.Knots[0].SoundSpeed, want)
		}
	}
}

func TestEveryQuantityReachesItsPlace(t *testing.T) {
	sediment := func(e *Experiment) *acoustics.Layer { return &e.Environment.Layers[0] }
	for _, c := range []struct {
		parameter Parameter
		value     float64
		read      func(*Experiment) float64
		want      float64
	}{
		{Parameter{Name: "source_depth", Prior: uniform(50, 70)}, 55, func(e *Experiment) float64 { return e.Source.Depth }, 55},
		{Parameter{Name: "range", Prior: uniform(1000, 5000)}, 2500, func(e *Experiment) float64 { return e.Array.Range }, 2500},
		{Parameter{Name: "tilt", Prior: uniform(-3, 3)}, 2, func(e *Experiment) float64 { return e.Array.Tilt }, 2},
		{Parameter{Name: "array_depth_offset", Prior: uniform(-3, 3)}, 2, func(e *Experiment) float64 { return e.Array.DepthOffset }, 2},
		{Parameter{Name: "profile_offset", Prior: uniform(-5, 5)}, 3, func(e *Experiment) float64 { return e.Environment.Water.Profile.Speed[1] }, 1498},
		{Parameter{Name: "eof_1", Quantity: ProfileMode, Shape: []float64{1, 2, 0, 0}, Prior: Marginal{Kind: Normal, SD: 1}}, 3, func(e *Experiment) float64 { return e.Environment.Water.Profile.Speed[1] }, 1501},
		{Parameter{Name: "thickness", Layer: "sediment", Prior: uniform(10, 40)}, 30, func(e *Experiment) float64 { return sediment(e).Knots[1].Depth }, 30},
		{Parameter{Name: "sound_speed_top", Layer: "sediment", Prior: uniform(1532, 1592)}, 1540, func(e *Experiment) float64 { return sediment(e).Knots[1].SoundSpeed }, 1593},
		{Parameter{Name: "sound_speed_top", Layer: "sediment", KeepGradient: true, Prior: uniform(1532, 1592)}, 1540, func(e *Experiment) float64 { return sediment(e).Knots[1].SoundSpeed }, 1561},
		{Parameter{Name: "sound_speed_bottom", Layer: "sediment", Prior: uniform(1580, 1692)}, 1600, func(e *Experiment) float64 { return sediment(e).Knots[1].SoundSpeed }, 1600},
		{Parameter{Name: "sound_speed_difference", Layer: "sediment", Prior: uniform(10, 30)}, 25, func(e *Experiment) float64 { return sediment(e).Knots[1].SoundSpeed }, 1597},
		{Parameter{Name: "sound_speed_gradient", Layer: "mudstone", Prior: uniform(0, 3)}, 1, func(e *Experiment) float64 { return e.Environment.Layers[1].Knots[1].SoundSpeed }, 2681},
		{Parameter{Name: "density", Layer: "sediment", Prior: uniform(1500, 2000)}, 1800, func(e *Experiment) float64 { return sediment(e).Knots[1].Density }, 1800},
		{Parameter{Name: "attenuation", Layer: "sediment", Prior: uniform(0, 1)}, 0.5, func(e *Experiment) float64 { return sediment(e).Knots[0].Attenuation.Value }, 0.5},
		{Parameter{Name: "sound_speed", Layer: "bottom", Prior: uniform(5000, 5500)}, 5100, func(e *Experiment) float64 { return e.Environment.Bottom.Material.SoundSpeed }, 5100},
	} {
		e := apply(t, shelfProblem(c.parameter), c.value)
		if got := c.read(e); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s = %g gives %g, want %g", c.parameter.Name, c.value, got, c.want)
		}
	}
}

func TestApplyStartsFromTheBase(t *testing.T) {
	p := shelfProblem(
		Parameter{Name: "water_depth", Prior: uniform(200.5, 236.5)},
		Parameter{Name: "speed", Quantity: SoundSpeedTop, Layer: "sediment", KeepGradient: true, Prior: uniform(1532, 1592)},
		Parameter{Name: "slope", Quantity: SoundSpeedSlope, Layer: "mudstone", Prior: uniform(0, 3)},
		Parameter{Name: "array_depth_offset", Prior: uniform(-3, 3)})
	p.LayersWithWaterDepth = LayersStay
	m, err := NewParameterization(p)
	if err != nil {
		t.Fatal(err)
	}
	e, fresh := m.NewExperiment(), m.NewExperiment()
	for _, theta := range [][]float64{{230, 1540, 1, 2}, {205, 1590, 2, -1}, {216.5, 1572, 0, 0}} {
		if err := m.Apply(e, theta); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Apply(fresh, []float64{216.5, 1572, 0, 0}); err != nil {
		t.Fatal(err)
	}
	a, _ := json.Marshal(e)
	b, _ := json.Marshal(fresh)
	if string(a) != string(b) {
		t.Errorf("what was applied before shows:\n%s\n%s", a, b)
	}
	theta := []float64{230, 1540, 1, 2}
	if n := testing.AllocsPerRun(100, func() { _ = m.Apply(e, theta) }); n != 0 {
		t.Errorf("Apply allocates %g times", n)
	}
	if m.base.Environment.Water.Depth != 216.5 || p.Environment.Layers[0].Knots[0].SoundSpeed != 1572 {
		t.Error("the base experiment changed")
	}
}

func TestApplyRefusesTheImpossible(t *testing.T) {
	p := shelfProblem(Parameter{Name: "water_depth", Prior: uniform(150, 236.5)})
	m, err := NewParameterization(p)
	if err != nil {
		t.Fatal(err)
	}
	e := m.NewExperiment()
	for _, v := range []float64{-1, 100, math.NaN()} {
		var bad *ParameterError
		if err := m.Apply(e, []float64{v}); !errors.As(err, &bad) {
			t.Errorf("a water depth of %g gives %v", v, err)
		}
	}
}

func TestValidateSaysWhatIsWrong(t *testing.T) {
	good := Parameter{Name: "water_depth", Prior: uniform(200.5, 236.5)}
	for _, c := range []struct {
		spoil func(*Problem)
		want  string
	}{
		{func(p *Problem) { p.Parameters = nil }, "parameter: no unknown"},
		{func(p *Problem) { p.Parameters = append(p.Parameters, good) }, "parameter.water_depth: declared twice"},
		{func(p *Problem) {
			p.Parameters = append(p.Parameters, Parameter{Name: "depth", Quantity: WaterDepth, Prior: good.Prior})
		}, `parameter.depth: is the same quantity as parameter "water_depth": remove one`},
		{func(p *Problem) { p.Noise.SNR = 1e6 }, "noise.snr: 1e+06 dB is no ratio"},
		{func(p *Problem) { p.Noise.SNR = math.NaN() }, "noise.snr: NaN dB is no ratio"},
		{func(p *Problem) { p.Parameters[0].Name = "water_deptj" }, `unknown quantity "water_deptj"`},
		{func(p *Problem) { p.Parameters[0] = Parameter{Name: "density", Prior: uniform(1, 2)} }, "needs the name of a layer"},
		{func(p *Problem) { p.Parameters[0] = Parameter{Name: "density", Layer: "clay", Prior: uniform(1, 2)} }, `no layer "clay"`},
		{func(p *Problem) {
			p.Parameters[0] = Parameter{Name: "thickness", Layer: "bottom", Prior: uniform(1, 2)}
		}, "no thickness"},
		{func(p *Problem) { p.Parameters[0].Layer = "sediment" }, "does not belong to a layer"},
		{func(p *Problem) { p.Parameters[0].Prior = uniform(3, 3) }, "low = 3 is not below high = 3"},
		{func(p *Problem) { p.Parameters[0].Prior = Marginal{Kind: "gamma"} }, `unknown kind "gamma"`},
		{func(p *Problem) { p.Parameters[0].Prior = uniform(100, 236) }, "receivers.depths: a phone at 116.62 m is not in the water above the sea floor at 100.136 m, at water_depth = 100.136"},
		{func(p *Problem) { p.Frequencies = []float64{-3} }, "frequencies: frequency -3 Hz"},
		{func(p *Problem) { p.Array.Depths[1] = 500 }, "receivers.depths[1]: 500 m is below the sea floor"},
		{func(p *Problem) { p.Source.Depth = 0 }, "source.depth"},
		{func(p *Problem) { p.Environment.Water.Density = -1 }, "environment.water.density"},
		{func(p *Problem) { p.Noise.Convention = "loud" }, `unknown convention "loud"`},
		{func(p *Problem) { p.Noise.Convention, p.Noise.Variance = GivenVariance, []float64{1} }, "has 1 values for 2 tones"},
		{func(p *Problem) { p.Likelihood = "guess" }, `unknown form "guess"`},
		{func(p *Problem) { p.LayersWithWaterDepth = "float" }, `unknown convention "float"`},
		{func(p *Problem) { p.Correlations = []Correlation{{[]string{"water_depth", "x"}, 0.5}} }, "not two of the parameters"},
	} {
		p := shelfProblem(good)
		c.spoil(p)
		err := p.Validate()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v does not contain %q", err, c.want)
		}
	}
	if err := shelfProblem(good).Validate(); err != nil {
		t.Errorf("a good problem is refused: %v", err)
	}
}

func TestLabels(t *testing.T) {
	env := shelf()
	p := Parameter{Name: "c", Quantity: SoundSpeedTop, Layer: "sediment"}
	if p.Label() != "sediment top sound speed" || p.Unit(&env) != "m/s" {
		t.Errorf("%q in %q", p.Label(), p.Unit(&env))
	}
	p = Parameter{Name: "alpha", Quantity: AttenuationP, Layer: "bottom"}
	if p.Unit(&env) != "dB/(m kHz)" {
		t.Errorf("attenuation in %q", p.Unit(&env))
	}
}

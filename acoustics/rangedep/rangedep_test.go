package rangedep

import (
	"encoding/json"
	"errors"
	"math"
	"math/cmplx"
	"os"
	"slices"
	"testing"

	"oceaninv/acoustics"
	"oceaninv/acoustics/modes"
)

// ocean is water of this depth over a lossy layer down to 400 m and a half-space.
func ocean(depth float64) *acoustics.Environment {
	loss := acoustics.Attenuation{Value: 0.5, Unit: acoustics.DBPerWavelength}
	return &acoustics.Environment{
		Surface: acoustics.Boundary{Kind: acoustics.PressureRelease},
		Water: acoustics.Water{Depth: depth, Density: 1000, Profile: acoustics.SoundSpeedProfile{
			Depth: []float64{0, depth}, Speed: []float64{1500, 1500}, Interpolation: acoustics.CLinear}},
		Layers: []acoustics.Layer{{Thickness: 400 - depth, Interpolation: acoustics.CLinear,
			Knots: []acoustics.Knot{{Material: acoustics.Material{SoundSpeed: 1650, Density: 1500, Attenuation: loss}}}}},
		Bottom: acoustics.Boundary{Kind: acoustics.Halfspace, Material: acoustics.Material{SoundSpeed: 1800, Density: 2000, Attenuation: loss}},
	}
}

func solve(t testing.TB, env *acoustics.Environment, hz float64, method Method) *Section {
	t.Helper()
	o := DefaultSolverOptions()
	o.Method, o.MinPhaseSpeed, o.MaxPhaseSpeed = method, 1400, 1800
	s, err := Solve(env, hz, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wedgeTrack is a sea floor that rises from 150 m to 60 m over 4 km.
func wedgeTrack(t testing.TB) Track {
	var track Track
	for i := range 21 {
		track.Ranges = append(track.Ranges, 200*float64(i))
		track.Sections = append(track.Sections, solve(t, ocean(150-4.5*float64(i)), 100, Auto))
	}
	return track
}

func field(t testing.TB, track Track, at Positions, o Options) []complex128 {
	t.Helper()
	p, err := track.Field(at, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Transmission loss in a wedge agrees with KRAKEN's FIELD to 0.3 dB rms where it
// is within 20 dB of its median.
func TestWedgeAgainstKRAKEN(t *testing.T) {
	text, err := os.ReadFile("testdata/wedge.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]struct {
		ReceiverDepths []float64 `json:"receiver_depths"`
		Ranges         []float64
		PReal          []float64 `json:"p_real"`
		PImag          []float64 `json:"p_imag"`
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	track := wedgeTrack(t)
	for name, w := range want {
		o := DefaultOptions()
		o.Coupled = name == "wedge_coupled_100hz"
		p := field(t, track, Positions{SourceDepths: []float64{30}, ReceiverDepths: w.ReceiverDepths, Ranges: w.Ranges}, o)
		losses := make([]float64, len(p))
		for i := range p {
			losses[i] = -20 * math.Log10(math.Hypot(w.PReal[i], w.PImag[i]))
		}
		sorted := slices.Clone(losses)
		slices.Sort(sorted)
		sum, n := 0.0, 0
		for i, l := range losses {
			if l < sorted[len(sorted)/2]+20 {
				sum += math.Pow(-20*math.Log10(cmplx.Abs(p[i]))-l, 2)
				n++
			}
		}
		if rms := math.Sqrt(sum / float64(n)); rms > 0.3 {
			t.Errorf("%s: %.2f dB rms", name, rms)
		} else {
			t.Logf("%s: %.3f dB rms", name, rms)
		}
	}
}

// distance is the relative 2-norm of a difference.
func distance(a, b []complex128) float64 {
	difference, size := 0.0, 0.0
	for i := range a {
		difference += math.Pow(cmplx.Abs(a[i]-b[i]), 2)
		size += math.Pow(cmplx.Abs(b[i]), 2)
	}
	return math.Sqrt(difference / size)
}

var somewhere = Positions{SourceDepths: []float64{20, 70}, ReceiverDepths: []float64{10, 50, 120, 300}, Ranges: []float64{300, 1000, 2500, 5200}}

// An ocean cut into equal sections is the ocean: adiabatic exactly, coupled as far
// as the modes are orthogonal under quadrature.
func TestEqualSections(t *testing.T) {
	for _, method := range []Method{Real, Complex} {
		s := solve(t, ocean(100), 100, method)
		whole := field(t, Track{[]float64{0}, []*Section{s}}, somewhere, DefaultOptions())
		cut := Track{[]float64{0, 700, 1900, 3000}, []*Section{s, s, s, s}}
		if d := distance(field(t, cut, somewhere, DefaultOptions()), whole); d > 1e-12 {
			t.Errorf("%s: adiabatic modes off by %.1e", method, d)
		}
		coupled := DefaultOptions()
		coupled.Coupled = true
		if d := distance(field(t, cut, somewhere, coupled), whole); d > 1e-4 {
			t.Errorf("%s: coupled modes off by %.1e", method, d)
		}
	}
}

// Source and receiver may change places, but for the density at the source.
func TestReciprocity(t *testing.T) {
	for _, method := range []Method{Real, Complex} {
		track := Track{[]float64{0}, []*Section{solve(t, ocean(100), 100, method)}}
		a := field(t, track, Positions{SourceDepths: []float64{30}, ReceiverDepths: []float64{80, 200}, Ranges: []float64{2000}}, DefaultOptions())
		b := field(t, track, Positions{SourceDepths: []float64{80}, ReceiverDepths: []float64{30}, Ranges: []float64{2000}}, DefaultOptions())
		c := field(t, track, Positions{SourceDepths: []float64{200}, ReceiverDepths: []float64{30}, Ranges: []float64{2000}}, DefaultOptions())
		if cmplx.Abs(a[0]/b[0]-1) > 1e-12 || cmplx.Abs(a[1]/c[0]/1.5-1) > 1e-12 {
			t.Errorf("%s: %v and %v, %v and %v", method, a[0], b[0], a[1], c[0])
		}
	}
}

// The two solvers agree where attenuation is weak.
func TestSolversAgree(t *testing.T) {
	env := ocean(100)
	env.Layers[0].Knots[0].Attenuation.Value = 0.0005
	env.Bottom.Material.Attenuation.Value = 0.0005
	a, b := solve(t, env, 100, Real), solve(t, env, 100, Complex)
	if len(a.K) != len(b.K) {
		t.Fatalf("%d and %d modes", len(a.K), len(b.K))
	}
	for i := range a.K {
		if d := cmplx.Abs(a.K[i]/b.K[i] - 1); d > 1e-7 {
			t.Errorf("mode %d: k differs by %.1e", i+1, d)
		}
		if d := math.Abs(a.GroupSpeed[i]/b.GroupSpeed[i] - 1); d > 1e-5 {
			t.Errorf("mode %d: group speed differs by %.1e", i+1, d)
		}
	}
	at := func(s *Section) []complex128 {
		return field(t, Track{[]float64{0}, []*Section{s}}, somewhere, DefaultOptions())
	}
	if d := distance(at(a), at(b)); d > 1e-3 {
		t.Errorf("fields differ by %.1e", d)
	}
}

// Offsets move receivers in range; a scaled source is a point source times √r; an
// omnidirectional beam is no beam; incoherent sums are the root of intensities.
func TestOptions(t *testing.T) {
	track := Track{[]float64{0}, []*Section{solve(t, ocean(100), 100, Auto)}}
	plain := field(t, track, somewhere, DefaultOptions())
	moved := somewhere
	moved.Ranges, moved.ReceiverOffsets = []float64{200, 900, 2400, 5100}, []float64{100, 100, 100, 100}
	if d := distance(field(t, track, moved, DefaultOptions()), plain); d > 1e-12 {
		t.Errorf("offsets: %.1e", d)
	}
	beam := DefaultOptions()
	beam.Beam = []BeamLevel{{-90, 0}, {90, 0}}
	if d := distance(field(t, track, somewhere, beam), plain); d > 1e-12 {
		t.Errorf("beam: %.1e", d)
	}
	quiet := DefaultOptions()
	quiet.Beam = []BeamLevel{{-90, -20}, {90, -20}}
	for i, p := range field(t, track, somewhere, quiet) {
		if cmplx.Abs(10*p/plain[i]-1) > 1e-12 {
			t.Errorf("a source 20 dB weaker: %v, %v", p, plain[i])
		}
	}
	scaled := DefaultOptions()
	scaled.Spreading = Scaled
	one := DefaultOptions()
	one.MaxModes = 1
	incoherent := one
	incoherent.Incoherent = true
	s, a, b := field(t, track, somewhere, scaled), field(t, track, somewhere, one), field(t, track, somewhere, incoherent)
	for i := range s {
		r := somewhere.Ranges[i%len(somewhere.Ranges)]
		if cmplx.Abs(s[i]/plain[i]/complex(math.Sqrt(r), 0)-1) > 1e-12 {
			t.Errorf("scaled: %v, %v", s[i], plain[i])
		}
		if math.Abs(real(b[i])-cmplx.Abs(a[i])) > 1e-12*cmplx.Abs(a[i]) {
			t.Errorf("one mode incoherently: %v, coherently %v", b[i], a[i])
		}
	}
}

func TestAutoChoosesSolver(t *testing.T) {
	fluid, leaky, elastic := ocean(100), ocean(100), ocean(100)
	elastic.Layers[0].Knots[0].ShearSpeed = 300
	leaky.Bottom.Material.SoundSpeed = 1700
	dense := ocean(100)
	dense.Layers[0].Knots = append(dense.Layers[0].Knots, dense.Layers[0].Knots[0])
	dense.Layers[0].Knots[1].Depth, dense.Layers[0].Knots[1].Density = dense.Layers[0].Thickness, 1600
	for _, test := range []struct {
		env  *acoustics.Environment
		want Method
	}{{fluid, Real}, {leaky, Complex}, {elastic, Complex}, {dense, Complex}} {
		if s := solve(t, test.env, 30, Auto); s.Method != test.want {
			t.Errorf("%s, want %s", s.Method, test.want)
		}
	}
}

// A gradient of density is the complex solver's, never left out: it is the limit of
// thin layers, second order in their thickness.
func TestDensityGradient(t *testing.T) {
	gradient := ocean(100)
	layer := &gradient.Layers[0]
	top := layer.Knots[0]
	layer.Knots = []acoustics.Knot{top, top}
	layer.Knots[1].Depth, layer.Knots[1].Density = layer.Thickness, 2100
	o := DefaultSolverOptions()
	o.Method, o.MinPhaseSpeed, o.MaxPhaseSpeed = Real, 1400, 1800
	var unsupported modes.ErrUnsupported
	if _, err := Solve(gradient, 30, o); !errors.As(err, &unsupported) || unsupported.Path != "layers[0].knots[1].density" {
		t.Errorf("real solver: %v", err)
	}
	whole := solve(t, gradient, 30, Auto)
	staircase := func(n int) float64 {
		env := ocean(100)
		env.Layers = nil
		for i := range n {
			k := top
			k.Density = top.Density + (2100-top.Density)*(float64(i)+0.5)/float64(n)
			env.Layers = append(env.Layers, acoustics.Layer{Thickness: layer.Thickness / float64(n), Knots: []acoustics.Knot{k}})
		}
		s := solve(t, env, 30, Complex)
		if len(s.K) != len(whole.K) {
			t.Fatalf("%d modes with a gradient, %d with %d layers", len(whole.K), len(s.K), n)
		}
		worst := 0.0
		for i := range s.K {
			worst = max(worst, cmplx.Abs(s.K[i]-whole.K[i])/cmplx.Abs(s.K[i]))
		}
		return worst
	}
	coarse, fine := staircase(20), staircase(40)
	if ratio := coarse / fine; ratio < 3.5 || ratio > 4.5 || fine > 1e-4 {
		t.Errorf("20 layers are off by %.1e, 40 by %.1e", coarse, fine)
	}
}

// A pulse in an ideal medium arrives after r/c, with its own shape.
func TestTimeSeries(t *testing.T) {
	const r, c, low, high, step = 3000.0, 1500.0, 40.0, 60.0, 0.25
	var p []complex128
	frequencies := Band(low, high, step)
	for _, f := range frequencies {
		p = append(p, -cmplx.Exp(complex(0, -2*math.Pi*f*r/c))) // FIELD's sign
	}
	series := TimeSeries{Start: 1.5, Step: 1e-3, Samples: 1000}
	x, err := series.Synthesize(frequencies, p, Hann(frequencies))
	if err != nil {
		t.Fatal(err)
	}
	best := 0
	for i := range x {
		if math.Abs(x[i]) > math.Abs(x[best]) {
			best = i
		}
	}
	if at := series.Start + series.Step*float64(best); math.Abs(at-r/c) > 1e-9 || x[best] < 0 {
		t.Errorf("arrival of %v at %v s, want a positive one at %v", x[best], at, r/c)
	}
	if _, err := (TimeSeries{Start: 0, Step: 1e-3, Samples: 5000}).Synthesize(frequencies, p, nil); err == nil {
		t.Error("a series longer than its period is accepted")
	}
}

// Losses that fall with depth weigh on each mode by its intensity there: real modes
// by perturbation and complex ones agree, and lie between those of the extremes.
func TestAttenuationProfile(t *testing.T) {
	loss := func(v float64) acoustics.Attenuation {
		return acoustics.Attenuation{Value: v, Unit: acoustics.DBPerWavelength}
	}
	env := acoustics.Environment{
		Surface: acoustics.Boundary{Kind: acoustics.PressureRelease},
		Water: acoustics.Water{Depth: 100, Density: 1000, Profile: acoustics.SoundSpeedProfile{
			Depth: []float64{0, 50, 100}, Speed: []float64{1500, 1500, 1480}, Interpolation: acoustics.CLinear}},
		Bottom: acoustics.Boundary{Kind: acoustics.Rigid},
	}
	solve := func(m Method) []complex128 {
		o := DefaultSolverOptions()
		o.Method, o.MaxPhaseSpeed = m, 3000
		s, err := Solve(&env, 60, o)
		if err != nil {
			t.Fatal(err)
		}
		return s.K
	}
	env.Water.Attenuation = loss(0.02)
	strong := solve(Complex)
	env.Water.Attenuations = []acoustics.Attenuation{loss(0.02), loss(0.005), loss(0)}
	if err := env.Validate(); err != nil {
		t.Fatal(err)
	}
	a, b := solve(Real), solve(Complex)
	if len(a) != len(b) || len(a) != len(strong) || len(a) < 4 {
		t.Fatalf("%d real modes, %d complex, %d of the uniform water", len(a), len(b), len(strong))
	}
	for i := range a {
		if d := math.Abs(imag(a[i])/imag(b[i]) - 1); d > 1e-3 {
			t.Errorf("mode %d: Im k differs by %.1e", i+1, d)
		}
		if share := imag(b[i]) / imag(strong[i]); share < 0.05 || share > 0.7 {
			t.Errorf("mode %d loses %.2f of what it would in uniform water", i+1, share)
		}
	}
	env.Water.Attenuations = env.Water.Attenuations[:2]
	if env.Validate() == nil {
		t.Error("two attenuations for three knots are accepted")
	}
}

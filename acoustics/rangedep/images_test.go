package rangedep

import (
	"math"
	"math/cmplx"
	"testing"

	"oceaninv/acoustics"
)

// absorbing is an ideal waveguide, free above and rigid below, whose water absorbs the
// same at every frequency: what its image sources leave is known in closed form.
type absorbing struct{ depth, speed, loss float64 } // m, m/s, Np/m

func (a absorbing) environment() *acoustics.Environment {
	return &acoustics.Environment{
		Surface: acoustics.Boundary{Kind: acoustics.PressureRelease}, Bottom: acoustics.Boundary{Kind: acoustics.Rigid},
		Water: acoustics.Water{Depth: a.depth, Density: 1000, Attenuation: acoustics.Attenuation{Value: a.loss, Unit: acoustics.NepersPerMetre},
			Profile: acoustics.SoundSpeedProfile{Depth: []float64{0, a.depth}, Speed: []float64{a.speed, a.speed}, Interpolation: acoustics.CLinear}},
	}
}

// section has the modes that propagate, and those beyond the cutoff that are still
// heard.
func (a absorbing) section(t testing.TB, hz float64) *Section {
	t.Helper()
	o := DefaultSolverOptions()
	o.Method, o.MaxPhaseSpeed, o.MaxLoss = Complex, 60*a.speed, 120
	s, err := Solve(a.environment(), hz, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// images calls visit with sign and distance of every image of the source within reach:
// depths 2nD ± zs, of the sign (-1)ⁿ, turned by the free surface.
func (a absorbing) images(source, receiver, r, reach float64, visit func(sign, distance float64)) {
	for n := -int(reach / a.depth); n <= int(reach/a.depth); n++ {
		sign := 1 - 2*float64(n&1)
		for _, s := range []float64{1, -1} {
			z := 2*float64(n)*a.depth + s*source
			if distance := math.Hypot(r, z-receiver); distance < reach {
				visit(sign*s, distance)
			}
		}
	}
}

// The pressure of the modes is that of the image sources, with the sign of the
// Toolbox's FIELD: minus the wave that a positive source sends out.
func TestImageSources(t *testing.T) {
	a := absorbing{depth: 50, speed: 1500, loss: 2e-3}
	at := Positions{SourceDepths: []float64{12, 33}, ReceiverDepths: []float64{7, 25, 48}, ReceiverOffsets: []float64{-30, 0, 45}, Ranges: []float64{600, 910}}
	for _, hz := range []float64{31, 74, 119} {
		s := a.section(t, hz)
		omega := 2 * math.Pi * hz
		k := complex(omega, 0) / complex(a.speed, a.loss*a.speed*a.speed/omega)
		var want []complex128
		for _, zs := range at.SourceDepths {
			for d, z := range at.ReceiverDepths {
				for _, r := range at.Ranges {
					var p complex128
					a.images(zs, z, r+at.ReceiverOffsets[d], 8000, func(sign, distance float64) {
						p -= complex(sign/distance, 0) * cmplx.Exp(-1i*k*complex(distance, 0))
					})
					want = append(want, p)
				}
			}
		}
		got := field(t, Track{[]float64{0}, []*Section{s}}, at, DefaultOptions())
		// The modes' sum takes the Hankel function's far field, off by 1/(8kr).
		if d := distance(got, want); d > 5e-3 {
			t.Errorf("%v Hz: modes and images differ by %.1e", hz, d)
		}
	}
}

// pulse is the signal of a Hann spectrum on n lines df apart from low, by the sum of
// three geometric series.
func pulse(low, df float64, n int) func(t float64) float64 {
	series := func(x float64) complex128 {
		if math.Abs(math.Sin(x/2)) < 1e-9 {
			return complex(float64(n), 0)
		}
		return (cmplx.Rect(1, float64(n)*x) - 1) / (cmplx.Rect(1, x) - 1)
	}
	theta := 2 * math.Pi / float64(n-1)
	return func(t float64) float64 {
		x := 2 * math.Pi * df * t
		sum := series(x)/2 - series(x+theta)/4 - series(x-theta)/4
		return 2 * df * real(cmplx.Rect(1, 2*math.Pi*low*t)*sum)
	}
}

// A positive pulse arrives from every image source, after the way's time, weakened by
// it, turned at each meeting with the surface: the direct one upright.
func TestImpulseOfImageSources(t *testing.T) {
	const low, high, df, zs, r = 60.0, 140.0, 0.25, 20.0, 250.0
	a := absorbing{depth: 50, speed: 1500, loss: 1e-3}
	frequencies, receivers := Band(low, high, df), []float64{9, 41}
	p := make([][]complex128, len(receivers))
	for _, hz := range frequencies {
		one := field(t, Track{[]float64{0}, []*Section{a.section(t, hz)}}, Positions{SourceDepths: []float64{zs}, ReceiverDepths: receivers, Ranges: []float64{r}}, DefaultOptions())
		for d := range p {
			p[d] = append(p[d], one[d])
		}
	}
	shape := pulse(low, df, len(frequencies))
	series := TimeSeries{Start: r/a.speed - 0.05, Step: 1e-3, Samples: 900}
	for d, z := range receivers {
		got, err := series.Synthesize(frequencies, p[d], Hann(frequencies))
		if err != nil {
			t.Fatal(err)
		}
		difference, size := 0.0, 0.0
		for i, x := range got {
			want, at := 0.0, series.Start+series.Step*float64(i)
			a.images(zs, z, r, 6000, func(sign, distance float64) {
				want += sign / distance * math.Exp(-a.loss*distance) * shape(at-distance/a.speed)
			})
			difference, size = difference+(x-want)*(x-want), size+want*want
		}
		if e := math.Sqrt(difference / size); e > 0.01 {
			t.Errorf("receiver at %v m: signals differ by %.1e", z, e)
		}
	}
}

// Intensities added are the mean over range of those of the pressure, up to what the
// beats between modes leave of it.
func TestIncoherentIsMeanIntensity(t *testing.T) {
	env := absorbing{depth: 60, speed: 1500}.environment()
	o := DefaultSolverOptions()
	o.MaxPhaseSpeed = 4000
	s, err := Solve(env, 90, o)
	if err != nil {
		t.Fatal(err)
	}
	const first, length, n = 5000.0, 40000.0, 8001
	at := Positions{SourceDepths: []float64{17}, ReceiverDepths: []float64{44}}
	for i := range n {
		at.Ranges = append(at.Ranges, first+length*float64(i)/(n-1))
	}
	track := Track{[]float64{0}, []*Section{s}}
	coherent, incoherent := DefaultOptions(), DefaultOptions()
	coherent.Spreading, incoherent.Spreading, incoherent.Incoherent = Scaled, Scaled, true
	mean := 0.0
	for _, p := range field(t, track, at, coherent) {
		mean += real(p*cmplx.Conj(p)) / n
	}
	want := real(field(t, track, at, incoherent)[0])
	// ∫ cos Δk r dr stays below 2/Δk.
	beats := 0.0
	phi := s.Shapes([]float64{17, 44})
	for i := range s.K {
		for j := range i {
			a, b := phi[i][0]*phi[i][1]/cmplx.Sqrt(s.K[i]), phi[j][0]*phi[j][1]/cmplx.Sqrt(s.K[j])
			beats += 2 * math.Pi * 2 * cmplx.Abs(a*b) * 2 / (real(s.K[j]-s.K[i]) * length)
		}
	}
	if d := math.Abs(mean - want*want); d > beats || beats > want*want/4 {
		t.Errorf("mean intensity %v, of the modes added %v; beats can make %v of it", mean, want*want, beats)
	}
}

// A tilted array hears what single receivers at its phones' depths and ranges hear, a
// source with a level so much more; both solvers' arrays agree.
func TestTiltedArray(t *testing.T) {
	source := acoustics.Source{Depth: 30, Level: 160}
	array := acoustics.ReceiverArray{Depths: []float64{20, 50, 80}, Range: 1500, Tilt: 12, DepthOffset: 3}
	depths, ranges := array.Positions(nil, nil)
	if math.Abs(depths[2]-83) > 1e-12 || math.Abs(ranges[2]-1500) > 1e-12 || math.Abs(depths[0]-(83-60*math.Cos(12*math.Pi/180))) > 1e-12 || math.Abs(ranges[0]-(1500+60*math.Sin(12*math.Pi/180))) > 1e-12 {
		t.Fatalf("phones at depths %v, ranges %v", depths, ranges)
	}
	for _, method := range []Method{Real, Complex} {
		s := solve(t, ocean(100), 100, method)
		got := make([]complex128, len(depths))
		if err := s.Pressure(got, source, array); err != nil {
			t.Fatal(err)
		}
		for i := range depths {
			one := field(t, Track{[]float64{0}, []*Section{s}}, Positions{SourceDepths: []float64{30}, ReceiverDepths: depths[i : i+1], Ranges: ranges[i : i+1]}, DefaultOptions())
			if d := cmplx.Abs(got[i]/one[0]/1e8 - 1); d > 1e-12 {
				t.Errorf("%s: phone %d off by %.1e", method, i+1, d)
			}
		}
	}
}

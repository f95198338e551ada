package reference

import (
	"math"
	"math/cmplx"
	"math/rand/v2"

	"oceaninv/inversion"
)

// gaussian is a normal target in any number of dimensions, by its precision.
type gaussian struct {
	mean      []float64
	precision [][]float64
	logNorm   float64 // ln of the density's normalisation; 0 leaves it at the peak
}

func (g *gaussian) Dim() int { return len(g.mean) }
func (g *gaussian) LogDensity(theta []float64) float64 {
	var q float64
	for i := range theta {
		for j := range theta {
			q += (theta[i] - g.mean[i]) * g.precision[i][j] * (theta[j] - g.mean[j])
		}
	}
	return -q/2 + g.logNorm
}
func (g *gaussian) LogDensityGradient(grad, theta []float64) float64 {
	for i := range theta {
		grad[i] = 0
		for j := range theta {
			grad[i] -= g.precision[i][j] * (theta[j] - g.mean[j])
		}
	}
	return g.LogDensity(theta)
}

// bivariate is a normal target in two dimensions, normalised.
func bivariate(mean []float64, s1, s2, rho float64) *gaussian {
	det := s1 * s1 * s2 * s2 * (1 - rho*rho)
	return &gaussian{mean: mean, precision: [][]float64{
		{s2 * s2 / det, -rho * s1 * s2 / det},
		{-rho * s1 * s2 / det, s1 * s1 / det},
	}, logNorm: -math.Log(2 * math.Pi * math.Sqrt(det))}
}

// banana is Haario's twisted normal: x ~ N(0, 4), y | x ~ N(x²/4, 0.25). Its
// moments are E y = 1, Var y = 2 + 0.25 and its evidence is 1.
type banana struct{}

func (banana) Dim() int { return 2 }
func (banana) LogDensity(t []float64) float64 {
	r := (t[1] - t[0]*t[0]/4) / 0.5
	return -t[0]*t[0]/8 - r*r/2 - math.Log(2*math.Pi*2*0.5)
}
func (b banana) LogDensityGradient(grad, t []float64) float64 {
	r := (t[1] - t[0]*t[0]/4) / 0.25
	grad[0] = -t[0]/4 + r*t[0]/2
	grad[1] = -r
	return b.LogDensity(t)
}

// waveguide is an ideal waveguide with a pressure-release surface and a rigid
// floor at 3 km range, whose effective depth grows with the speed of a sea bed:
// as sharp and as oscillating in its two parameters as a real shallow sea.
type waveguide struct {
	frequencies, receivers []float64
}

var toyGuide = waveguide{
	frequencies: []float64{49, 79, 112, 148, 201, 283, 388},
	receivers:   []float64{94.125, 99.755, 105.38, 111, 116.62},
}

func (w waveguide) Predict(dst []complex128, theta []float64) error {
	const c, source, r = 1490.0, 60.0, 3000.0
	for f, hz := range w.frequencies {
		k := 2 * math.Pi * hz / c
		depth := theta[0] + 0.03*(theta[1]-1560)*math.Sqrt(150/hz)
		for i := range w.receivers {
			dst[i*len(w.frequencies)+f] = 0
		}
		for m := 1; ; m++ {
			kz := (float64(m) - 0.5) * math.Pi / depth
			if kz > 0.5*k {
				break
			}
			kr := math.Sqrt(k*k - kz*kz)
			// The steep modes fade out smoothly: none is cut off.
			a := cmplx.Exp(complex(-math.Pow(kz/(0.22*k), 4), -kr*r)) * complex(math.Sin(kz*source)*math.Sqrt(8*math.Pi/(kr*r))/depth, 0)
			for i, z := range w.receivers {
				dst[i*len(w.frequencies)+f] += a * complex(math.Sin(kz*z), 0)
			}
		}
	}
	return nil
}

func newToyGuide() (inversion.Forward, error) { return toyGuide, nil }

func toyPrior() *inversion.Prior {
	return &inversion.Prior{Marginals: []inversion.Marginal{
		{Kind: inversion.Uniform, Low: 200.5, High: 236.5},
		{Kind: inversion.Uniform, Low: 1532, High: 1592},
	}}
}

// toyNoise is 15 dB noise for the toy waveguide.
func toyNoise() *inversion.Noise {
	p := inversion.DefaultProblem()
	p.Frequencies = toyGuide.frequencies
	p.Array.Depths = toyGuide.receivers
	p.Noise.Draws = 512
	p.Parameters = []inversion.Parameter{
		{Name: "water_depth", Prior: toyPrior().Marginals[0]},
		{Name: "source_depth", Prior: toyPrior().Marginals[1]},
	}
	n, err := p.ResolveNoise(toyGuide, 1)
	if err != nil {
		panic(err)
	}
	return n
}

func toyScale(n *inversion.Noise) []float64 {
	scale := make([]float64, n.Receivers*n.Tones)
	for i := range scale {
		scale[i] = math.Sqrt(n.Variance[i%n.Tones])
	}
	return scale
}

// toyData is an observation of the toy waveguide.
func toyData(n *inversion.Noise, theta []float64, seed uint64) []complex128 {
	field := make([]complex128, n.Receivers*n.Tones)
	noise := make([]complex128, len(field))
	if err := toyGuide.Predict(field, theta); err != nil {
		panic(err)
	}
	n.Sample(noise, field, rand.New(rand.NewPCG(seed, 1)))
	for i := range field {
		field[i] += noise[i]
	}
	return field
}

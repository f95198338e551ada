package surrogate

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"oceaninv/surrogate/nn"
)

func iresnet(mode string, terms int) func(*FlowSpec) {
	return func(s *FlowSpec) {
		s.Coupling, s.LogDet, s.LogDetTerms = "iresnet", mode, terms
		s.Blocks, s.Permutation, s.Lipschitz = 1, "none", 0.8
	}
}

// TestLogDetEstimates: roulette is unbiased even when it always keeps one term only, within the variance that
// logDet's comment states; truncation at one term is not.
func TestLogDetEstimates(t *testing.T) {
	const dim, rows, probes, terms = 5, 3, 20000, 1
	exact := testFlow(t, dim, 0, iresnet("exact", 1))
	for i := range exact.params {
		exact.params[i] *= 4 // every matrix at its bound
	}
	exact.Refresh()
	x := normals(rand.New(rand.NewPCG(8, 8)), rows*dim)
	_, want, err := exact.Transform(x, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []string{"roulette", "truncated"} {
		f := testFlow(t, dim, 0, iresnet(mode, terms))
		if err := f.Load(exact.Params(), exact.State()); err != nil {
			t.Fatal(err)
		}
		mean, stderr, err := f.EstimateLogDet(x, nil, probes, 3)
		if err != nil {
			t.Fatal(err)
		}
		r := math.Pow(0.8, 3)
		bound := 2 * dim * math.Pow(math.Log(1-r), 2)
		for j := 1; j <= rouletteCap; j++ {
			term := math.Pow(r, float64(terms+j)) / float64(terms+j)
			bound += dim * dim * math.Ldexp(term*term, j)
		}
		worst := 0.0
		for i := range mean {
			worst = math.Max(worst, math.Abs(mean[i]-want[i])/stderr[i])
			if variance := stderr[i] * stderr[i] * probes; mode == "roulette" && variance > bound {
				t.Errorf("variance %.3g of the estimate is above the stated %.3g", variance, bound)
			}
		}
		if biased := worst > 4; biased != (mode == "truncated") {
			t.Errorf("%s: means %v, want %v: %.1f standard errors", mode, mean, want, worst)
		}
	}
}

// TestSpectralNorm: after Refresh no matrix of the branch stretches anything by more than the bound, by the largest
// eigenvalue of W^T W from Jacobi rotations.
func TestSpectralNorm(t *testing.T) {
	f := testFlow(t, 7, 0, iresnet("exact", 1))
	for i := range f.params {
		f.params[i] *= 9
	}
	f.Refresh()
	r := f.blocks[0].(*residual[float64])
	for k, d := range r.layers {
		s := nn.View(r.scales, f.state)[2*k+1]
		norm := s * largestSingular(nn.View(d.W, f.params), d.In, d.Out)
		if math.Abs(norm-0.8) > 1e-9 {
			t.Errorf("layer %d: spectral norm %.12g, want 0.8", k, norm)
		}
	}
}

func largestSingular(w []float64, rows, cols int) float64 {
	a := make([]float64, cols*cols)
	nn.Gemm(true, false, cols, cols, rows, 1, w, cols, w, cols, 0, a, cols)
	for range 30 {
		for p := range cols {
			for q := p + 1; q < cols; q++ {
				th := 0.5 * math.Atan2(2*a[p*cols+q], a[q*cols+q]-a[p*cols+p])
				c, s := math.Cos(th), math.Sin(th)
				for k := range cols {
					x, y := a[k*cols+p], a[k*cols+q]
					a[k*cols+p], a[k*cols+q] = c*x-s*y, s*x+c*y
				}
				for k := range cols {
					x, y := a[p*cols+k], a[q*cols+k]
					a[p*cols+k], a[q*cols+k] = c*x-s*y, s*x+c*y
				}
			}
		}
	}
	top := 0.0
	for k := range cols {
		top = math.Max(top, a[k*cols+k])
	}
	return math.Sqrt(top)
}

// TestInverseSaysWhenItFails: without spectral normalisation and with large weights the branch is no contraction; the
// fixed-point iteration must report it and not return numbers.
func TestInverseSaysWhenItFails(t *testing.T) {
	f := testFlow(t, 4, 0, func(s *FlowSpec) { iresnet("truncated", 20)(s); s.SpectralNorm = false; s.InverseSteps = 50 })
	for i := range f.params {
		f.params[i] *= 5
	}
	f.Refresh()
	_, _, err := f.InverseTransform(normals(rand.New(rand.NewPCG(1, 1)), 8), nil)
	var not *NotInvertedError
	if !errors.As(err, &not) {
		t.Fatalf("error %v, want NotInvertedError", err)
	}
}

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

// TestReleasedInverse: as FrEIA has it, the inverse of a branch that is a contraction is right, its gradient and its
// log-determinant are not, and one of a branch that is none comes out wrong without a word.
func TestReleasedInverse(t *testing.T) {
	released := func(s *FlowSpec) {
		iresnet("truncated", 20)(s)
		s.SpectralNorm, s.ReleasedInverse, s.InverseSteps, s.InitGain = false, true, 50, 0.4
	}
	f, right := testFlow(t, 4, 0, released), testFlow(t, 4, 0, func(s *FlowSpec) {
		released(s)
		s.ReleasedInverse, s.LogDet = false, "exact"
	})
	z := normals(rand.New(rand.NewPCG(1, 1)), 8)
	run := func(f *Flow[float64]) (x, logdet, dz []float64) {
		p := f.NewPass(2)
		x, logdet, err := p.Inverse(z, nil)
		if err != nil {
			t.Fatal(err)
		}
		dz, _ = p.Backward([]float64{1, 0, 0, 0, 1, 0, 0, 0}, nil, make([]float64, len(f.Params())))
		return x, logdet, dz
	}
	x, logdet, dz := run(f)
	want, _, wantGrad := run(right)
	for i := range x {
		if math.Abs(x[i]-want[i]) > 1e-9 {
			t.Errorf("inverse %v, want %v", x, want)
		}
		if direct := float64(1 - min(i%4, 1)); dz[i] != direct {
			t.Errorf("gradient %v: not that of the last step", dz)
		}
	}
	forward := func(at []float64) []float64 { // with the probes of the inverse pass
		_, l, err := f.NewPass(2).Forward(at, nil)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	atInput, atSolution := forward(z), forward(x)
	for i := range logdet {
		if math.Abs(logdet[i]+atInput[i]) > 1e-12 || math.Abs(logdet[i]+atSolution[i]) < 1e-3 {
			t.Errorf("log-determinant %g; minus that at the input %g, at the solution %g", logdet[i], -atInput[i], -atSolution[i])
		}
	}
	if math.Abs(wantGrad[0]-1) < 1e-3 {
		t.Errorf("the true gradient %v is that of the last step: the test shows nothing", wantGrad)
	}
	for i := range f.params {
		f.params[i] *= 4
	}
	f.Refresh()
	x, _, err := f.InverseTransform(z, nil)
	if err != nil {
		t.Fatal(err)
	}
	back, _, err := f.Transform(x, nil)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(back[0]-z[0])+math.Abs(back[4]-z[4]) < 1e-3 {
		t.Error("an expanding branch was inverted all the same: the test shows nothing")
	}
}

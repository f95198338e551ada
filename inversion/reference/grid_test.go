package reference

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"oceaninv/inversion"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s = %.8g, want %.8g ± %.2g", what, got, want, tolerance)
	}
}

func TestGridNormal(t *testing.T) {
	target := bivariate([]float64{216.5, 1572.4}, 0.05, 2, 0.8)
	g, err := NewGrid(context.Background(), target, []float64{200.5, 1532}, []float64{236.5, 1592}, DefaultGridOptions())
	if err != nil {
		t.Fatal(err)
	}
	near(t, "log evidence", g.LogEvidence, 0, 3e-4)
	mean, cov := g.Mean(), g.Covariance()
	near(t, "mean 0", mean[0], 216.5, 1e-3*0.05)
	near(t, "mean 1", mean[1], 1572.4, 1e-3*2)
	near(t, "sd 0", math.Sqrt(cov[0]), 0.05, 1e-3*0.05)
	near(t, "sd 1", math.Sqrt(cov[3]), 2, 1e-3*2)
	near(t, "correlation", cov[1]/math.Sqrt(cov[0]*cov[3]), 0.8, 1e-3)
	near(t, "entropy", g.Entropy(), 1+math.Log(2*math.Pi)+math.Log(0.05*2*0.6), 1e-3)
	// The highest-density level of a bivariate normal is 1-exp(-r²/2).
	at := g.LogDensity([]float64{216.55, 1572.4})
	r2 := -2 * (target.LogDensity([]float64{216.55, 1572.4}) - target.logNorm)
	near(t, "log density", at, target.LogDensity([]float64{216.55, 1572.4}), 0.01)
	near(t, "level", g.Level(at), 1-math.Exp(-r2/2), 0.02)
	if g.Evaluations > 100000 {
		t.Errorf("took %d evaluations", g.Evaluations)
	}
}

func TestGridMarginal(t *testing.T) {
	g, err := NewGrid(context.Background(), bivariate([]float64{0, 0}, 1, 0.1, -0.9), []float64{-8, -3}, []float64{8, 3}, DefaultGridOptions())
	if err != nil {
		t.Fatal(err)
	}
	for j, sd := range []float64{1, 0.1} {
		m := g.Marginal(j)
		for _, z := range []float64{-3, -1, -0.3, 0, 0.7, 2} {
			near(t, "CDF", m.CDF(z*sd), math.Erfc(-z/math.Sqrt2)/2, 2e-4)
			near(t, "PDF", m.PDF(z*sd)*sd, math.Exp(-z*z/2)/math.Sqrt(2*math.Pi), 4e-3)
			near(t, "quantile", m.Quantile(math.Erfc(-z/math.Sqrt2)/2)/sd, z, 0.02)
		}
	}
	xs, ys := []float64{-0.5, 0, 0.8}, []float64{0.02, -0.1}
	density := g.Density(0, 1, xs, ys)
	target := bivariate([]float64{0, 0}, 1, 0.1, -0.9)
	for iy, y := range ys {
		for ix, x := range xs {
			want := math.Exp(target.LogDensity([]float64{x, y}))
			near(t, "2-D density", density[iy*3+ix], want, 0.02*want+1e-3)
		}
	}
}

func TestGridBanana(t *testing.T) {
	g, err := NewGrid(context.Background(), banana{}, []float64{-14, -4}, []float64{14, 50}, DefaultGridOptions())
	if err != nil {
		t.Fatal(err)
	}
	near(t, "log evidence", g.LogEvidence, 0, 3e-4)
	near(t, "mean of y", g.Mean()[1], 1, 2e-3)
	near(t, "variance of y", g.Covariance()[3], 2.25, 1e-2)
	draws := g.Sample(20000, rand.New(rand.NewPCG(1, 2)))
	var mean, square float64
	for _, y := range draws.Column(1) {
		mean += y / 20000
		square += y * y / 20000
	}
	near(t, "mean of drawn y", mean, 1, 5*1.5/math.Sqrt(20000))
	near(t, "variance of drawn y", square-mean*mean, 2.25, 0.2)
}

func TestGridFindsAllModes(t *testing.T) {
	// Two peaks a thousandth of the box wide, of different weight
	// and shape.
	a := bivariate([]float64{0.211, 0.317}, 0.001, 0.002, 0.3)
	b := bivariate([]float64{0.83, 0.71}, 0.004, 0.001, -0.5)
	mix := mixture{a, b, math.Log(0.7), math.Log(0.3)}
	g, err := NewGrid(context.Background(), mix, []float64{0, 0}, []float64{1, 1}, DefaultGridOptions())
	if err != nil {
		t.Fatal(err)
	}
	near(t, "log evidence", g.LogEvidence, 0, 3e-4)
	near(t, "mass of the second", 1-g.Marginal(0).CDF(0.5), 0.3, 1e-3)
}

type mixture struct {
	a, b   inversion.Target
	wa, wb float64
}

func (m mixture) Dim() int { return m.a.Dim() }
func (m mixture) LogDensity(t []float64) float64 {
	a, b := m.a.LogDensity(t)+m.wa, m.b.LogDensity(t)+m.wb
	top := math.Max(a, b)
	return top + math.Log(math.Exp(a-top)+math.Exp(b-top))
}

func TestGridInOneAndThreeDimensions(t *testing.T) {
	for d, box := range map[int]float64{1: 12, 3: 7} {
		g := &gaussian{logNorm: -float64(d) / 2 * math.Log(2*math.Pi)}
		low, high := make([]float64, d), make([]float64, d)
		for i := range d {
			row := make([]float64, d)
			row[i] = 1
			g.mean, g.precision = append(g.mean, 0.3*float64(i)), append(g.precision, row)
			low[i], high[i] = -box, box
		}
		opt := DefaultGridOptions()
		opt.Cells = []int{6, 6, 6}[:d]
		grid, err := NewGrid(context.Background(), g, low, high, opt)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "log evidence", grid.LogEvidence, 0, 2e-4)
		near(t, "last mean", grid.Mean()[d-1], 0.3*float64(d-1), 1e-3)
	}
}

func TestInterpolantServesThePosterior(t *testing.T) {
	if testing.Short() {
		t.Skip("a minute under the race detector; run without -short")
	}
	ctx := context.Background()
	noise := toyNoise()
	it, err := NewInterpolant(ctx, newToyGuide, toyPrior(), toyScale(noise), DefaultInterpolantOptions())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d panels, %d solves, error %.2g rms %.2g of the noise, cells %v", len(it.panels), it.Solves, it.Error, it.RMSError, it.Cells())
	if it.Error > 0.03 || it.RMSError > 0.01 || it.Unresolved > 0 {
		t.Errorf("interpolation error %g (rms %g) of the noise, %d panels unresolved", it.Error, it.RMSError, it.Unresolved)
	}
	low, high := it.Bounds()
	for i, truth := range [][]float64{{216.5, 1572.4}, {200.8, 1590}, {231, 1540}} {
		data := toyData(noise, truth, uint64(i))
		like := inversion.NewLikelihood(inversion.KnownSource, noise)
		fast := inversion.NewPosteriorTarget(toyPrior(), it.NewForward(), like, data)
		direct := inversion.NewPosteriorTarget(toyPrior(), toyGuide, like.Clone(), data)
		opt := DefaultGridOptions()
		opt.Cells = it.Cells()
		g, err := NewGrid(ctx, fast, low, high, opt)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("sd %.3g, evaluations %d, cells %d, ln Z %.4f ± %.1g, level of truth %.3f", g.SD(), g.Evaluations, len(g.cells), g.LogEvidence, g.LogEvidenceError, g.Level(g.LogDensity(truth)))
		if i == 0 {
			exact, err := NewGrid(ctx, direct, low, high, opt)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "log evidence", g.LogEvidence, exact.LogEvidence, 0.01)
			for j, sd := range exact.SD() {
				near(t, "mean", g.Mean()[j], exact.Mean()[j], 0.01*sd)
				near(t, "sd", g.SD()[j], sd, 0.01*sd)
			}
		}
		dev := g.Deviation(direct, 200, rand.New(rand.NewPCG(3, 4)))
		if dev.SD > 0.03 || dev.KL > 1e-3 {
			t.Errorf("interpolated log density deviates by %+v", dev)
		}
		// A finer first division finds nothing more.
		for j := range opt.Cells {
			opt.Cells[j] *= 3
		}
		finer, err := NewGrid(ctx, fast, low, high, opt)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "log evidence from a finer division", finer.LogEvidence, g.LogEvidence, 1e-3)
	}
}

func TestInterpolantDoesNotDependOnWorkers(t *testing.T) {
	noise := toyNoise()
	opt := DefaultInterpolantOptions()
	opt.Tolerance, opt.Checks = 0.3, 16
	var first *Interpolant
	for _, workers := range []int{1, 3} {
		opt.Workers = workers
		it, err := NewInterpolant(context.Background(), newToyGuide, toyPrior(), toyScale(noise), opt)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = it
			continue
		}
		if it.Error != first.Error || it.RMSError != first.RMSError || it.Solves != first.Solves {
			t.Errorf("%d workers: error %g after %d solves, one worker %g after %d", workers, it.Error, it.Solves, first.Error, first.Solves)
		}
	}
}

func TestInterpolantSaysWhenItIsTooCoarse(t *testing.T) {
	noise := toyNoise()
	opt := DefaultInterpolantOptions()
	opt.MaxSolves = 500
	it, err := NewInterpolant(context.Background(), newToyGuide, toyPrior(), toyScale(noise), opt)
	if err != nil {
		t.Fatal(err)
	}
	if it.Unresolved == 0 && it.Error < 0.03 {
		t.Errorf("500 solves cannot resolve the field, yet the error is %g and no panel is called too coarse", it.Error)
	}
	if err := it.NewForward().Predict(make([]complex128, 35), []float64{190, 1550}); err == nil {
		t.Error("a point outside the box is answered")
	}
}

// jumpy is the toy waveguide with a mode that sets in along a slanting line.
var jumpy = inversion.ForwardFunc(func(dst []complex128, theta []float64) error {
	if err := toyGuide.Predict(dst, theta); err != nil {
		return err
	}
	if theta[0]+0.1*theta[1] > 377 {
		for i := range dst {
			dst[i] += 2e-4
		}
	}
	return nil
})

func TestInterpolantDoesNotChaseJumps(t *testing.T) {
	noise := toyNoise()
	smooth, err := NewInterpolant(context.Background(), newToyGuide, toyPrior(), toyScale(noise), DefaultInterpolantOptions())
	if err != nil {
		t.Fatal(err)
	}
	it, err := NewInterpolant(context.Background(), func() (inversion.Forward, error) { return jumpy, nil }, toyPrior(), toyScale(noise), DefaultInterpolantOptions())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("smooth: %d solves, error %.2g; with a jump: %d solves, %d rough and %d unresolved panels, error %.2g", smooth.Solves, smooth.Error, it.Solves, it.Rough, it.Unresolved, it.Error)
	if it.Rough == 0 || it.Unresolved > 0 {
		t.Errorf("%d rough panels, %d unresolved", it.Rough, it.Unresolved)
	}
	if smooth.Rough != 0 {
		t.Errorf("a smooth field has %d rough panels", smooth.Rough)
	}
}

func BenchmarkGridOfOneObservation(b *testing.B) {
	noise := toyNoise()
	it, err := NewInterpolant(context.Background(), newToyGuide, toyPrior(), toyScale(noise), DefaultInterpolantOptions())
	if err != nil {
		b.Fatal(err)
	}
	low, high := it.Bounds()
	data := toyData(noise, []float64{216.5, 1572.4}, 7)
	opt := DefaultGridOptions()
	opt.Cells = it.Cells()
	for b.Loop() {
		target := inversion.NewPosteriorTarget(toyPrior(), it.NewForward(), inversion.NewLikelihood(inversion.KnownSource, noise), data)
		if _, err := NewGrid(context.Background(), target, low, high, opt); err != nil {
			b.Fatal(err)
		}
	}
}

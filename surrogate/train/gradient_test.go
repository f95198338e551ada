package train

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"oceaninv/surrogate"
	"oceaninv/surrogate/internal/gradcheck"
	"oceaninv/surrogate/nn"
)

var gradients gradcheck.Table

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(gradients.Finish(m.Run(), "Gradients of the losses", gradientTolerance))
}

// gradientTolerance is on the relative error, in float64.
const gradientTolerance = 1e-6

func checkGradients(t *testing.T, name string, dim int, f func() float64, limit int, parts ...gradcheck.Part) {
	t.Helper()
	worst, where := gradcheck.Worst(f, limit, parts...)
	gradients.Add(name, dim, worst)
	if !(worst <= gradientTolerance) {
		t.Errorf("%s, D=%d: relative error %.3g at %s", name, dim, worst, where)
	}
}

// lossCase is a loss of fixed inputs, which adds its gradients to dx and dlogdet.
type lossCase struct {
	name        string
	x, dx       nn.Matrix[float64]
	logdet, dlg []float64
	f           func() float64
}

func lossCases(pool *Pool, dim int) []lossCase {
	const rows = 9
	x, y, m := normals(1, rows, dim), normals(2, rows, dim), normals(3, 7, dim)
	logdet, dlogdet := normals(4, rows, 1).Data, make([]float64, rows)
	dx := newMatrix[float64](rows, dim)
	sigma, mean, lo, hi := make([]float64, dim), make([]float64, dim), make([]float64, dim), make([]float64, dim)
	for j := range dim {
		sigma[j], mean[j], lo[j], hi[j] = 0.3+0.2*float64(j), 0.1*float64(j)-0.2, -0.5, 0.5+0.05*float64(j)
	}
	sinkhorn := NewSinkhornWorkspace[float64](Sinkhorn{Blur: 1.5, Scaling: 0.7}, pool, rows, 7, dim)
	sinkhorn.polish = 100 // the envelope theorem holds at converged potentials
	mmd := NewMMDWorkspace[float64](DefaultMMD(), pool, rows, 7, dim)
	observed := y.Columns(0, dim/2)
	nll := func(l NLL) func() float64 {
		return func() float64 {
			a, b := evalNLL(l, x, logdet, observed, dx, dlogdet)
			return a + b
		}
	}
	list := []lossCase{
		{name: "rmse", f: func() float64 { return RMSE(25, x, y, dx) }},
		{name: "mse", f: func() float64 { return MSE(0.01, x, y, dx) }},
		{name: "maximum likelihood", f: func() float64 { return MaximumLikelihood(x, logdet, dx, dlogdet) }},
		{name: "nll, paper", f: nll(NLL{FitWeight: 25})},
		{name: "nll, exact", f: nll(NLL{Exact: true, SigmaY: 0.3})},
		{name: "prior, paired normal", f: func() float64 { return PairedNormalTerm(3, x, y, sigma, dx) }},
		{name: "prior, normal", f: func() float64 { return NormalPriorTerm(3, x, mean, sigma, dx) }},
		{name: "prior, uniform", f: func() float64 { return UniformPriorTerm(Box{3, false, lo, hi, nil}, x, dx) }},
		{name: "prior, uniform, summed", f: func() float64 { return UniformPriorTerm(Box{3, true, lo, hi, sigma}, x, dx) }},
		{name: "sinkhorn", f: func() float64 { return sinkhorn.Eval(100, x, m, dx) }},
		{name: "mmd", f: func() float64 { return mmd.Eval(50, x, m, dx) }},
	}
	for i := range list {
		list[i].x, list[i].dx, list[i].logdet, list[i].dlg = x, dx, logdet, dlogdet
	}
	return list
}

func TestLossGradients(t *testing.T) {
	pool := NewPool(2)
	defer pool.Close()
	for dim := 1; dim <= 12; dim++ {
		for _, c := range lossCases(pool, dim) {
			clear(c.dx.Data)
			clear(c.dlg)
			c.f()
			parts := []gradcheck.Part{{Name: "x", Value: c.x.Data, Grad: slices.Clone(c.dx.Data)}}
			if slices.ContainsFunc(c.dlg, func(v float64) bool { return v != 0 }) {
				parts = append(parts, gradcheck.Part{Name: "logdet", Value: c.logdet, Grad: slices.Clone(c.dlg)})
			}
			checkGradients(t, c.name, dim, c.f, 20, parts...)
		}
	}
}

func TestDivergenceGradients(t *testing.T) {
	for _, d := range divergences() {
		for _, clamp := range []Clamp{{}, {Limit: 1, Real: true}, {Limit: 1, Real: true, Fake: true}, {Limit: 1, Real: true, Fake: true, CriticOnly: true}, {Limit: 1, Real: true, Fake: true, Tangent: true}} {
			real, fake := normals(5, 11, 1).Data, normals(6, 8, 1).Data
			dr, df := make([]float64, 11), make([]float64, 8)
			f := func() float64 { return CriticLoss(d, clamp, real, fake, dr, df) }
			f()
			checkGradients(t, fmt.Sprintf("%v of scores", d), 1, f, 100, gradcheck.Part{Name: "real", Value: real, Grad: slices.Clone(dr)},
				gradcheck.Part{Name: "fake", Value: fake, Grad: slices.Clone(df)})
			for _, o := range []GeneratorObjective{Trick, Saddle} {
				g := func() float64 { return GeneratorLoss(d, o, clamp, fake, df) }
				g()
				checkGradients(t, fmt.Sprintf("%v of scores", d), 1, g, 100, gradcheck.Part{Name: "fake", Value: fake, Grad: slices.Clone(df)})
			}
		}
	}
}

// The gradient a critic learns from, spectral normalisation included, with the singular vectors held where the
// power iteration has converged.
func TestCriticGradients(t *testing.T) {
	for _, spectral := range []bool{false, true} {
		c := NewCritic[float64](CriticSpec{In: 3, Widths: []int{8, 5}, SpectralNorm: spectral, Init: nn.Initialisation{Scale: 0.5, Biases: true}}, 1, 12, 5)
		real, fake := normals(19, 12, 3), normals(20, 12, 3)
		settle := func() {
			for range 60 {
				c.refresh()
			}
		}
		for _, d := range divergences() {
			settle()
			f := func() float64 {
				if spectral {
					settle()
				}
				clear(c.chunks[0].grad)
				return c.learn(0, d, Clamp{}, real, fake, 12)
			}
			f()
			c.pullBack(c.chunks[0].grad)
			grad := slices.Clone(c.chunks[0].grad)
			name := fmt.Sprintf("critic, %v", d)
			if spectral {
				name += ", spectral norm"
			}
			checkGradients(t, name, 3, f, 20, gradcheck.Part{Name: "weights", Value: c.raw, Grad: grad})
			dfake := newMatrix[float64](12, 3)
			g := func() float64 {
				clear(dfake.Data)
				return c.judge(0, d, Trick, Clamp{}, fake, dfake, 12)
			}
			g()
			checkGradients(t, name, 3, g, 40, gradcheck.Part{Name: "fake", Value: fake.Data, Grad: slices.Clone(dfake.Data)})
		}
	}
}

// stepCase is the network and the data of one dimension: an invertible network with
// D/3 observed columns, for maximum likelihood a conditional flow.
func stepCase(t *testing.T, loss Loss, dim, rows int) (shape, *surrogate.Flow[float64], *batch[float64]) {
	t.Helper()
	s := shape{ny: dim / 3, dim: dim}
	s.nx = dim - s.ny
	f := testFlow[float64](t, dim, 0, nil)
	if loss == LossMaximumLikelihood {
		s = shape{nx: dim, ny: 2, dim: dim, conditional: true}
		f = testFlow[float64](t, dim, 2, nil)
	}
	rng := rand.New(rand.NewPCG(5, uint64(dim)))
	for i := range f.Params() { // so that blocks of one number see gradients too
		f.Params()[i] += 0.1 * rng.NormFloat64()
	}
	f.Refresh()
	return s, f, &batch[float64]{rows: make([]int, rows), x: normals(5, rows, s.nx).Data, y: normals(6, rows, s.ny).Data}
}

// The gradient of a whole step, through losses, flow and critic, against central differences of its total.
func TestStepGradients(t *testing.T) {
	pool := NewPool(2)
	defer pool.Close()
	for _, loss := range Losses() {
		for _, direction := range []string{"inverse", "forward"} {
			_, adversarial := loss.Divergence()
			if !adversarial && direction == "forward" {
				continue
			}
			name := "step, " + string(loss)
			if adversarial {
				name += ", " + direction
			}
			dims := []int{1, 2, 5, 12}
			if testing.Short() {
				dims = []int{5}
			}
			for _, dim := range dims {
				for _, generator := range []string{"trick", "saddle"} {
					if adversarial || generator == "trick" {
						stepGradient(t, pool, name, loss, direction, generator, dim)
					}
				}
			}
		}
	}
}

func stepGradient(t *testing.T, pool *Pool, name string, loss Loss, direction, generator string, dim int) {
	t.Helper()
	const rows = 12
	s, f, b := stepCase(t, loss, dim, rows)
	o := smallOptions(loss)
	o.BatchSize, o.Direction, o.Generator, o.Blur, o.Scaling = rows, direction, generator, 2, 0.7
	o.PriorTerm, o.PriorWeight, o.PriorSigma = "paired_normal", 0.5, []float64{0.5}
	if direction == "forward" {
		o.FitWeight, o.PadNoise = 3, 0.1
	}
	if generator == "saddle" {
		o.Clamp, o.SpectralNorm, o.CriticSteps = "corrected", true, 2
	}
	tr := newTrainer(f, s, o, pool, 0)
	if p, ok := tr.objective.(*supervised[float64]); ok && p.sinkhorn != nil {
		p.sinkhorn.polish = 60
	}
	if a, ok := tr.objective.(*adversarial[float64]); ok { // steps turn its singular vectors: let them settle
		for range 300 {
			a.critic.refresh()
		}
	}
	total := func() float64 {
		terms, err := tr.objective.step(b, randomness{seed: 1, purpose: streamNoise, index: 3}, 0) // a rate of zero leaves the critic alone
		if err != nil {
			t.Fatal(err)
		}
		return terms.Total
	}
	total()
	grad := make([]float64, len(f.Params()))
	for _, g := range tr.adam.grads {
		nn.Add(grad, g)
	}
	checkGradients(t, name, dim, total, 16, gradcheck.Part{Name: "weights", Value: f.Params(), Grad: grad})
}

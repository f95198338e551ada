package train

import (
	"context"
	"errors"
	"fmt"
	"math"

	"oceaninv/surrogate"
	"oceaninv/surrogate/nn"
)

// Guarantee holds the terms of VINA's theorem (arXiv 2602.20480, theorem 3.1: for the class of bi-Lipschitz
// networks, posterior accuracy in Wasserstein-1 given Y in a set of positive probability), measured on held-out
// data for one trained network. The theorem's constants are not known; the report shows whether its premises
// look sound and how small its right-hand side is.
type Guarantee struct {
	Rows int `json:"rows"` // held-out rows used

	// SupervisedError is the root mean square of ŷ - y over rows and the Observed columns of y (invertible networks
	// only), so that E‖ŷ - y‖ is at most √Observed times it.
	SupervisedError float64 `json:"supervised_error"`
	Observed        int     `json:"observed"`

	// Bound is the variational lower bound of D_f(law of (z, y) ‖ law of T) on held-out data, unclamped, with a
	// critic of the training's shape fitted afresh to the training data; StrongBound the same with a wider,
	// longer trained one. CriticGap, their difference, is what the smaller critic misses (a lower bound on its
	// approximation gap, and negative if the larger one overfits).
	Divergence  string  `json:"divergence"`
	Bound       float64 `json:"bound"`
	StrongBound float64 `json:"strong_bound"`
	CriticGap   float64 `json:"critic_gap"`

	// Largest local expansion, the spectral norm of the Jacobian: of T at held-out points, of T⁻¹ at their images and
	// at as many points (z, y) that are sampled from. They are empirical bi-Lipschitz constants, lower bounds of the
	// true ones. Of a conditional flow they are those of x ↦ T(x; y) and its inverse.
	Lipschitz        float64 `json:"lipschitz"`
	InverseLipschitz float64 `json:"inverse_lipschitz"`

	// Moments E‖·‖^Order of T's input, of its output, and of what the output should be distributed as.
	Order        float64 `json:"order"`
	InputMoment  float64 `json:"input_moment"`
	OutputMoment float64 `json:"output_moment"`
	BaseMoment   float64 `json:"base_moment"`
}

// GuaranteeOptions sets up [Measure].
type GuaranteeOptions struct {
	Divergence   string  `hcl:"divergence,optional" json:"divergence"`
	Rows         int     `hcl:"rows,optional" json:"rows"`                   // at most this many of either data
	CriticHidden int     `hcl:"critic_hidden,optional" json:"critic_hidden"` // of the critic like the training's
	CriticLayers int     `hcl:"critic_layers,optional" json:"critic_layers"`
	StrongHidden int     `hcl:"strong_hidden,optional" json:"strong_hidden"`
	StrongLayers int     `hcl:"strong_layers,optional" json:"strong_layers"`
	Steps        int     `hcl:"steps,optional" json:"steps"`   // of each critic; the strong one takes twice as many
	Points       int     `hcl:"points,optional" json:"points"` // at which expansion is measured
	Order        float64 `hcl:"order,optional" json:"order"`   // 1+a of the moments
	PadNoise     float64 `json:"pad_noise"`                    // of the network's training
	Seed         uint64  `hcl:"seed,optional" json:"seed"`
	Base         BaseLaw `json:"base"` // of the latent part
}

// DefaultGuarantee compares the authors' critic with one of three layers of 256, on up to 8192 rows.
func DefaultGuarantee() GuaranteeOptions {
	return GuaranteeOptions{Divergence: "jsd", Rows: 8192, CriticHidden: 64, CriticLayers: 2, StrongHidden: 256,
		StrongLayers: 3, Steps: 1000, Points: 64, Order: 2, PadNoise: 0.05, Seed: 42}
}

// Validate returns every mistake in the options, each an [*OptionError], joined.
func (o GuaranteeOptions) Validate() error {
	c := &checker{}
	_, err := ParseDivergence(o.Divergence)
	c.check(err == nil, "divergence", "%v", err)
	for _, v := range []struct {
		path  string
		value int
	}{{"rows", o.Rows}, {"critic_hidden", o.CriticHidden}, {"critic_layers", o.CriticLayers},
		{"strong_hidden", o.StrongHidden}, {"strong_layers", o.StrongLayers}, {"steps", o.Steps}, {"points", o.Points}} {
		c.check(v.value >= 1, v.path, "must be at least 1, is %d", v.value)
	}
	c.check(o.Order > 1 && !math.IsInf(o.Order, 0), "order", "must exceed 1, is %v", o.Order)
	c.notNegative("pad_noise", o.PadNoise)
	return errors.Join(c.errs...)
}

// Measure evaluates the terms of the guarantee for a trained flow. A flow without condition is taken as an
// invertible network of (x, y), or of x alone if the data has no y; one with a condition as q(x | y). Critics are
// fitted on training and judged on heldOut.
func Measure[T nn.Float](ctx context.Context, f *surrogate.Flow[T], training, heldOut Dataset[T], o GuaranteeOptions) (*Guarantee, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	nx, ny := heldOut.Dims()
	s := shape{nx: nx, ny: ny, dim: f.Dim(), conditional: f.CondDim() > 0, base: o.Base}
	if s.conditional && f.CondDim() != ny || f.Dim() < nx || !s.conditional && f.Dim() <= ny {
		return nil, &OptionError{Path: "flow", Problem: fmt.Sprintf("of dimension %d with condition %d does not fit %d and %d columns of x and y", f.Dim(), f.CondDim(), nx, ny)}
	}
	m := &measurement[T]{shape: s, flow: f, opt: o}
	m.rng.init()
	train, err := m.draw(training, 1)
	if err != nil {
		return nil, err
	}
	held, err := m.draw(heldOut, 2)
	if err != nil {
		return nil, err
	}
	g := &Guarantee{Rows: held.t.rows, Divergence: o.Divergence, Order: o.Order, Observed: ny,
		InputMoment:  moment(nn.NewMatrix(held.t.xpad, held.t.rows, s.dim), o.Order),
		OutputMoment: moment(held.fake, o.Order), BaseMoment: moment(held.real, o.Order)}
	if !s.conditional && ny > 0 {
		nz := s.nz()
		yhat, y := held.fake.Columns(nz, s.dim), held.real.Columns(nz, s.dim)
		g.SupervisedError = math.Sqrt(sumSquaredDifference(yhat, y) / float64(y.Rows*y.Cols))
	}
	if err := m.bounds(ctx, g, train, held); err != nil {
		return nil, err
	}
	g.Lipschitz, g.InverseLipschitz, err = m.expansion(held)
	return g, err
}

// measurement is what Measure works with.
type measurement[T nn.Float] struct {
	shape
	flow *surrogate.Flow[T]
	opt  GuaranteeOptions
	rng  stream
}

// joint is a sample of the two laws a critic tells apart: real is (z, y) with independent z, fake is T's output,
// for a conditional flow with y beside it.
type joint[T nn.Float] struct {
	t          *table[T]
	real, fake nn.Matrix[T]
}

func (m *measurement[T]) draw(d Dataset[T], index uint64) (*joint[T], error) {
	rows := min(m.opt.Rows, d.Len())
	if rows < 2 {
		return nil, &OptionError{Path: "data", Problem: fmt.Sprintf("has %d rows, too few to measure anything", rows)}
	}
	t := newTable[T](m.shape, rows, true)
	t.x, t.y = make([]T, rows*m.nx), make([]T, rows*m.ny)
	list := make([]int, rows)
	for i := range list {
		list[i] = i * d.Len() / rows
	}
	if err := d.Read(0, list, t.x, t.y); err != nil {
		return nil, err
	}
	m.rng.seek(m.opt.Seed, streamGuarantee, index)
	t.pad(&m.rng, m.opt.PadNoise, 0, rows)
	const share = 512
	p := m.flow.NewPass(min(share, rows))
	for from := 0; from < rows; from += share {
		if err := t.runForward(p, from, min(from+share, rows)); err != nil {
			return nil, err
		}
	}
	width := m.dim
	if m.conditional {
		width += m.ny
	}
	j := &joint[T]{t: t, real: newMatrix[T](rows, width), fake: newMatrix[T](rows, width)}
	nz := m.nz()
	for i := range rows {
		real, fake, y := j.real.Row(i), j.fake.Row(i), t.y[i*m.ny:(i+1)*m.ny]
		drawBase(m.base, &m.rng, real[:nz])
		copy(real[nz:], y)
		copy(fake, t.out[i*m.dim:(i+1)*m.dim])
		if m.conditional {
			copy(fake[nz:], y)
		}
	}
	return j, nil
}

func (m *measurement[T]) bounds(ctx context.Context, g *Guarantee, train, held *joint[T]) (err error) {
	d, err := ParseDivergence(m.opt.Divergence)
	if err != nil {
		return err
	}
	width := train.real.Cols
	small := CriticSpec{In: width, Hidden: m.opt.CriticHidden, Layers: m.opt.CriticLayers}
	strong := CriticSpec{In: width, Hidden: m.opt.StrongHidden, Layers: m.opt.StrongLayers}
	if g.Bound, err = m.bound(ctx, d, small, m.opt.Steps, train, held); err != nil {
		return err
	}
	if g.StrongBound, err = m.bound(ctx, d, strong, 2*m.opt.Steps, train, held); err != nil {
		return err
	}
	g.CriticGap = g.StrongBound - g.Bound
	return nil
}

// bound fits a critic to train and returns its bound on held. Scores are kept near ±8 while learning, where a
// hard start would overflow; the figure returned is unclamped.
func (m *measurement[T]) bound(ctx context.Context, d Divergence, spec CriticSpec, steps int, train, held *joint[T]) (float64, error) {
	rows := min(256, train.real.Rows)
	c := NewCritic[T](spec, 1, max(rows, min(512, held.real.Rows)), m.opt.Seed)
	pool := NewPool(1)
	defer pool.Close()
	adam := NewOptimiser(AdamOptions{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, ClipNorm: 1}, pool, c.raw, c.grads(), 0.99)
	clamp := Clamp{Limit: 8, Real: true, Fake: true, Tangent: true}
	real, fake := newMatrix[T](rows, spec.In), newMatrix[T](rows, spec.In)
	m.rng.seek(m.opt.Seed, streamGuarantee, 3)
	for step := range steps {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		for i := range rows {
			copy(real.Row(i), train.real.Row(m.rng.IntN(train.real.Rows)))
			copy(fake.Row(i), train.fake.Row(m.rng.IntN(train.fake.Rows)))
		}
		c.learn(0, d, clamp, real, fake, rows)
		rate := 1e-3 * 0.5 * (1 + math.Cos(math.Pi*float64(step)/float64(steps)))
		if norm, ok := adam.Step(rate); !ok {
			return 0, &DivergedError{Step: step + 1, Loss: math.NaN(), GradNorm: norm, Advice: "a critic of the guarantee diverged: try divergence = \"jsd\", whose terms grow slowest"}
		}
	}
	copy(c.raw, adam.Average())
	return heldOutBound(c, d, held), nil
}

func heldOutBound[T nn.Float](c *Critic[T], d Divergence, held *joint[T]) float64 {
	n := held.real.Rows
	real, fake := make([]T, n), make([]T, n)
	for from := 0; from < n; from += 512 {
		to := min(from+512, n)
		c.Score(0, rowRange(held.real, from, to), real[from:to])
		c.Score(0, rowRange(held.fake, from, to), fake[from:to])
	}
	return Bound(d, real, fake)
}

func moment[T nn.Float](x nn.Matrix[T], order float64) float64 {
	s := 0.0
	for i := range x.Rows {
		s += math.Pow(nn.SumSquares(x.Row(i)), order/2)
	}
	return s / float64(x.Rows)
}

// expansion is the largest spectral norm of the Jacobians of T over some held-out points, and of T⁻¹ over their
// images and over as many points of the law that T's output should have, where T⁻¹ is used; in double precision.
func (m *measurement[T]) expansion(held *joint[T]) (forward, inverse float64, err error) {
	p := surrogate.Convert[float64](m.flow).NewPass(1)
	t := held.t
	points := min(m.opt.Points, t.rows)
	at := func(row []T) []float64 {
		out := make([]float64, len(row))
		for j, v := range row {
			out[j] = float64(v)
		}
		return out
	}
	for k := range points {
		i := k * t.rows / points
		var cond []float64
		if m.conditional {
			cond = at(t.y[i*m.ny : (i+1)*m.ny])
		}
		from, to := i*m.dim, (i+1)*m.dim
		a, err := m.spectralNorm(p, p.Forward, at(t.xpad[from:to]), cond)
		if err != nil {
			return 0, 0, err
		}
		forward = max(forward, a)
		for _, u := range [...][]T{t.out[from:to], held.real.Row(i)[:m.dim]} {
			b, err := m.spectralNorm(p, p.Inverse, at(u), cond)
			if err != nil {
				return 0, 0, err
			}
			inverse = max(inverse, b)
		}
	}
	return forward, inverse, nil
}

// spectralNorm is the largest singular value of the Jacobian of run at x: power iteration on JᵀJ, with J v by
// central difference and Jᵀ u by the backward pass.
func (m *measurement[T]) spectralNorm(p *surrogate.Pass[float64], run func(x, cond []float64) ([]float64, []float64, error), x, cond []float64) (float64, error) {
	n := len(x)
	v, u, moved := make([]float64, n), make([]float64, n), make([]float64, n)
	m.rng.seek(m.opt.Seed, streamGuarantee, 4)
	fillNormal(&m.rng, v, 1)
	h := 1e-5 * (1 + math.Sqrt(nn.SumSquares(x)/float64(n)))
	sigma := 0.0
	for range 100 {
		normalise(v)
		for side, sign := range [...]float64{1, -1} {
			for j := range moved {
				moved[j] = x[j] + sign*h*v[j]
			}
			y, _, err := run(moved, cond)
			if err != nil {
				return 0, err
			}
			for j := range u {
				if side == 0 {
					u[j] = y[j] / (2 * h)
				} else {
					u[j] -= y[j] / (2 * h)
				}
			}
		}
		if _, _, err := run(x, cond); err != nil {
			return 0, err
		}
		last := sigma
		sigma = math.Sqrt(nn.SumSquares(u))
		if sigma == 0 || math.Abs(sigma-last) < 1e-6*sigma {
			break
		}
		dx, _ := p.Backward(u, nil, nil)
		copy(v, dx)
	}
	return sigma, nil
}

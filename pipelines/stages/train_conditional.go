package stages

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"oceaninv/inversion"
	"oceaninv/inversion/amortized"
	"oceaninv/inversion/matchedfield"
	"oceaninv/surrogate"
	"oceaninv/surrogate/train"
	"oceaninv/workflow/stage"
)

// conditionalSpec sets up a conditional flow q(x | y).
type conditionalSpec struct {
	// NoiseDraws is how many observations each sample is seen with: its own, and
	// others with fresh noise.
	NoiseDraws int                   `hcl:"noise_draws,optional" json:"noise_draws"`
	Features   inversion.FeatureForm `hcl:"features,optional" json:"features"`
	// MatchedField conditions on summaries against a table of replicas; without
	// it the flow sees the features themselves.
	MatchedField *matchedFieldSpec `hcl:"matched_field,block" json:"matched_field,omitempty"`
}

type matchedFieldSpec struct {
	Points       []int     `hcl:"points" json:"points"` // of the lattice, per parameter
	Temperatures []float64 `hcl:"temperatures,optional" json:"temperatures"`
}

func (c *conditionalSpec) defaults() (surrogate.FlowSpec, train.Options) {
	if c.NoiseDraws == 0 {
		c.NoiseDraws = 4
	}
	if c.Features == "" {
		c.Features = inversion.AbsoluteField
	}
	if m := c.MatchedField; m != nil && len(m.Temperatures) == 0 {
		m.Temperatures = matchedfield.DefaultTemperatures()
	}
	f := surrogate.DefaultFlow()
	f.Coupling, f.Blocks, f.ZeroLast = "spline", 4, true
	f.SplineBound, f.Permutation = 4, "rotation"
	o := train.DefaultOptions(train.LossMaximumLikelihood)
	o.Epochs, o.LearningRate, o.Schedule, o.WarmupSteps, o.ClipNorm, o.Patience = 30, 1e-3, "cosine", 100, 5, 8
	return f, o
}

const (
	// mostNoiseDraws of a field: each is a row of the training set.
	mostNoiseDraws = 1000
	// mostReplicaValues of a table, in single precision: 4 GB.
	mostReplicaValues = 1 << 30
)

// size is how many numbers the table of replicas holds.
func (m *matchedFieldSpec) size(p *inversion.Problem) float64 {
	size := float64(inversion.FeatureSize(inversion.AbsoluteField, p.Receivers(), len(p.Frequencies)))
	for _, n := range m.Points {
		size *= float64(n)
	}
	return size
}

// check reports what does not fit the problem.
func (c *conditionalSpec) check(d *stage.Decoder, p *inversion.Problem) {
	checkFeatures(d, "conditional.features", c.Features)
	if c.NoiseDraws < 1 || c.NoiseDraws > mostNoiseDraws {
		d.Errorf("conditional.noise_draws", "Unsuitable number", "noise_draws = %d: give 1 to %d observations of each field.", c.NoiseDraws, mostNoiseDraws)
	}
	m := c.MatchedField
	if m == nil {
		return
	}
	if len(m.Points) != len(p.Parameters) {
		d.Errorf("conditional.matched_field.points", "Wrong number of axes",
			"points has %d values, the problem %d parameters: give the lattice's points for each.", len(m.Points), len(p.Parameters))
	}
	for i, n := range m.Points {
		if n < 2 {
			d.Errorf("conditional.matched_field.points", "Too few points", "points[%d] = %d: at least 2 are needed.", i, n)
		}
	}
	if size := m.size(p); size > mostReplicaValues {
		d.Errorf("conditional.matched_field.points", "Too many points",
			"A table of %v points holds %.3g numbers: more than %.3g do not fit in memory.", m.Points, size, float64(mostReplicaValues))
	}
	if c.Features != inversion.AbsoluteField || p.Likelihood != inversion.KnownSource {
		d.Errorf("conditional.matched_field", "Matched field needs a known source",
			"The replicas are compared with the absolute field; use features = %q and likelihood = %q, or leave the block out.",
			inversion.AbsoluteField, inversion.KnownSource)
	}
}

// checkFeatures reports a form of features that does not exist.
func checkFeatures(d *stage.Decoder, path string, f inversion.FeatureForm) {
	if !slices.Contains(inversion.FeatureForms(), f) {
		d.Errorf(path, "Unknown features", "%q is not a form of features; choose one of %q.", f, inversion.FeatureForms())
	}
}

func (s *trainStage) trainConditional(ctx context.Context, ws *stage.Workspace, data *samples) (amortized.Estimator, architecture, *train.Result, error) {
	c := s.Conditional
	arch := architecture{Kind: kindConditional, Form: c.Features}
	prior := data.prior
	e := &amortized.Conditional{Prior: prior, Form: c.Features, Receivers: data.problem.Receivers(), Tones: len(data.problem.Frequencies)}
	work := &phases{ws: ws, shares: []float64{0.05, 0.95}} // summaries, training
	if m := c.MatchedField; m != nil {
		work.shares = []float64{0.1, 0.3, 0.6} // replicas, summaries, training
		arch.Temperatures, e.Temperatures = m.Temperatures, m.Temperatures
		var err error
		if e.Match, err = buildTable(ctx, work, data, prior, m.Points); err != nil {
			return nil, arch, nil, err
		}
		work.next()
	}
	rows, err := newRowFile(ws, prior.Dim(), e.ConditionSize())
	if err != nil {
		return nil, arch, nil, err
	}
	defer rows.close()
	if err := s.prepare(ctx, work, data, e, rows); err != nil {
		return nil, arch, nil, err
	}
	work.next()
	spec := s.Flow
	spec.Dim, spec.CondDim = prior.Dim(), e.ConditionSize()
	arch.Flow = spec
	flow, err := surrogate.NewFlow[float32](spec)
	if err != nil {
		return nil, arch, nil, err
	}
	training, held := rows.split(s.HeldOut, c.NoiseDraws)
	o, run := s.session(ws, work)
	result, err := train.TrainConditional(ctx, flow, training, held, o, run)
	if err != nil {
		return nil, arch, nil, err
	}
	e.Flow = surrogate.Convert[float64](flow)
	return e, arch, result, nil
}

// buildTable computes the replicas.
func buildTable(ctx context.Context, work *phases, data *samples, prior *inversion.Prior, points []int) (*matchedfield.Table, error) {
	if data.noise.Variance == nil {
		return nil, fmt.Errorf("matched-field summaries need a noise variance that is the same for all samples, not convention %q", data.problem.Noise.Convention)
	}
	p := data.problem
	variance := make([]float64, inversion.FeatureSize(inversion.AbsoluteField, p.Receivers(), len(p.Frequencies)))
	for i := range variance { // real and imaginary parts each carry half
		variance[i] = data.noise.Variance[i%len(p.Frequencies)] / 2
	}
	lattice := matchedfield.Lattice{Points: points, Theta: prior.Quantile, Zeta: func(zeta, theta []float64) { amortized.Unbounded(prior, zeta, theta) }}
	return matchedfield.Build(ctx, lattice, variance, work.ws.Cores, func() (matchedfield.Predictor, error) {
		forward, err := p.Forward()
		if err != nil {
			return nil, err
		}
		field := make([]complex128, p.DataSize())
		return func(features, theta []float64) error {
			if err := forward.Predict(field, theta); err != nil {
				return err
			}
			inversion.Features(features, inversion.AbsoluteField, field, len(p.Frequencies))
			return nil
		}, nil
	}, func(done, total int) {
		work.report(done, total, fmt.Sprintf("%d of %d replicas", done, total))
	})
}

// prepare computes what the flow is trained on, sample by sample on all cores:
// the parameters x in unbounded coordinates and the conditions y, [sample·replicate],
// both standardised.
func (s *trainStage) prepare(ctx context.Context, work *phases, data *samples, e *amortized.Conditional, rows *rowFile) error {
	if e.Match == nil {
		zeta, moments := make([]float64, rows.nx), surrogate.NewMoments(rows.nx)
		err := data.blocks(ctx, func(from, to int) error {
			for i := from; i < to; i++ {
				amortized.Unbounded(e.Prior, zeta, data.theta(i))
				if err := moments.Add(zeta); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		e.Zeta = moments.Standardizer()
	}
	reps := s.Conditional.NoiseDraws
	x, y := make([]float64, data.block*reps*rows.nx), make([]float64, data.block*reps*rows.ny)
	err := data.blocks(ctx, func(from, to int) error {
		if err := s.summarise(ctx, work.ws, data, e, summaries{rows.nx, rows.ny, from, to, x, y}); err != nil {
			return err
		}
		work.report(to, data.n, fmt.Sprintf("%d of %d summaries", to, data.n))
		n := (to - from) * reps
		return rows.add(x[:n*rows.nx], y[:n*rows.ny])
	})
	if err != nil {
		return err
	}
	e.Condition = rows.y.Standardizer()
	return rows.standardise(surrogate.Identity(rows.nx), e.Condition)
}

// summaries are the rows of the samples [from, to).
type summaries struct {
	nx, ny   int
	from, to int
	x, y     []float64
}

// summarise fills in rows on all cores.
func (s *trainStage) summarise(ctx context.Context, ws *stage.Workspace, data *samples, e *amortized.Conditional, b summaries) error {
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range ws.Cores {
		g.Go(func() error {
			session, field := e.NewSession(), make([]complex128, data.problem.DataSize())
			for {
				i := b.from + int(next.Add(1)) - 1
				if i >= b.to || ctx.Err() != nil {
					return ctx.Err()
				}
				for r := range s.Conditional.NoiseDraws {
					k := (i-b.from)*s.Conditional.NoiseDraws + r
					data.observed(field, i, r, s.Seed)
					session.Prepare(b.x[k*b.nx:(k+1)*b.nx], b.y[k*b.ny:(k+1)*b.ny], data.theta(i), field)
				}
			}
		})
	}
	return g.Wait()
}

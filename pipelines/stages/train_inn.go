package stages

import (
	"context"

	"oceaninv/inversion"
	"oceaninv/inversion/amortized"
	"oceaninv/surrogate"
	"oceaninv/surrogate/train"
	"oceaninv/workflow/stage"
)

// innSpec sets up the paper's invertible network T(x, padding) → (z, y).
type innSpec struct {
	Loss train.Loss `hcl:"loss,optional" json:"loss"`
	// Latent is the width n_z of z.
	Latent int `hcl:"latent,optional" json:"latent"`
	// NoiseInX puts the noise beside the parameters in x, so that y is a function
	// of x: on for the losses that fit y, off for the divergences, as in the paper.
	NoiseInX *bool `hcl:"noise_in_x,optional" json:"noise_in_x"`
	// Bounded takes the parameters in unbounded coordinates, so that no draw
	// leaves the prior.
	Bounded  *bool                 `hcl:"bounded,optional" json:"bounded"`
	Variant  variant               `hcl:"variant,optional" json:"variant"`
	Features inversion.FeatureForm `hcl:"features,optional" json:"features"`
}

func (s *innSpec) defaults(d *stage.Decoder) (surrogate.FlowSpec, train.Options) {
	if s.Loss == "" {
		s.Loss = train.LossNLL
	}
	if s.Latent == 0 {
		s.Latent = 18
	}
	if s.Variant == "" {
		s.Variant = variantCorrected
	}
	if s.Features == "" {
		s.Features = inversion.AbsoluteField
	}
	s.Variant.check(d, "inn.variant")
	_, divergence := s.Loss.Divergence()
	noise, bounded := !divergence, s.Variant.bounded()
	if s.NoiseInX == nil {
		s.NoiseInX = &noise
	}
	if s.Bounded == nil {
		s.Bounded = &bounded
	}
	flow, o := surrogate.DefaultFlow(), train.DefaultOptions(s.Loss)
	s.Variant.vary(s.Loss, &flow, &o)
	return flow, o
}

// widths are the columns of x and y.
func (s *innSpec) widths(p *inversion.Problem) (nx, ny int) {
	ny = inversion.FeatureSize(s.Features, p.Receivers(), len(p.Frequencies))
	nx = len(p.Parameters)
	if *s.NoiseInX {
		nx += ny
	}
	return nx, ny
}

func (s *innSpec) check(d *stage.Decoder, p *inversion.Problem) {
	checkFeatures(d, "inn.features", s.Features)
	if d.HasErrors() {
		return
	}
	if *s.NoiseInX && s.Features != inversion.AbsoluteField {
		d.Errorf("inn.features", "Noise is not additive in these features",
			"With noise_in_x the observation must be field plus noise: use features = %q, or noise_in_x = false.", inversion.AbsoluteField)
		return
	}
	nx, ny := s.widths(p)
	if s.Latent < 1 || ny+s.Latent < nx {
		d.Errorf("inn.latent", "Latent space too small",
			"latent = %d: x has %d columns and y has %d, so at least %d are needed.", s.Latent, nx, ny, max(1, nx-ny))
	}
}

func (s *trainStage) trainINN(ctx context.Context, ws *stage.Workspace, data *samples) (amortized.Estimator, architecture, *train.Result, error) {
	c := s.INN
	nx, ny := c.widths(data.problem)
	arch := architecture{Kind: kindINN, Form: c.Features, Bounded: *c.Bounded, SamplingSlips: c.Variant.samplingSlips(c.Loss)}
	e := &amortized.INN{
		Prior: data.prior, Form: c.Features, Receivers: data.problem.Receivers(), Tones: len(data.problem.Frequencies),
		Bounded: arch.Bounded, SamplingSlips: arch.SamplingSlips,
	}
	rows, err := newRowFile(ws, nx, ny)
	if err != nil {
		return nil, arch, nil, err
	}
	defer rows.close()
	work := &phases{ws: ws, shares: []float64{0.02, 0.98}}
	if err := c.rows(ctx, data, e, rows, s.Seed); err != nil {
		return nil, arch, nil, err
	}
	work.next()
	spec := s.Flow
	spec.Dim = ny + c.Latent
	arch.Flow = spec
	flow, err := surrogate.NewFlow[float32](spec)
	if err != nil {
		return nil, arch, nil, err
	}
	training, held := rows.split(s.HeldOut, 1)
	o, run := s.session(ws, work)
	o = o.Standardised(e.X.Mean, e.X.Scale)
	result, err := train.TrainINN(ctx, flow, training, c.Variant.watch(c.Loss, held), o, run)
	if err != nil {
		return nil, arch, nil, err
	}
	e.Flow = surrogate.Convert[float64](flow)
	return e, arch, result, nil
}

// rows lays out x = [parameters, noise] and y for every sample, and standardises
// them.
func (s *innSpec) rows(ctx context.Context, data *samples, e *amortized.INN, rows *rowFile, seed uint64) error {
	tones, d := len(data.problem.Frequencies), len(data.problem.Parameters)
	x, y := make([]float64, rows.nx), make([]float64, rows.ny)
	field := make([]complex128, data.problem.DataSize())
	err := data.blocks(ctx, func(from, to int) error {
		for i := from; i < to; i++ {
			data.observed(field, i, 0, seed)
			inversion.Features(y, s.Features, field, tones)
			e.Coordinates(x[:d], data.theta(i))
			if *s.NoiseInX {
				for k, v := range data.clean(i) {
					field[k] -= v
				}
				inversion.Features(x[d:], inversion.AbsoluteField, field, tones)
			}
			if err := rows.add(x, y); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	e.X, e.Y = rows.x.Standardizer(), rows.y.Standardizer()
	return rows.standardise(e.X, e.Y)
}

package stages

import (
	"context"
	"fmt"
	"math"

	"oceaninv/inversion"
	"oceaninv/inversion/reference"
	"oceaninv/io/dataset"
	"oceaninv/workflow/stage"
)

// observed is a problem with observations of it: what the posteriors of all of
// them share.
type observed struct {
	problem *inversion.Problem
	prior   *inversion.Prior
	obs     dataset.Observations
	noise   *inversion.Noise
	field   *reference.Interpolant // nil: the forward model itself
}

// loadObserved reads observations and checks that they fit the problem.
func loadObserved(p *inversion.Problem, path string) (*observed, error) {
	obs, err := dataset.ReadObservations(path)
	if err != nil {
		return nil, stage.BadInput(err)
	}
	if why := mismatch(p.Array.Depths, p.Frequencies, obs.ReceiverDepths, obs.Frequencies); why != "" {
		return nil, stage.BadInput(fmt.Errorf("the observation does not fit the problem: %s", why))
	}
	if p.Likelihood != inversion.SnapshotCovariance {
		if err := oneSnapshot(obs, fmt.Sprintf("likelihood %q", p.Likelihood)); err != nil {
			return nil, err
		}
	}
	noise, err := knownNoise(p, obs.NoiseVariance)
	if err != nil {
		return nil, err
	}
	prior, err := p.Prior()
	if err != nil {
		return nil, err
	}
	return &observed{problem: p, prior: prior, obs: obs, noise: noise}, nil
}

// oneSnapshot refuses observations of several snapshots for what takes one.
func oneSnapshot(obs dataset.Observations, what string) error {
	if obs.Snapshots > 1 {
		return stage.BadInput(fmt.Errorf("the observation has %d snapshots, %s takes one: snapshots are for problems with likelihood = %q",
			obs.Snapshots, what, inversion.SnapshotCovariance))
	}
	return nil
}

// refuseSnapshots reports, at plan time, a problem of snapshots where the field of one is
// wanted.
func refuseSnapshots(d *stage.Decoder, argument string, p any, why string) {
	if p, ok := p.(*inversion.Problem); ok && p != nil && p.Likelihood == inversion.SnapshotCovariance {
		d.Errorf(argument, "Snapshots without use", "Problem %q has likelihood %q. %s", p.Name, inversion.SnapshotCovariance, why)
	}
}

// interpolable reports whether expansions over the prior can replace the forward
// model: few parameters, and a noise level to set their tolerance by.
func (o *observed) interpolable() bool {
	return o.prior.Dim() <= reference.MaxDim && o.noise.Variance != nil
}

// interpolate replaces the forward model by expansions over the prior.
func (o *observed) interpolate(ctx context.Context, ws *stage.Workspace, options reference.InterpolantOptions) error {
	scale := make([]float64, o.problem.DataSize())
	for i := range scale {
		scale[i] = math.Sqrt(o.noise.Variance[i%o.noise.Tones])
	}
	options.Workers = ws.Cores
	ws.Progress(stage.Progress{Message: "interpolating the field over the prior"})
	field, err := reference.NewInterpolant(ctx, o.problem.Forward, o.prior, scale, options)
	o.field = field
	return err
}

// forward is the interpolated forward model where there is one, else the model
// itself; it is for one goroutine.
func (o *observed) forward() (inversion.Forward, error) {
	if o.field != nil {
		return o.field.NewForward(), nil
	}
	return o.problem.Forward()
}

// data is observation i.
func (o *observed) data(i int) []complex128 {
	m := o.obs.Size()
	return o.obs.Pressure[i*m : (i+1)*m]
}

// target is the posterior of observation i, for one goroutine.
func (o *observed) target(i int) (*inversion.PosteriorTarget, error) {
	f, err := o.forward()
	if err != nil {
		return nil, err
	}
	return o.targetOf(f, i), nil
}

// targetOf is the posterior of observation i under a forward model, for one goroutine.
func (o *observed) targetOf(f inversion.Forward, i int) *inversion.PosteriorTarget {
	return inversion.NewPosteriorTarget(o.prior, f, inversion.NewLikelihood(o.problem.Likelihood, o.noise), o.data(i))
}

// refine refines draws of observation i on one core or more. Where the field is
// interpolated, direct carries them over to the forward model itself.
func (o *observed) refine(ctx context.Context, draws *inversion.Draws, i int, direct bool, options reference.RefineOptions) (*reference.Refined, error) {
	target := func() (inversion.Target, error) { return o.target(i) }
	if o.field == nil || !direct {
		return reference.Refine(ctx, draws, target, options)
	}
	return reference.RefineThrough(ctx, draws, target, func() (inversion.Target, error) {
		f, err := o.problem.Forward()
		return o.targetOf(f, i), err
	}, options)
}

// posterior is a posterior file of these observations, with room for the draws.
func (o *observed) posterior(draws int, method string, columns []dataset.Column) (dataset.Posterior, error) {
	layout, err := layoutOf(o.problem, o.noise)
	if err != nil {
		return dataset.Posterior{}, err
	}
	n := o.obs.Len()
	out := dataset.Posterior{
		Parameters: layout.Parameters, Draws: draws, Values: make([]float64, n*draws*o.prior.Dim()),
		Truth: truthFor(layout.Parameters, o.obs), Method: method, Problem: layout.Problem,
	}
	for _, c := range columns {
		c.Values = make([]float64, n)
		if c.Unit == "" {
			c.Unit = "1"
		}
		out.Diagnostics = append(out.Diagnostics, c)
	}
	return out, nil
}

// itemSeed is the seed of item i of a stage with this seed.
func itemSeed(seed uint64, i int) uint64 {
	return inversion.Rand(seed, inversion.DrawStream, i).Uint64()
}

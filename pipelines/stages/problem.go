package stages

import (
	"encoding/json"
	"errors"
	"math"
	"math/cmplx"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"oceaninv/acoustics"
	"oceaninv/acoustics/modes"
	"oceaninv/inversion"
	"oceaninv/io/dataset"
	"oceaninv/workflow/stage"
)

// problemBlock is an inversion.Problem with the ocean that the block refers to.
type problemBlock struct {
	Environment hcl.Expression `hcl:"environment"`
	inversion.Problem
}

// problemDefinition is `problem "x" { … }`: what is known of an experiment, what
// is not, and the noise.
func problemDefinition() stage.Definition {
	return stage.Definition{
		Name: "problem",
		Doc:  "an inverse problem: ocean, source, array, tones, unknown parameters with their priors, and noise",
		Decode: func(d *stage.Decoder) any {
			p := decodeProblem(d)
			if d.HasErrors() {
				return nil
			}
			checkProblem(d, p)
			return p
		},
	}
}

func decodeProblem(d *stage.Decoder) *inversion.Problem {
	var ocean struct {
		Environment hcl.Expression `hcl:"environment"`
		Rest        hcl.Body       `hcl:",remain"`
	}
	d.Decode(&ocean)
	p := inversion.DefaultProblem()
	p.Name = d.Name
	usual := p.Noise.SNR
	p.Noise.SNR = math.NaN() // not given
	if d.HasErrors() {
		return &p
	}
	rest := *d
	rest.Body = ocean.Rest
	rest.Decode(&p)
	d.Report(rest.Diagnostics()...)
	if math.IsNaN(p.Noise.SNR) {
		if p.Noise.NeedsSNR() && !d.HasErrors() {
			d.Errorf("noise", "No signal-to-noise ratio", "noise has no snr: say how many dB the signal stands above the noise, snr = %g for instance.", usual)
		}
		p.Noise.SNR = usual
	}
	d.Convert(ocean.Environment, &p.Environment)
	return &p
}

// checkProblem reports all that the science finds wrong with the problem, down to
// a tone at which no mode propagates.
func checkProblem(d *stage.Decoder, p *inversion.Problem) {
	if err := p.Validate(); err != nil {
		report(d, err)
		return
	}
	forward, err := p.Forward()
	if err != nil {
		report(d, err)
		return
	}
	prior, err := p.Prior()
	if err != nil {
		report(d, err)
		return
	}
	theta := make([]float64, prior.Dim())
	for i := range theta {
		theta[i] = 0.5
	}
	prior.Quantile(theta, theta)
	field := make([]complex128, p.DataSize())
	if err := forward.Predict(field, theta); err != nil {
		report(d, err)
		return
	}
	for f, hz := range p.Frequencies {
		silent := true
		for phone := range p.Array.Depths {
			silent = silent && cmplx.Abs(field[phone*len(p.Frequencies)+f]) < leastPressure
		}
		if silent {
			d.Errorf("receivers.range", "Nothing is heard",
				"The pressure of the tone of %g Hz is 0 at every phone: bring them nearer, or below the surface.", hz)
		}
	}
}

// leastPressure is the least pressure, re that at 1 m, whose square is a normal number.
const leastPressure = 1e-150

// report turns the errors of a science package, joined or not, into diagnostics
// at the places they name.
func report(d *stage.Decoder, err error) {
	if list, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range list.Unwrap() {
			report(d, e)
		}
		return
	}
	var invalid *inversion.InvalidError
	var none modes.ErrNoModes
	var ocean acoustics.ValidationError
	var unsupported modes.ErrUnsupported
	var parameter *inversion.ParameterError
	switch {
	case errors.As(err, &invalid):
		d.Errorf(invalid.Field, "Invalid problem", "%v.", err)
	case errors.As(err, &parameter):
		path := parameter.Name
		if !strings.Contains(path, ".") {
			path = "parameter." + path
		}
		d.Errorf(path, "Invalid problem", "%v.", err)
	case errors.As(err, &unsupported):
		d.Errorf("environment", "Ocean not supported here",
			"%s: %s Real modes know fluids only: leave modes { solver } at \"auto\".", unsupported.Path, unsupported.What)
	case errors.As(err, &ocean):
		d.Errorf("environment", "Impossible ocean", "%v.", err)
	case errors.As(err, &none):
		d.Errorf("frequencies", "No propagating mode", "%v.", err)
	default:
		d.Errorf("", "Invalid problem", "%v.", err)
	}
}

// ParametersOf describes a problem's parameters for a file.
func ParametersOf(p *inversion.Problem) []dataset.Parameter {
	out := make([]dataset.Parameter, len(p.Parameters))
	for i := range p.Parameters {
		q := &p.Parameters[i]
		low, high := q.Prior.Extent()
		out[i] = dataset.Parameter{
			Name: q.Name, LongName: q.Label(), Unit: q.Unit(&p.Environment),
			Prior: string(q.Prior.Kind), Lower: low, Upper: high,
		}
	}
	return out
}

// layoutOf is what every sample of the problem holds.
func layoutOf(p *inversion.Problem, noise *inversion.Noise) (dataset.Layout, error) {
	description, err := json.Marshal(p)
	if err != nil {
		return dataset.Layout{}, err
	}
	return dataset.Layout{
		Parameters: ParametersOf(p), ReceiverDepths: p.Array.Depths, Frequencies: p.Frequencies,
		NoiseVariance: noise.Variance, Noise: true, Problem: description,
	}, nil
}

// noiseSeed is the seed of the prior draws over which a problem's noise variance
// is averaged: the variance belongs to the problem, so every stage finds the same.
const noiseSeed = 0

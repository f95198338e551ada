package stages

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/hashicorp/hcl/v2"

	"oceaninv/inversion"
	"oceaninv/inversion/reference"
	"oceaninv/io/dataset"
	"oceaninv/workflow/stage"
)

// interpolate expands the field of a problem over its prior, once for all stages that
// need it of all observations.
type interpolate struct {
	Problem inversion.Problem            `json:"problem"`
	Options reference.InterpolantOptions `json:"options"`
}

func interpolateKind() stage.Kind {
	return stage.Kind{
		Name: "interpolate", Version: 2,
		Doc:    "the field interpolated over the prior, shared by the stages that need it (up to 3 parameters)",
		Decode: decodeInterpolate,
		Load:   stage.LoadJSON[interpolate],
	}
}

func decodeInterpolate(d *stage.Decoder) stage.Spec {
	var block struct {
		Problem hcl.Expression `hcl:"problem"`
		Options hcl.Body       `hcl:",remain"`
	}
	d.Decode(&block)
	s := &interpolate{Options: reference.DefaultInterpolantOptions()}
	if d.HasErrors() {
		return s
	}
	decodeOptions(d, &optionsBlock{Body: block.Options}, &s.Options)
	if !d.Convert(block.Problem, &s.Problem) {
		return s
	}
	if i := s.Options; i.Nodes < 4 || !(i.Tolerance > 0) {
		d.Errorf("nodes", "Unsuitable interpolation", "Interpolation needs nodes of at least 4 and a positive tolerance.")
	}
	if n := len(s.Problem.Parameters); n > reference.MaxDim {
		d.Errorf("problem", "Too many parameters to interpolate", "The problem has %d parameters; interpolation takes at most %d.", n, reference.MaxDim)
	}
	switch s.Problem.Noise.Convention {
	case inversion.PerToneSample, inversion.PooledSample:
		d.Errorf("problem", "Noise that depends on the sample",
			"The tolerance is in standard deviations of the noise, which must be the same for all samples, not convention %q.", s.Problem.Noise.Convention)
	}
	return s
}

func (s *interpolate) Inputs() []stage.Input { return nil }

func (s *interpolate) Outputs() []stage.Output {
	return []stage.Output{
		{Name: "field", Type: typeInterpolation, File: "interpolation.nc", Schema: &s.Problem},
		{Name: "metrics", Type: stage.Metrics, File: "metrics.json"},
	}
}

func (s *interpolate) Resources() stage.Resources { return stage.Resources{Cores: stage.AllCores} }

func (s *interpolate) Run(ctx context.Context, ws *stage.Workspace) error {
	noise, err := knownNoise(&s.Problem, nil)
	if err != nil {
		return err
	}
	prior, err := s.Problem.Prior()
	if err != nil {
		return err
	}
	o := &observed{problem: &s.Problem, prior: prior, noise: noise}
	if err := o.interpolate(ctx, ws, s.Options); err != nil {
		return err
	}
	description, err := json.Marshal(&s.Problem)
	if err != nil {
		return err
	}
	e := o.field.Expansion()
	if err := dataset.WriteInterpolation(ws.Output("field"), dataset.Interpolation{
		Parameters: ParametersOf(&s.Problem), Problem: description, Low: e.Low, High: e.High, Nodes: e.Nodes, Scale: e.Scale, Parts: e.Parts,
		PanelLow: e.PanelLow, PanelHigh: e.PanelHigh, Axis: e.Axis, Child: e.Child, Cut: e.Cut, Coefficients: e.Coefficients,
		Solves: e.Solves, Unresolved: e.Unresolved, Rough: e.Rough, Error: e.Error, RMSError: e.RMSError,
	}); err != nil {
		return err
	}
	return stage.WriteMetrics(ws.Output("metrics"), interpolationMetrics(o.field))
}

// interpolationMetrics say how good an interpolated field is.
func interpolationMetrics(field *reference.Interpolant) []stage.Metric {
	return []stage.Metric{
		{Name: "interpolation_error", Value: field.Error,
			Sentence: "Largest error of the interpolated field at check points, in standard deviations of the noise; it is found where a mode enters or leaves the window of phase speeds, for there the field jumps."},
		{Name: "interpolation_rms_error", Value: field.RMSError,
			Sentence: "Root mean square error of the interpolated field over check points and data, in standard deviations of the noise."},
		{Name: "interpolation_unresolved", Value: float64(field.Unresolved),
			Sentence: "Panels of the interpolation that the bound on forward solves left too coarse."},
		{Name: "interpolation_solves", Value: float64(field.Solves),
			Sentence: "Forward solves that the interpolated field took, once for all observations."},
	}
}

// sharedField is an interpolated field that another stage has made.
type sharedField struct{ input stage.Input }

// decodeSharedField reads the argument field, which excludes the block interpolation.
func decodeSharedField(d *stage.Decoder, e hcl.Expression, own *optionsBlock, p *inversion.Problem) sharedField {
	f := sharedField{d.Artifact("field", e, typeInterpolation)}
	switch {
	case !f.input.Present():
		return f
	case own != nil:
		d.Errorf("field", "Two interpolations", "Give field, or the block interpolation, not both.")
	case p == nil:
		d.Errorf("field", "Field without use", "An interpolated field is used with a problem: give problem too.")
	case p.Noise.Convention == inversion.PerToneSample, p.Noise.Convention == inversion.PooledSample:
		d.Errorf("field", "Noise that depends on the sample",
			"An interpolated field needs a noise variance that is the same for all samples, not convention %q.", p.Noise.Convention)
	}
	if of, ok := f.input.Schema.(*inversion.Problem); ok && p != nil && !d.HasErrors() && !sameField(of, p) {
		d.Errorf("field", "Field of another problem",
			"The interpolated field is of problem %q, whose ocean, array, tones or parameters are not those of %q.", of.Name, p.Name)
	}
	return f
}

// inputs adds the field to the inputs of a stage.
func (f sharedField) inputs(others ...stage.Input) []stage.Input {
	if f.input.Present() {
		return append(others, f.input)
	}
	return others
}

// sameField reports whether two problems have the same field over the same box: all but
// the name, the noise and what is known of it.
func sameField(a, b *inversion.Problem) bool {
	bare := func(p inversion.Problem) []byte {
		p.Name, p.Noise, p.Likelihood = "", inversion.DefaultProblem().Noise, ""
		text, err := json.Marshal(&p)
		if err != nil {
			return nil
		}
		return text
	}
	x := bare(*a)
	return x != nil && bytes.Equal(x, bare(*b))
}

// coarser is how much larger the noise that a shared field's tolerance was in may be
// than that of the observations.
const coarser = 1.1

// interpolation replaces the forward model by a field that another stage has made, where
// there is one, or by one made here.
func (o *observed) interpolation(ctx context.Context, ws *stage.Workspace, options reference.InterpolantOptions) error {
	if !ws.HasInput("field") {
		return o.interpolate(ctx, ws, options)
	}
	x, err := dataset.ReadInterpolation(ws.Input("field"))
	if err != nil {
		return stage.BadInput(err)
	}
	var of inversion.Problem
	if err := json.Unmarshal(x.Problem, &of); err != nil || !sameField(&of, o.problem) {
		return stage.BadInput(errors.Join(fmt.Errorf("%s: the interpolated field is of another ocean, array, tones or parameters than problem %q", ws.Input("field"), o.problem.Name), err))
	}
	e := reference.Expansion{
		Nodes: x.Nodes, Low: x.Low, High: x.High, Scale: x.Scale, Parts: x.Parts, PanelLow: x.PanelLow, PanelHigh: x.PanelHigh,
		Axis: x.Axis, Cut: x.Cut, Child: x.Child, Coefficients: x.Coefficients,
		Solves: x.Solves, Unresolved: x.Unresolved, Rough: x.Rough, Error: x.Error, RMSError: x.RMSError,
	}
	if o.field, err = e.Interpolant(); err != nil {
		return stage.BadInput(err)
	}
	for i, s := range x.Scale {
		if own := math.Sqrt(o.noise.Variance[i%o.noise.Tones]); s > coarser*own {
			return stage.BadInput(fmt.Errorf("%s: the field was interpolated for noise of %.3g, the observation's is %.3g: interpolate it for a problem with that noise",
				ws.Input("field"), s, own))
		}
	}
	return nil
}

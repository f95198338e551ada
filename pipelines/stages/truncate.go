package stages

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"oceaninv/inversion"
	"oceaninv/inversion/amortized"
	"oceaninv/io/dataset"
	"oceaninv/workflow/stage"
)

// truncation restricts the prior of a simulation to where a model's posterior of one
// observation has its mass: a further round of training around that observation.
type truncation struct {
	Quantile    float64 `json:"quantile"`
	Number      int     `json:"number"` // of the observation, from 0
	model       stage.Input
	observation stage.Input
}

type truncationBlock struct {
	Model       hcl.Expression `hcl:"model"`
	Observation hcl.Expression `hcl:"observation"`
	Number      int            `hcl:"number,optional"`
	Quantile    *float64       `hcl:"quantile,optional"`
}

// defaultQuantile is the part of the model's mass that a round gives up.
const defaultQuantile = 1e-4

func decodeTruncation(d *stage.Decoder, b *truncationBlock, p *inversion.Problem) *truncation {
	if b == nil {
		return nil
	}
	t := &truncation{Number: b.Number, Quantile: defaultQuantile}
	if b.Quantile != nil {
		t.Quantile = *b.Quantile
	}
	t.model = d.Artifact("model", b.Model, typeModel)
	t.observation = d.Artifact("observation", b.Observation, typeObservation)
	if err := amortized.CheckQuantile(t.Quantile); err != nil {
		d.Errorf("truncate.quantile", "Unsuitable quantile", "quantile = %v: it is the part of the model's mass that the round gives up.", err)
	}
	if t.Number < 0 {
		d.Errorf("truncate.number", "Negative number", "number = %d: observations are numbered from 0.", t.Number)
	}
	refuseSnapshots(d, "problem", p, networksSee)
	if m, ok := t.model.Schema.(*inversion.Problem); ok {
		if why := otherUnknowns(m, p); why != "" {
			d.Report(t.model.Problem("Model of another problem", why))
		}
	}
	if o, ok := t.observation.Schema.(*inversion.Problem); ok {
		if why := mismatch(p.Array.Depths, p.Frequencies, o.Array.Depths, o.Frequencies); why != "" {
			d.Report(t.observation.Problem("Observation does not fit the problem", why))
		}
	}
	return t
}

// otherUnknowns says how a model's problem differs from one that its posterior is to be a
// proposal for, "" if it does not.
func otherUnknowns(m, p *inversion.Problem) string {
	if why := mismatch(m.Array.Depths, m.Frequencies, p.Array.Depths, p.Frequencies); why != "" {
		return why
	}
	if fmt.Sprint(m.ParameterNames()) != fmt.Sprint(p.ParameterNames()) {
		return fmt.Sprintf("the model infers %q, the problem's parameters are %q", m.ParameterNames(), p.ParameterNames())
	}
	return ""
}

// draw finds the region and so many points of the design in it.
func (t *truncation) draw(ctx context.Context, ws *stage.Workspace, s *simulate) (*amortized.Region, []float64, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	e, layout, err := readModel(ws.Input("model"))
	if err != nil {
		return nil, nil, stage.BadInput(err)
	}
	model, ok := e.(*amortized.Conditional)
	if !ok {
		return nil, nil, stage.BadInput(errors.New("truncate: this kind of model has no density; give that of a conditional flow"))
	}
	data, err := t.data(ws, layout)
	if err != nil {
		return nil, nil, err
	}
	ws.Progress(stage.Progress{Message: "finding where the model has its mass"})
	r, err := model.Region(data, t.Quantile, s.Seed, ws.Cores)
	if err != nil {
		return nil, nil, err
	}
	full, err := s.Problem.Prior()
	if err != nil {
		return nil, nil, err
	}
	design, err := inversion.NewDesign(s.Design, full.Within(r.Low, r.High), s.Seed)
	if err != nil {
		return nil, nil, err
	}
	theta, err := r.Draw(s.Samples, design, full, ws.Cores)
	if err == nil {
		ws.Log.Info(fmt.Sprintf("the truncated prior is %.3g of the prior", r.Mass))
	}
	return r, theta, err
}

// data is the observation that the round is for.
func (t *truncation) data(ws *stage.Workspace, layout dataset.Layout) ([]complex128, error) {
	obs, err := dataset.ReadObservations(ws.Input("observation"))
	if err != nil {
		return nil, stage.BadInput(err)
	}
	if t.Number >= obs.Len() {
		return nil, stage.BadInput(fmt.Errorf("truncate: observation %d is asked for, there are %d (the first is 0)", t.Number, obs.Len()))
	}
	m := obs.Size()
	obs.Pressure = obs.Pressure[t.Number*m : (t.Number+1)*m]
	if why := unsuited(layout, obs); why != "" {
		return nil, stage.BadInput(fmt.Errorf("truncate: the observation does not fit the model: %s", why))
	}
	return obs.Pressure, oneSnapshot(obs, "the model")
}

// regionOf reads the part of the prior that a file's samples are from; nil for the whole.
func regionOf(l dataset.Layout) (*amortized.Region, error) {
	if len(l.Truncation) == 0 {
		return nil, nil
	}
	r := new(amortized.Region)
	if err := json.Unmarshal(l.Truncation, r); err != nil {
		return nil, fmt.Errorf("attribute \"truncated_prior\": %w", err)
	}
	if n := len(l.Parameters); len(r.Low) != n || len(r.High) != n {
		return nil, fmt.Errorf("attribute \"truncated_prior\": bounds of %d and %d parameters, there are %d", len(r.Low), len(r.High), n)
	}
	return r, nil
}

// priorOf is the prior that a file's samples are from, as a flow sees it: that of its
// problem, within the box of the region if it was truncated.
func priorOf(p *inversion.Problem, l dataset.Layout) (*inversion.Prior, error) {
	prior, err := p.Prior()
	if err != nil {
		return nil, err
	}
	r, err := regionOf(l)
	if r == nil || err != nil {
		return prior, err
	}
	return prior.Within(r.Low, r.High), nil
}

// unsuited says why a model is not for these observations, "" if it is: other phones or
// tones, or, of a model trained around one observation, another.
func unsuited(l dataset.Layout, obs dataset.Observations) string {
	if why := mismatch(l.ReceiverDepths, l.Frequencies, obs.ReceiverDepths, obs.Frequencies); why != "" {
		return why
	}
	r, err := regionOf(l)
	if err != nil {
		return err.Error()
	}
	if r == nil {
		return ""
	}
	m := obs.Size()
	for i := range len(obs.Pressure) / m {
		if !r.SameObservation(obs.Pressure[i*m : (i+1)*m]) {
			return fmt.Sprintf("the model was trained on the prior truncated around one observation and is valid for that one only; observation %d is another: take a model that was trained on the whole prior, or train a round around this one", i)
		}
	}
	return ""
}

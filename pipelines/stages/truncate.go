package stages

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"oceaninv/inversion"
	"oceaninv/inversion/amortized"
	"oceaninv/io/dataset"
	"oceaninv/workflow/stage"
)

// truncation restricts the prior of a simulation to where a model's posterior of an
// observation has its mass: a further round of training around that observation.
type truncation struct {
	Quantile    float64 `json:"quantile"`
	model       stage.Input
	observation stage.Input
}

type truncationBlock struct {
	Model       hcl.Expression `hcl:"model"`
	Observation hcl.Expression `hcl:"observation"`
	Quantile    *float64       `hcl:"quantile,optional"`
}

// defaultQuantile is the part of the model's mass that a round gives up.
const defaultQuantile = 1e-4

func decodeTruncation(d *stage.Decoder, b *truncationBlock, p *inversion.Problem) *truncation {
	if b == nil {
		return nil
	}
	t := &truncation{Quantile: defaultQuantile}
	if b.Quantile != nil {
		t.Quantile = *b.Quantile
	}
	t.model = d.Artifact("model", b.Model, typeModel)
	t.observation = d.Artifact("observation", b.Observation, typeObservation)
	if err := amortized.CheckQuantile(t.Quantile); err != nil {
		d.Errorf("truncate.quantile", "Unsuitable quantile", "quantile = %v: it is the part of the model's mass that the round gives up.", err)
	}
	refuseSnapshots(d, "problem", p, networksSee)
	if m, ok := t.model.Schema.(*inversion.Problem); ok {
		if why := otherUnknowns(m, p); why != "" {
			d.Report(t.model.Problem("Model of another problem", why+"."))
		}
	}
	if o, ok := t.observation.Schema.(*experiment); ok {
		if why := mismatch(p.Array.Depths, p.Frequencies, o.problem.Array.Depths, o.problem.Frequencies); why != "" {
			d.Report(t.observation.Problem("Observation does not fit the problem", why))
		}
		if why := notOne(o.observations); why != "" {
			d.Report(t.observation.Problem(severalObservations, why+"."))
		}
	}
	return t
}

// severalObservations is told when the pipeline is read, or when a file of the user's is.
const severalObservations = "More than one observation"

// check is what a plan can tell of the inputs that are there already.
func (t *truncation) check(available []stage.Available, p *inversion.Problem) (diags hcl.Diagnostics) {
	at := byName(available)
	if a, ok := at["observation"]; ok {
		if obs, err := dataset.ReadObservations(a.Location); err == nil && notOne(obs.Len()) != "" {
			diags = append(diags, a.Problem(severalObservations, notOne(obs.Len())+"."))
		}
	}
	if a, ok := at["model"]; ok {
		if e, layout, err := readModel(a.Location); err == nil {
			if _, err := proposal(e, layout, p); err != nil {
				diags = append(diags, a.Problem("Unsuitable model", err.Error()+"."))
			}
		}
	}
	return diags
}

// notOne says why a round cannot be around so many observations, "" if there is one. A model
// of a further round belongs to one observation, and so do the files it is applied to.
func notOne(observations int) string {
	if observations == 1 {
		return ""
	}
	return fmt.Sprintf("a round is around one observation and these are %d: give a file with the one that matters alone", observations)
}

// proposal is the flow whose posterior can stand for that of the problem.
func proposal(e amortized.Estimator, l dataset.Layout, p *inversion.Problem) (*amortized.Conditional, error) {
	flow, ok := e.(*amortized.Conditional)
	if !ok {
		return nil, errors.New("this kind of model has no density; give that of a conditional flow")
	}
	m, err := problemOf(l.Problem)
	if err != nil {
		return nil, err
	}
	if why := otherUnknowns(m, p); why != "" {
		return nil, errors.New(why)
	}
	return flow, nil
}

// otherUnknowns says how the unknowns of a model's problem, or where they are listened to,
// differ from those of one that its posterior is to be a proposal for, "" if they do not. A
// model of a truncated prior has its problem's whole prior here: its region is another thing.
func otherUnknowns(m, p *inversion.Problem) string {
	if why := mismatch(m.Array.Depths, m.Frequencies, p.Array.Depths, p.Frequencies); why != "" {
		return why
	}
	if names := p.ParameterNames(); !slices.Equal(m.ParameterNames(), names) {
		return fmt.Sprintf("the model infers %q, the problem's parameters are %q", m.ParameterNames(), names)
	}
	for i := range p.Parameters {
		a, b := &m.Parameters[i], &p.Parameters[i]
		if !a.SameQuantity(b) {
			return fmt.Sprintf("parameter %q is the %s to the model and the %s in the problem", b.Name, quantityOf(a), quantityOf(b))
		}
		if a.Prior != b.Prior {
			return fmt.Sprintf("the model was trained for the prior %s of %q, the problem has %s", priorOfOne(a), b.Name, priorOfOne(b))
		}
	}
	same := func(a, b inversion.Correlation) bool { return slices.Equal(a.Between, b.Between) && a.Value == b.Value }
	if !slices.EqualFunc(m.Correlations, p.Correlations, same) {
		return fmt.Sprintf("the model was trained for a prior with the correlations %v, the problem has %v", m.Correlations, p.Correlations)
	}
	return ""
}

// quantityOf names what a parameter changes, and how.
func quantityOf(q *inversion.Parameter) string {
	bare := *q
	bare.Title = ""
	out := bare.Label()
	if q.KeepGradient {
		out += " (keep_gradient)"
	}
	if q.Shape != nil {
		out += fmt.Sprintf(" of shape %v", q.Shape)
	}
	return out
}

// priorOfOne is a parameter's prior as a diagnostic shows it.
func priorOfOne(q *inversion.Parameter) string {
	text, err := json.Marshal(&q.Prior)
	if err != nil {
		return fmt.Sprint(q.Prior)
	}
	return string(text)
}

// draw finds the region and so many points of the design in it.
func (t *truncation) draw(ctx context.Context, ws *stage.Workspace, s *simulate) (*amortized.Region, []float64, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	model, data, err := t.read(ws, &s.Problem)
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
	theta, err := r.Draw(ctx, amortized.Drawing{N: s.Samples, Design: design, Prior: full, Cores: ws.Cores, Progress: func(points int) {
		ws.Progress(stage.Progress{Message: "drawing from the truncated prior", Done: int64(points), Total: int64(s.Samples), Unit: "points"})
	}})
	var small *amortized.SmallRegionError
	if errors.As(err, &small) {
		err = stage.BadInput(fmt.Errorf("truncate: %w", err))
	}
	if err == nil {
		ws.Log.Info(fmt.Sprintf("the truncated prior is %.3g of the prior", r.Mass))
	}
	return r, theta, err
}

// read reads the model and the observation that the round is for, and checks that they belong
// together and to the problem.
func (t *truncation) read(ws *stage.Workspace, p *inversion.Problem) (*amortized.Conditional, []complex128, error) {
	e, layout, err := readModel(ws.Input("model"))
	if err != nil {
		return nil, nil, stage.BadInput(err)
	}
	model, err := proposal(e, layout, p)
	if err != nil {
		return nil, nil, stage.BadInput(fmt.Errorf("truncate: %s: %w", ws.Input("model"), err))
	}
	obs, err := dataset.ReadObservations(ws.Input("observation"))
	if err != nil {
		return nil, nil, stage.BadInput(err)
	}
	if why := notOne(obs.Len()); why != "" {
		return nil, nil, stage.BadInput(fmt.Errorf("truncate: %s: %s", ws.Input("observation"), why))
	}
	if why := unsuited(layout, obs, 0, 1); why != "" {
		return nil, nil, stage.BadInput(fmt.Errorf("truncate: the observation does not fit the model: %s", why))
	}
	return model, obs.Pressure, oneSnapshot(obs, "the model")
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

// unsuited says why a model is not for observations [from, to), "" if it is: other phones or
// tones, or, of a model trained around one observation, another.
func unsuited(l dataset.Layout, obs dataset.Observations, from, to int) string {
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
	own := func(i int) bool { return r.SameObservation(obs.Only(i).Pressure) }
	for i := from; i < to; i++ {
		if own(i) {
			continue
		}
		remedy := "take a model that was trained on the whole prior, or train a round around this one"
		for k := range obs.Len() {
			if own(k) {
				remedy = fmt.Sprintf("observation %d is its own: apply the model to that one alone (oceaninv infer --observation %d, or a file without the others), "+
					"and to the others one that was trained on the whole prior", k, k)
				break
			}
		}
		return fmt.Sprintf("the model was trained on the prior truncated around one observation and is valid for that one only; observation %d is another: %s", i, remedy)
	}
	return ""
}

package stages

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"github.com/hashicorp/hcl/v2"

	"oceaninv/inversion"
	"oceaninv/inversion/calibration"
	"oceaninv/inversion/kinematics"
	"oceaninv/io/dataset"
	"oceaninv/io/netcdf"
	"oceaninv/surrogate"
	"oceaninv/surrogate/train"
	"oceaninv/workflow/stage"
)

// scoreStage holds a fitted flow to what it should draw: exact posteriors of the
// robot arm, or held-out samples for a flow of x alone. It measures the terms of
// the guarantee.
type scoreStage struct {
	Seed  uint64 `json:"seed"`
	Draws int    `json:"draws"` // compared with as many held-out samples
	// Guarantee is nil where its terms are not measured.
	Guarantee *train.GuaranteeOptions `json:"guarantee"`
	model     stage.Input
	samples   stage.Input
	reference stage.Input
}

func scoreKind() stage.Kind {
	return stage.Kind{
		Name: "score", Version: 3,
		Doc:    "re-simulation error, distances to rejection samples or to held-out ones, and the terms of the guarantee, for a fitted flow",
		Decode: decodeScore,
		Load:   stage.LoadJSON[scoreStage],
	}
}

func decodeScore(d *stage.Decoder) stage.Spec {
	block := struct {
		Model     hcl.Expression `hcl:"model"`
		Samples   hcl.Expression `hcl:"samples"`
		Reference hcl.Expression `hcl:"reference,optional"`
		Draws     int            `hcl:"draws,optional"`
		Seed      uint64         `hcl:"seed,optional"`
		Guarantee *optionsBlock  `hcl:"guarantee,block"`
	}{Draws: 2000}
	d.Decode(&block)
	s := &scoreStage{Seed: block.Seed, Draws: block.Draws}
	s.model = d.Artifact("model", block.Model, typeFlow)
	s.samples = d.Artifact("samples", block.Samples, typePairs)
	s.reference = d.Artifact("reference", block.Reference, typePosterior)
	if d.HasErrors() {
		return s
	}
	if mode, ok := s.model.Schema.(train.Mode); ok && mode != train.ModeNF && !s.reference.Present() {
		d.Errorf("", "No posteriors to compare with", "A flow of mode = %q draws posteriors: give reference, such as the output of a kinematics stage.", mode)
	}
	if s.Draws < 10 {
		d.Errorf("draws", "Too few", "draws = %d: at least 10 are needed.", s.Draws)
	}
	if block.Guarantee == nil && !s.reference.Present() {
		return s
	}
	o := train.DefaultGuarantee()
	s.Guarantee = &o
	decodeOptions(d, block.Guarantee, s.Guarantee)
	for _, err := range unjoin(s.Guarantee.Validate()) {
		d.Errorf("guarantee", "Unsuitable option", "%v.", err)
	}
	return s
}

func (s *scoreStage) Inputs() []stage.Input {
	if !s.reference.Present() {
		return []stage.Input{s.model, s.samples}
	}
	return []stage.Input{s.model, s.samples, s.reference}
}

func (s *scoreStage) Outputs() []stage.Output {
	return []stage.Output{{Name: "scores", Type: typeScores, File: "scores.nc", Intermediate: true, Schema: s.model.Schema}}
}

// flowScores is what is known of one fitted flow.
type flowScores struct {
	Header fittedHeader `json:"model"`
	// HeldOutNLL is in nats; NaN for networks without a density.
	HeldOutNLL optional         `json:"held_out_nll"`
	Guarantee  *train.Guarantee `json:"guarantee"`
	RightSide  float64          `json:"right_side"`
	// SetProbability is that of the set A of observations that targets are from; NaN without targets.
	SetProbability optional `json:"set_probability"`

	targets map[string][]float64 // per-target figures by column
}

// Columns of a score file, one value per target.
const (
	missColumn       = "miss"        // mean ‖f(x̂) - y*‖ of the flow's draws
	spreadColumn     = "miss_spread" // its standard deviation
	wassersteinScore = "wasserstein"
	mmdScore         = "mmd"
	missFloor        = "miss_floor" // the same of rejection samples
	wassersteinFloor = "wasserstein_floor"
	mmdFloor         = "mmd_floor"
	sinkhornScore    = "sinkhorn" // of draws of one column
	sinkhornFloor    = "sinkhorn_floor"
)

var scoreColumns = []dataset.Column{
	{Name: missColumn, LongName: "mean distance of the hand of the flow's draws from the target"},
	{Name: spreadColumn, LongName: "standard deviation of that distance"},
	{Name: wassersteinScore, LongName: "sliced Wasserstein-1 distance of the draws to rejection samples, in prior deviations"},
	{Name: mmdScore, LongName: "squared maximum mean discrepancy of the draws to rejection samples"},
	{Name: missFloor, LongName: "mean distance of the hand of rejection samples from the target"},
	{Name: wassersteinFloor, LongName: "sliced Wasserstein-1 distance of two sets of rejection samples"},
	{Name: mmdFloor, LongName: "squared maximum mean discrepancy of two sets of rejection samples"},
	{Name: sinkhornScore, LongName: "Sinkhorn divergence of order 1, blur 0.01, of draws of one column to samples"},
	{Name: sinkhornFloor, LongName: "that of two sets of samples"},
}

// optional is a number that may be missing, NaN, which JSON writes as null.
type optional float64

func (o optional) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(o)) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(o))
}

func (o *optional) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*o = optional(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(o))
}

func (s *scoreStage) Run(ctx context.Context, ws *stage.Workspace) error {
	m, err := readFitted(ws.Input("model"))
	if err != nil {
		return stage.BadInput(err)
	}
	p, err := readPairs(ws.Input("samples"))
	if err != nil {
		return stage.BadInput(err)
	}
	out := &flowScores{Header: m.fittedHeader, HeldOutNLL: optional(math.NaN()), SetProbability: optional(math.NaN()), targets: map[string][]float64{}}
	if m.hasDensity() && p.heldOut(m.HeldOut) > 0 {
		nll, err := m.heldOutNLL(p)
		if err != nil {
			return err
		}
		out.HeldOutNLL = optional(nll)
	}
	if len(ws.Inputs("reference")) > 0 {
		err = s.scoreArm(ctx, out, m, p, ws)
	} else {
		err = s.scoreHeldOut(out, m, p)
	}
	if err != nil {
		return err
	}
	if s.Guarantee != nil {
		if err := s.guarantee(ctx, out, m, p); err != nil {
			return err
		}
	}
	return out.write(ws.Output("scores"))
}

// scoreArm compares with the exact posteriors of the robot arm, or its prior.
func (s *scoreStage) scoreArm(ctx context.Context, out *flowScores, m *fitted, p *pairs, ws *stage.Workspace) error {
	ref, err := dataset.ReadPosterior(ws.Input("reference"))
	if err != nil {
		return stage.BadInput(err)
	}
	var about armDescription
	err = json.Unmarshal([]byte(p.description), &about)
	arm := about.Arm
	if err != nil || arm.Validate() != nil || ref.Truth == nil || len(ref.Parameters) != arm.Dim() {
		return stage.BadInput(fmt.Errorf("%s and %s do not describe one robot arm: a score needs the outputs samples and reference of a kinematics stage", ws.Input("samples"), ws.Input("reference")))
	}
	if m.Mode == train.ModeNF {
		return s.scoreMarginal(out, m, arm, ref.Draws/2)
	}
	out.SetProbability = optional(about.Set.Probability)
	return s.scoreTargets(ctx, out, m, arm, &ref)
}

// scoreTargets compares posteriors target by target.
func (s *scoreStage) scoreTargets(ctx context.Context, out *flowScores, m *fitted, arm kinematics.Arm, ref *dataset.Posterior) error {
	d, n := arm.Dim(), ref.Draws/2
	var truths []float64
	for i := range ref.Len() {
		if err := ctx.Err(); err != nil {
			return err
		}
		y := make([]float64, 2)
		arm.Forward(y, ref.Truth[i*d:(i+1)*d])
		truths = append(truths, y...)
		draws, err := m.draw(n, y, inversion.Rand(s.Seed, inversion.DrawStream, i))
		if err != nil {
			return err
		}
		all := ref.Values[i*ref.Draws*d : (i+1)*ref.Draws*d]
		first, second := &inversion.Draws{D: d, Theta: all[:n*d]}, &inversion.Draws{D: d, Theta: all[n*d : 2*n*d]}
		miss := arm.Misses(draws, y)
		e := calibration.Mean(miss)
		out.add(missColumn, e.Value)
		out.add(spreadColumn, e.StdError*math.Sqrt(float64(len(miss))))
		out.add(missFloor, calibration.Mean(arm.Misses(second, y)).Value)
		s.distances(out, first, draws, arm.Sigma, wassersteinScore, mmdScore)
		s.distances(out, first, second, arm.Sigma, wassersteinFloor, mmdFloor)
	}
	return nil
}

// scoreMarginal compares the law of x alone, in as many draws as a posterior has.
func (s *scoreStage) scoreMarginal(out *flowScores, m *fitted, arm kinematics.Arm, n int) error {
	draws, err := m.draw(n, nil, inversion.Rand(s.Seed, inversion.DrawStream, 0))
	if err != nil {
		return err
	}
	prior := func(index int) *inversion.Draws {
		d, rng := inversion.NewDraws(n, arm.Dim()), inversion.Rand(s.Seed, inversion.DesignStream, index)
		for i := range n {
			arm.Draw(d.Row(i), rng)
		}
		return d
	}
	first := prior(0)
	s.distances(out, first, draws, arm.Sigma, wassersteinScore, mmdScore)
	s.distances(out, first, prior(1), arm.Sigma, wassersteinFloor, mmdFloor)
	return nil
}

// scoreHeldOut compares draws of x alone with half of the held-out samples, in their
// own units, and the two halves with each other.
func (s *scoreStage) scoreHeldOut(out *flowScores, m *fitted, p *pairs) error {
	if m.Mode != train.ModeNF {
		return stage.BadInput(fmt.Errorf("a flow of mode %q draws posteriors: give reference, such as the output of a kinematics stage", m.Mode))
	}
	d := len(m.Unknowns)
	n := min(s.Draws, p.heldOut(m.HeldOut)/2)
	if n < 1 {
		return stage.BadInput(fmt.Errorf("draws are compared with held-out samples, and none were held out: set held_out above 0"))
	}
	held := p.x[(p.n-2*n)*d:]
	first, second := &inversion.Draws{D: d, Theta: held[:n*d]}, &inversion.Draws{D: d, Theta: held[n*d:]}
	draws, err := m.draw(n, nil, inversion.Rand(s.Seed, inversion.DrawStream, 0))
	if err != nil {
		return err
	}
	unit := surrogate.Identity(d).Scale
	s.distances(out, first, draws, unit, wassersteinScore, mmdScore)
	s.distances(out, first, second, unit, wassersteinFloor, mmdFloor)
	if d == 1 {
		const blur, scaling = 0.01, 0.5 // the authors' metric of their Pareto study
		out.add(sinkhornScore, calibration.SinkhornLine(first.Theta, draws.Theta, blur, scaling))
		out.add(sinkhornFloor, calibration.SinkhornLine(first.Theta, second.Theta, blur, scaling))
	}
	return nil
}

// distances measures how far b is from a, in prior deviations.
func (s *scoreStage) distances(out *flowScores, a, b *inversion.Draws, scale []float64, wasserstein, mmd string) {
	const directions = 64
	out.add(wasserstein, calibration.SlicedWasserstein(a, b, scale, 1, directions, s.Seed).Value)
	out.add(mmd, calibration.MMD(a, b, scale, calibration.InverseMultiquadric, 0, s.Seed).Squared.Value)
}

func (a *flowScores) add(column string, v float64) { a.targets[column] = append(a.targets[column], v) }

// guarantee measures the terms of the theorem in single precision, as trained.
func (s *scoreStage) guarantee(ctx context.Context, out *flowScores, m *fitted, p *pairs) error {
	training, held, err := m.standardise(p)
	if err != nil {
		return stage.BadInput(err)
	}
	if held == nil {
		return stage.BadInput(fmt.Errorf("the guarantee is measured on held-out samples, and none were held out: set held_out above 0"))
	}
	if m.Mode == train.ModeNF {
		training, held = alone(training), alone(held)
	}
	o := *s.Guarantee
	o.PadNoise, o.Base = m.PadNoise, m.Base
	if out.Guarantee, err = train.Measure(ctx, convert32(m), training, held, o); err != nil {
		return err
	}
	out.RightSide, err = out.Guarantee.RightSide()
	return err
}

func (a *flowScores) write(path string) error {
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	t := dataset.Table{Title: "Scores of " + a.Header.Label, Index: dataset.Column{Name: "target", LongName: "number of the target"},
		Attributes: []netcdf.Attribute{netcdf.Text(scoresAttribute, string(text))}}
	for i := range a.targets[wassersteinScore] {
		t.Index.Values = append(t.Index.Values, float64(i))
	}
	for _, c := range scoreColumns {
		if c.Values = a.targets[c.Name]; c.Values != nil {
			t.Columns = append(t.Columns, c)
		}
	}
	return dataset.WriteTable(path, t)
}

const scoresAttribute = "scores"

func readScores(path string) (*flowScores, error) {
	t, err := dataset.ReadTable(path)
	if err != nil {
		return nil, err
	}
	a := &flowScores{targets: map[string][]float64{}}
	for _, c := range t.Columns {
		a.targets[c.Name] = c.Values
	}
	found := false
	for _, attribute := range t.Attributes {
		if attribute.Name == scoresAttribute {
			found = true
			if err := json.Unmarshal([]byte(attribute.Text()), a); err != nil {
				return nil, &netcdf.Error{Path: path, Err: fmt.Errorf("attribute %q: %w", scoresAttribute, err)}
			}
		}
	}
	if !found {
		return nil, &netcdf.Error{Path: path, Err: fmt.Errorf("its attribute %q is missing", scoresAttribute)}
	}
	return a, nil
}

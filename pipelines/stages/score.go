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
	"oceaninv/surrogate/train"
	"oceaninv/workflow/stage"
)

// scoreStage holds a fitted flow of the robot arm to exact posteriors, and
// measures the terms of the guarantee.
type scoreStage struct {
	Seed      uint64                 `json:"seed"`
	Guarantee train.GuaranteeOptions `json:"guarantee"`
	model     stage.Input
	samples   stage.Input
	reference stage.Input
}

func scoreKind() stage.Kind {
	return stage.Kind{
		Name: "score", Version: 1,
		Doc:    "re-simulation error, distances to rejection samples and the terms of the guarantee, for a flow of the robot arm",
		Decode: decodeScore,
		Load:   stage.LoadJSON[scoreStage],
	}
}

func decodeScore(d *stage.Decoder) stage.Spec {
	var block struct {
		Model     hcl.Expression `hcl:"model"`
		Samples   hcl.Expression `hcl:"samples"`
		Reference hcl.Expression `hcl:"reference"`
		Seed      uint64         `hcl:"seed,optional"`
		Guarantee *optionsBlock  `hcl:"guarantee,block"`
	}
	d.Decode(&block)
	s := &scoreStage{Seed: block.Seed, Guarantee: train.DefaultGuarantee()}
	s.model = d.Artifact("model", block.Model, typeFlow)
	s.samples = d.Artifact("samples", block.Samples, typePairs)
	s.reference = d.Artifact("reference", block.Reference, typePosterior)
	if d.HasErrors() {
		return s
	}
	decodeOptions(d, block.Guarantee, &s.Guarantee)
	for _, err := range unjoin(s.Guarantee.Validate()) {
		d.Errorf("guarantee", "Unsuitable option", "%v.", err)
	}
	return s
}

func (s *scoreStage) Inputs() []stage.Input { return []stage.Input{s.model, s.samples, s.reference} }

func (s *scoreStage) Outputs() []stage.Output {
	return []stage.Output{{Name: "scores", Type: typeScores, File: "scores.nc", Intermediate: true}}
}

// armScores is what is known of one fitted flow of the arm.
type armScores struct {
	Header fittedHeader `json:"model"`
	// HeldOutNLL is in nats; NaN for networks without a density.
	HeldOutNLL optional         `json:"held_out_nll"`
	Guarantee  *train.Guarantee `json:"guarantee"`
	RightSide  float64          `json:"right_side"`

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
)

var scoreColumns = []dataset.Column{
	{Name: missColumn, LongName: "mean distance of the hand of the flow's draws from the target"},
	{Name: spreadColumn, LongName: "standard deviation of that distance"},
	{Name: wassersteinScore, LongName: "sliced Wasserstein-1 distance of the draws to rejection samples, in prior deviations"},
	{Name: mmdScore, LongName: "squared maximum mean discrepancy of the draws to rejection samples"},
	{Name: missFloor, LongName: "mean distance of the hand of rejection samples from the target"},
	{Name: wassersteinFloor, LongName: "sliced Wasserstein-1 distance of two sets of rejection samples"},
	{Name: mmdFloor, LongName: "squared maximum mean discrepancy of two sets of rejection samples"},
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
	ref, err := dataset.ReadPosterior(ws.Input("reference"))
	if err != nil {
		return stage.BadInput(err)
	}
	var arm kinematics.Arm
	if err := json.Unmarshal([]byte(p.description), &arm); err != nil || arm.Validate() != nil || ref.Truth == nil || len(ref.Parameters) != arm.Dim() {
		return stage.BadInput(fmt.Errorf("%s and %s do not describe one robot arm: a score needs the outputs samples and reference of a kinematics stage", ws.Input("samples"), ws.Input("reference")))
	}
	out := &armScores{Header: m.fittedHeader, HeldOutNLL: optional(math.NaN()), targets: map[string][]float64{}}
	if m.Mode != train.ModeINN {
		nll, err := m.heldOutNLL(p)
		if err != nil {
			return err
		}
		out.HeldOutNLL = optional(nll)
	}
	if m.Mode == train.ModeNF {
		err = s.scoreMarginal(out, m, arm, p, ref.Draws/2)
	} else {
		err = s.scoreTargets(ctx, out, m, arm, &ref)
	}
	if err != nil {
		return err
	}
	if err := s.guarantee(ctx, out, m, p); err != nil {
		return err
	}
	return out.write(ws.Output("scores"))
}

// scoreTargets compares posteriors target by target.
func (s *scoreStage) scoreTargets(ctx context.Context, out *armScores, m *fitted, arm kinematics.Arm, ref *dataset.Posterior) error {
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
func (s *scoreStage) scoreMarginal(out *armScores, m *fitted, arm kinematics.Arm, p *pairs, n int) error {
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
	for _, name := range []string{missColumn, spreadColumn, missFloor} {
		out.add(name, math.NaN())
	}
	s.distances(out, first, draws, arm.Sigma, wassersteinScore, mmdScore)
	s.distances(out, first, prior(1), arm.Sigma, wassersteinFloor, mmdFloor)
	return nil
}

// distances measures how far b is from a, in prior deviations.
func (s *scoreStage) distances(out *armScores, a, b *inversion.Draws, scale []float64, wasserstein, mmd string) {
	const directions = 64
	out.add(wasserstein, calibration.SlicedWasserstein(a, b, scale, 1, directions, s.Seed).Value)
	out.add(mmd, calibration.MMD(a, b, scale, calibration.InverseMultiquadric, 0, s.Seed).Squared.Value)
}

func (a *armScores) add(column string, v float64) { a.targets[column] = append(a.targets[column], v) }

// guarantee measures the terms of the theorem in single precision, as trained.
func (s *scoreStage) guarantee(ctx context.Context, out *armScores, m *fitted, p *pairs) error {
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
	o := s.Guarantee
	o.PadNoise = m.PadNoise
	if out.Guarantee, err = train.Measure(ctx, convert32(m), training, held, o); err != nil {
		return err
	}
	out.RightSide, err = out.Guarantee.RightSide()
	return err
}

func (a *armScores) write(path string) error {
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	t := dataset.Table{Title: "Scores of " + a.Header.Label, Index: dataset.Column{Name: "target", LongName: "number of the target"},
		Attributes: []netcdf.Attribute{netcdf.Text(scoresAttribute, string(text))}}
	for _, c := range scoreColumns {
		c.Values = a.targets[c.Name]
		t.Columns = append(t.Columns, c)
	}
	for i := range t.Columns[0].Values {
		t.Index.Values = append(t.Index.Values, float64(i))
	}
	return dataset.WriteTable(path, t)
}

const scoresAttribute = "scores"

func readScores(path string) (*armScores, error) {
	t, err := dataset.ReadTable(path)
	if err != nil {
		return nil, err
	}
	a := &armScores{targets: map[string][]float64{}}
	for _, c := range t.Columns {
		a.targets[c.Name] = c.Values
	}
	for _, attribute := range t.Attributes {
		if attribute.Name == scoresAttribute {
			if err := json.Unmarshal([]byte(attribute.Text()), a); err != nil {
				return nil, &netcdf.Error{Path: path, Err: fmt.Errorf("attribute %q: %w", scoresAttribute, err)}
			}
		}
	}
	if a.Guarantee == nil {
		return nil, &netcdf.Error{Path: path, Err: fmt.Errorf("its attribute %q is missing", scoresAttribute)}
	}
	return a, nil
}

package stages

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"

	"golang.org/x/sync/errgroup"

	"oceaninv/inversion"
	"oceaninv/inversion/kinematics"
	"oceaninv/io/dataset"
	"oceaninv/surrogate/train"
	"oceaninv/workflow/stage"
)

// kinematicsStage makes pairs (configuration, position of the hand) of the robot
// arm, and the exact posteriors of some targets.
type kinematicsStage struct {
	kinematics.Arm
	Samples   int     `json:"samples"`
	Targets   int     `json:"targets"`
	Draws     int     `json:"draws"`
	Tolerance float64 `json:"tolerance"`
	Central   float64 `json:"central"`
	// Inverses is how many samples share one position of the hand; 0 draws every
	// configuration from the prior. InverseTolerance is how near to it they reach.
	Inverses         int     `json:"inverses"`
	InverseTolerance float64 `json:"inverse_tolerance"`
	// TestOnTraining takes the targets from the positions trained on.
	TestOnTraining bool   `json:"test_on_training"`
	Seed           uint64 `json:"seed"`
}

func kinematicsKind() stage.Kind {
	return stage.Kind{
		Name: "kinematics", Version: 3,
		Doc:    "configurations of a robot arm and where its hand is, with rejection samples of exact posteriors",
		Decode: decodeKinematics,
		Load:   stage.LoadJSON[kinematicsStage],
	}
}

func decodeKinematics(d *stage.Decoder) stage.Spec {
	arm := kinematics.DefaultArm()
	block := struct {
		Samples          int       `hcl:"samples"`
		Targets          int       `hcl:"targets,optional"`
		Draws            int       `hcl:"draws,optional"`
		Tolerance        float64   `hcl:"tolerance,optional"`
		Central          float64   `hcl:"central,optional"`
		Variant          variant   `hcl:"variant,optional"`
		Inverses         *int      `hcl:"inverses,optional"`
		InverseTolerance float64   `hcl:"inverse_tolerance,optional"`
		Seed             uint64    `hcl:"seed,optional"`
		Links            []float64 `hcl:"links,optional"`
		Sigma            []float64 `hcl:"sigma,optional"`
	}{Targets: 16, Draws: 300, Tolerance: 0.005, Central: 0.9, Variant: variantCorrected, InverseTolerance: 0.05, Links: arm.Links, Sigma: arm.Sigma}
	d.Decode(&block)
	s := &kinematicsStage{Arm: kinematics.Arm{Links: block.Links, Sigma: block.Sigma}, Samples: block.Samples, Targets: block.Targets,
		Draws: block.Draws, Tolerance: block.Tolerance, Central: block.Central, Seed: block.Seed,
		InverseTolerance: block.InverseTolerance}
	s.TestOnTraining, s.Inverses = block.Variant.testOnTraining()
	if d.HasErrors() {
		return s
	}
	if block.Inverses != nil {
		s.Inverses = *block.Inverses
	}
	s.checkVariant(d, block.Variant)
	if err := s.Validate(); err != nil {
		d.Errorf("", "Impossible arm", "%v.", err)
	}
	for _, v := range []struct {
		name  string
		value int
		least int
	}{{"samples", s.Samples, 100}, {"targets", s.Targets, 1}, {"draws", s.Draws, 10}} {
		if v.value < v.least {
			d.Errorf(v.name, "Too few", "%s = %d: at least %d are needed.", v.name, v.value, v.least)
		}
	}
	if !(s.Tolerance > 0) {
		d.Errorf("tolerance", "Unsuitable tolerance", "tolerance = %g: give a positive length, such as 0.005.", s.Tolerance)
	}
	if !(s.Central > 0 && s.Central <= 1) {
		d.Errorf("central", "Unsuitable fraction", "central = %g: give a probability above 0, up to 1.", s.Central)
	}
	return s
}

// checkVariant reports what is wrong with how samples share positions of the hand.
func (s *kinematicsStage) checkVariant(d *stage.Decoder, v variant) {
	v.check(d, "variant")
	if s.Inverses < 0 || s.Inverses > s.Samples {
		d.Errorf("inverses", "Unsuitable number", "inverses = %d: give 0 to draw every configuration from the prior, or how many of the %d samples share a position of the hand.", s.Inverses, s.Samples)
	}
	if positions := s.positions(); s.TestOnTraining && s.Targets > positions {
		d.Errorf("targets", "More targets than positions", "With variant = %q the targets are among the positions trained on, which are %d, fewer than targets = %d.", variantReleased, positions, s.Targets)
	}
	if !(s.InverseTolerance > 0) {
		d.Errorf("inverse_tolerance", "Unsuitable tolerance", "inverse_tolerance = %g: give a positive length, such as 0.05.", s.InverseTolerance)
	}
}

// positions is how many positions of the hand are trained on.
func (s *kinematicsStage) positions() int {
	if s.Inverses < 1 {
		return s.Samples
	}
	return (s.Samples + s.Inverses - 1) / s.Inverses
}

func (s *kinematicsStage) Inputs() []stage.Input { return nil }

func (s *kinematicsStage) Outputs() []stage.Output {
	return []stage.Output{
		{Name: "samples", Type: typePairs, File: "samples.nc", Schema: train.Shape{Rows: s.Samples, NX: s.Dim(), NY: 2}},
		{Name: "reference", Type: typePosterior, File: "reference.nc"},
	}
}

// Columns of an arm's files.
var handColumns = []string{"y1", "y2"}

func (s *kinematicsStage) unknowns() []string {
	var out []string
	for i := range s.Dim() {
		out = append(out, fmt.Sprintf("x%d", i+1))
	}
	return out
}

func (s *kinematicsStage) Run(ctx context.Context, ws *stage.Workspace) error {
	d := s.Dim()
	p := pairs{n: s.Samples, unknowns: s.unknowns(), observed: handColumns,
		x: make([]float64, s.Samples*d), y: make([]float64, s.Samples*2)}
	s.fromPrior(&p)
	a := newBox(p.y, s.Central)
	text, err := json.Marshal(armDescription{s.Arm, a})
	if err != nil {
		return err
	}
	p.description = string(text)
	if s.Inverses > 0 {
		if err := s.shareTargets(ctx, &p, a, ws.Cores); err != nil {
			return err
		}
	}
	if err := writePairs(ws.Output("samples"), "Configurations of a robot arm and where its hand is", p); err != nil {
		return err
	}
	return s.writeReference(ctx, ws, a, text)
}

// armDescription is what an arm's files say of their problem: the arm, and the set A that targets are from.
type armDescription struct {
	kinematics.Arm
	Set box `json:"set"`
}

// fromPrior draws every configuration from the prior.
func (s *kinematicsStage) fromPrior(p *pairs) {
	d := s.Dim()
	for i := range s.Samples {
		x := p.x[i*d : (i+1)*d]
		s.Draw(x, inversion.Rand(s.Seed, inversion.DesignStream, i))
		s.Forward(p.y[i*2:(i+1)*2], x)
	}
}

// shareTargets makes the samples as the authors do: so many configurations for each
// of few positions of the hand, which lie in the box, for far from it rejection takes
// forever.
func (s *kinematicsStage) shareTargets(ctx context.Context, p *pairs, a box, cores int) error {
	d := s.Dim()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(cores, 1))
	for k := range s.positions() {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			from, to := k*s.Inverses, min((k+1)*s.Inverses, s.Samples)
			y := s.target(a, make([]float64, d), inversion.Rand(s.Seed, inversion.DrawStream, s.stream(k)))
			draws, err := s.Rejection(to-from, y, s.InverseTolerance, inversion.Rand(s.Seed, inversion.ReplicateStream, k))
			if err != nil {
				return err
			}
			copy(p.x[from*d:to*d], draws.Theta)
			for i := from; i < to; i++ {
				copy(p.y[i*2:], y)
			}
			return nil
		})
	}
	return g.Wait()
}

// stream is the number of the random stream of position k: that of target k if the
// targets are positions trained on, otherwise one that no target has.
func (s *kinematicsStage) stream(k int) int {
	if s.TestOnTraining {
		return k
	}
	return s.Targets + k
}

// box is the set A of observations that the guarantee speaks of: between central
// quantiles of every coordinate.
type box struct {
	Low  [2]float64 `json:"low"`
	High [2]float64 `json:"high"`
	// Probability of A: the share of the samples in it.
	Probability float64 `json:"probability"`
}

func newBox(y []float64, central float64) box {
	var b box
	for j := range b.Low {
		var column []float64
		for i := j; i < len(y); i += 2 {
			column = append(column, y[i])
		}
		slices.Sort(column)
		tail := int((1 - central) / 2 * float64(len(column)-1))
		b.Low[j], b.High[j] = column[tail], column[len(column)-1-tail]
	}
	inside := 0
	for i := 0; i < len(y); i += 2 {
		if b.holds(y[i : i+2]) {
			inside++
		}
	}
	b.Probability = float64(inside) / float64(len(y)/2)
	return b
}

func (b box) holds(y []float64) bool {
	for j, v := range y {
		if v < b.Low[j] || v > b.High[j] {
			return false
		}
	}
	return true
}

// target draws a configuration whose hand is in the box.
func (s *kinematicsStage) target(b box, truth []float64, rng *rand.Rand) (y []float64) {
	y = make([]float64, 2)
	for {
		s.Arm.Draw(truth, rng)
		s.Forward(y, truth)
		if b.holds(y) {
			return y
		}
	}
}

// writeReference stores twice the draws asked for per target: one half to compare
// with, the other to say how far apart two exact samples are.
func (s *kinematicsStage) writeReference(ctx context.Context, ws *stage.Workspace, b box, text []byte) error {
	d, n := s.Dim(), 2*s.Draws
	out := dataset.Posterior{Draws: n, Values: make([]float64, s.Targets*n*d), Truth: make([]float64, s.Targets*d), Problem: text,
		Method: fmt.Sprintf("rejection from the prior, height exact, reach within %g", s.Tolerance)}
	for i, name := range s.unknowns() {
		unit := "radian"
		if i == 0 {
			unit = ""
		}
		out.Parameters = append(out.Parameters, dataset.Parameter{Name: name, Unit: unit, Prior: "normal", Lower: -4 * s.Sigma[i], Upper: 4 * s.Sigma[i]})
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(ws.Cores, 1))
	for i := range s.Targets {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			rng := inversion.Rand(s.Seed, inversion.DrawStream, i)
			y := s.target(b, out.Truth[i*d:(i+1)*d], rng)
			draws, err := s.Posterior(n, y, s.Tolerance, rng)
			if err != nil {
				return err
			}
			copy(out.Values[i*n*d:], draws.Theta)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return dataset.WritePosterior(ws.Output("reference"), out)
}

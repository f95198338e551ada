package stages

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"oceaninv/inversion"
	"oceaninv/io/dataset"
	"oceaninv/workflow/stage"
)

// observe simulates observations whose truth is known: at parameters that are
// given, and at draws from the prior.
type observe struct {
	Problem inversion.Problem `json:"problem"`
	Truth   [][]float64       `json:"truth"` // [observation][parameter]
	Draws   int               `json:"draws"`
	Seed    uint64            `json:"seed"`
	// Snapshots of each observation, of unknown phase; 0 observes the field itself.
	Snapshots int `json:"snapshots,omitempty"`
}

func observeKind() stage.Kind {
	return stage.Kind{
		Name: "observe", Version: 3,
		Doc:    "noisy observations at given parameters and at draws from the prior, to try an inversion on",
		Decode: decodeObserve,
		Load:   stage.LoadJSON[observe],
	}
}

func decodeObserve(d *stage.Decoder) stage.Spec {
	var block struct {
		Problem hcl.Expression `hcl:"problem"`
		Truth   hcl.Expression `hcl:"truth,optional"`
		Draws   int            `hcl:"draws,optional"`
		Seed    uint64         `hcl:"seed,optional"`
		// Snapshots has no default: a file without the dimension is another file.
		Snapshots int `hcl:"snapshots,optional"`
	}
	d.Decode(&block)
	s := &observe{Draws: block.Draws, Seed: block.Seed, Snapshots: block.Snapshots}
	if d.HasErrors() {
		return s
	}
	d.Convert(block.Problem, &s.Problem)
	var truths []map[string]float64
	d.Convert(block.Truth, &truths)
	if d.HasErrors() {
		return s
	}
	for i, t := range truths {
		s.Truth = append(s.Truth, s.truth(d, i, t))
	}
	if s.Snapshots < 0 {
		d.Errorf("snapshots", "Negative count", "snapshots = %d: give at least 1, or leave it out.", s.Snapshots)
	}
	if s.Snapshots > 0 && s.Problem.Likelihood != inversion.SnapshotCovariance {
		d.Errorf("snapshots", "Likelihood of one snapshot",
			"The problem's likelihood is %q: snapshots are for likelihood = %q.", s.Problem.Likelihood, inversion.SnapshotCovariance)
	}
	if s.Draws < 0 || len(s.Truth)+s.Draws == 0 {
		d.Errorf("draws", "No observations", "Give truth, or draws of at least 1.")
	}
	return s
}

// truth orders the named values of one observation.
func (s *observe) truth(d *stage.Decoder, index int, named map[string]float64) []float64 {
	names := s.Problem.ParameterNames()
	theta := make([]float64, len(names))
	for i, n := range names {
		v, ok := named[n]
		if !ok {
			d.Errorf("truth", "Incomplete truth", "truth[%d] lacks %q; the problem's parameters are %q.", index, n, names)
		}
		theta[i] = v
	}
	for _, n := range slices.Sorted(maps.Keys(named)) {
		if !slices.Contains(names, n) {
			d.Errorf("truth", "Unknown parameter", "truth[%d] has %q; the problem's parameters are %q.", index, n, names)
		}
	}
	if prior, err := s.Problem.Prior(); err == nil && !d.HasErrors() && !prior.Inside(theta) {
		d.Errorf("truth", "Truth outside the prior", "truth[%d] = %v has no prior probability.", index, theta)
	}
	return theta
}

func (s *observe) Inputs() []stage.Input { return nil }

func (s *observe) Outputs() []stage.Output {
	return []stage.Output{{Name: "observation", Type: typeObservation, File: "observation.nc",
		Schema: &experiment{problem: &s.Problem, observations: len(s.Truth) + s.Draws}}}
}

// experiment is what is known of observations when the pipeline is planned: their Schema.
type experiment struct {
	problem      *inversion.Problem
	observations int
}

func (s *observe) Run(ctx context.Context, ws *stage.Workspace) error {
	p := &s.Problem
	forward, err := p.Forward()
	if err != nil {
		return err
	}
	noise, err := p.ResolveNoise(forward, noiseSeed)
	if err != nil {
		return err
	}
	layout, err := layoutOf(p, noise)
	if err != nil {
		return err
	}
	prior, err := p.Prior()
	if err != nil {
		return err
	}
	n, m := len(s.Truth)+s.Draws, p.DataSize()
	o := dataset.Observations{Layout: layout, Snapshots: s.Snapshots, Truth: make([]float64, 0, n*prior.Dim())}
	o.Pressure = make([]complex128, n*o.Size())
	clean := make([]complex128, m)
	for i := range n {
		if err := ctx.Err(); err != nil {
			return err
		}
		theta, rng := make([]float64, prior.Dim()), inversion.Rand(s.Seed, inversion.ObservationStream, i)
		if i < len(s.Truth) {
			copy(theta, s.Truth[i])
		} else {
			prior.Sample(theta, rng)
		}
		if err := forward.Predict(clean, theta); err != nil {
			return fmt.Errorf("observation %d at %v: %w", i, theta, err)
		}
		for at := i * o.Size(); at < (i+1)*o.Size(); at += m {
			dst := o.Pressure[at : at+m]
			noise.Sample(dst, clean, rng)
			s.turn(clean, rng)
			for k, v := range clean {
				dst[k] += v
			}
		}
		o.Truth = append(o.Truth, theta...)
	}
	return dataset.WriteObservations(ws.Output("observation"), o)
}

// turn gives the field of a snapshot, tone by tone, a source phase of its own.
func (s *observe) turn(field []complex128, rng *rand.Rand) {
	if s.Snapshots == 0 {
		return
	}
	tones := len(s.Problem.Frequencies)
	for f := range tones {
		phase := cmplx.Rect(1, 2*math.Pi*rng.Float64())
		for i := f; i < len(field); i += tones {
			field[i] *= phase
		}
	}
}

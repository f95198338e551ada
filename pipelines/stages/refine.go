package stages

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/hashicorp/hcl/v2"

	"oceaninv/inversion"
	"oceaninv/inversion/reference"
	"oceaninv/io/dataset"
	"oceaninv/workflow/stage"
)

// refineStage turns draws of an approximate posterior into draws of the exact one:
// importance weights, and Markov chains where the weights are poor.
type refineStage struct {
	Problem       inversion.Problem            `json:"problem"`
	Options       reference.RefineOptions      `json:"options"`
	Interpolation reference.InterpolantOptions `json:"interpolation"`
	// Direct carries draws refined with an interpolated field over to the forward
	// model itself.
	Direct      bool `json:"direct"`
	posterior   stage.Input
	observation stage.Input
	field       sharedField
}

func refineKind() stage.Kind {
	return stage.Kind{
		Name: "refine", Version: 3,
		Doc:    "approximate draws refined to the exact posterior, by importance weights and Markov chains",
		Decode: decodeRefine,
		Load:   stage.LoadJSON[refineStage],
	}
}

func decodeRefine(d *stage.Decoder) stage.Spec {
	block := struct {
		Problem       hcl.Expression `hcl:"problem"`
		Posterior     hcl.Expression `hcl:"posterior"`
		Observation   hcl.Expression `hcl:"observation"`
		Field         hcl.Expression `hcl:"field,optional"`
		Interpolation *optionsBlock  `hcl:"interpolation,block"`
		Direct        bool           `hcl:"direct,optional"`
		Options       hcl.Body       `hcl:",remain"`
	}{Direct: true}
	d.Decode(&block)
	s := &refineStage{Direct: block.Direct, Options: reference.DefaultRefineOptions(), Interpolation: reference.DefaultInterpolantOptions()}
	if d.HasErrors() {
		return s
	}
	decodeOptions(d, &optionsBlock{Body: block.Options}, &s.Options)
	decodeOptions(d, block.Interpolation, &s.Interpolation)
	d.Convert(block.Problem, &s.Problem)
	s.posterior = d.Artifact("posterior", block.Posterior, typePosterior)
	s.observation = d.Artifact("observation", block.Observation, typeObservation)
	s.field = decodeSharedField(d, block.Field, block.Interpolation, &s.Problem)
	if s.Options.Draws < 2 {
		d.Errorf("draws", "Too few draws", "draws = %d: at least 2 are needed.", s.Options.Draws)
	}
	if e := s.Options.Efficiency; !(e >= 0 && e < 1) {
		d.Errorf("efficiency", "Unsuitable efficiency", "efficiency = %g: give a fraction of the draws from 0 to below 1.", e)
	}
	if s.Options.Rounds < 0 || s.Options.Moves < 0 {
		d.Errorf("rounds", "Negative count", "rounds and moves must not be negative.")
	}
	return s
}

func (s *refineStage) Inputs() []stage.Input { return s.field.inputs(s.posterior, s.observation) }

func (s *refineStage) Outputs() []stage.Output {
	return []stage.Output{
		{Name: "posterior", Type: typePosterior, File: "posterior.nc", Schema: &s.Problem},
		{Name: "metrics", Type: stage.Metrics, File: "metrics.json"},
	}
}

func (s *refineStage) Resources() stage.Resources { return stage.Resources{Cores: stage.AllCores} }

// refineColumns are the diagnostics of a refinement, per observation.
var refineColumns = []dataset.Column{
	{Name: "k_hat", LongName: "tail index of the raw importance weights; above 0.7 they are unreliable"},
	{Name: "efficiency", LongName: "effective sample size of the raw importance weights over the number of draws"},
	{Name: "adapted_k_hat", LongName: "tail index of the weights after adaptation"},
	{Name: "adapted_efficiency", LongName: "effective sample size over the number of draws after adaptation"},
	{Name: "rounds", LongName: "rounds in which the proposal was adapted"},
	{Name: "acceptance", LongName: "share of Markov-chain moves accepted"},
	{Name: "log_evidence", LongName: "logarithm of the evidence"},
	{Name: "log_evidence_error", LongName: "standard error of the logarithm of the evidence"},
	{Name: "correction_efficiency", LongName: "effective sample size over the number of draws of the weights from the interpolated field to the forward model; 0 without"},
	{Name: "warned", LongName: "1 where the refined draws may not be the posterior"},
}

func (s *refineStage) Run(ctx context.Context, ws *stage.Workspace) error {
	o, err := loadObserved(&s.Problem, ws.Input("observation"))
	if err != nil {
		return err
	}
	given, err := s.given(ws.Input("posterior"), o)
	if err != nil {
		return stage.BadInput(err)
	}
	if o.interpolable() {
		if err := o.interpolation(ctx, ws, s.Interpolation); err != nil {
			return err
		}
	}
	out, err := o.posterior(s.Options.Draws, given.Method+", refined", refineColumns)
	if err != nil {
		return err
	}
	if err := s.refine(ctx, ws, o, given, &out); err != nil {
		return err
	}
	if err := dataset.WritePosterior(ws.Output("posterior"), out); err != nil {
		return err
	}
	return stage.WriteMetrics(ws.Output("metrics"), refineMetrics(&out, given.LogProb != nil))
}

// given reads the draws to refine and checks that they are of the observations.
func (s *refineStage) given(path string, o *observed) (dataset.Posterior, error) {
	p, err := dataset.ReadPosterior(path)
	if err != nil {
		return p, err
	}
	names := s.Problem.ParameterNames()
	if p.Len() != o.obs.Len() || len(p.Parameters) != len(names) {
		return p, fmt.Errorf("%s has %d observations of %d parameters; the observations are %d, the problem's parameters %q",
			path, p.Len(), len(p.Parameters), o.obs.Len(), names)
	}
	for i, q := range p.Parameters {
		if q.Name != names[i] {
			return p, fmt.Errorf("%s infers %q where the problem has %q", path, q.Name, names[i])
		}
	}
	if p.Draws < 20 {
		return p, fmt.Errorf("%s has %d draws an observation; refinement needs at least 20", path, p.Draws)
	}
	return p, nil
}

// refine does all observations, each on one core.
func (s *refineStage) refine(ctx context.Context, ws *stage.Workspace, o *observed, given dataset.Posterior, out *dataset.Posterior) error {
	n := o.obs.Len()
	warnings := make([]string, n)
	var done atomic.Int64
	err := forEach(ctx, ws.Cores, n, func() (func(context.Context, int) error, error) {
		return func(ctx context.Context, i int) error {
			r, err := s.refineOne(ctx, o, drawsOf(given, i), i)
			if err != nil {
				return fmt.Errorf("observation %d: %w", i, err)
			}
			copy(out.Values[i*len(r.Draws.Theta):], r.Draws.Theta)
			for k, v := range refinedFigures(r) {
				out.Diagnostics[k].Values[i] = v
			}
			warnings[i] = r.Warning
			ws.Progress(stage.Progress{Done: done.Add(1), Total: int64(n), Unit: "observations"})
			return nil
		}, nil
	})
	for i, w := range warnings {
		if w != "" {
			ws.Log.Warn(fmt.Sprintf("observation %d: %s", i, w))
		}
	}
	return err
}

func (s *refineStage) refineOne(ctx context.Context, o *observed, given *inversion.Draws, i int) (*reference.Refined, error) {
	options := s.Options
	options.Seed, options.Workers = itemSeed(s.Options.Seed, i), 1
	return o.refine(ctx, given, i, s.Direct, options)
}

// refinedFigures are the values of refineColumns.
func refinedFigures(r *reference.Refined) []float64 {
	warned := 0.0
	if r.Warning != "" {
		warned = 1
	}
	return []float64{r.First.KHat, r.First.Efficiency, r.Last.KHat, r.Last.Efficiency, float64(r.Rounds), r.Acceptance,
		r.Last.LogEvidence, r.Last.LogEvidenceError, r.Correction, warned}
}

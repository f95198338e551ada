package stages

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"oceaninv/inversion"
	"oceaninv/inversion/amortized"
	"oceaninv/io/dataset"
	"oceaninv/workflow/stage"
)

// infer applies a trained model to observations.
type infer struct {
	Draws int    `json:"draws"`
	Seed  uint64 `json:"seed"`
	// Sampling is variant, as the model's variant has it, or corrected: a released
	// network sampled as it was trained.
	Sampling    string `json:"sampling"`
	model       stage.Input
	observation stage.Input
}

const samplingVariant = "variant"

func inferKind() stage.Kind {
	return stage.Kind{
		Name: "infer", Version: 5,
		Doc:    "posterior draws of a trained model for every observation",
		Decode: decodeInfer,
		Load:   stage.LoadJSON[infer],
	}
}

func decodeInfer(d *stage.Decoder) stage.Spec {
	block := struct {
		Model       hcl.Expression `hcl:"model"`
		Observation hcl.Expression `hcl:"observation"`
		Draws       int            `hcl:"draws,optional"`
		Seed        uint64         `hcl:"seed,optional"`
		Sampling    string         `hcl:"sampling,optional"`
	}{Draws: 1000, Sampling: samplingVariant}
	d.Decode(&block)
	s := &infer{Draws: block.Draws, Seed: block.Seed, Sampling: block.Sampling}
	if s.Sampling != samplingVariant && s.Sampling != string(variantCorrected) {
		d.Errorf("sampling", "Unknown sampling", "%q is not a way to sample; choose %q (as the model's variant has it) or %q.", s.Sampling, samplingVariant, variantCorrected)
	}
	s.model = d.Artifact("model", block.Model, typeModel)
	s.observation = d.Artifact("observation", block.Observation, typeObservation)
	if s.Draws < 1 {
		d.Errorf("draws", "No draws", "draws = %d: at least 1 is needed.", s.Draws)
	}
	m, ok := s.model.Schema.(*inversion.Problem)
	o := s.observed()
	refuseSnapshots(d, "observation", o, networksSee)
	if ok && o != nil {
		if why := mismatch(m.Array.Depths, m.Frequencies, o.Array.Depths, o.Frequencies); why != "" {
			d.Report(s.observation.Problem("Observation does not fit the model", why))
		}
	}
	return s
}

// networksSee is why a network refuses snapshots.
const networksSee = "A network sees the field of one snapshot: use reference or sample, or another likelihood."

func (s *infer) Inputs() []stage.Input { return []stage.Input{s.model, s.observation} }

// observed is the problem that the observations are of; nil where it is not known beforehand.
func (s *infer) observed() *inversion.Problem {
	if e, ok := s.observation.Schema.(*experiment); ok {
		return e.problem
	}
	return nil
}

func (s *infer) Outputs() []stage.Output {
	out := stage.Output{Name: "posterior", Type: typePosterior, File: "posterior.nc"}
	if p := s.observed(); p != nil {
		out.Schema = p
	}
	return []stage.Output{out}
}

func (s *infer) Resources() stage.Resources { return stage.Resources{Cores: stage.AllCores} }

func (s *infer) Run(ctx context.Context, ws *stage.Workspace) error {
	p, err := Infer(ctx, Inference{
		Model: ws.Input("model"), Observation: ws.Input("observation"),
		Draws: s.Draws, Seed: s.Seed, Cores: ws.Cores, Corrected: s.Sampling == string(variantCorrected),
		Warn: func(text string) { ws.Log.Warn(text) },
	})
	if err != nil {
		return err
	}
	return dataset.WritePosterior(ws.Output("posterior"), p)
}

// Inference says what to apply to what.
type Inference struct {
	Model, Observation string // paths of NetCDF files
	Draws              int    // per observation
	Seed               uint64
	// Only is the one observation of the file to apply the model to, from 0; nil is all.
	Only  *int
	Cores int // results do not depend on it
	// Corrected puts right the slips of a released model that are of sampling alone.
	Corrected bool
	// Warn is told of observations unlike anything the model has seen; nil is
	// silent.
	Warn func(string)
}

// typicalityColumn is the diagnostic of models without a table of replicas.
const typicalityColumn = "typicality"

// Infer draws from the model's posterior for every observation of a file, or one: its draws are
// the same, whichever are asked for with it. An
// observation file that does not fit the model is an error marked
// [stage.BadInput].
func Infer(ctx context.Context, in Inference) (dataset.Posterior, error) {
	e, layout, err := readModel(in.Model)
	if err != nil {
		return dataset.Posterior{}, stage.BadInput(err)
	}
	if inn, ok := e.(*amortized.INN); ok && in.Corrected {
		inn.SamplingSlips = amortized.SamplingSlips{}
	}
	obs, err := dataset.ReadObservations(in.Observation)
	if err != nil {
		return dataset.Posterior{}, stage.BadInput(err)
	}
	first, last := 0, obs.Len()
	if in.Only != nil {
		if first = *in.Only; first < 0 || first >= last {
			return dataset.Posterior{}, stage.BadInput(fmt.Errorf("%s has %d observations: there is no number %d, counted from 0", in.Observation, last, first))
		}
		last = first + 1
	}
	if why := unsuited(layout, obs, first, last); why != "" {
		return dataset.Posterior{}, stage.BadInput(fmt.Errorf("%s does not fit the model %s: %s", in.Observation, in.Model, why))
	}
	if err := oneSnapshot(obs, "the model"); err != nil {
		return dataset.Posterior{}, err
	}
	if in.Only != nil {
		obs = obs.Only(first)
	}
	n, d, m := obs.Len(), len(layout.Parameters), len(layout.ReceiverDepths)*len(layout.Frequencies)
	out := dataset.Posterior{
		Parameters: layout.Parameters, Draws: in.Draws, Values: make([]float64, n*in.Draws*d),
		LogProb: make([]float64, n*in.Draws), Truth: truthFor(layout.Parameters, obs), Method: "amortised", Problem: layout.Problem,
	}
	misfit := make([]float64, n)
	err = forObservations(ctx, in.Cores, n, e, func(s amortized.Sampler, i int) error {
		draws, err := s.Sample(in.Draws, obs.Pressure[i*m:(i+1)*m], inversion.Rand(in.Seed, inversion.DrawStream, first+i))
		if err != nil {
			return fmt.Errorf("observation %d: %w", first+i, err)
		}
		copy(out.Values[i*in.Draws*d:], draws.Theta)
		copy(out.LogProb[i*in.Draws:], draws.LogProb)
		misfit[i] = s.Misfit()
		return nil
	})
	if err != nil {
		return out, err
	}
	if _, density := e.(*amortized.Conditional); !density {
		out.LogProb = nil
	}
	typical, err := typicality(ctx, in.Cores, e, layout, obs)
	if err != nil {
		return out, err
	}
	warnForeign(in.Warn, misfit, typical, first)
	out.Diagnostics = []dataset.Column{{Name: "misfit", LongName: "ln(1 + chi-square per datum) of the best replica", Unit: "1", Values: misfit}}
	if typical != nil {
		out.Diagnostics = append(out.Diagnostics, dataset.Column{Name: typicalityColumn, LongName: "share of simulated experiments at least as far out", Unit: "1", Values: typical})
	}
	return out, nil
}

// forObservations runs f for every observation on the given number of cores, each
// with a sampler of its own; cores that observations leave over share their draws.
func forObservations(ctx context.Context, cores, n int, e amortized.Estimator, f func(s amortized.Sampler, i int) error) error {
	return forEach(ctx, cores, n, func() (func(context.Context, int) error, error) {
		s := e.NewSampler(max(1, cores/n))
		return func(_ context.Context, i int) error { return f(s, i) }, nil
	})
}

// mismatch says how an array or its tones differ from the model's, "" if they do
// not.
func mismatch(modelDepths, modelTones, depths, tones []float64) string {
	close := func(a, b float64) bool { return math.Abs(a-b) <= 1e-6*math.Abs(a) }
	switch {
	case !slices.EqualFunc(modelDepths, depths, close):
		return fmt.Sprintf("the model was trained for phones at %v m, the observation has %v m", modelDepths, depths)
	case !slices.EqualFunc(modelTones, tones, close):
		return fmt.Sprintf("the model was trained for tones of %v Hz, the observation has %v Hz", modelTones, tones)
	}
	return ""
}

// truthFor orders the truths of an observation file as the parameters are; nil
// unless all are known.
func truthFor(parameters []dataset.Parameter, obs dataset.Observations) []float64 {
	if obs.Truth == nil {
		return nil
	}
	w := len(obs.Parameters)
	out := make([]float64, obs.Len()*len(parameters))
	for j, p := range parameters {
		at := slices.IndexFunc(obs.Parameters, func(q dataset.Parameter) bool { return q.Name == p.Name })
		if at < 0 {
			return nil
		}
		for i := range obs.Len() {
			out[i*len(parameters)+j] = obs.Truth[i*w+at]
		}
	}
	return out
}

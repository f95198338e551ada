package stages

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"oceaninv/inversion"
	"oceaninv/inversion/calibration"
	"oceaninv/inversion/reference"
	"oceaninv/io/dataset"
	"oceaninv/io/figure"
	"oceaninv/workflow/stage"
)

// sampleStage samples the posterior of every observation by Markov chains: a
// reference where there are too many parameters for a grid, and a check of the grid
// where there are not.
type sampleStage struct {
	Problem inversion.Problem       `json:"problem"`
	Draws   int                     `json:"draws"`
	Method  sampleMethod            `json:"method"`
	Options reference.TemperOptions `json:"options"`
	// HMC are the options of methodHMC.
	HMC           reference.HMCOptions         `json:"hmc"`
	Interpolate   bool                         `json:"interpolate"`
	Interpolation reference.InterpolantOptions `json:"interpolation"`
	observation   stage.Input
	start         stage.Input // a posterior whose draws chains start from
	field         sharedField
}

// sampleMethod is how chains move.
type sampleMethod string

const (
	// methodTempering moves ensembles on a ladder of temperatures: it finds all modes
	// from the prior.
	methodTempering sampleMethod = "tempering"
	// methodHMC moves along gradients: it scales to many parameters, and stays in a
	// mode.
	methodHMC sampleMethod = "hmc"
)

func sampleKind() stage.Kind {
	return stage.Kind{
		Name: "sample", Version: 8,
		Doc:    "the posterior of every observation by Markov chains, parallel-tempered or Hamiltonian, for any number of parameters",
		Decode: decodeSample,
		Load:   stage.LoadJSON[sampleStage],
	}
}

func decodeSample(d *stage.Decoder) stage.Spec {
	block := struct {
		Problem       hcl.Expression `hcl:"problem"`
		Observation   hcl.Expression `hcl:"observation"`
		Start         hcl.Expression `hcl:"start,optional"`
		Method        string         `hcl:"method,optional"`
		Draws         int            `hcl:"draws,optional"`
		Interpolate   bool           `hcl:"interpolate,optional"`
		Field         hcl.Expression `hcl:"field,optional"`
		Interpolation *optionsBlock  `hcl:"interpolation,block"`
		HMC           *optionsBlock  `hcl:"hmc,block"`
		Options       hcl.Body       `hcl:",remain"`
	}{Draws: 2000, Interpolate: true, Method: string(methodTempering)}
	d.Decode(&block)
	s := &sampleStage{Draws: block.Draws, Method: sampleMethod(block.Method), Interpolate: block.Interpolate,
		Options: reference.DefaultTemperOptions(), HMC: reference.DefaultHMCOptions(), Interpolation: reference.DefaultInterpolantOptions()}
	if d.HasErrors() {
		return s
	}
	decodeOptions(d, block.HMC, &s.HMC)
	decodeOptions(d, &optionsBlock{Body: block.Options}, &s.Options)
	decodeOptions(d, block.Interpolation, &s.Interpolation)
	d.Convert(block.Problem, &s.Problem)
	s.observation = d.Artifact("observation", block.Observation, typeObservation)
	s.field = decodeSharedField(d, block.Field, block.Interpolation, &s.Problem)
	s.start = d.Artifact("start", block.Start, typePosterior)
	if block.HMC != nil && s.Method != methodHMC {
		d.Errorf("hmc", "Options without use", "The block hmc is for method = %q; the method is %q.", methodHMC, s.Method)
	}
	if s.field.input.Present() && !s.Interpolate {
		d.Errorf("field", "Field without use", "With interpolate = false every likelihood is a forward solve: leave out field.")
	}
	s.validate(d)
	return s
}

func (s *sampleStage) validate(d *stage.Decoder) {
	switch s.Method {
	case methodTempering:
	case methodHMC:
		s.validateHMC(d)
		return
	default:
		d.Errorf("method", "Unknown method", "%q is not a method of sampling; choose %q or %q.", s.Method, methodTempering, methodHMC)
		return
	}
	o := s.Options
	if o.Ensembles < 1 || o.Temperatures < 1 || o.Steps < 4 || o.Thin < 1 || o.BurnIn < 0 {
		d.Errorf("steps", "Too short a chain", "Give at least 1 ensemble, 1 temperature, 4 steps and a thin of 1.")
		return
	}
	if least := 2*len(s.Problem.Parameters) + 2; o.Walkers < least {
		d.Errorf("walkers", "Too few walkers", "walkers = %d: %d parameters need at least %d.", o.Walkers, len(s.Problem.Parameters), least)
	}
	if kept := o.Ensembles * o.Walkers * (o.Steps / o.Thin); s.Draws < 2 || s.Draws > kept {
		d.Errorf("draws", "Unsuitable number of draws", "draws = %d: give 2 to %d, what the chains keep.", s.Draws, kept)
	}
}

func (s *sampleStage) Inputs() []stage.Input {
	if s.start.Present() {
		return s.field.inputs(s.observation, s.start)
	}
	return s.field.inputs(s.observation)
}

func (s *sampleStage) Outputs() []stage.Output {
	return []stage.Output{
		{Name: "posterior", Type: typePosterior, File: "posterior.nc", Schema: &s.Problem},
		{Name: "metrics", Type: stage.Metrics, File: "metrics.json"},
		lineFigure("traces",
			"Paths of a few Markov chains over the posterior of the first observation; chains that have mixed look alike."),
	}
}

func (s *sampleStage) Resources() stage.Resources { return stage.Resources{Cores: stage.AllCores} }

func (s *sampleStage) Run(ctx context.Context, ws *stage.Workspace) error {
	o, err := loadObserved(&s.Problem, ws.Input("observation"))
	if err != nil {
		return err
	}
	if s.Interpolate && o.interpolable() {
		if err := o.interpolation(ctx, ws, s.Interpolation); err != nil {
			return err
		}
	}
	name, chains := "parallel tempering", s.temper
	if s.Method == methodHMC {
		name, chains = "Hamiltonian Monte Carlo", s.hamiltonian
	}
	out, err := o.posterior(s.Draws, name, s.columns())
	if err != nil {
		return err
	}
	from, err := s.starts(ws, o)
	if err != nil {
		return err
	}
	for i := range o.obs.Len() { // ensembles run side by side within an observation
		c, err := chains(ctx, ws.Cores, o, i, from(i))
		if err != nil {
			return fmt.Errorf("observation %d: %w", i, err)
		}
		if !c.Converged() {
			ws.Log.Warn(fmt.Sprintf("observation %d: chains have not converged (R-hat %.3g, effective sizes %.4g): take more steps", i, c.RHat, c.EffectiveSize))
		}
		s.record(&out, c, i)
		if i == 0 {
			if err := save(ws, "traces", s.traces(c, &out)); err != nil {
				return err
			}
		}
		ws.Progress(stage.Progress{Done: int64(i + 1), Total: int64(o.obs.Len()), Unit: "observations"})
	}
	if err := dataset.WritePosterior(ws.Output("posterior"), out); err != nil {
		return err
	}
	return stage.WriteMetrics(ws.Output("metrics"), s.metrics(&out))
}

// start sets theta to a first position of a chain.
type start func(theta []float64, rng *rand.Rand)

// starts are, per observation, the prior, or the draws of the posterior given.
func (s *sampleStage) starts(ws *stage.Workspace, o *observed) (func(i int) start, error) {
	if !ws.HasInput("start") {
		return func(int) start { return o.prior.Sample }, nil
	}
	p, err := dataset.ReadPosterior(ws.Input("start"))
	if err != nil {
		return nil, stage.BadInput(err)
	}
	if p.Len() != o.obs.Len() || len(p.Parameters) != o.prior.Dim() {
		return nil, stage.BadInput(fmt.Errorf("start: the posterior has %d observations of %d parameters; the observations are %d, the problem has %d parameters",
			p.Len(), len(p.Parameters), o.obs.Len(), o.prior.Dim()))
	}
	return func(i int) start {
		draws := drawsOf(p, i)
		return func(theta []float64, rng *rand.Rand) { copy(theta, draws.Resample(1, rng).Row(0)) }
	}, nil
}

// temper samples observation i.
func (s *sampleStage) temper(ctx context.Context, cores int, o *observed, i int, from start) (*reference.Chains, error) {
	options := s.Options
	options.Seed, options.Workers = itemSeed(s.Options.Seed, i), cores
	return reference.Temper(ctx, func() (inversion.Tempered, error) { return o.target(i) }, from, options)
}

// rHatErrorColumn begins the names of the diagnostics that hold the error of a parameter's
// R-hat.
const rHatErrorColumn = "r_hat_error_"

// columns are the diagnostics per observation: figures of the whole, then three of each
// parameter.
func (s *sampleStage) columns() []dataset.Column {
	out := []dataset.Column{
		{Name: "log_evidence", LongName: "logarithm of the evidence, by stepping stones"},
		{Name: "log_evidence_error", LongName: "standard error of the logarithm of the evidence"},
		{Name: "acceptance", LongName: "share of moves accepted"},
		{Name: "swaps", LongName: "share of exchanges between neighbouring temperatures accepted, of the pair with the fewest"},
	}
	if s.Method == methodHMC {
		out = []dataset.Column{{Name: "acceptance", LongName: "share of trajectories accepted"},
			{Name: "divergences", LongName: "trajectories whose energy was not conserved: the posterior has parts that the chains could not enter"}}
	}
	units := s.units()
	for _, n := range s.Problem.ParameterNames() {
		out = append(out,
			dataset.Column{Name: "r_hat_" + n, LongName: "rank-normalised split R-hat of " + n},
			dataset.Column{Name: rHatErrorColumn + n, LongName: "standard error of R-hat of " + n + " over " + units + "; not a number for fewer than three"},
			dataset.Column{Name: effectiveColumn + n, LongName: "independent draws that the draws of " + n + " are worth"})
	}
	return out
}

// units are what runs by itself: walkers of an ensemble move each other.
func (s *sampleStage) units() string {
	if s.Method == methodHMC {
		return "chains"
	}
	return "ensembles"
}

func (s *sampleStage) record(out *dataset.Posterior, c *reference.Chains, i int) {
	all := c.Draws()
	kept := subset(all, s.Draws, inversion.Rand(itemSeed(s.Options.Seed, i), inversion.DrawStream, 1).Perm(all.N()))
	copy(out.Values[i*len(kept.Theta):], kept.Theta)
	figures := []float64{c.LogEvidence, c.LogEvidenceError, c.Acceptance, fewest(c.Swaps)}
	if s.Method == methodHMC {
		figures = []float64{c.Acceptance, float64(c.Divergences)}
	}
	for j := range c.D {
		// A subset of n draws of chains worth m scatters as the chains do, and
		// again as n draws of them.
		worth := 1 / (1/c.EffectiveSize[j] + 1/float64(s.Draws) - 1/float64(all.N()))
		figures = append(figures, c.RHat[j], c.RHatError[j], worth)
	}
	for k, v := range figures {
		out.Diagnostics[k].Values[i] = v
	}
}

// fewest is the smallest of the shares, 1 where there is a single temperature.
func fewest(shares []float64) float64 {
	if len(shares) == 0 {
		return 1
	}
	return slices.Min(shares)
}

// shownChains is the number of chains in a figure of traces.
const shownChains = 4

// traces are those of the first observation: chains from different ensembles.
func (s *sampleStage) traces(c *reference.Chains, p *dataset.Posterior) figure.Traces {
	var out figure.Traces
	step := max(1, len(c.Theta)/shownChains)
	for j, q := range p.Parameters {
		t := figure.Trace{Label: q.LongName, Unit: q.Unit}
		if p.Truth != nil {
			t.Truth = figure.At(p.Truth[j])
		}
		for k := 0; k < len(c.Theta) && len(t.Chains) < shownChains; k += step {
			var chain []float64
			for i := j; i < len(c.Theta[k]); i += c.D {
				chain = append(chain, c.Theta[k][i])
			}
			t.Chains = append(t.Chains, chain)
		}
		out.Parameters = append(out.Parameters, t)
	}
	return out
}

// metrics sums the diagnostics up.
func (s *sampleStage) metrics(p *dataset.Posterior) []stage.Metric {
	out := []stage.Metric{estimated("acceptance", "", calibration.Mean(diagnostic(p, "acceptance")), false,
		"Mean share of moves (of the coldest chains) that were accepted.")}
	if v := diagnostic(p, "swaps"); v != nil {
		out = append(out, estimated("swaps", "", calibration.Mean(v), false,
			"Mean share of exchanges accepted between the two neighbouring temperatures that exchange least: near 0, hot chains do not help cold ones."))
	}
	if v := diagnostic(p, "divergences"); v != nil {
		out = append(out, estimated("divergences", "", calibration.Largest(v, s.Options.Seed), false,
			"Most trajectories of any observation whose energy was not conserved: parts of its posterior may be missing."))
	}
	for _, q := range p.Parameters {
		if worst, known := worstRHat(p, q.Name); known {
			out = append(out, estimated("worst_r_hat_"+q.Name, "", worst, false,
				"Largest R-hat of "+q.LongName+" over the observations, with its error over "+s.units()+" (of three or more): above 1.01 the chains have not mixed."))
		}
		out = append(out,
			estimated("effective_size_"+q.Name, "", calibration.Mean(diagnostic(p, effectiveColumn+q.Name)), false,
				"Mean number of independent draws that the draws of "+q.LongName+" are worth."))
	}
	return out
}

// worstRHat is a parameter's largest R-hat over the observations with its error; it is not known
// where chains are too short for any.
func worstRHat(p *dataset.Posterior, parameter string) (worst calibration.Estimate, known bool) {
	errors := diagnostic(p, rHatErrorColumn+parameter)
	for i, r := range diagnostic(p, "r_hat_"+parameter) {
		if r > worst.Value {
			worst, known = calibration.Estimate{Value: r, StdError: errors[i]}, true
		}
	}
	return worst, known
}

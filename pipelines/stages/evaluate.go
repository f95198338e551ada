package stages

import (
	"context"
	"fmt"
	"math"

	"github.com/hashicorp/hcl/v2"

	"oceaninv/inversion"
	"oceaninv/io/dataset"
	"oceaninv/workflow/stage"
)

// evaluate compares a posterior with the exact one and with the truth.
type evaluate struct {
	Seed      uint64 `json:"seed"`
	Label     string `json:"label"`
	Headline  bool   `json:"headline"`
	posterior stage.Input
	exact     stage.Input
	density   stage.Input
	model     stage.Input
	observed  stage.Input
}

func evaluateKind() stage.Kind {
	return stage.Kind{
		Name: "evaluate", Version: 1,
		Doc:    "distances of a posterior to the exact one, its calibration over held-out observations, and figures",
		Decode: decodeEvaluate,
		Load:   stage.LoadJSON[evaluate],
	}
}

func decodeEvaluate(d *stage.Decoder) stage.Spec {
	block := struct {
		Posterior   hcl.Expression `hcl:"posterior"`
		Exact       hcl.Expression `hcl:"exact"`
		Density     hcl.Expression `hcl:"density,optional"`
		Model       hcl.Expression `hcl:"model,optional"`
		Observation hcl.Expression `hcl:"observation,optional"`
		Label       string         `hcl:"label,optional"`
		Headline    bool           `hcl:"headline,optional"`
		Seed        uint64         `hcl:"seed,optional"`
	}{Label: "draws", Headline: true}
	d.Decode(&block)
	s := &evaluate{Seed: block.Seed, Label: block.Label, Headline: block.Headline}
	s.posterior = d.Artifact("posterior", block.Posterior, typePosterior)
	s.exact = d.Artifact("exact", block.Exact, typePosterior)
	s.density = d.Artifact("density", block.Density, typeDensity)
	s.model = d.Artifact("model", block.Model, typeModel)
	s.observed = d.Artifact("observation", block.Observation, typeObservation)
	if s.model.Present() != s.observed.Present() {
		d.Errorf("model", "Model and observation go together",
			"To measure the log density of a model at exact draws, evaluate needs both the model and the observations.")
	}
	return s
}

func (s *evaluate) Inputs() []stage.Input {
	var in []stage.Input
	for _, i := range []stage.Input{s.posterior, s.exact, s.density, s.model, s.observed} {
		if i.Present() {
			in = append(in, i)
		}
	}
	return in
}

func (s *evaluate) Outputs() []stage.Output {
	return []stage.Output{
		{Name: "metrics", Type: stage.Metrics, File: "metrics.json"},
		{Name: "scores", Type: stage.File, File: "scores.nc"},
		{Name: "marginals", Type: stage.Figure, File: "marginals.svg",
			Caption: "Marginal posteriors of the first observation over the range of the prior, with the exact posterior (line) and the truth (dashed)."},
		{Name: "joint", Type: stage.Figure, File: "joint.svg",
			Caption: "Joint posterior of the first observation: exact density, 50 % and 90 % regions of the draws, and the truth."},
		{Name: "coverage", Type: stage.Figure, File: "coverage.svg",
			Caption: "How often central credible intervals hold the truth, over all observations; a calibrated posterior stays in the band."},
		{Name: "ranks", Type: stage.Figure, File: "ranks.svg",
			Caption: "Simulation-based calibration: the ECDF of the truth's rank among the draws, less the uniform one; a calibrated posterior stays in the band."},
	}
}

// comparison is two posteriors of the same observations.
type comparison struct {
	parameters   []dataset.Parameter
	n            int // observations
	approx       []*inversion.Draws
	exact        []*inversion.Draws
	truth        [][]float64 // nil where not known
	exactSD      [][]float64 // [observation][parameter]
	exactEntropy []float64
}

// loadComparison reads both posterior files.
func loadComparison(posterior, exact string) (*comparison, error) {
	a, err := dataset.ReadPosterior(posterior)
	if err != nil {
		return nil, err
	}
	b, err := dataset.ReadPosterior(exact)
	if err != nil {
		return nil, err
	}
	if a.Len() != b.Len() || len(a.Parameters) != len(b.Parameters) {
		return nil, fmt.Errorf("%s has %d observations of %d parameters, %s %d of %d: they are of different observations",
			posterior, a.Len(), len(a.Parameters), exact, b.Len(), len(b.Parameters))
	}
	for i := range a.Parameters {
		if a.Parameters[i].Name != b.Parameters[i].Name {
			return nil, fmt.Errorf("%s infers %q where %s infers %q", posterior, a.Parameters[i].Name, exact, b.Parameters[i].Name)
		}
	}
	c := &comparison{parameters: a.Parameters, n: a.Len()}
	d := len(a.Parameters)
	for i := range c.n {
		c.approx, c.exact = append(c.approx, drawsOf(a, i)), append(c.exact, drawsOf(b, i))
		sd := make([]float64, d)
		for j := range sd {
			sd[j] = c.exact[i].Summarize(j).SD
		}
		c.exactSD = append(c.exactSD, sd)
		if b.Truth != nil {
			c.truth = append(c.truth, b.Truth[i*d:(i+1)*d])
		}
	}
	return c, nil
}

// drawsOf is observation i of a posterior file.
func drawsOf(p dataset.Posterior, i int) *inversion.Draws {
	d := len(p.Parameters)
	out := &inversion.Draws{D: d, Theta: p.Values[i*p.Draws*d : (i+1)*p.Draws*d]}
	if p.LogProb != nil {
		out.LogProb = p.LogProb[i*p.Draws : (i+1)*p.Draws]
	}
	if p.LogWeight != nil {
		out.LogWeight = p.LogWeight[i*p.Draws : (i+1)*p.Draws]
	}
	return out
}

func (s *evaluate) Run(ctx context.Context, ws *stage.Workspace) error {
	c, err := loadComparison(ws.Input("posterior"), ws.Input("exact"))
	if err != nil {
		return stage.BadInput(err)
	}
	scores := c.score(s.Seed)
	var shortfall []float64
	if ws.HasInput("model") {
		if shortfall, err = c.shortfall(ctx, ws); err != nil {
			return err
		}
	}
	calibrated := c.calibrate(s.Seed)
	if err := s.writeScores(ws.Output("scores"), c, scores, shortfall); err != nil {
		return err
	}
	if err := stage.WriteMetrics(ws.Output("metrics"), s.metrics(c, scores, shortfall, calibrated)); err != nil {
		return err
	}
	return s.draw(ws, c, calibrated)
}

// shortfall is, per observation, the mean over exact draws of ln p(θ|y) − ln
// q(θ|y): the Kullback-Leibler divergence from the exact posterior to the model's.
func (c *comparison) shortfall(ctx context.Context, ws *stage.Workspace) ([]float64, error) {
	e, _, err := readModel(ws.Input("model"))
	if err != nil {
		return nil, stage.BadInput(err)
	}
	obs, err := dataset.ReadObservations(ws.Input("observation"))
	if err != nil {
		return nil, stage.BadInput(err)
	}
	receivers, tones := e.Size()
	m := receivers * tones
	if len(obs.Pressure) != c.n*m {
		return nil, stage.BadInput(fmt.Errorf("the observations are not those of the posterior"))
	}
	out := make([]float64, c.n)
	return out, modelDensities(ctx, ws.Cores, e, c.n, func(density densityFunc, i int) error {
		exact := c.exact[i]
		q := make([]float64, exact.N())
		if err := density(q, exact.Theta, obs.Pressure[i*m:(i+1)*m]); err != nil {
			return err
		}
		for k := range q {
			out[i] += (exact.LogProb[k] - max(q[k], leastLogDensity)) / float64(len(q))
		}
		return nil
	})
}

// leastLogDensity stands for the logarithm of a density that underflows.
const leastLogDensity = -745

// mean leaves NaNs out.
func mean(x []float64) float64 {
	sum, n := 0.0, 0
	for _, v := range x {
		if !math.IsNaN(v) {
			sum, n = sum+v, n+1
		}
	}
	return sum / float64(n)
}

package stages

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"oceaninv/inversion"
	"oceaninv/inversion/calibration"
	"oceaninv/io/dataset"
	"oceaninv/workflow/stage"
)

// evaluate compares a posterior with the exact one and with the truth.
type evaluate struct {
	Seed     uint64 `json:"seed"`
	Label    string `json:"label"`
	Headline bool   `json:"headline"`
	// ClassifierDraws of each posterior, at most, go into a classifier two-sample test.
	ClassifierDraws int `json:"classifier_draws"`
	// PredictiveDraws of each posterior, at most, are re-simulated.
	PredictiveDraws int `json:"predictive_draws"`
	// From is the first observation scored, Count their number; 0 is all that follow.
	From  int `json:"from,omitempty"`
	Count int `json:"count,omitempty"`
	// Limits are the ranges of the axes of marginals, by parameter; others are the prior's.
	Limits    map[string][]float64 `json:"limits,omitempty"`
	posterior stage.Input
	exact     stage.Input
	density   stage.Input
	model     stage.Input
	observed  stage.Input
	ensemble  []stage.Input // posteriors of other trainings
	// Problem re-simulates draws for predictive checks; nil leaves them out.
	Problem *inversion.Problem `json:"problem,omitempty"`
}

func evaluateKind() stage.Kind {
	return stage.Kind{
		Name: "evaluate", Version: 9,
		Doc:    "distances of a posterior to the exact one, its calibration over held-out observations, and figures",
		Decode: decodeEvaluate,
		Load:   stage.LoadJSON[evaluate],
	}
}

func decodeEvaluate(d *stage.Decoder) stage.Spec {
	block := struct {
		Posterior   hcl.Expression `hcl:"posterior"`
		Exact       hcl.Expression `hcl:"exact,optional"`
		Density     hcl.Expression `hcl:"density,optional"`
		Model       hcl.Expression `hcl:"model,optional"`
		Observation hcl.Expression `hcl:"observation,optional"`
		Problem     hcl.Expression `hcl:"problem,optional"`
		Ensemble    hcl.Expression `hcl:"ensemble,optional"`
		Label       string         `hcl:"label,optional"`
		Headline    bool           `hcl:"headline,optional"`
		Seed        uint64         `hcl:"seed,optional"`
		Classifier  int            `hcl:"classifier_draws,optional"`
		Predictive  int            `hcl:"predictive_draws,optional"`
		From        int            `hcl:"from,optional"`
		Count       int            `hcl:"count,optional"`
		Limits      hcl.Expression `hcl:"limits,optional"`
	}{Label: "draws", Headline: true, Classifier: 1000, Predictive: 100}
	d.Decode(&block)
	s := &evaluate{Seed: block.Seed, Label: block.Label, Headline: block.Headline,
		ClassifierDraws: block.Classifier, PredictiveDraws: block.Predictive, From: block.From, Count: block.Count}
	if s.From < 0 || s.Count < 0 {
		d.Errorf("from", "Negative count", "from and count must not be negative.")
	}
	if s.PredictiveDraws < 1 {
		d.Errorf("predictive_draws", "No draws", "predictive_draws = %d: at least 1 is needed.", s.PredictiveDraws)
	}
	s.posterior = d.Artifact("posterior", block.Posterior, typePosterior)
	s.exact = d.Artifact("exact", block.Exact, typePosterior)
	s.density = d.Artifact("density", block.Density, typeDensity)
	s.model = d.Artifact("model", block.Model, typeModel)
	s.observed = d.Artifact("observation", block.Observation, typeObservation)
	if given(block.Ensemble) {
		s.ensemble = d.Artifacts("ensemble", block.Ensemble, typePosterior)
	}
	if given(block.Problem) {
		s.Problem = new(inversion.Problem)
		d.Convert(block.Problem, s.Problem)
		refuseSnapshots(d, "problem", s.Problem, "Predictive checks compare fields with the data of one snapshot: leave out problem and observation.")
	}
	s.decodeLimits(d, block.Limits)
	if (s.model.Present() || s.Problem != nil) != s.observed.Present() {
		d.Errorf("observation", "Observations go with a model or a problem",
			"To measure the log density of a model at truths and at exact draws, evaluate needs the model and the observations; to re-simulate draws, the problem and the observations.")
	}
	return s
}

// given reports whether an optional expression was written.
func given(e hcl.Expression) bool {
	v, diags := e.Value(nil)
	return diags.HasErrors() || !v.IsNull()
}

// decodeLimits reads the axes' ranges of marginals and checks them.
func (s *evaluate) decodeLimits(d *stage.Decoder, e hcl.Expression) {
	d.Convert(e, &s.Limits)
	p, known := s.posterior.Schema.(*inversion.Problem)
	for _, name := range slices.Sorted(maps.Keys(s.Limits)) {
		if r := s.Limits[name]; len(r) != 2 || !(r[0] < r[1]) {
			d.Errorf("limits", "Unsuitable limits", "limits of %q are %v: give [low, high].", name, r)
		}
		if known && !slices.Contains(p.ParameterNames(), name) {
			d.Errorf("limits", "Unknown parameter", "limits has %q; the problem's parameters are %q.", name, p.ParameterNames())
		}
	}
}

func (s *evaluate) Inputs() []stage.Input {
	var in []stage.Input
	for _, i := range []stage.Input{s.posterior, s.exact, s.density, s.model, s.observed} {
		if i.Present() {
			in = append(in, i)
		}
	}
	return append(in, s.ensemble...)
}

func (s *evaluate) Resources() stage.Resources { return stage.Resources{Cores: stage.AllCores} }

func (s *evaluate) Outputs() []stage.Output {
	return []stage.Output{
		{Name: "metrics", Type: stage.Metrics, File: "metrics.json"},
		{Name: "scores", Type: stage.File, File: "scores.nc"},
		lineFigure("marginals",
			"Marginal posteriors of the first observation over the range of the prior, with the exact posterior (line) and the truth (dashed)."),
		lineFigure("joint",
			"Joint posterior of the first observation: exact density, 50 % and 90 % regions of the draws, and the truth. Of one unknown, its marginal."),
		lineFigure("coverage",
			"How often central credible intervals hold the truth, over all observations; a calibrated posterior stays in the band."),
		lineFigure("ranks",
			"Simulation-based calibration: the ECDF of the truth's rank among the draws, less the uniform one; a calibrated posterior stays in the band."),
	}
}

// comparison is two posteriors of the same observations, or one alone.
type comparison struct {
	parameters []dataset.Parameter
	prior      *inversion.Prior // nil where the file does not say which problem it belongs to
	n          int              // observations
	first      int              // the number, in the files, of the first of them
	approx     []*inversion.Draws
	truth      [][]float64        // nil where not known
	exact      []*inversion.Draws // nil without exact posteriors
	exactSD    [][]float64        // [observation][parameter]
	// effective is the number of independent draws, [parameter][observation], that
	// the chains of a sampled posterior are worth; nil for independent draws.
	effective [][]float64
	misfit    []float64 // of the observations to a model's training data; nil where not known
	typical   []float64 // the same of models without replicas
	warned    []float64 // 1 where a refinement warned; nil where there was none
}

// loadComparison reads both posterior files; exact may be "".
func loadComparison(posterior, exact string) (*comparison, error) {
	a, err := dataset.ReadPosterior(posterior)
	if err != nil {
		return nil, err
	}
	c := &comparison{parameters: a.Parameters, n: a.Len(), misfit: diagnostic(&a, "misfit"), typical: diagnostic(&a, typicalityColumn), warned: diagnostic(&a, "warned")}
	if p, err := problemOf(a.Problem); err == nil {
		if c.prior, err = p.Prior(); err != nil {
			return nil, err
		}
	}
	d := len(a.Parameters)
	for i := range c.n {
		c.approx = append(c.approx, drawsOf(a, i))
		if a.Truth != nil {
			c.truth = append(c.truth, a.Truth[i*d:(i+1)*d])
		}
	}
	for _, p := range a.Parameters {
		if e := diagnostic(&a, effectiveColumn+p.Name); e != nil {
			c.effective = append(c.effective, e)
		}
	}
	if exact == "" {
		return c, nil
	}
	b, err := dataset.ReadPosterior(exact)
	if err != nil {
		return nil, err
	}
	if why := differ(a, b); why != "" {
		return nil, fmt.Errorf("%s and %s are of different observations: %s", posterior, exact, why)
	}
	c.exactSD = table(c.n, d)
	for i := range c.n {
		c.exact = append(c.exact, drawsOf(b, i))
		for j := range d {
			c.exactSD[i][j] = c.exact[i].Summarize(j).SD
		}
	}
	return c, nil
}

// effectiveColumn begins the names of the diagnostics that hold the effective
// sample size of a parameter's chains.
const effectiveColumn = "effective_size_"

// differ says why two posteriors cannot be of the same observations, "" if they can.
func differ(a, b dataset.Posterior) string {
	if a.Len() != b.Len() || len(a.Parameters) != len(b.Parameters) {
		return fmt.Sprintf("%d observations of %d parameters, and %d of %d", a.Len(), len(a.Parameters), b.Len(), len(b.Parameters))
	}
	for i := range a.Parameters {
		if a.Parameters[i].Name != b.Parameters[i].Name {
			return fmt.Sprintf("one infers %q where the other infers %q", a.Parameters[i].Name, b.Parameters[i].Name)
		}
	}
	return ""
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

// take keeps count observations from one on, or all that follow.
func (c *comparison) take(from, count int) error {
	to := from + count
	if count == 0 {
		to = c.n
	}
	if from >= c.n || to > c.n {
		return fmt.Errorf("observations %d to %d are asked for, there are %d (the first is 0)", from, max(from, to-1), c.n)
	}
	part := func(v []float64) []float64 {
		if v == nil {
			return nil
		}
		return v[from:to]
	}
	c.approx = c.approx[from:to]
	if c.truth != nil {
		c.truth = c.truth[from:to]
	}
	if c.exact != nil {
		c.exact, c.exactSD = c.exact[from:to], c.exactSD[from:to]
	}
	for j := range c.effective {
		c.effective[j] = part(c.effective[j])
	}
	c.misfit, c.typical, c.warned = part(c.misfit), part(c.typical), part(c.warned)
	c.first, c.n = from, to-from
	return nil
}

func (s *evaluate) Run(ctx context.Context, ws *stage.Workspace) error {
	exact := ""
	if ws.HasInput("exact") {
		exact = ws.Input("exact")
	}
	c, err := loadComparison(ws.Input("posterior"), exact)
	if err != nil {
		return stage.BadInput(err)
	}
	if err := c.take(s.From, s.Count); err != nil {
		return stage.BadInput(err)
	}
	m, err := s.measure(ctx, ws, c)
	if err != nil {
		return err
	}
	if err := writeScores(ws.Output("scores"), c, m); err != nil {
		return err
	}
	if err := stage.WriteMetrics(ws.Output("metrics"), s.metrics(c, m)); err != nil {
		return err
	}
	return s.draw(ws, c, m.calibrated)
}

// measured is all that is measured of a posterior; what could not be is nil.
type measured struct {
	*scores
	*distances
	shortfall  []float64
	density    *truthDensity
	calibrated *calibrated
	predicted  *predicted
	local      *calibration.LC2STResult
	spread     []float64 // of an ensemble, per observation
}

func (s *evaluate) measure(ctx context.Context, ws *stage.Workspace, c *comparison) (*measured, error) {
	m := &measured{scores: c.score(), calibrated: c.calibrate(s.Seed)}
	var err error
	if c.exact != nil {
		if m.distances, err = c.distances(ctx, ws.Cores, s.Seed, s.ClassifierDraws); err != nil {
			return nil, err
		}
	}
	if ws.HasInput("model") {
		model, err := c.loadModel(ws)
		if err != nil {
			return nil, err
		}
		if c.exact != nil {
			if m.shortfall, err = model.shortfall(ctx, ws.Cores, c); err != nil {
				return nil, err
			}
		}
		if m.density, err = model.atTruth(ctx, ws.Cores, c, s.Seed); err != nil {
			return nil, err
		}
	}
	if s.Problem != nil {
		if m.predicted, err = c.predict(ctx, ws, s.Problem, s.PredictiveDraws, s.Seed); err != nil {
			return nil, err
		}
	}
	m.local = c.local(s.Seed)
	m.spread, err = c.spread(ws.Inputs("ensemble"))
	return m, err
}

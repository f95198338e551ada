package stages

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync/atomic"

	"github.com/hashicorp/hcl/v2"

	"oceaninv/inversion"
	"oceaninv/inversion/calibration"
	"oceaninv/inversion/reference"
	"oceaninv/io/dataset"
	"oceaninv/workflow/stage"
)

// referenceStage finds the exact posterior of every observation on an adaptive
// grid: over a field interpolated across the prior first, then with the forward model
// itself where the posterior turns out to be.
type referenceStage struct {
	Problem       inversion.Problem            `json:"problem"`
	Draws         int                          `json:"draws"`
	Seed          uint64                       `json:"seed"`
	Interpolation reference.InterpolantOptions `json:"interpolation"`
	Grid          reference.GridOptions        `json:"grid"`
	// Polish evaluates the forward model itself where the posterior is.
	Polish      reference.PolishOptions `json:"polish"`
	observation stage.Input
	field       sharedField
}

func referenceKind() stage.Kind {
	return stage.Kind{
		Name: "reference", Version: 4,
		Doc:    "the exact posterior of every observation, on an adaptive grid (up to 3 parameters)",
		Decode: decodeReference,
		Load:   stage.LoadJSON[referenceStage],
	}
}

func decodeReference(d *stage.Decoder) stage.Spec {
	block := struct {
		Problem       hcl.Expression `hcl:"problem"`
		Observation   hcl.Expression `hcl:"observation"`
		Draws         int            `hcl:"draws,optional"`
		Seed          uint64         `hcl:"seed,optional"`
		Field         hcl.Expression `hcl:"field,optional"`
		Interpolation *optionsBlock  `hcl:"interpolation,block"`
		Grid          *optionsBlock  `hcl:"grid,block"`
		Polish        *optionsBlock  `hcl:"polish,block"`
	}{Draws: 2000}
	d.Decode(&block)
	s := &referenceStage{
		Draws: block.Draws, Seed: block.Seed,
		Interpolation: reference.DefaultInterpolantOptions(), Grid: reference.DefaultGridOptions(), Polish: reference.DefaultPolishOptions(),
	}
	if d.HasErrors() {
		return s
	}
	decodeOptions(d, block.Interpolation, &s.Interpolation)
	decodeOptions(d, block.Grid, &s.Grid)
	decodeOptions(d, block.Polish, &s.Polish)
	d.Convert(block.Problem, &s.Problem)
	s.observation = d.Artifact("observation", block.Observation, typeObservation)
	s.field = decodeSharedField(d, block.Field, block.Interpolation, &s.Problem)
	if s.Draws < 2 {
		d.Errorf("draws", "Too few draws", "draws = %d: at least 2 are needed.", s.Draws)
	}
	if !d.HasErrors() {
		s.validate(d)
	}
	return s
}

// validate reports what a grid cannot do.
func (s *referenceStage) validate(d *stage.Decoder) {
	n := len(s.Problem.Parameters)
	if c := s.Grid.Cells; len(c) > 0 && (len(c) != n || slices.Min(c) < 1) {
		d.Errorf("grid.cells", "Unsuitable cells", "cells = %v: give a positive number for each of the %d parameters.", c, n)
	}
	if g := s.Grid; g.Nodes < 3 || !(g.Range > 0) || !(g.Negligible > 0) || !(g.Tolerance > 0) {
		d.Errorf("grid", "Unsuitable grid", "A grid needs nodes of at least 3 and a positive range, tolerance and negligible mass.")
	}
	if i := s.Interpolation; i.Nodes < 4 || !(i.Tolerance > 0) {
		d.Errorf("interpolation", "Unsuitable interpolation", "Interpolation needs nodes of at least 4 and a positive tolerance.")
	}
	if q := s.Polish; q.Solves < 0 || !(q.Mass > 0 && q.Mass <= 1) || !(q.Tolerance > 0) {
		d.Errorf("polish", "Unsuitable polish", "Give solves of at least 0, a mass above 0 and up to 1, and a positive tolerance.")
	}
	switch s.Problem.Noise.Convention {
	case inversion.PerToneSample, inversion.PooledSample:
		d.Errorf("problem", "Noise that depends on the sample",
			"An exact grid needs a noise variance that is the same for all samples, not convention %q.", s.Problem.Noise.Convention)
	}
	if n > reference.MaxDim {
		d.Errorf("problem", "Too many parameters for a grid",
			"The problem has %d parameters; an exact grid takes at most %d.", n, reference.MaxDim)
	}
}

func (s *referenceStage) Inputs() []stage.Input { return s.field.inputs(s.observation) }

func (s *referenceStage) Outputs() []stage.Output {
	out := []stage.Output{{Name: "posterior", Type: typePosterior, File: "posterior.nc", Schema: &s.Problem}}
	if len(s.Problem.Parameters) <= 2 {
		out = append(out, stage.Output{Name: "density", Type: typeDensity, File: "density.nc"})
	}
	return append(out, stage.Output{Name: "metrics", Type: stage.Metrics, File: "metrics.json"})
}

func (s *referenceStage) Resources() stage.Resources { return stage.Resources{Cores: stage.AllCores} }

func (s *referenceStage) Run(ctx context.Context, ws *stage.Workspace) error {
	o, err := loadObserved(&s.Problem, ws.Input("observation"))
	if err != nil {
		return err
	}
	if !o.interpolable() {
		return fmt.Errorf("an exact grid needs a noise variance that is the same for all samples, not convention %q", s.Problem.Noise.Convention)
	}
	if err := o.interpolation(ctx, ws, s.Interpolation); err != nil {
		return err
	}
	return s.solve(ctx, ws, o)
}

// exactColumns are the diagnostics of an exact posterior, per observation.
var exactColumns = []dataset.Column{
	{Name: "log_evidence", LongName: "logarithm of the evidence"},
	{Name: "log_evidence_error", LongName: "error of the logarithm of the evidence"},
	{Name: "entropy", LongName: "differential entropy of the posterior, nat"},
	{Name: "solves", LongName: "solves of the forward model that polished the grid"},
}

func (s *referenceStage) solve(ctx context.Context, ws *stage.Workspace, o *observed) error {
	n := o.obs.Len()
	out, err := o.posterior(s.Draws, "adaptive grid", exactColumns)
	if err != nil {
		return err
	}
	out.LogProb = make([]float64, n*s.Draws)
	grids := make([]*reference.Grid, min(n, deviationObservations))
	var done atomic.Int64
	err = forEach(ctx, ws.Cores, n, func() (func(context.Context, int) error, error) {
		forward, err := s.Problem.Forward()
		return func(ctx context.Context, i int) error {
			grid, err := s.grid(ctx, o, i)
			if err != nil {
				return fmt.Errorf("observation %d: %w", i, err)
			}
			solves, err := grid.Polish(ctx, o.targetOf(forward, i), s.Polish)
			if err != nil {
				return fmt.Errorf("observation %d: %w", i, err)
			}
			if i < len(grids) {
				grids[i] = grid
			}
			s.record(&out, grid, i, solves)
			ws.Progress(stage.Progress{Done: done.Add(1), Total: int64(n), Unit: "observations"})
			return nil
		}, err
	})
	if err != nil {
		return err
	}
	if err := dataset.WritePosterior(ws.Output("posterior"), out); err != nil {
		return err
	}
	if o.prior.Dim() <= 2 {
		if err := dataset.WriteDensity(ws.Output("density"), densityOf(grids[0], out.Parameters, out)); err != nil {
			return err
		}
	}
	return s.metrics(ws, o, grids, diagnostic(&out, "solves"))
}

func (s *referenceStage) grid(ctx context.Context, o *observed, i int) (*reference.Grid, error) {
	target, err := o.target(i)
	if err != nil {
		return nil, err
	}
	low, high := o.field.Bounds()
	options := s.Grid
	if len(options.Cells) == 0 {
		options.Cells = o.field.Cells()
	}
	return reference.NewGrid(ctx, target, low, high, options)
}

// record puts the draws and figures of observation i in their place.
func (s *referenceStage) record(out *dataset.Posterior, g *reference.Grid, i, solves int) {
	draws := g.Sample(s.Draws, inversion.Rand(s.Seed, inversion.DrawStream, i))
	copy(out.Values[i*len(draws.Theta):], draws.Theta)
	copy(out.LogProb[i*s.Draws:], draws.LogProb)
	for k, v := range []float64{g.LogEvidence, g.LogEvidenceError, g.Entropy(), float64(solves)} {
		out.Diagnostics[k].Values[i] = v
	}
}

// densityPoints is the number of points per parameter of the density that is
// stored for figures.
const densityPoints = 201

// densityOf tabulates the posterior of the first observation where it has mass.
func densityOf(g *reference.Grid, parameters []dataset.Parameter, p dataset.Posterior) dataset.Density {
	out := dataset.Density{Parameters: parameters, LogEvidence: g.LogEvidence}
	if p.Truth != nil {
		out.Truth = p.Truth[:len(parameters)]
	}
	for j := range parameters {
		m := g.Marginal(j)
		low, high := m.Quantile(1e-5), m.Quantile(1-1e-5)
		margin := 0.1 * (high - low)
		low, high = max(low-margin, g.Low[j]), min(high+margin, g.High[j])
		axis := make([]float64, densityPoints)
		for k := range axis {
			axis[k] = low + (high-low)*float64(k)/(densityPoints-1)
		}
		out.Axes = append(out.Axes, axis)
	}
	if len(parameters) == 1 {
		m := g.Marginal(0)
		for _, x := range out.Axes[0] {
			out.LogDensity = append(out.LogDensity, math.Log(m.PDF(x)))
		}
		return out
	}
	values := g.Density(1, 0, out.Axes[1], out.Axes[0]) // the last parameter fastest
	for _, v := range values {
		out.LogDensity = append(out.LogDensity, math.Log(v))
	}
	return out
}

// deviationObservations is the number of observations whose grid is compared with
// the forward model itself.
const deviationObservations = 8

// metrics says how exact the exact posterior is.
func (s *referenceStage) metrics(ws *stage.Workspace, o *observed, grids []*reference.Grid, solves []float64) error {
	forward, err := s.Problem.Forward()
	if err != nil {
		return err
	}
	deviations := make([]float64, len(grids))
	for i, g := range grids {
		deviations[i] = g.Deviation(o.targetOf(forward, i), 200, inversion.Rand(s.Seed, inversion.DrawStream, -1-i)).SD
	}
	return stage.WriteMetrics(ws.Output("metrics"), append([]stage.Metric{
		{Name: "exact_deviation", Value: slices.Max(deviations), Unit: "nat", Headline: true,
			Sentence: "How exact the exact posterior is: standard deviation of its log density on the grid from that of the forward model itself, the worst of the first 8 observations. Distances below are only as good as this is small."},
		estimated("polish_solves", "", calibration.Mean(solves), false,
			"Mean number of solves of the forward model itself that an exact posterior rests on."),
	}, interpolationMetrics(o.field)...))
}

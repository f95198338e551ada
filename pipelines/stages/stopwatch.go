package stages

import (
	"context"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"

	"oceaninv/inversion"
	"oceaninv/inversion/reference"
	"oceaninv/workflow/stage"
)

// stopwatch times inference on one core: raw draws of a model and refined ones,
// for the first observation. Alone among the kinds its results differ from run to
// run.
type stopwatch struct {
	Problem       inversion.Problem            `json:"problem"`
	Draws         int                          `json:"draws"`
	Repeats       int                          `json:"repeats"`
	Interpolation reference.InterpolantOptions `json:"interpolation"`
	model         stage.Input
	observation   stage.Input
}

func stopwatchKind() stage.Kind {
	return stage.Kind{
		Name: "stopwatch", Version: 1,
		Doc:    "how long raw and refined draws for one observation take, on one core",
		Decode: decodeStopwatch,
		Load:   stage.LoadJSON[stopwatch],
	}
}

func decodeStopwatch(d *stage.Decoder) stage.Spec {
	block := struct {
		Problem       hcl.Expression `hcl:"problem"`
		Model         hcl.Expression `hcl:"model"`
		Observation   hcl.Expression `hcl:"observation"`
		Draws         int            `hcl:"draws,optional"`
		Repeats       int            `hcl:"repeats,optional"`
		Interpolation *optionsBlock  `hcl:"interpolation,block"`
	}{Draws: 1000, Repeats: 20}
	d.Decode(&block)
	s := &stopwatch{Draws: block.Draws, Repeats: block.Repeats, Interpolation: reference.DefaultInterpolantOptions()}
	if d.HasErrors() {
		return s
	}
	decodeOptions(d, block.Interpolation, &s.Interpolation)
	d.Convert(block.Problem, &s.Problem)
	s.model = d.Artifact("model", block.Model, typeModel)
	s.observation = d.Artifact("observation", block.Observation, typeObservation)
	if s.Draws < 20 || s.Repeats < 1 {
		d.Errorf("draws", "Nothing to time", "Give at least 20 draws and 1 repeat.")
	}
	return s
}

func (s *stopwatch) Inputs() []stage.Input { return []stage.Input{s.model, s.observation} }

func (s *stopwatch) Outputs() []stage.Output {
	return []stage.Output{{Name: "metrics", Type: stage.Metrics, File: "metrics.json"}}
}

func (s *stopwatch) Resources() stage.Resources { return stage.Resources{Cores: stage.AllCores} }

func (s *stopwatch) Run(ctx context.Context, ws *stage.Workspace) error {
	e, _, err := readModel(ws.Input("model"))
	if err != nil {
		return stage.BadInput(err)
	}
	o, err := loadObserved(&s.Problem, ws.Input("observation"))
	if err != nil {
		return err
	}
	started := time.Now()
	if o.interpolable() {
		if err := o.interpolate(ctx, ws, s.Interpolation); err != nil {
			return err
		}
	}
	building := time.Since(started)
	sampler := e.NewSampler()
	draw := func() (*inversion.Draws, error) {
		return sampler.Sample(s.Draws, o.data(0), inversion.Rand(0, inversion.DrawStream, 0))
	}
	raw, err := s.median(func() error { _, err := draw(); return err })
	if err != nil {
		return err
	}
	refined, err := s.median(func() error {
		draws, err := draw()
		if err != nil {
			return err
		}
		options := reference.DefaultRefineOptions()
		options.Draws, options.Workers = s.Draws, 1
		_, err = o.refine(ctx, draws, 0, true, options)
		return err
	})
	if err != nil {
		return err
	}
	return stage.WriteMetrics(ws.Output("metrics"), []stage.Metric{
		{Name: "raw_seconds", Value: raw.Seconds(), Unit: "s", Sentence: "Median time of raw draws for one observation, warm, on one core."},
		{Name: "refined_seconds", Value: refined.Seconds(), Unit: "s", Sentence: "Median time of drawing and refining for one observation, on one core, with the field interpolated beforehand."},
		{Name: "interpolation_seconds", Value: building.Seconds(), Unit: "s", Sentence: "Time of interpolating the field over the prior, once for all observations, on all cores."},
	})
}

// median is the median time of f after one warm-up.
func (s *stopwatch) median(f func() error) (time.Duration, error) {
	var all []time.Duration
	for range s.Repeats + 1 {
		started := time.Now()
		if err := f(); err != nil {
			return 0, err
		}
		all = append(all, time.Since(started))
	}
	all = all[1:]
	slices.Sort(all)
	return all[len(all)/2], nil
}

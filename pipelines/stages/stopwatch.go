package stages

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/hcl/v2"

	"oceaninv/inversion"
	"oceaninv/inversion/calibration"
	"oceaninv/inversion/reference"
	"oceaninv/io/dataset"
	"oceaninv/io/netcdf"
	"oceaninv/workflow/stage"
)

// stopwatch times inference for the first observation: raw draws of a model, on one core
// and on all, and, with the problem, refined ones and those of an exact grid. Alone among
// the kinds its results differ from run to run.
type stopwatch struct {
	Problem       *inversion.Problem           `json:"problem,omitempty"`
	Draws         int                          `json:"draws"`
	Repeats       int                          `json:"repeats"`
	Interpolation reference.InterpolantOptions `json:"interpolation"`
	model         stage.Input
	observation   stage.Input
	field         sharedField
}

func stopwatchKind() stage.Kind {
	return stage.Kind{
		Name: "stopwatch", Version: 3,
		Doc:    "how long training took, and how long draws for one observation take",
		Decode: decodeStopwatch,
		Load:   stage.LoadJSON[stopwatch],
	}
}

func decodeStopwatch(d *stage.Decoder) stage.Spec {
	block := struct {
		Problem       hcl.Expression `hcl:"problem,optional"`
		Model         hcl.Expression `hcl:"model"`
		Observation   hcl.Expression `hcl:"observation"`
		Draws         int            `hcl:"draws,optional"`
		Repeats       int            `hcl:"repeats,optional"`
		Field         hcl.Expression `hcl:"field,optional"`
		Interpolation *optionsBlock  `hcl:"interpolation,block"`
	}{Draws: 1000, Repeats: 20}
	d.Decode(&block)
	s := &stopwatch{Draws: block.Draws, Repeats: block.Repeats, Interpolation: reference.DefaultInterpolantOptions()}
	if d.HasErrors() {
		return s
	}
	decodeOptions(d, block.Interpolation, &s.Interpolation)
	if p := new(inversion.Problem); d.Convert(block.Problem, p) {
		s.Problem = p
	}
	s.model = d.Artifact("model", block.Model, typeModel)
	s.observation = d.Artifact("observation", block.Observation, typeObservation)
	s.field = decodeSharedField(d, block.Field, block.Interpolation, s.Problem)
	if s.Draws < 20 || s.Repeats < 1 {
		d.Errorf("draws", "Nothing to time", "Give at least 20 draws and 1 repeat.")
	}
	return s
}

func (s *stopwatch) Inputs() []stage.Input { return s.field.inputs(s.model, s.observation) }

func (s *stopwatch) Outputs() []stage.Output {
	return []stage.Output{{Name: "metrics", Type: stage.Metrics, File: "metrics.json"}}
}

func (s *stopwatch) Resources() stage.Resources { return stage.Resources{Cores: stage.AllCores} }

func (s *stopwatch) Run(ctx context.Context, ws *stage.Workspace) error {
	e, layout, err := readModel(ws.Input("model"))
	if err != nil {
		return stage.BadInput(err)
	}
	obs, err := dataset.ReadObservations(ws.Input("observation"))
	if err != nil {
		return stage.BadInput(err)
	}
	if why := unsuited(layout, obs, 0, 1); why != "" {
		return stage.BadInput(fmt.Errorf("the observation does not fit the model: %s", why))
	}
	if err := oneSnapshot(obs, "the model"); err != nil {
		return err
	}
	out, err := trained(ws.Input("model"))
	if err != nil {
		return err
	}
	data := obs.Pressure[:len(layout.ReceiverDepths)*len(layout.Frequencies)]
	on := func(cores int) func() (*inversion.Draws, error) {
		sampler := e.NewSampler(cores)
		return func() (*inversion.Draws, error) {
			return sampler.Sample(s.Draws, data, inversion.Rand(0, inversion.DrawStream, 0))
		}
	}
	draw := on(1)
	for _, t := range []struct {
		name, where string
		draw        func() (*inversion.Draws, error)
	}{{"raw_seconds", "one core", draw}, {"raw_seconds_all_cores", fmt.Sprintf("%d cores", ws.Cores), on(ws.Cores)}} {
		raw, err := s.median(func() error { _, err := t.draw(); return err })
		if err != nil {
			return err
		}
		out = append(out, timed(t.name, raw, "Median time of raw draws for one observation, warm, on "+t.where+"."))
	}
	if s.Problem != nil {
		more, err := s.exact(ctx, ws, draw)
		if err != nil {
			return err
		}
		out = append(out, more...)
	}
	return stage.WriteMetrics(ws.Output("metrics"), out)
}

// trained is how long the training of a model took, where its file says so.
func trained(path string) ([]stage.Metric, error) {
	f, err := netcdf.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	a, _ := f.Attribute(netcdf.ProvenancePrefix + trainingSeconds)
	if v := a.Float64s(); len(v) == 1 {
		return []stage.Metric{{Name: trainingSeconds, Value: v[0], Unit: "s",
			Sentence: "Time of training, from reading the data to the trained network, on all cores; of the process that ended it."}}, nil
	}
	return nil, nil
}

func timed(name string, seconds calibration.Estimate, sentence string) stage.Metric {
	return estimated(name, "s", seconds, false, sentence)
}

// exact times what needs the forward model: refined draws, and an exact grid.
func (s *stopwatch) exact(ctx context.Context, ws *stage.Workspace, draw func() (*inversion.Draws, error)) ([]stage.Metric, error) {
	o, err := loadObserved(s.Problem, ws.Input("observation"))
	if err != nil {
		return nil, err
	}
	started := time.Now()
	if o.interpolable() {
		if err := o.interpolation(ctx, ws, s.Interpolation); err != nil {
			return nil, err
		}
	}
	building := time.Since(started)
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
		return nil, err
	}
	out := []stage.Metric{
		timed("refined_seconds", refined, "Median time of drawing and refining for one observation, on one core, with the field interpolated beforehand."),
		timed("interpolation_seconds", calibration.Estimate{Value: building.Seconds()}, "Time of interpolating the field over the prior, once for all observations, on all cores, or of reading a field that was."),
	}
	if !o.interpolable() {
		return out, nil
	}
	grid, err := s.median(func() error {
		g, err := (&referenceStage{Grid: reference.DefaultGridOptions()}).grid(ctx, o, 0)
		if err == nil {
			g.Sample(s.Draws, inversion.Rand(0, inversion.DrawStream, 0))
		}
		return err
	})
	return append(out, timed("grid_seconds", grid, "Median time of the exact grid and draws from it for one observation, on one core, with the field interpolated beforehand.")), err
}

// median is the median time of f in seconds, after one warm-up.
func (s *stopwatch) median(f func() error) (calibration.Estimate, error) {
	var all []float64
	for range s.Repeats + 1 {
		started := time.Now()
		if err := f(); err != nil {
			return calibration.Estimate{}, err
		}
		all = append(all, time.Since(started).Seconds())
	}
	return medianOf(all[1:]), nil
}

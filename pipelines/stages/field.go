package stages

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/cmplx"
	"sync"

	"github.com/hashicorp/hcl/v2"

	"oceaninv/acoustics"
	"oceaninv/acoustics/modes"
	"oceaninv/acoustics/rangedep"
	"oceaninv/io/dataset"
	"oceaninv/io/figure"
	"oceaninv/workflow/stage"
)

// field computes the pressure over range and depth at some frequencies.
type field struct {
	Environment acoustics.Environment `json:"environment"`
	Frequencies []float64             `json:"frequencies"`
	SourceDepth float64               `json:"source_depth"`
	MaxRange    float64               `json:"max_range"`
	Ranges      int                   `json:"ranges"`
	Depths      int                   `json:"depths"`
	Modes       modes.Options         `json:"modes"`
}

func fieldKind() stage.Kind {
	return stage.Kind{
		Name: "field", Version: 5,
		Doc:    "pressure and transmission loss over range and depth",
		Decode: new(solvable).decodeField,
		Load:   stage.LoadJSON[field],
	}
}

// solvable remembers which oceans have been found to have modes at a frequency: the
// fields of a pipeline are many, its oceans few.
type solvable struct{ found sync.Map } // errors, by ocean, options and frequency

// check reports why there is no field at a frequency, nil if there is one.
func (c *solvable) check(s *field, hz float64) error {
	key, err := json.Marshal([]any{&s.Environment, s.Modes, hz})
	if err != nil {
		_, err := s.section(hz)
		return err
	}
	if known, ok := c.found.Load(string(key)); ok {
		err, _ := known.(error)
		return err
	}
	_, err = s.section(hz)
	c.found.Store(string(key), err)
	return err
}

func (c *solvable) decodeField(d *stage.Decoder) stage.Spec {
	block := struct {
		Environment hcl.Expression `hcl:"environment"`
		Frequencies []float64      `hcl:"frequencies"`
		SourceDepth float64        `hcl:"source_depth"`
		MaxRange    float64        `hcl:"max_range"`
		Ranges      int            `hcl:"ranges,optional"`
		Depths      int            `hcl:"depths,optional"`
		Modes       *optionsBlock  `hcl:"modes,block"`
	}{Ranges: 500, Depths: 200}
	d.Decode(&block)
	s := &field{
		Frequencies: block.Frequencies, SourceDepth: block.SourceDepth, MaxRange: block.MaxRange,
		Ranges: block.Ranges, Depths: block.Depths, Modes: modes.DefaultOptions(),
	}
	if d.HasErrors() {
		return s
	}
	d.Convert(block.Environment, &s.Environment)
	decodeOptions(d, block.Modes, &s.Modes)
	if !d.HasErrors() {
		s.validate(d, c)
	}
	return s
}

func (s *field) validate(d *stage.Decoder, modesOf *solvable) {
	if !(s.MaxRange > 0) {
		d.Errorf("max_range", "Unsuitable range", "max_range = %g m is not positive.", s.MaxRange)
	}
	if s.Ranges < 2 || s.Depths < 2 {
		d.Errorf("ranges", "Too few points", "A field needs at least 2 ranges and 2 depths.")
	}
	if floor := s.Environment.Floor(); !(s.SourceDepth > 0 && s.SourceDepth < floor) {
		d.Errorf("source_depth", "Source outside the water", "source_depth = %g m, where the water is %g m deep.", s.SourceDepth, floor)
	}
	if err := s.Modes.Validate(); err != nil {
		d.Errorf("modes", "Unsuitable option", "%v.", err)
	}
	if len(s.Frequencies) == 0 {
		d.Errorf("frequencies", "No frequency", "Give at least one frequency in Hz.")
	}
	if d.HasErrors() {
		return
	}
	var err error
	for _, hz := range s.Frequencies {
		if err == nil {
			err = modesOf.check(s, hz)
		}
	}
	var none modes.ErrNoModes
	switch {
	case errors.As(err, &none):
		d.Errorf("frequencies", "No propagating mode", "%v.", err)
	case err != nil:
		d.Errorf("", "Impossible field", "%v.", err)
	}
}

// section is the modes at a frequency, of the solver that the ocean needs or the
// options name.
func (s *field) section(hz float64) (*rangedep.Section, error) {
	options := rangedep.SolverOptionsOf(s.Modes)
	section, err := rangedep.Solve(&s.Environment, hz, options)
	if err == nil && len(section.K) == 0 {
		err = modes.ErrNoModes{Frequency: hz, MinPhaseSpeed: options.MinPhaseSpeed, MaxPhaseSpeed: options.Limit(&s.Environment)}
	}
	return section, err
}

func (s *field) Inputs() []stage.Input { return nil }

func (s *field) Outputs() []stage.Output {
	shown := 0.0
	if len(s.Frequencies) > 0 { // a faulty block has none
		shown = s.Frequencies[0]
	}
	return []stage.Output{
		{Name: "field", Type: typeField, File: "field.nc"},
		rasterFigure("transmission_loss",
			fmt.Sprintf("Transmission loss over range and depth at %g Hz, for a source at %g m; below the line, the sea bed.", shown, s.SourceDepth)),
	}
}

func (s *field) Run(ctx context.Context, ws *stage.Workspace) error {
	bottom := 1.3 * s.Environment.Floor()
	f := acoustics.Field{
		Frequencies: s.Frequencies, SourceDepths: []float64{s.SourceDepth},
		ReceiverDepths: even(bottom/float64(s.Depths), bottom, s.Depths), Ranges: even(s.MaxRange/float64(s.Ranges), s.MaxRange, s.Ranges),
	}
	n := s.Depths * s.Ranges
	f.Pressure = make([]complex128, len(s.Frequencies)*n)
	for k, hz := range s.Frequencies {
		if err := ctx.Err(); err != nil {
			return err
		}
		section, err := s.section(hz)
		if err != nil {
			return err
		}
		track := rangedep.Track{Ranges: []float64{0}, Sections: []*rangedep.Section{section}}
		p, err := track.Field(rangedep.Positions{SourceDepths: f.SourceDepths, ReceiverDepths: f.ReceiverDepths, Ranges: f.Ranges}, rangedep.DefaultOptions())
		if err != nil {
			return err
		}
		copy(f.Pressure[k*n:], p)
	}
	if err := dataset.WriteField(ws.Output("field"), f); err != nil {
		return err
	}
	return save(ws, "transmission_loss", s.lossMap(&f, n))
}

// lossMap draws the first frequency.
func (s *field) lossMap(f *acoustics.Field, n int) figure.LossMap {
	loss := make([]float64, n)
	for i, p := range f.Pressure[:n] {
		if loss[i] = -20 * math.Log10(cmplx.Abs(p)); p == 0 {
			loss[i] = math.NaN()
		}
	}
	floor := s.Environment.Floor()
	return figure.LossMap{
		Title: fmt.Sprintf("%g Hz", f.Frequencies[0]), Ranges: f.Ranges, Depths: f.ReceiverDepths, Loss: loss,
		SourceDepth: figure.At(s.SourceDepth), FloorRange: []float64{f.Ranges[0], s.MaxRange}, FloorDepth: []float64{floor, floor},
	}
}

// even is n points from a to b.
func even(a, b float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = a + (b-a)*float64(i)/float64(n-1)
	}
	return out
}

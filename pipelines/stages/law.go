package stages

import (
	"context"
	"errors"
	"fmt"

	"oceaninv/inversion"
	"oceaninv/inversion/generative"
	"oceaninv/surrogate/train"
	"oceaninv/workflow/stage"
)

// lawStage draws samples of a law that flows can be trained to generate.
type lawStage struct {
	generative.Law
	Samples int    `json:"samples"`
	Columns int    `json:"columns"`
	Seed    uint64 `json:"seed"`
}

func lawKind() stage.Kind {
	return stage.Kind{
		Name: "law", Version: 1,
		Doc:    "samples of a uniform, Pareto or normal law, to train flows that generate",
		Decode: decodeLaw,
		Load:   stage.LoadJSON[lawStage],
	}
}

func decodeLaw(d *stage.Decoder) stage.Spec {
	block := struct {
		Distribution string  `hcl:"distribution"`
		Samples      int     `hcl:"samples"`
		Columns      int     `hcl:"columns,optional"`
		Low          float64 `hcl:"low,optional"`
		High         float64 `hcl:"high,optional"`
		Alpha        float64 `hcl:"alpha,optional"`
		Seed         uint64  `hcl:"seed,optional"`
	}{Columns: 1, High: 1}
	d.Decode(&block)
	s := &lawStage{Law: generative.Law{Kind: block.Distribution, Low: block.Low, High: block.High, Alpha: block.Alpha},
		Samples: block.Samples, Columns: block.Columns, Seed: block.Seed}
	if d.HasErrors() {
		return s
	}
	var mistake *generative.Error
	if err := s.Validate(); errors.As(err, &mistake) {
		d.Errorf(mistake.Field, "Unsuitable law", "%v.", err)
	}
	if s.Samples < 100 {
		d.Errorf("samples", "Too few", "samples = %d: at least 100 are needed.", s.Samples)
	}
	if s.Columns < 1 {
		d.Errorf("columns", "No columns", "columns = %d: at least one is needed.", s.Columns)
	}
	return s
}

func (s *lawStage) Inputs() []stage.Input { return nil }

func (s *lawStage) Outputs() []stage.Output {
	return []stage.Output{{Name: "samples", Type: typePairs, File: "samples.nc", Schema: train.Shape{Rows: s.Samples, NX: s.Columns}}}
}

func (s *lawStage) Run(_ context.Context, ws *stage.Workspace) error {
	p := pairs{n: s.Samples, x: make([]float64, s.Samples*s.Columns)}
	for j := range s.Columns {
		p.unknowns = append(p.unknowns, fmt.Sprintf("x%d", j+1))
	}
	for i := range s.Samples {
		s.Draw(p.x[i*s.Columns:(i+1)*s.Columns], inversion.Rand(s.Seed, inversion.DesignStream, i))
	}
	return writePairs(ws.Output("samples"), "Samples of a "+s.Kind+" law", p)
}

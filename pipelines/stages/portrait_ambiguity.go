package stages

import (
	"context"
	"math"
	"slices"

	"oceaninv/acoustics/rangedep"
	"oceaninv/inversion"
	"oceaninv/io/figure"
)

const (
	ambiguityRanges = 121
	ambiguityDepths = 61
	// ambiguityNearest is the nearest range, in water depths: closer, modes that
	// have been left out carry energy.
	ambiguityNearest = 1.0
)

// ambiguity is the Bartlett power of the data over source range and depth in the
// ocean of theta: the correlation at each tone, averaged over the tones, in dB re
// its maximum.
func (s *portrait) ambiguity(ctx context.Context, data []complex128, theta []float64) (figure.Ambiguity, error) {
	model, err := inversion.NewParameterization(&s.Problem)
	if err != nil {
		return figure.Ambiguity{}, err
	}
	e := model.NewExperiment()
	if err := model.Apply(e, theta); err != nil {
		return figure.Ambiguity{}, err
	}
	floor, tones := e.Environment.Floor(), len(s.Problem.Frequencies)
	nearest := min(ambiguityNearest*floor, s.MaxRange/2)
	out := figure.Ambiguity{
		Ranges: even(nearest, s.MaxRange, ambiguityRanges), Depths: even(floor/ambiguityDepths, floor*(1-1.0/ambiguityDepths), ambiguityDepths),
		Power: make([]float64, ambiguityRanges*ambiguityDepths), TruthRange: figure.At(e.Array.Range), TruthDepth: figure.At(e.Source.Depth),
	}
	tone, field, power := make([]complex128, len(e.Array.Depths)), make([]complex128, len(e.Array.Depths)), make([]float64, 1)
	for f, hz := range s.Problem.Frequencies {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		replicas, err := s.replicas(e, hz, &out)
		if err != nil {
			return out, err
		}
		for r := range tone {
			tone[r] = data[r*tones+f]
		}
		cells := ambiguityRanges * ambiguityDepths
		for cell := range cells {
			for r := range field {
				depth, distance := cell/ambiguityRanges, cell%ambiguityRanges
				field[r] = replicas[(depth*len(field)+r)*ambiguityRanges+distance]
			}
			inversion.Bartlett(power, field, tone)
			out.Power[cell] += power[0] / float64(tones)
		}
	}
	top := slices.Max(out.Power)
	for i, p := range out.Power {
		out.Power[i] = 10 * math.Log10(max(p/top, 1e-12))
	}
	return out, nil
}

// replicas are the fields of sources at all depths and ranges of the surface on the
// array: [depth][phone][range].
func (s *portrait) replicas(e *inversion.Experiment, hz float64, at *figure.Ambiguity) ([]complex128, error) {
	options := rangedep.SolverOptionsOf(*s.Problem.Modes)
	options.Method = s.Problem.Solver()
	section, err := rangedep.Solve(&e.Environment, hz, options)
	if err != nil {
		return nil, err
	}
	array := e.Array
	array.Range = 0
	depths, offsets := array.Positions(nil, nil)
	o := rangedep.DefaultOptions()
	if e.Source.Line {
		o.Spreading = rangedep.Line
	}
	track := rangedep.Track{Ranges: []float64{0}, Sections: []*rangedep.Section{section}}
	return track.Field(rangedep.Positions{SourceDepths: at.Depths, ReceiverDepths: depths, ReceiverOffsets: offsets, Ranges: at.Ranges}, o)
}

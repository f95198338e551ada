package stages

import (
	"context"
	"math"
	"slices"

	"oceaninv/acoustics/modes"
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
	solver, err := modes.NewSolver(*s.Problem.Modes)
	if err != nil {
		return figure.Ambiguity{}, err
	}
	e := model.NewExperiment()
	if err := model.Apply(e, theta); err != nil {
		return figure.Ambiguity{}, err
	}
	floor, tones := e.Environment.Floor(), len(s.Problem.Frequencies)
	source, receivers := e.Source, e.Array
	nearest := min(ambiguityNearest*floor, s.MaxRange/2)
	out := figure.Ambiguity{
		Ranges: even(nearest, s.MaxRange, ambiguityRanges), Depths: even(floor/ambiguityDepths, floor*(1-1.0/ambiguityDepths), ambiguityDepths),
		Power: make([]float64, ambiguityRanges*ambiguityDepths), TruthRange: figure.At(e.Array.Range), TruthDepth: figure.At(e.Source.Depth),
	}
	field, tone, power := make([]complex128, len(receivers.Depths)), make([]complex128, len(receivers.Depths)), make([]float64, 1)
	for f, hz := range s.Problem.Frequencies {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		m, err := solver.Solve(&e.Environment, hz)
		if err != nil {
			return out, err
		}
		for r := range tone {
			tone[r] = data[r*tones+f]
		}
		for i, z := range out.Depths {
			for j, distance := range out.Ranges {
				source.Depth, receivers.Range = z, distance
				m.Pressure(field, source, receivers)
				inversion.Bartlett(power, field, tone)
				out.Power[i*ambiguityRanges+j] += power[0] / float64(tones)
			}
		}
	}
	top := slices.Max(out.Power)
	for i, p := range out.Power {
		out.Power[i] = 10 * math.Log10(max(p/top, 1e-12))
	}
	return out, nil
}

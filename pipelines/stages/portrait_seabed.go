package stages

import (
	"slices"

	"oceaninv/acoustics"
	"oceaninv/inversion"
	"oceaninv/io/figure"
)

const (
	// profilePoints is the number of depths of a sound-speed band.
	profilePoints = 200
	// profileMargin is shown above the shallowest sea floor and below the deepest
	// layer of interest, as a fraction of what lies between.
	profileMargin = 0.25
)

// interesting is the depth of the bottom of the deepest layer with an unknown
// parameter, or of the first layer where only geometry is unknown: a band that reached
// to the half-space would hide the sediment in kilometres of rock.
func (s *portrait) interesting(e *acoustics.Environment) float64 {
	deepest := 0
	for i := range s.Problem.Parameters {
		p := &s.Problem.Parameters[i]
		if p.Layer == inversion.BottomHalfspace {
			return e.BottomDepth()
		}
		for k := range e.Layers {
			if e.Layers[k].Name == p.Layer {
				deepest = max(deepest, k)
			}
		}
	}
	depth := e.Floor()
	for k := range e.Layers {
		if k <= deepest {
			depth += e.Layers[k].Thickness
		}
	}
	return depth
}

// profile is the sound speed from above the sea floor to below the layers of interest,
// over the draws.
func (s *portrait) profile(draws *inversion.Draws, truth []float64) (figure.Profile, error) {
	model, err := inversion.NewParameterization(&s.Problem)
	if err != nil {
		return figure.Profile{}, err
	}
	oceans := make([]acoustics.Environment, draws.N())
	e := model.NewExperiment()
	top, bottom := s.Problem.Environment.Floor(), s.interesting(&s.Problem.Environment)
	for k := range oceans {
		if err := model.Apply(e, draws.Row(k)); err != nil {
			return figure.Profile{}, err
		}
		oceans[k] = e.Environment.Clone()
		top, bottom = min(top, oceans[k].Floor()), max(bottom, s.interesting(&oceans[k]))
	}
	margin := max(10, profileMargin*(bottom-top))
	depths := even(max(0, top-margin), bottom+margin, profilePoints)
	out := figure.Profile{Quantity: figure.Axis{Label: "sound speed", Unit: "m/s"}, Depths: depths,
		MinDepth: depths[0], MaxDepth: depths[len(depths)-1]}
	speeds := make([]float64, len(oceans))
	for _, z := range depths {
		for k := range oceans {
			speeds[k] = soundSpeedAt(&oceans[k], z)
		}
		slices.Sort(speeds)
		out.Median = append(out.Median, quantileOf(speeds, 0.5))
		out.Lower50, out.Upper50 = append(out.Lower50, quantileOf(speeds, 0.25)), append(out.Upper50, quantileOf(speeds, 0.75))
		out.Lower95, out.Upper95 = append(out.Lower95, quantileOf(speeds, 0.025)), append(out.Upper95, quantileOf(speeds, 0.975))
	}
	if truth == nil {
		return out, nil
	}
	if err := model.Apply(e, truth); err != nil {
		return out, err
	}
	out.Floor = figure.At(e.Environment.Floor())
	out.TruthDepth = depths
	for _, z := range depths {
		out.Truth = append(out.Truth, soundSpeedAt(&e.Environment, z))
	}
	return out, nil
}

// soundSpeedAt is the compressional speed at a depth: of the water, of the layer
// there, or of what lies below all layers (the last layer's, above a boundary that
// is no half-space).
func soundSpeedAt(e *acoustics.Environment, depth float64) float64 {
	top := e.Floor()
	if depth <= top {
		return e.Water.Profile.SoundSpeedAt(depth)
	}
	last := e.Water.Profile.SoundSpeedAt(top)
	for i := range e.Layers {
		l := &e.Layers[i]
		last = layerSpeed(l, min(depth-top, l.Thickness))
		if depth <= top+l.Thickness {
			return last
		}
		top += l.Thickness
	}
	if c := e.Bottom.Material.SoundSpeed; c > 0 {
		return c
	}
	return last
}

// layerSpeed is the speed at a distance below a layer's top.
func layerSpeed(l *acoustics.Layer, below float64) float64 {
	if len(l.Knots) == 1 {
		return l.Knots[0].SoundSpeed
	}
	p := acoustics.SoundSpeedProfile{Interpolation: l.Interpolation}
	for _, k := range l.Knots {
		p.Depth, p.Speed = append(p.Depth, k.Depth), append(p.Speed, k.SoundSpeed)
	}
	return p.SoundSpeedAt(below)
}

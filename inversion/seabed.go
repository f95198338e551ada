package inversion

import "oceaninv/acoustics"

// setSeabed sets a quantity of a layer or of the half-space.
func setSeabed(e *Experiment, s *setter, v float64) error {
	if reason := impossible(s.quantity, v); reason != "" {
		return &ParameterError{s.name, v, reason}
	}
	if s.layer < 0 {
		setMaterial(&e.Environment.Bottom.Material, s.quantity, v)
		return nil
	}
	l := &e.Environment.Layers[s.layer]
	switch s.quantity {
	case Thickness:
		for i := range l.Knots {
			l.Knots[i].Depth *= v / l.Thickness
		}
		l.Thickness = v
	case SoundSpeedTop:
		setTop(l, v, s.keepGradient)
	case SoundSpeedBottom:
		ensureTwoKnots(l)
		l.Knots[len(l.Knots)-1].SoundSpeed = v
	case SoundSpeedDelta:
		layGradient(l, v/l.Thickness)
	case SoundSpeedSlope:
		layGradient(l, v)
	default:
		for i := range l.Knots {
			setMaterial(&l.Knots[i].Material, s.quantity, v)
		}
	}
	for i := range l.Knots {
		if l.Knots[i].SoundSpeed <= 0 {
			return &ParameterError{s.name, v, "makes a sound speed that is not positive"}
		}
	}
	return nil
}

// impossible says why a value cannot be, or nothing.
func impossible(q Quantity, v float64) string {
	switch q {
	case Thickness, SoundSpeed, SoundSpeedTop, SoundSpeedBottom, Density:
		if v <= 0 {
			return "is not positive"
		}
	case ShearSpeed, AttenuationP, AttenuationS:
		if v < 0 {
			return "is negative"
		}
	}
	return ""
}

func setMaterial(m *acoustics.Material, q Quantity, v float64) {
	switch q {
	case SoundSpeed:
		m.SoundSpeed = v
	case ShearSpeed:
		m.ShearSpeed = v
	case Density:
		m.Density = v
	case AttenuationP:
		m.Attenuation.Value = v
	case AttenuationS:
		m.ShearAttenuation.Value = v
	}
}

// setTop sets the speed at the top of a layer: all knots move with it when the
// gradient is kept, else only the first. A homogeneous layer stays homogeneous.
func setTop(l *acoustics.Layer, v float64, keepGradient bool) {
	shift := v - l.Knots[0].SoundSpeed
	l.Knots[0].SoundSpeed = v
	if !keepGradient {
		return
	}
	for i := 1; i < len(l.Knots); i++ {
		l.Knots[i].SoundSpeed += shift
	}
}

// layGradient makes the layer's speed linear from its top, g in 1/s.
func layGradient(l *acoustics.Layer, g float64) {
	ensureTwoKnots(l)
	for i := 1; i < len(l.Knots); i++ {
		l.Knots[i].SoundSpeed = l.Knots[0].SoundSpeed + g*l.Knots[i].Depth
	}
}

// ensureTwoKnots gives a homogeneous layer a knot at its bottom.
func ensureTwoKnots(l *acoustics.Layer) {
	if len(l.Knots) == 1 {
		l.Knots = append(l.Knots, acoustics.Knot{Depth: l.Thickness, Material: l.Knots[0].Material})
	}
}

package acoustics

import "slices"

// Clone returns a deep copy: changing it leaves e as it is.
func (e Environment) Clone() Environment {
	e.Surface = e.Surface.clone()
	e.Bottom = e.Bottom.clone()
	e.Cover = cloneLayers(e.Cover)
	e.Layers = cloneLayers(e.Layers)
	e.Water.Profile.Depth = slices.Clone(e.Water.Profile.Depth)
	e.Water.Attenuations = slices.Clone(e.Water.Attenuations)
	e.Water.Profile.Speed = slices.Clone(e.Water.Profile.Speed)
	return e
}

func (b Boundary) clone() Boundary {
	b.Reflections = slices.Clone(b.Reflections)
	if b.Impedance != nil {
		b.Impedance = &ImpedanceTable{b.Impedance.Frequency, slices.Clone(b.Impedance.Rows)}
	}
	return b
}

func cloneLayers(layers []Layer) []Layer {
	out := slices.Clone(layers)
	for i := range out {
		out[i].Knots = slices.Clone(out[i].Knots)
	}
	return out
}

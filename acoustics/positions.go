package acoustics

import "math"

// Top returns the depth (m) of the top of the water column: the thickness of
// the cover.
func (e Environment) Top() float64 {
	top := 0.0
	for _, layer := range e.Cover {
		top += layer.Thickness
	}
	return top
}

// Floor returns the depth (m) of the sea floor.
func (e Environment) Floor() float64 { return e.Top() + e.Water.Depth }

// BottomDepth returns the depth (m) at which the last layer ends.
func (e Environment) BottomDepth() float64 {
	depth := e.Floor()
	for _, layer := range e.Layers {
		depth += layer.Thickness
	}
	return depth
}

// Positions returns the depths (m) of the phones and their horizontal ranges (m)
// from the source, with offset and tilt applied; it appends to depths and ranges.
// A phone L m above the deepest one stands at
//
//	depth = deepest - L cos(tilt),  range = Range + L sin(tilt).
func (a ReceiverArray) Positions(depths, ranges []float64) ([]float64, []float64) {
	deepest := math.Inf(-1)
	for _, z := range a.Depths {
		deepest = math.Max(deepest, z)
	}
	sin, cos := math.Sincos(a.Tilt * math.Pi / 180)
	for _, z := range a.Depths {
		along := deepest - z
		depths = append(depths, deepest-along*cos+a.DepthOffset)
		ranges = append(ranges, a.Range+along*sin)
	}
	return depths, ranges
}

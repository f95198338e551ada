package figure

import "testing"

// The colours of a loss map are those of the water: what is lost in the sea bed below
// a sloping floor does not stretch the scale.
func TestLossMapScalesOnWater(t *testing.T) {
	m := LossMap{FloorRange: []float64{0, 1000}, FloorDepth: []float64{100, 50}}
	for r := 0.0; r <= 1000; r += 10 {
		m.Ranges = append(m.Ranges, r)
	}
	for z := 0.0; z <= 200; z += 2 {
		m.Depths = append(m.Depths, z)
		for _, r := range m.Ranges {
			loss := 50 + r/100 // 50 to 60 dB
			if z > 100-r/20 {
				loss = 300
			}
			m.Loss = append(m.Loss, loss)
		}
	}
	if low, high := percentiles(m.inWater()); low != 50 || high != 60 {
		t.Errorf("colours from %v to %v dB, want 50 to 60", low, high)
	}
	m.FloorRange, m.FloorDepth = nil, nil
	if _, high := percentiles(m.inWater()); high != 300 {
		t.Errorf("without a floor up to %v dB, want all", high)
	}
}

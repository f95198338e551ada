package bench

import (
	"math"

	"oceaninv/acoustics"
)

// Tones returns the case study's frequencies in Hz.
func Tones() []float64 { return []float64{49, 79, 112, 148, 201, 283, 388} }

// Phase speeds (m/s) between which modes are kept.
const (
	MinPhaseSpeed = 1400
	MaxPhaseSpeed = 1800
)

// Source returns the case study's source.
func Source() acoustics.Source { return acoustics.Source{Depth: 60} }

// Array returns the first five phones of the SWellEx-96 vertical line array, 3 km
// from the source.
func Array() acoustics.ReceiverArray {
	return acoustics.ReceiverArray{Depths: []float64{94.125, 99.755, 105.38, 111.00, 116.62}, Range: 3000}
}

// CTD cast i9605 of SWellEx-96 (swellex96.ucsd.edu), reduced to 29 knots.
var (
	profileDepth = []float64{0, 3, 5, 9, 10.5, 11.5, 12, 12.5, 13, 14, 15.5, 16.5, 19, 21, 25.5, 31, 33.5, 35.5, 42,
		52, 56.5, 72.5, 88, 94.5, 101.5, 113, 119, 136.5, 164}
	profileSpeed = []float64{1521.95, 1521.84, 1521.38, 1519.42, 1518.18, 1516.57, 1515.25, 1513.55, 1511.39, 1507.93,
		1504.52, 1502.73, 1500.30, 1499.32, 1496.62, 1495.02, 1493.90, 1493.32, 1492.29, 1491.76, 1491.18, 1489.86,
		1489.53, 1489.08, 1488.24, 1487.72, 1487.85, 1488.96, 1488.90}
)

// SWellEx96 returns the nominal sea bed under the measured profile, with a water
// depth (m; nominally 216.5) and a sound speed at the sediment's top (m/s;
// nominally 1572.368).
func SWellEx96(waterDepth, sedimentSpeed float64) acoustics.Environment {
	knot := func(z, c, density, attenuation float64) acoustics.Knot {
		return acoustics.Knot{Depth: z, Material: acoustics.Material{SoundSpeed: c, Density: density,
			Attenuation: acoustics.Attenuation{Value: attenuation, Unit: acoustics.DBPerMetreKHz}}}
	}
	n := len(profileSpeed)
	depth := append(append([]float64(nil), profileDepth...), waterDepth)
	speed := append(append([]float64(nil), profileSpeed...), profileSpeed[n-1])
	return acoustics.Environment{
		Name:    "SWellEx-96",
		Surface: acoustics.Boundary{Kind: acoustics.PressureRelease},
		Water: acoustics.Water{Depth: waterDepth, Density: 1000,
			Profile: acoustics.SoundSpeedProfile{Depth: depth, Speed: speed, Interpolation: acoustics.CLinear}},
		Layers: []acoustics.Layer{
			{Name: "sediment", Thickness: 23.5, Interpolation: acoustics.CLinear, Knots: []acoustics.Knot{
				knot(0, sedimentSpeed, 1760, 0.2), knot(23.5, 1593.016, 1760, 0.2)}},
			{Name: "mudstone", Thickness: 800, Interpolation: acoustics.CLinear, Knots: []acoustics.Knot{
				knot(0, 1881, 2060, 0.06), knot(800, 3245.8, 2060, 0.06)}},
		},
		Bottom: acoustics.Boundary{Kind: acoustics.Halfspace, Material: knot(0, 5200, 2660, 0.02).Material},
	}
}

// Sample returns the i-th ocean of the benchmark: water depth in 200.5-236.5 m and
// sediment speed in 1532-1592 m/s, spread evenly by multiples of the powers of the
// plastic number (Roberts' R2 sequence).
func Sample(i int) acoustics.Environment {
	const plastic = 1.32471795724474602596
	_, a := math.Modf(0.5 + float64(i+1)/plastic)
	_, b := math.Modf(0.5 + float64(i+1)/(plastic*plastic))
	return SWellEx96(200.5+36*a, 1532+60*b)
}

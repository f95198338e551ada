package acoustics

import (
	"math"
	"testing"
)

// One absorption written in every unit.
func TestAttenuationUnitsAgree(t *testing.T) {
	const f, c, want = 150.0, 1700.0, 0.0050792318228190135
	db := want * 20 / math.Ln10
	for _, a := range []Attenuation{
		{Value: want, Unit: NepersPerMetre},
		{Value: db, Unit: DBPerMetre},
		{Value: db / 4, Unit: DBPerMetrePower, Reference: 75, Exponent: 2},
		{Value: db / 0.15, Unit: DBPerMetreKHz},
		{Value: db * c / f, Unit: DBPerWavelength},
		{Value: math.Pi * f / (c * want), Unit: QualityFactor},
		{Value: want * c / (2 * math.Pi * f), Unit: LossParameter},
	} {
		if got := a.NepersPerMetre(f, c); math.Abs(got/want-1) > 1e-14 {
			t.Errorf("%s: got %v Np/m, want %v", a.Unit, got, want)
		}
	}
}

// Francois & Garrison (1982), table IV: 0 °C, 35 psu, pH 8, near the surface; and
// Thorp's formula near their numbers at 4 °C where both hold.
func TestSeaWaterAbsorption(t *testing.T) {
	db := func(v VolumeAttenuation, f float64) float64 { return v.NepersPerMetre(f) * 1000 * 20 / math.Ln10 }
	fg := VolumeAttenuation{Formula: FrancoisGarrison, Temperature: 10, Salinity: 35, PH: 8}
	for f, want := range map[float64]float64{10e3: 0.95, 100e3: 35.5} {
		if got := db(fg, f); math.Abs(got/want-1) > 0.15 {
			t.Errorf("%v Hz: got %v dB/km, want about %v", f, got, want)
		}
	}
	th := VolumeAttenuation{Formula: Thorp}
	if got := db(th, 1000); math.Abs(got-0.0692) > 2e-3 {
		t.Errorf("Thorp at 1 kHz: %v dB/km", got)
	}
}

// A not-a-knot spline reproduces a cubic, wherever its knots are.
func TestSplineReproducesCubic(t *testing.T) {
	x := []float64{0, 1, 2.5, 3, 7, 8}
	f := func(x float64) float64 { return 2 - x + 0.5*x*x - 0.1*x*x*x }
	df := func(x float64) float64 { return -1 + x - 0.3*x*x }
	for n := 4; n <= len(x); n++ {
		y := make([]float64, n)
		for i := range y {
			y[i] = f(x[i])
		}
		slope, work := make([]float64, n), make([]float64, n)
		Slopes(Spline, x[:n], y, slope, work)
		for i := range slope {
			if math.Abs(slope[i]-df(x[i])) > 1e-11 {
				t.Errorf("%d knots: slope %d is %v, want %v", n, i, slope[i], df(x[i]))
			}
		}
	}
}

func TestPCHIPIsMonotone(t *testing.T) {
	p := SoundSpeedProfile{
		Depth:         []float64{0, 10, 20, 32, 50, 70, 85, 100},
		Speed:         []float64{1536, 1535, 1522, 1505, 1497, 1494, 1495.5, 1496},
		Interpolation: PCHIP,
	}
	before := p.SoundSpeedAt(0)
	for z := 0.1; z <= 70; z += 0.1 {
		c := p.SoundSpeedAt(z)
		if c > before+1e-12 {
			t.Fatalf("speed rises from %v to %v at %v m", before, c, z)
		}
		before = c
	}
}

func TestN2LinearIsLinearInSlownessSquared(t *testing.T) {
	p := SoundSpeedProfile{Depth: []float64{0, 100}, Speed: []float64{1500, 1550}, Interpolation: N2Linear}
	c := p.SoundSpeedAt(25)
	want := 0.75/(1500*1500) + 0.25/(1550.0*1550)
	if math.Abs(1/(c*c)/want-1) > 1e-14 {
		t.Fatalf("got %v", c)
	}
}

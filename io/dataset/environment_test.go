package dataset

import (
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"oceaninv/acoustics"
)

func drawMaterial(t *rapid.T) acoustics.Material {
	number := rapid.Float64Range(0, 5000)
	attenuation := func() acoustics.Attenuation {
		a := acoustics.Attenuation{Value: number.Draw(t, "attenuation"), Unit: rapid.SampledFrom([]acoustics.AttenuationUnit{
			acoustics.DBPerMetreKHz, acoustics.DBPerWavelength, acoustics.DBPerMetrePower}).Draw(t, "unit")}
		if a.Unit == acoustics.DBPerMetrePower {
			a.Exponent, a.Reference = number.Draw(t, "exponent"), number.Draw(t, "reference")
		}
		return a
	}
	return acoustics.Material{SoundSpeed: number.Draw(t, "speed"), ShearSpeed: number.Draw(t, "shear"), Density: number.Draw(t, "density"),
		Attenuation: attenuation(), ShearAttenuation: attenuation()}
}

func drawBoundary(t *rapid.T, more ...acoustics.BoundaryKind) acoustics.Boundary {
	b := acoustics.Boundary{Kind: rapid.SampledFrom(append(more, acoustics.PressureRelease, acoustics.Rigid,
		acoustics.Halfspace, acoustics.Reflection)).Draw(t, "kind"), Roughness: rapid.Float64Range(0, 3).Draw(t, "roughness")}
	switch b.Kind {
	case acoustics.Halfspace:
		b.Material = drawMaterial(t)
	case acoustics.Impedance:
		b.Impedance = &acoustics.ImpedanceTable{Frequency: 123.5}
		for i := range rapid.IntRange(1, 9).Draw(t, "wavenumbers") {
			x := rapid.Float64().Draw(t, "coefficient")
			b.Impedance.Rows = append(b.Impedance.Rows, acoustics.ImpedanceRow{Kr2: float64(i), FReal: x, FImag: -x, GReal: 2, GImag: x / 3})
		}
	case acoustics.Reflection:
		for i := range rapid.IntRange(1, 3).Draw(t, "angles") {
			b.Reflections = append(b.Reflections, acoustics.ReflectionCoefficient{GrazingAngle: float64(i), Magnitude: 0.5, Phase: -10})
		}
	}
	return b
}

func drawLayers(t *rapid.T, label string) []acoustics.Layer {
	var list []acoustics.Layer
	for range rapid.IntRange(0, 3).Draw(t, label) {
		l := acoustics.Layer{Name: rapid.StringMatching(`[a-zé ]*`).Draw(t, "name"), Thickness: rapid.Float64Range(0, 100).Draw(t, "thickness"),
			Interpolation: acoustics.N2Linear, BottomRoughness: rapid.Float64Range(0, 1).Draw(t, "roughness")}
		for range rapid.IntRange(1, 4).Draw(t, "knots") {
			l.Knots = append(l.Knots, acoustics.Knot{Depth: rapid.Float64Range(0, 100).Draw(t, "depth"), Material: drawMaterial(t)})
		}
		list = append(list, l)
	}
	return list
}

// Any environment comes back from its file bit for bit.
// TestEnvironmentsWithNaNAreRefused: wherever the NaN is, the reader says so.
func TestEnvironmentsWithNaNAreRefused(t *testing.T) {
	good := acoustics.Environment{
		Surface: acoustics.Boundary{Kind: acoustics.PressureRelease},
		Water: acoustics.Water{Depth: 100, Density: 1000, Profile: acoustics.SoundSpeedProfile{
			Depth: []float64{0, 50, 100}, Speed: []float64{1500, 1490, 1480}, Interpolation: acoustics.CLinear}},
		Bottom: acoustics.Boundary{Kind: acoustics.Halfspace, Material: acoustics.Material{SoundSpeed: 1700, Density: 1800}},
	}
	for name, spoil := range map[string]func(*acoustics.Environment){
		"none":        func(*acoustics.Environment) {},
		"sound_speed": func(e *acoustics.Environment) { e.Water.Profile.Speed = []float64{1500, math.NaN(), 1480} },
		"depth":       func(e *acoustics.Environment) { e.Water.Profile.Depth = []float64{0, math.NaN(), 100} },
		"water_depth": func(e *acoustics.Environment) { e.Water.Depth = math.NaN() },
		"density":     func(e *acoustics.Environment) { e.Bottom.Material.Density = math.NaN() },
		"attenuation": func(e *acoustics.Environment) { e.Water.Attenuation.Value = math.NaN() },
	} {
		e := good
		spoil(&e)
		path := filepath.Join(t.TempDir(), "e.nc")
		if err := WriteEnvironment(path, e); err != nil {
			continue // refused even earlier
		}
		if _, err := ReadEnvironment(path); (err == nil) != (name == "none") {
			t.Errorf("%s: %v", name, err)
		} else if err != nil && !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEnvironmentRoundTrip(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		path := filepath.Join(dir, "e.nc")
		knots := rapid.IntRange(1, 5).Draw(t, "profile")
		number := rapid.Float64Range(0, 2000)
		e := acoustics.Environment{
			Name: rapid.StringMatching(`[a-z]*`).Draw(t, "name"), Surface: drawBoundary(t), Cover: drawLayers(t, "cover"),
			Layers: drawLayers(t, "layers"), Bottom: drawBoundary(t, acoustics.Impedance),
			Water: acoustics.Water{Depth: number.Draw(t, "depth"), Density: 1000, Attenuation: acoustics.Attenuation{Value: 1, Unit: acoustics.QualityFactor},
				Profile: acoustics.SoundSpeedProfile{Depth: rapid.SliceOfN(number, knots, knots).Draw(t, "depths"),
					Speed: rapid.SliceOfN(number, knots, knots).Draw(t, "speeds"), Interpolation: acoustics.PCHIP}},
		}
		if rapid.Bool().Draw(t, "volume") {
			e.Water.VolumeAttenuation = acoustics.VolumeAttenuation{Formula: acoustics.FrancoisGarrison, Temperature: 10, Salinity: 35, PH: 8, MeanDepth: 50}
		}
		if err := WriteEnvironment(path, e); err != nil {
			t.Fatal(err)
		}
		r, err := openKnown(path, SchemaEnvironment) // without the trial reading, which costs more than the rest
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.environment()
		if err != nil || !reflect.DeepEqual(got, e) {
			t.Fatalf("got %+v\nwant %+v\n%v", got, e, err)
		}
	})
}

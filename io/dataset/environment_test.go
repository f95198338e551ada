package dataset

import (
	"path/filepath"
	"reflect"
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

func drawBoundary(t *rapid.T) acoustics.Boundary {
	b := acoustics.Boundary{Kind: rapid.SampledFrom([]acoustics.BoundaryKind{acoustics.PressureRelease, acoustics.Rigid,
		acoustics.Halfspace, acoustics.Reflection}).Draw(t, "kind"), Roughness: rapid.Float64Range(0, 3).Draw(t, "roughness")}
	switch b.Kind {
	case acoustics.Halfspace:
		b.Material = drawMaterial(t)
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
func TestEnvironmentRoundTrip(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		path := filepath.Join(dir, "e.nc")
		knots := rapid.IntRange(1, 5).Draw(t, "profile")
		number := rapid.Float64Range(0, 2000)
		e := acoustics.Environment{
			Name: rapid.StringMatching(`[a-z]*`).Draw(t, "name"), Surface: drawBoundary(t), Cover: drawLayers(t, "cover"),
			Layers: drawLayers(t, "layers"), Bottom: drawBoundary(t),
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

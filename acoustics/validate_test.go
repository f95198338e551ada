package acoustics

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func pekeris() Environment {
	return Environment{
		Surface: Boundary{Kind: PressureRelease},
		Water: Water{
			Depth: 100, Density: 1000,
			Profile: SoundSpeedProfile{Depth: []float64{0, 100}, Speed: []float64{1500, 1500}, Interpolation: CLinear},
		},
		Layers: []Layer{{Thickness: 10, Interpolation: CLinear, Knots: []Knot{
			{Depth: 0, Material: Material{SoundSpeed: 1600, Density: 1700, Attenuation: Attenuation{Value: 0.2, Unit: DBPerWavelength}}},
			{Depth: 10, Material: Material{SoundSpeed: 1650, Density: 1700}},
		}}},
		Bottom: Boundary{Kind: Halfspace, Material: Material{SoundSpeed: 1700, Density: 1800}},
	}
}

func TestValidateAcceptsGoodEnvironment(t *testing.T) {
	if err := pekeris().Validate(); err != nil {
		t.Fatal(err)
	}
}

func TestValidateNamesTheField(t *testing.T) {
	cases := []struct {
		path  string
		spoil func(*Environment)
	}{
		{"water.depth", func(e *Environment) { e.Water.Depth = 0 }},
		{"water.density", func(e *Environment) { e.Water.Density = -1 }},
		{"water.profile.speed[1]", func(e *Environment) { e.Water.Profile.Speed[1] = math.NaN() }},
		{"water.profile.depth[1]", func(e *Environment) { e.Water.Profile.Depth[1] = 90 }},
		{"water.profile.depth[1]", func(e *Environment) { e.Water.Profile.Depth[1] = 0 }},
		{"water.profile.depth[0]", func(e *Environment) { e.Water.Profile.Depth[0] = 5 }},
		{"water.profile", func(e *Environment) { e.Water.Profile.Speed = nil }},
		{"water.profile.interpolation", func(e *Environment) { e.Water.Profile.Interpolation = "linear" }},
		{"water.attenuation.unit", func(e *Environment) { e.Water.Attenuation.Value = 1 }},
		{"water.volume_attenuation.formula", func(e *Environment) { e.Water.VolumeAttenuation.Formula = "torp" }},
		{"layers[0].thickness", func(e *Environment) { e.Layers[0].Thickness = 0 }},
		{"layers[0].knots[1].depth", func(e *Environment) { e.Layers[0].Knots[1].Depth = 9 }},
		{"layers[0].knots[0].sound_speed", func(e *Environment) { e.Layers[0].Knots[0].SoundSpeed = 0 }},
		{"layers[0].knots", func(e *Environment) { e.Layers[0].Knots = nil }},
		{"bottom.material.density", func(e *Environment) { e.Bottom.Material.Density = math.Inf(1) }},
		{"bottom.kind", func(e *Environment) { e.Bottom.Kind = "soft" }},
		{"surface.roughness", func(e *Environment) { e.Surface.Roughness = -1 }},
		{"water.bottom_roughness", func(e *Environment) { e.Water.BottomRoughness = 1e6 }},
		{"layers[0].bottom_roughness", func(e *Environment) { e.Layers[0].BottomRoughness = 100 }},
		{"bottom.material.attenuation.value", func(e *Environment) { e.Bottom.Material.Attenuation = Attenuation{Value: 1e6, Unit: DBPerWavelength} }},
		{"bottom.material.shear_attenuation.value", func(e *Environment) {
			e.Bottom.Material.ShearSpeed, e.Bottom.Material.ShearAttenuation = 300, Attenuation{Value: 0.4, Unit: QualityFactor}
		}},
		{"water.attenuation.value", func(e *Environment) { e.Water.Attenuation = Attenuation{Value: 40, Unit: DBPerMetreKHz} }},
		{"bottom.material.density", func(e *Environment) { e.Bottom.Material.Density = 1.8 }},
		{"bottom.material.sound_speed", func(e *Environment) { e.Bottom.Material.SoundSpeed = 1.7 }},
		{"water.profile.speed[0]", func(e *Environment) { e.Water.Profile.Speed[0] = 1.5 }},
	}
	for _, c := range cases {
		e := pekeris().Clone()
		c.spoil(&e)
		var list ValidationErrors
		if err := e.Validate(); !errors.As(err, &list) {
			t.Errorf("%s: got %v, want ValidationErrors", c.path, err)
		} else if list[0].Path != c.path && list[len(list)-1].Path != c.path {
			t.Errorf("%s: got %v", c.path, list)
		}
	}
}

// At Im k = Re k every unit says the same: just below it is let pass, just above refused, by
// length only where the frequency is known.
func TestWavesThatAreNone(t *testing.T) {
	const hz, speed = 250.0, 1700.0
	for unit, limit := range map[AttenuationUnit]float64{
		NepersPerMetre:  2 * math.Pi * hz / speed,
		DBPerMetre:      2 * math.Pi * hz / speed * 20 / math.Ln10,
		DBPerMetrePower: 2 * math.Pi * hz / speed * 20 / math.Ln10 / 4, // at half of hz, grows as its square
		DBPerMetreKHz:   2 * math.Pi / speed * 20 / math.Ln10 * 1000,
		DBPerWavelength: 2 * math.Pi * 20 / math.Ln10,
		LossParameter:   1,
		QualityFactor:   0.5,
	} {
		for _, factor := range []float64{1 - 1e-9, 1 + 1e-9} {
			e := pekeris()
			e.Bottom.Material.Attenuation = Attenuation{Value: limit * factor, Unit: unit}
			if unit == QualityFactor {
				e.Bottom.Material.Attenuation.Value = limit / factor
			}
			if unit == DBPerMetrePower {
				e.Bottom.Material.Attenuation.Reference, e.Bottom.Material.Attenuation.Exponent = hz/2, 2
			}
			byLength := unit == NepersPerMetre || unit == DBPerMetre || unit == DBPerMetrePower
			if err := e.ValidateAt(hz); (err != nil) != (factor > 1) {
				t.Errorf("%v of %s at %v Hz: %v", factor, unit, hz, err)
			}
			if err := e.Validate(); (err != nil) != (factor > 1 && !byLength) {
				t.Errorf("%v of %s: %v", factor, unit, err)
			}
			if err := e.Solvable(); err != nil {
				t.Errorf("%v of %s, which can be solved: %v", factor, unit, err)
			}
		}
	}
}

func TestValidateReportsAllErrors(t *testing.T) {
	e := pekeris()
	e.Water.Density = 0
	e.Layers[0].Thickness = -1
	e.Bottom.Material.SoundSpeed = 0
	var list ValidationErrors
	if errors.As(e.Validate(), &list); len(list) != 3 {
		t.Fatalf("got %d errors, want 3: %v", len(list), list)
	}
}

func TestArrayBelowTheFloor(t *testing.T) {
	e := pekeris()
	array := ReceiverArray{Depths: []float64{50, 99}, Range: 1000, DepthOffset: 2}
	err := array.Validate(e)
	if err == nil || !strings.Contains(err.Error(), "depths[1]: 101 m is below the sea floor at 100 m") {
		t.Fatalf("got %v", err)
	}
	if err := (Source{Depth: -1}).Validate(e); err == nil {
		t.Fatal("a source above the surface was accepted")
	}
}

func TestTiltTurnsAboutTheDeepestPhone(t *testing.T) {
	a := ReceiverArray{Depths: []float64{40, 90}, Range: 1000, Tilt: 30}
	z, r := a.Positions(nil, nil)
	if math.Abs(z[0]-(90-50*math.Cos(math.Pi/6))) > 1e-12 || math.Abs(r[0]-1025) > 1e-12 || z[1] != 90 || r[1] != 1000 {
		t.Fatalf("got depths %v ranges %v", z, r)
	}
}

func TestCloneSharesNothing(t *testing.T) {
	e := pekeris()
	c := e.Clone()
	c.Water.Profile.Speed[0] = 1
	c.Layers[0].Knots[0].SoundSpeed = 1
	if e.Water.Profile.Speed[0] != 1500 || e.Layers[0].Knots[0].SoundSpeed != 1600 {
		t.Fatal("changing the clone changed the original")
	}
}

func TestValidateAllocatesNothing(t *testing.T) {
	e := pekeris()
	if n := testing.AllocsPerRun(100, func() { _ = e.Validate() }); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

package stages

import (
	"fmt"
	"slices"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/gocty"

	"oceaninv/acoustics"
	"oceaninv/workflow/stage"
)

// environmentBlock is an ocean as a pipeline writes it: from a file, or in full.
type environmentBlock struct {
	File    *string       `hcl:"file,optional"`     // NetCDF
	EnvFile *string       `hcl:"env_file,optional"` // Acoustics Toolbox
	Surface *surfaceBlock `hcl:"surface,block"`
	Ice     []layerBlock  `hcl:"ice,block"`
	Water   *waterBlock   `hcl:"water,block"`
	Layers  []layerBlock  `hcl:"layer,block"`
	Bottom  *bottomBlock  `hcl:"bottom,block"`
}

// surfaceBlock is what lies above: nothing (pressure_release), a rigid lid, a
// half-space, or a table of reflection coefficients.
type surfaceBlock struct {
	Kind             string      `hcl:"kind,optional"`
	Roughness        float64     `hcl:"roughness,optional"`
	SoundSpeed       *float64    `hcl:"sound_speed,optional"`
	ShearSpeed       float64     `hcl:"shear_speed,optional"`
	Density          *float64    `hcl:"density,optional"`
	Attenuation      string      `hcl:"attenuation,optional"`
	ShearAttenuation string      `hcl:"shear_attenuation,optional"`
	Reflections      [][]float64 `hcl:"reflections,optional"`
}

type waterBlock struct {
	Depth           float64       `hcl:"depth"`
	SoundSpeed      *float64      `hcl:"sound_speed,optional"`
	Profile         *profileBlock `hcl:"profile,block"`
	Density         *float64      `hcl:"density,optional"`
	Attenuation     string        `hcl:"attenuation,optional"`
	Absorption      string        `hcl:"volume_attenuation,optional"`
	Temperature     float64       `hcl:"temperature,optional"`
	Salinity        float64       `hcl:"salinity,optional"`
	PH              float64       `hcl:"ph,optional"`
	MeanDepth       float64       `hcl:"mean_depth,optional"`
	BottomRoughness float64       `hcl:"bottom_roughness,optional"`
}

type profileBlock struct {
	Depth         []float64 `hcl:"depth"`
	Speed         []float64 `hcl:"speed"`
	Attenuation   []string  `hcl:"attenuation,optional"`
	Interpolation string    `hcl:"interpolation,optional"`
}

// layerBlock writes each property as one value, or as one for each depth (m below
// the layer's top); without depth the depths are the layer's top and bottom.
type layerBlock struct {
	Name             string    `hcl:"name,label"`
	Thickness        float64   `hcl:"thickness"`
	Depth            []float64 `hcl:"depth,optional"`
	SoundSpeed       cty.Value `hcl:"sound_speed"`
	ShearSpeed       cty.Value `hcl:"shear_speed,optional"`
	Density          cty.Value `hcl:"density"`
	Attenuation      cty.Value `hcl:"attenuation,optional"`
	ShearAttenuation cty.Value `hcl:"shear_attenuation,optional"`
	Interpolation    string    `hcl:"interpolation,optional"`
	BottomRoughness  float64   `hcl:"bottom_roughness,optional"`
}

type bottomBlock struct {
	Kind             string      `hcl:"kind,optional"`
	SoundSpeed       *float64    `hcl:"sound_speed,optional"`
	ShearSpeed       float64     `hcl:"shear_speed,optional"`
	Density          *float64    `hcl:"density,optional"`
	Attenuation      string      `hcl:"attenuation,optional"`
	ShearAttenuation string      `hcl:"shear_attenuation,optional"`
	Reflections      [][]float64 `hcl:"reflections,optional"`
	// Impedance is [kr², Re f, Im f, Re g, Im g] for each wavenumber.
	Impedance          [][]float64 `hcl:"impedance,optional"`
	ImpedanceFrequency float64     `hcl:"impedance_frequency,optional"`
}

// seaWaterDensity is what a water block without a density gets, in kg/m³: the
// Acoustics Toolbox's convention of 1 g/cm³, so that the same ocean gives the
// same answer there.
const seaWaterDensity = 1000

// inline builds an environment that is written out in full.
func (b *environmentBlock) inline(d *stage.Decoder) acoustics.Environment {
	env := acoustics.Environment{Name: d.Name, Surface: acoustics.Boundary{Kind: acoustics.PressureRelease}}
	if b.Surface != nil {
		env.Surface = b.Surface.boundary(d)
	}
	env.Water = b.Water.water(d)
	for i := range b.Ice {
		env.Cover = append(env.Cover, b.Ice[i].layer(d, "ice"))
	}
	for i := range b.Layers {
		env.Layers = append(env.Layers, b.Layers[i].layer(d, "layer"))
	}
	env.Bottom = b.Bottom.boundary(d, "bottom")
	return env
}

func (w *waterBlock) water(d *stage.Decoder) acoustics.Water {
	out := acoustics.Water{
		Depth: w.Depth, Density: seaWaterDensity, BottomRoughness: w.BottomRoughness,
		Attenuation: attenuation(d, "water.attenuation", w.Attenuation),
		VolumeAttenuation: acoustics.VolumeAttenuation{
			Formula: acoustics.VolumeFormula(w.Absorption), Temperature: w.Temperature,
			Salinity: w.Salinity, PH: w.PH, MeanDepth: w.MeanDepth,
		},
	}
	if w.Density != nil {
		out.Density = *w.Density
	}
	switch {
	case (w.Profile == nil) == (w.SoundSpeed == nil):
		d.Errorf("water", "Sound speed of the water",
			"Give either sound_speed (one number) or a profile block (depth and speed): not both, and not neither.")
	case w.SoundSpeed != nil:
		out.Profile = acoustics.SoundSpeedProfile{
			Depth: []float64{0, w.Depth}, Speed: []float64{*w.SoundSpeed, *w.SoundSpeed}, Interpolation: acoustics.CLinear,
		}
	default:
		out.Profile = acoustics.SoundSpeedProfile{
			Depth: w.Profile.Depth, Speed: w.Profile.Speed, Interpolation: interpolation(w.Profile.Interpolation),
		}
		for _, a := range w.Profile.Attenuation {
			out.Attenuations = append(out.Attenuations, attenuation(d, "water.profile.attenuation", a))
		}
		if n := len(out.Attenuations); n > 0 && n != len(w.Profile.Depth) {
			d.Errorf("water.profile.attenuation", "Invalid attenuation", "There are %d attenuations for %d depths: give one for each, or attenuation in the water block.", n, len(w.Profile.Depth))
		}
	}
	return out
}

// attenuation parses an attenuation, reporting a mistake at path.
func attenuation(d *stage.Decoder, path, s string) acoustics.Attenuation {
	a, err := parseAttenuation(s)
	if err != nil {
		d.Errorf(path, "Invalid attenuation", "%v.", err)
	}
	return a
}

func interpolation(s string) acoustics.Interpolation {
	if s == "" {
		return acoustics.CLinear
	}
	return acoustics.Interpolation(s)
}

func (l *layerBlock) layer(d *stage.Decoder, kind string) acoustics.Layer {
	path := kind + "." + l.Name + "."
	depths := l.Depth
	if len(depths) == 0 {
		depths = []float64{0, l.Thickness}
	}
	at := func(v cty.Value, name string) []float64 {
		e, err := perDepth(v, len(depths), cty.Number, toFloat)
		if err != nil {
			d.Errorf(path+name, "Unsuitable value", "%s: %v.", name, err)
		}
		return e
	}
	loss := func(v cty.Value, name string) []acoustics.Attenuation {
		e, err := perDepth(v, len(depths), cty.String, func(v cty.Value) (acoustics.Attenuation, error) { return parseAttenuation(v.AsString()) })
		if err != nil {
			d.Errorf(path+name, "Invalid attenuation", "%v.", err)
		}
		return e
	}
	c, cs, rho := at(l.SoundSpeed, "sound_speed"), at(l.ShearSpeed, "shear_speed"), at(l.Density, "density")
	alpha, beta := loss(l.Attenuation, "attenuation"), loss(l.ShearAttenuation, "shear_attenuation")
	out := acoustics.Layer{
		Name: l.Name, Thickness: l.Thickness, BottomRoughness: l.BottomRoughness, Interpolation: interpolation(l.Interpolation),
	}
	for i, depth := range depths {
		out.Knots = append(out.Knots, acoustics.Knot{Depth: depth, Material: acoustics.Material{
			SoundSpeed: c[i], ShearSpeed: cs[i], Density: rho[i], Attenuation: alpha[i], ShearAttenuation: beta[i],
		}})
	}
	return out
}

// perDepth reads one value for n depths, or a list of n; a missing value is zero.
// The result has length n whatever the error.
func perDepth[T any](v cty.Value, n int, of cty.Type, read func(cty.Value) (T, error)) ([]T, error) {
	out := make([]T, n)
	if v == cty.NilVal || v.IsNull() {
		return out, nil
	}
	wrong := fmt.Errorf("write one value, or a list of %d: one for each depth, from the layer's top to its bottom", n)
	var list []cty.Value
	if one, err := convert.Convert(v, of); err == nil {
		list = slices.Repeat([]cty.Value{one}, n)
	} else if all, err := convert.Convert(v, cty.List(of)); err == nil && all.IsWhollyKnown() {
		list = all.AsValueSlice()
	}
	if len(list) != n {
		return out, wrong
	}
	for i, one := range list {
		if one.IsNull() || !one.IsKnown() {
			return out, wrong
		}
		var err error
		if out[i], err = read(one); err != nil {
			return out, err
		}
	}
	return out, nil
}

func toFloat(v cty.Value) (x float64, err error) {
	err = gocty.FromCtyValue(v, &x)
	return x, err
}

func (b *surfaceBlock) boundary(d *stage.Decoder) acoustics.Boundary {
	if b.Kind == "" {
		b.Kind = string(acoustics.PressureRelease)
	}
	below := bottomBlock{
		Kind: b.Kind, SoundSpeed: b.SoundSpeed, ShearSpeed: b.ShearSpeed, Density: b.Density,
		Attenuation: b.Attenuation, ShearAttenuation: b.ShearAttenuation, Reflections: b.Reflections,
	}
	out := below.boundary(d, "surface")
	out.Roughness = b.Roughness
	return out
}

// boundary is a half-space, a rigid or free boundary, or one that reflects by a
// table; block is where it was written.
func (b *bottomBlock) boundary(d *stage.Decoder, block string) acoustics.Boundary {
	out := acoustics.Boundary{Kind: acoustics.BoundaryKind(b.Kind)}
	if b.Kind == "" {
		out.Kind = acoustics.Halfspace
	}
	if out.Kind == acoustics.Reflection {
		for _, row := range b.Reflections {
			if len(row) != 3 {
				d.Errorf(block+".reflections", "Unsuitable table", "Write [grazing angle in degrees, magnitude, phase in degrees] for each angle.")
				return out
			}
			out.Reflections = append(out.Reflections, acoustics.ReflectionCoefficient{GrazingAngle: row[0], Magnitude: row[1], Phase: row[2]})
		}
		return out
	}
	if out.Kind == acoustics.Impedance {
		out.Impedance = b.impedance(d, block)
		return out
	}
	if out.Kind != acoustics.Halfspace {
		return out
	}
	if b.SoundSpeed == nil || b.Density == nil {
		d.Errorf(block, "Incomplete half-space",
			"A half-space needs sound_speed (m/s) and density (kg/m³); or set kind to %q or %q.", acoustics.Rigid, acoustics.PressureRelease)
		return out
	}
	out.Material = acoustics.Material{
		SoundSpeed: *b.SoundSpeed, ShearSpeed: b.ShearSpeed, Density: *b.Density,
		Attenuation:      attenuation(d, block+".attenuation", b.Attenuation),
		ShearAttenuation: attenuation(d, block+".shear_attenuation", b.ShearAttenuation),
	}
	return out
}

func (b *bottomBlock) impedance(d *stage.Decoder, block string) *acoustics.ImpedanceTable {
	t := &acoustics.ImpedanceTable{Frequency: b.ImpedanceFrequency}
	for _, row := range b.Impedance {
		if len(row) != 5 {
			d.Errorf(block+".impedance", "Unsuitable table", "Write [kr² in rad²/m², Re f, Im f, Re g, Im g] for each wavenumber.")
			return t
		}
		t.Rows = append(t.Rows, acoustics.ImpedanceRow{Kr2: row[0], FReal: row[1], FImag: row[2], GReal: row[3], GImag: row[4]})
	}
	return t
}

package stages

import (
	"errors"

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

type surfaceBlock struct {
	Kind      string  `hcl:"kind,optional"`
	Roughness float64 `hcl:"roughness,optional"`
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
	Interpolation string    `hcl:"interpolation,optional"`
}

// layerBlock writes each property as one number, or as [top, bottom] for a
// gradient that is linear in depth.
type layerBlock struct {
	Name             string    `hcl:"name,label"`
	Thickness        float64   `hcl:"thickness"`
	SoundSpeed       cty.Value `hcl:"sound_speed"`
	ShearSpeed       cty.Value `hcl:"shear_speed,optional"`
	Density          cty.Value `hcl:"density"`
	Attenuation      string    `hcl:"attenuation,optional"`
	ShearAttenuation string    `hcl:"shear_attenuation,optional"`
	Interpolation    string    `hcl:"interpolation,optional"`
	BottomRoughness  float64   `hcl:"bottom_roughness,optional"`
}

type bottomBlock struct {
	Kind             string   `hcl:"kind,optional"`
	SoundSpeed       *float64 `hcl:"sound_speed,optional"`
	ShearSpeed       float64  `hcl:"shear_speed,optional"`
	Density          *float64 `hcl:"density,optional"`
	Attenuation      string   `hcl:"attenuation,optional"`
	ShearAttenuation string   `hcl:"shear_attenuation,optional"`
}

// seaWaterDensity is what a water block without a density gets, in kg/m³: the
// Acoustics Toolbox's convention of 1 g/cm³, so that the same ocean gives the
// same answer there.
const seaWaterDensity = 1000

// inline builds an environment that is written out in full.
func (b *environmentBlock) inline(d *stage.Decoder) acoustics.Environment {
	env := acoustics.Environment{Name: d.Name, Surface: acoustics.Boundary{Kind: acoustics.PressureRelease}}
	if b.Surface != nil {
		env.Surface.Roughness = b.Surface.Roughness
		if b.Surface.Kind != "" {
			env.Surface.Kind = acoustics.BoundaryKind(b.Surface.Kind)
		}
	}
	env.Water = b.Water.water(d)
	for i := range b.Ice {
		env.Cover = append(env.Cover, b.Ice[i].layer(d, "ice"))
	}
	for i := range b.Layers {
		env.Layers = append(env.Layers, b.Layers[i].layer(d, "layer"))
	}
	env.Bottom = b.Bottom.boundary(d)
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
	ends := func(v cty.Value, name string) [2]float64 {
		e, err := topBottom(v)
		if err != nil {
			d.Errorf(path+name, "Unsuitable value", "%s: %v.", name, err)
		}
		return e
	}
	c, cs, rho := ends(l.SoundSpeed, "sound_speed"), ends(l.ShearSpeed, "shear_speed"), ends(l.Density, "density")
	alpha := attenuation(d, path+"attenuation", l.Attenuation)
	beta := attenuation(d, path+"shear_attenuation", l.ShearAttenuation)
	out := acoustics.Layer{
		Name: l.Name, Thickness: l.Thickness, BottomRoughness: l.BottomRoughness, Interpolation: interpolation(l.Interpolation),
	}
	for i, depth := range []float64{0, l.Thickness} {
		out.Knots = append(out.Knots, acoustics.Knot{Depth: depth, Material: acoustics.Material{
			SoundSpeed: c[i], ShearSpeed: cs[i], Density: rho[i], Attenuation: alpha, ShearAttenuation: beta,
		}})
	}
	return out
}

// topBottom reads one number, or [top, bottom]; a missing value is zero.
func topBottom(v cty.Value) ([2]float64, error) {
	if v == cty.NilVal || v.IsNull() {
		return [2]float64{}, nil
	}
	if n, err := convert.Convert(v, cty.Number); err == nil {
		var one float64
		err := gocty.FromCtyValue(n, &one)
		return [2]float64{one, one}, err
	}
	list, err := convert.Convert(v, cty.List(cty.Number))
	if err != nil || !list.IsWhollyKnown() || list.LengthInt() != 2 {
		return [2]float64{}, errors.New("write one number, or [top, bottom] for a linear gradient")
	}
	var ends []float64
	if err := gocty.FromCtyValue(list, &ends); err != nil {
		return [2]float64{}, err
	}
	return [2]float64{ends[0], ends[1]}, nil
}

// boundary is the half-space below the layers, or a rigid or free bottom.
func (b *bottomBlock) boundary(d *stage.Decoder) acoustics.Boundary {
	out := acoustics.Boundary{Kind: acoustics.BoundaryKind(b.Kind)}
	if b.Kind == "" {
		out.Kind = acoustics.Halfspace
	}
	if out.Kind != acoustics.Halfspace {
		return out
	}
	if b.SoundSpeed == nil || b.Density == nil {
		d.Errorf("bottom", "Incomplete half-space",
			"A half-space needs sound_speed (m/s) and density (kg/m³); or set kind to %q or %q.", acoustics.Rigid, acoustics.PressureRelease)
		return out
	}
	out.Material = acoustics.Material{
		SoundSpeed: *b.SoundSpeed, ShearSpeed: b.ShearSpeed, Density: *b.Density,
		Attenuation:      attenuation(d, "bottom.attenuation", b.Attenuation),
		ShearAttenuation: attenuation(d, "bottom.shear_attenuation", b.ShearAttenuation),
	}
	return out
}

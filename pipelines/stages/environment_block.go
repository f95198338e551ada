package stages

import (
	"errors"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/gocty"

	"oceaninv/acoustics"
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
	env := acoustics.Environment{Name: name, Surface: acoustics.Boundary{Kind: acoustics.PressureRelease}}
	var diags hcl.Diagnostics
	if b.Surface != nil {
		env.Surface.Roughness = b.Surface.Roughness
		if b.Surface.Kind != "" {
			env.Surface.Kind = acoustics.BoundaryKind(b.Surface.Kind)
		}
	}
	env.Water, diags = b.Water.water(body)
	for i := range b.Ice {
		l, d := b.Ice[i].layer(body, "ice")
		env.Cover, diags = append(env.Cover, l), append(diags, d...)
	}
	for i := range b.Layers {
		l, d := b.Layers[i].layer(body, "layer")
		env.Layers, diags = append(env.Layers, l), append(diags, d...)
	}
	bottom, d := b.Bottom.boundary(body)
	env.Bottom = bottom
	return env, append(diags, d...)
}

func (w *waterBlock) water(body hcl.Body) (acoustics.Water, hcl.Diagnostics) {
	out := acoustics.Water{
		Depth: w.Depth, Density: seaWaterDensity, BottomRoughness: w.BottomRoughness,
		VolumeAttenuation: acoustics.VolumeAttenuation{
			Formula: acoustics.VolumeFormula(w.Absorption), Temperature: w.Temperature,
			Salinity: w.Salinity, PH: w.PH, MeanDepth: w.MeanDepth,
		},
	}
	if w.Density != nil {
		out.Density = *w.Density
	}
	var diags hcl.Diagnostics
	switch {
	case (w.Profile == nil) == (w.SoundSpeed == nil):
		diags = append(diags, invalid(body, "water", "Sound speed of the water",
			"Give either sound_speed (one number) or a profile block (depth and speed), not both and not neither."))
	case w.SoundSpeed != nil:
		out.Profile = acoustics.SoundSpeedProfile{
			Depth: []float64{0, w.Depth}, Speed: []float64{*w.SoundSpeed, *w.SoundSpeed}, Interpolation: acoustics.CLinear,
		}
	default:
		out.Profile = acoustics.SoundSpeedProfile{
			Depth: w.Profile.Depth, Speed: w.Profile.Speed, Interpolation: interpolation(w.Profile.Interpolation),
		}
	}
	var err error
	if out.Attenuation, err = parseAttenuation(w.Attenuation); err != nil {
		diags = append(diags, invalid(body, "water.attenuation", "Invalid attenuation", err.Error()))
	}
	return out, diags
}

func interpolation(s string) acoustics.Interpolation {
	if s == "" {
		return acoustics.CLinear
	}
	return acoustics.Interpolation(s)
}

func (l *layerBlock) layer(body hcl.Body, kind string) (acoustics.Layer, hcl.Diagnostics) {
	path := kind + "." + l.Name
	out := acoustics.Layer{Name: l.Name, Thickness: l.Thickness, BottomRoughness: l.BottomRoughness, Interpolation: interpolation(l.Interpolation)}
	var diags hcl.Diagnostics
	ends := func(v cty.Value, name string) [2]float64 {
		e, err := topBottom(v)
		if err != nil {
			diags = append(diags, invalid(body, path+"."+name, "Invalid "+name, err.Error()))
		}
		return e
	}
	loss := func(s, name string) acoustics.Attenuation {
		a, err := parseAttenuation(s)
		if err != nil {
			diags = append(diags, invalid(body, path+"."+name, "Invalid attenuation", err.Error()))
		}
		return a
	}
	c, cs, rho := ends(l.SoundSpeed, "sound_speed"), ends(l.ShearSpeed, "shear_speed"), ends(l.Density, "density")
	alpha, beta := loss(l.Attenuation, "attenuation"), loss(l.ShearAttenuation, "shear_attenuation")
	for i, depth := range []float64{0, l.Thickness} {
		out.Knots = append(out.Knots, acoustics.Knot{Depth: depth, Material: acoustics.Material{
			SoundSpeed: c[i], ShearSpeed: cs[i], Density: rho[i], Attenuation: alpha, ShearAttenuation: beta,
		}})
	}
	return out, diags
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
func (b *bottomBlock) boundary(body hcl.Body) (acoustics.Boundary, hcl.Diagnostics) {
	kind := acoustics.BoundaryKind(b.Kind)
	if b.Kind == "" {
		kind = acoustics.Halfspace
	}
	out := acoustics.Boundary{Kind: kind}
	if kind != acoustics.Halfspace {
		return out, nil
	}
	var diags hcl.Diagnostics
	if b.SoundSpeed == nil || b.Density == nil {
		return out, append(diags, invalid(body, "bottom", "Incomplete half-space",
			"A half-space needs sound_speed (m/s) and density (kg/m³); or set kind to \"rigid\" or \"pressure_release\"."))
	}
	out.Material = acoustics.Material{SoundSpeed: *b.SoundSpeed, ShearSpeed: b.ShearSpeed, Density: *b.Density}
	var err error
	if out.Material.Attenuation, err = parseAttenuation(b.Attenuation); err != nil {
		diags = append(diags, invalid(body, "bottom.attenuation", "Invalid attenuation", err.Error()))
	}
	if out.Material.ShearAttenuation, err = parseAttenuation(b.ShearAttenuation); err != nil {
		diags = append(diags, invalid(body, "bottom.shear_attenuation", "Invalid attenuation", err.Error()))
	}
	return out, diags
}

package inversion

import (
	"slices"
	"strings"

	"oceaninv/acoustics"
)

// Parameter is one unknown of a problem: a quantity of the experiment, where it
// sits, and its prior.
type Parameter struct {
	// Name is unique in the problem; it names variables and axes.
	Name string `json:"name" hcl:"name,label"`
	// Quantity is what is unknown; empty takes the Name.
	Quantity Quantity `json:"quantity,omitempty" hcl:"quantity,optional"`
	// Layer names the sediment layer the quantity belongs to; "bottom" is the
	// half-space below all layers.
	Layer string `json:"layer,omitempty" hcl:"layer,optional"`
	// KeepGradient applies to SoundSpeedTop: true moves the whole layer by the
	// same amount, keeping its gradient (the habit of programs that invert for
	// top speed and speed difference separately); false, the default, keeps the
	// speeds below the top, so that only the top varies.
	KeepGradient bool `json:"keep_gradient,omitempty" hcl:"keep_gradient,optional"`
	// Shape of a ProfileMode: the change of sound speed (m/s) at each knot of
	// the profile for a unit coefficient, such as an empirical orthogonal
	// function.
	Shape []float64 `json:"shape,omitempty" hcl:"shape,optional"`
	Prior Marginal  `json:"prior" hcl:"prior,block"`
	// Title overrides the quantity's label on axes.
	Title string `json:"label,omitempty" hcl:"label,optional"`
}

// Quantity names what of an experiment can be unknown.
type Quantity string

// Quantities, with their unit. Those of a layer need Parameter.Layer.
const (
	WaterDepth       Quantity = "water_depth"            // m
	SourceDepth      Quantity = "source_depth"           // m
	Range            Quantity = "range"                  // m
	Tilt             Quantity = "tilt"                   // degrees
	ArrayDepthOffset Quantity = "array_depth_offset"     // m
	ProfileOffset    Quantity = "profile_offset"         // m/s, added to the whole sound-speed profile
	ProfileMode      Quantity = "profile_mode"           // coefficient of Parameter.Shape
	Thickness        Quantity = "thickness"              // m, of a layer; its knots scale with it
	SoundSpeedTop    Quantity = "sound_speed_top"        // m/s, at the top of a layer
	SoundSpeedBottom Quantity = "sound_speed_bottom"     // m/s, at the bottom of a layer
	SoundSpeedDelta  Quantity = "sound_speed_difference" // m/s, bottom less top, linear between
	SoundSpeedSlope  Quantity = "sound_speed_gradient"   // 1/s, linear from the top
	SoundSpeed       Quantity = "sound_speed"            // m/s, of a homogeneous layer or the half-space
	ShearSpeed       Quantity = "shear_speed"            // m/s, of the whole layer
	Density          Quantity = "density"                // kg/m³, of the whole layer
	AttenuationP     Quantity = "attenuation"            // in the unit of the layer's attenuation
	AttenuationS     Quantity = "shear_attenuation"      // in the unit of the layer's shear attenuation
)

// quantityInfo is what the package knows of a quantity. Quantities are applied
// to an experiment in the order of this table, so that, say, a thickness is set
// before a gradient is laid over it.
type quantityInfo struct {
	quantity Quantity
	label    string
	unit     string
	layered  bool
}

var quantities = []quantityInfo{
	{WaterDepth, "water depth", "m", false},
	{SourceDepth, "source depth", "m", false},
	{Range, "range", "m", false},
	{Tilt, "array tilt", "degrees", false},
	{ArrayDepthOffset, "array depth offset", "m", false},
	{ProfileOffset, "sound-speed profile offset", "m/s", false},
	{ProfileMode, "sound-speed profile coefficient", "1", false},
	{Thickness, "thickness", "m", true},
	{SoundSpeed, "sound speed", "m/s", true},
	{SoundSpeedTop, "top sound speed", "m/s", true},
	{SoundSpeedBottom, "bottom sound speed", "m/s", true},
	{SoundSpeedDelta, "sound-speed difference", "m/s", true},
	{SoundSpeedSlope, "sound-speed gradient", "1/s", true},
	{ShearSpeed, "shear speed", "m/s", true},
	{Density, "density", "kg/m3", true},
	{AttenuationP, "attenuation", "", true},
	{AttenuationS, "shear attenuation", "", true},
}

// Quantities lists the names of all quantities that can be unknown.
func Quantities() []Quantity {
	out := make([]Quantity, len(quantities))
	for i, q := range quantities {
		out[i] = q.quantity
	}
	return out
}

// BottomHalfspace is the name of the half-space below all layers in
// Parameter.Layer.
const BottomHalfspace = "bottom"

func (p *Parameter) quantity() Quantity {
	if p.Quantity == "" {
		return Quantity(p.Name)
	}
	return p.Quantity
}

// SameQuantity reports whether the two change the same quantity of an experiment in the same
// way, whatever their names, labels and priors.
func (p *Parameter) SameQuantity(q *Parameter) bool {
	return p.quantity() == q.quantity() && p.Layer == q.Layer && p.KeepGradient == q.KeepGradient && slices.Equal(p.Shape, q.Shape)
}

// rank is the position in the table of quantities, -1 when unknown.
func (q Quantity) rank() int {
	return slices.IndexFunc(quantities, func(i quantityInfo) bool { return i.quantity == q })
}

// Label is the parameter's name for an axis, such as "sediment top sound speed".
func (p *Parameter) Label() string {
	if p.Title != "" {
		return p.Title
	}
	k := p.quantity().rank()
	if k < 0 {
		return p.Name
	}
	if quantities[k].layered {
		return strings.ReplaceAll(p.Layer, "_", " ") + " " + quantities[k].label
	}
	return quantities[k].label
}

// Unit is the parameter's unit; attenuations take it from the environment.
func (p *Parameter) Unit(env *acoustics.Environment) string {
	k := p.quantity().rank()
	if k < 0 {
		return ""
	}
	if u := quantities[k].unit; u != "" {
		return u
	}
	m := p.material(env)
	if m == nil {
		return ""
	}
	if p.quantity() == AttenuationS {
		return string(m.ShearAttenuation.Unit)
	}
	return string(m.Attenuation.Unit)
}

// material is the topmost material of the parameter's layer, nil if there is no
// such layer.
func (p *Parameter) material(env *acoustics.Environment) *acoustics.Material {
	if p.Layer == BottomHalfspace {
		if env.Bottom.Kind != acoustics.Halfspace {
			return nil
		}
		return &env.Bottom.Material
	}
	i := layerIndex(env, p.Layer)
	if i < 0 || len(env.Layers[i].Knots) == 0 {
		return nil
	}
	return &env.Layers[i].Knots[0].Material
}

func layerIndex(env *acoustics.Environment, name string) int {
	return slices.IndexFunc(env.Layers, func(l acoustics.Layer) bool { return l.Name == name })
}

func (p *Parameter) validate(env *acoustics.Environment) error {
	field := "parameter." + p.Name
	q := p.quantity()
	k := q.rank()
	if k < 0 {
		return invalid(field+".quantity", "unknown quantity %q; choose one of %v", q, Quantities())
	}
	if quantities[k].layered {
		if err := p.validateLayer(env, q); err != nil {
			return err
		}
	} else if p.Layer != "" {
		return invalid(field+".layer", "%s does not belong to a layer; remove the attribute", q)
	}
	if q == ProfileMode && len(p.Shape) != len(env.Water.Profile.Depth) {
		return invalid(field+".shape", "has %d values, the sound-speed profile %d knots", len(p.Shape), len(env.Water.Profile.Depth))
	}
	return p.Prior.validate(field + ".prior")
}

func (p *Parameter) validateLayer(env *acoustics.Environment, q Quantity) error {
	field := "parameter." + p.Name + ".layer"
	names := make([]string, 0, len(env.Layers)+1)
	for _, l := range env.Layers {
		names = append(names, l.Name)
	}
	if env.Bottom.Kind == acoustics.Halfspace {
		names = append(names, BottomHalfspace)
	}
	if p.Layer == "" {
		return invalid(field, "%s needs the name of a layer, one of %q", q, names)
	}
	if !slices.Contains(names, p.Layer) {
		return invalid(field, "no layer %q in the environment; it has %q", p.Layer, names)
	}
	switch q {
	case Thickness, SoundSpeedTop, SoundSpeedBottom, SoundSpeedDelta, SoundSpeedSlope:
		if p.Layer == BottomHalfspace {
			return invalid(field, "the half-space has one sound speed and no thickness; use %q or name a layer", SoundSpeed)
		}
	}
	return nil
}

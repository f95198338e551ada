package dataset

import (
	"oceaninv/acoustics"
	"oceaninv/io/netcdf"
)

// ReadEnvironment reads an environment file. Roughness, names, shear and volume
// attenuation may be left out; so may interpolation, which then is linear in speed.
func ReadEnvironment(path string) (acoustics.Environment, error) {
	r, err := open(path, SchemaEnvironment)
	if err != nil {
		return acoustics.Environment{}, err
	}
	return r.environment()
}

func (r *reader) environment() (acoustics.Environment, error) {
	name, _ := r.file.Attribute("environment_name")
	e := acoustics.Environment{Name: name.Text(), Water: r.water()}
	for _, m := range r.media() {
		boundary := acoustics.Boundary{Kind: m.kind, Roughness: m.BottomRoughness}
		if len(m.Knots) > 0 {
			boundary.Material = m.Knots[0].Material
		}
		switch m.role {
		case roleSurface:
			boundary.Reflections = r.reflections("surface")
			e.Surface = boundary
		case roleBottom:
			boundary.Reflections = r.reflections("bottom")
			boundary.Impedance = r.impedance()
			e.Bottom = boundary
		case roleCover:
			e.Cover = append(e.Cover, m.Layer)
		case roleLayer:
			e.Layers = append(e.Layers, m.Layer)
		default:
			r.fail("medium_role", "%q is none of surface, cover, layer, bottom", m.role)
		}
	}
	return e, r.done()
}

func (r *reader) water() acoustics.Water {
	x := acoustics.Water{
		Depth:   r.scalar("water_depth", metre),
		Profile: acoustics.SoundSpeedProfile{Depth: r.float64s("depth", metre, profileDims...), Speed: r.float64s("sound_speed", metrePerSecond, profileDims...)},
		Density: r.scalar("water_density", kilogramPerM3),
	}
	x.Profile.Interpolation = acoustics.Interpolation(r.text("sound_speed", "interpolation"))
	if x.Profile.Interpolation == "" {
		x.Profile.Interpolation = acoustics.CLinear
	}
	if r.file.Has("bottom_roughness") {
		x.BottomRoughness = r.scalar("bottom_roughness", metre)
	}
	if r.file.Has("water_attenuation") {
		v := r.anyVariable("water_attenuation")
		unit := r.text("water_attenuation", "attenuation_unit")
		x.Attenuation = acoustics.Attenuation{Value: r.scalar("water_attenuation", ""), Unit: acoustics.AttenuationUnit(unit),
			Exponent: number(v, "exponent"), Reference: number(v, "reference_frequency")}
	}
	if r.file.Has("water_attenuation_profile") {
		x.Attenuations = r.attenuation("water_attenuation_profile", profileDims)
	}
	if r.file.Has("volume_attenuation") {
		v := r.anyVariable("volume_attenuation")
		formula := r.text("volume_attenuation", "formula")
		x.VolumeAttenuation = acoustics.VolumeAttenuation{Formula: acoustics.VolumeFormula(formula), Temperature: number(v, "temperature"),
			Salinity: number(v, "salinity"), PH: number(v, "ph"), MeanDepth: number(v, "mean_depth")}
	}
	return x
}

// text is an attribute of a variable, or "".
func (r *reader) text(variable, name string) string {
	v := r.anyVariable(variable)
	if v == nil {
		return ""
	}
	a, _ := v.Attribute(name)
	return a.Text()
}

// number is a numeric attribute, or 0.
func number(v *netcdf.Variable, name string) float64 {
	if v == nil {
		return 0
	}
	a, _ := v.Attribute(name)
	if list := a.Float64s(); len(list) == 1 {
		return list[0]
	}
	return 0
}

// media reads the media with their knots.
func (r *reader) media() []medium {
	roles := r.strings("medium_role", mediumDims...)
	kinds := r.optionalStrings("medium_kind", mediumDims...)
	names := r.optionalStrings("medium_name", mediumDims...)
	rules := r.optionalStrings("medium_interpolation", mediumDims...)
	thickness := r.float64s("medium_thickness", metre, mediumDims...)
	roughness := r.optional("medium_roughness", metre, mediumDims...)
	counts := r.float64s("medium_knots", "", mediumDims...)
	knots := r.knots()
	if r.err != nil {
		return nil
	}
	list := make([]medium, len(roles))
	at := 0
	for i := range list {
		n := int(counts[i])
		if n < 1 || float64(n) != counts[i] || at+n > len(knots) {
			r.fail("medium_knots", "medium %d has %g knots of the %d in the file", i+1, counts[i], len(knots))
			return nil
		}
		list[i] = medium{roles[i], acoustics.BoundaryKind(kinds[i]), acoustics.Layer{Name: names[i], Thickness: thickness[i],
			Knots: knots[at : at+n], Interpolation: acoustics.Interpolation(rules[i]), BottomRoughness: roughness[i]}}
		at += n
	}
	if at != len(knots) {
		r.fail("medium_knots", "the media have %d knots, the file %d", at, len(knots))
	}
	return list
}

func (r *reader) knots() []acoustics.Knot {
	depth := r.float64s("knot_depth", metre, knotDims...)
	speed := r.float64s("knot_sound_speed", metrePerSecond, knotDims...)
	shear := r.optional("knot_shear_speed", metrePerSecond, knotDims...)
	density := r.float64s("knot_density", kilogramPerM3, knotDims...)
	attenuation := r.attenuation("knot_attenuation", knotDims)
	shearAttenuation := r.attenuation("knot_shear_attenuation", knotDims)
	if r.err != nil {
		return nil
	}
	list := make([]acoustics.Knot, len(depth))
	for i := range list {
		list[i] = acoustics.Knot{Depth: depth[i], Material: acoustics.Material{SoundSpeed: speed[i], ShearSpeed: shear[i],
			Density: density[i], Attenuation: attenuation[i], ShearAttenuation: shearAttenuation[i]}}
	}
	return list
}

func (r *reader) attenuation(name string, dims []string) []acoustics.Attenuation {
	values := r.optional(name, "", dims...)
	units := r.optionalStrings(name+"_unit", dims...)
	exponents := r.optional(name+"_exponent", dimensionless, dims...)
	references := r.optional(name+"_reference", hertz, dims...)
	if r.err != nil {
		return nil
	}
	list := make([]acoustics.Attenuation, len(values))
	for i := range list {
		list[i] = acoustics.Attenuation{Value: values[i], Unit: acoustics.AttenuationUnit(units[i]), Exponent: exponents[i], Reference: references[i]}
		if list[i].Value != 0 && units[i] == "" {
			r.fail(name+"_unit", "knot %d has an attenuation without a unit", i+1)
		}
	}
	return list
}

// optional reads a variable over one dimension, zeros if the file lacks it.
func (r *reader) optional(name, units string, dims ...string) []float64 {
	if r.file.Has(name) {
		return r.float64s(name, units, dims...)
	}
	return make([]float64, r.length(dims[0]))
}

func (r *reader) optionalStrings(name string, dims ...string) []string {
	if r.file.Has(name) {
		return r.strings(name, dims...)
	}
	return make([]string, r.length(dims[0]))
}

func (r *reader) reflections(side string) []acoustics.ReflectionCoefficient {
	dim := side + "_grazing_angle"
	if !r.file.Has(dim) {
		return nil
	}
	angle := r.float64s(dim, degree, dim)
	magnitude := r.float64s(side+"_reflection_magnitude", dimensionless, dim)
	phase := r.float64s(side+"_reflection_phase", degree, dim)
	if r.err != nil {
		return nil
	}
	list := make([]acoustics.ReflectionCoefficient, len(angle))
	for i := range list {
		list[i] = acoustics.ReflectionCoefficient{GrazingAngle: angle[i], Magnitude: magnitude[i], Phase: phase[i]}
	}
	return list
}

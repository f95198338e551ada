package dataset

import (
	"oceaninv/acoustics"
	"oceaninv/io/netcdf"
)

// Roles of a medium in an environment file.
const (
	roleSurface = "surface" // what lies above everything
	roleCover   = "cover"   // a layer of ice
	roleLayer   = "layer"   // a layer of the sea bed
	roleBottom  = "bottom"  // what lies below everything
)

var (
	profileDims = []string{"depth"}
	mediumDims  = []string{"medium"}
	knotDims    = []string{"knot"}
)

// WriteEnvironment writes an environment file: the sound-speed profile over depth,
// the water in scalars, and everything above and below it as media from the top
// down, each with its knots (a contiguous ragged array in CF's terms: medium_knots
// counts them). Attributes are added to the global ones; "source" belongs there.
func WriteEnvironment(path string, e acoustics.Environment, attributes ...netcdf.Attribute) error {
	return write(path, SchemaEnvironment, "Horizontally stratified ocean environment", func(w *writer) {
		w.text("environment_name", e.Name)
		for _, a := range attributes {
			w.do(func() error { return w.file.SetAttribute(a) })
		}
		media := mediaOf(e)
		w.dimension("depth", len(e.Water.Profile.Depth))
		w.dimension("medium", len(media))
		w.dimension("knot", knotCount(media))
		w.water(e.Water)
		w.media(media)
		w.knots(media)
		w.reflections("surface", e.Surface.Reflections)
		w.reflections("bottom", e.Bottom.Reflections)
		w.impedance(e.Bottom.Impedance)
	})
}

// medium is a layer, or a boundary in the clothes of one.
type medium struct {
	role string
	kind acoustics.BoundaryKind // of a boundary
	acoustics.Layer
}

// mediaOf lists what is above and below the water, from the top down. A boundary
// has one knot, so that there is always something to write.
func mediaOf(e acoustics.Environment) []medium {
	boundary := func(role string, b acoustics.Boundary) medium {
		return medium{role, b.Kind, acoustics.Layer{BottomRoughness: b.Roughness, Knots: []acoustics.Knot{{Material: b.Material}}}}
	}
	list := []medium{boundary(roleSurface, e.Surface)}
	for _, l := range e.Cover {
		list = append(list, medium{role: roleCover, Layer: l})
	}
	for _, l := range e.Layers {
		list = append(list, medium{role: roleLayer, Layer: l})
	}
	return append(list, boundary(roleBottom, e.Bottom))
}

func knotCount(media []medium) int {
	n := 0
	for _, m := range media {
		n += len(m.Knots)
	}
	return n
}

func (w *writer) water(x acoustics.Water) {
	w.float64s("depth", profileDims, x.Profile.Depth, depthAxis("depth below the top of the water")...)
	w.float64s("sound_speed", profileDims, x.Profile.Speed, append(describe("speed of sound in the water", metrePerSecond),
		netcdf.Text(standardName, "speed_of_sound_in_sea_water"), netcdf.Text("interpolation", string(x.Profile.Interpolation)))...)
	w.float64s("water_depth", nil, []float64{x.Depth}, append(describe("thickness of the water column", metre),
		netcdf.Text(standardName, "sea_floor_depth_below_sea_surface"))...)
	w.float64s("water_density", nil, []float64{x.Density}, append(describe("density of the water", kilogramPerM3),
		netcdf.Text(standardName, "sea_water_density"))...)
	a := x.Attenuation
	w.float64s("water_attenuation", nil, []float64{a.Value}, append(describe("attenuation in the water", attenuationUnit(a)),
		netcdf.Text("attenuation_unit", string(a.Unit)), netcdf.Number("exponent", a.Exponent), netcdf.Number("reference_frequency", a.Reference))...)
	if x.Attenuations != nil {
		w.attenuation("water_attenuation_profile", "attenuation of the water at each depth", profileDims, x.Attenuations)
	}
	w.float64s("bottom_roughness", nil, []float64{x.BottomRoughness}, describe("rms roughness of the sea floor", metre)...)
	if v := x.VolumeAttenuation; v != (acoustics.VolumeAttenuation{}) {
		w.float64s("volume_attenuation", nil, []float64{0}, netcdf.Text(longName, "absorption formula of the sea water (container of attributes)"),
			netcdf.Text("formula", string(v.Formula)), netcdf.Number("temperature", v.Temperature), netcdf.Number("salinity", v.Salinity),
			netcdf.Number("ph", v.PH), netcdf.Number("mean_depth", v.MeanDepth))
	}
}

// attenuationUnit spells the unit of an attenuation as UDUNITS would.
func attenuationUnit(a acoustics.Attenuation) string {
	switch a.Unit {
	case acoustics.NepersPerMetre:
		return nepersPerMetre
	case acoustics.DBPerMetreKHz:
		return "dB m-1 kHz-1"
	case acoustics.DBPerMetre, acoustics.DBPerMetrePower:
		return "dB m-1"
	default: // per wavelength, quality factor, loss parameter
		return dimensionless
	}
}

// take lists one thing of each element.
func take[E, T any](list []E, get func(E) T) []T {
	out := make([]T, len(list))
	for i, e := range list {
		out[i] = get(e)
	}
	return out
}

func (w *writer) media(list []medium) {
	text := func(name, long string, get func(medium) string) {
		w.strings(name, mediumDims, take(list, get), netcdf.Text(longName, long))
	}
	text("medium_role", "surface, cover, layer or bottom, from the top down", func(m medium) string { return m.role })
	text("medium_kind", "kind of boundary, empty for a layer", func(m medium) string { return string(m.kind) })
	text("medium_name", "name of the medium", func(m medium) string { return m.Name })
	text("medium_interpolation", "rule that joins the knots", func(m medium) string { return string(m.Interpolation) })
	w.float64s("medium_thickness", mediumDims, take(list, func(m medium) float64 { return m.Thickness }),
		describe("thickness of the layer, 0 for a boundary", metre)...)
	w.float64s("medium_roughness", mediumDims, take(list, func(m medium) float64 { return m.BottomRoughness }),
		describe("rms roughness of the lower interface, of the surface for the surface", metre)...)
	v := w.variable("medium_knots", netcdf.Int, mediumDims,
		netcdf.Text(longName, "number of knots of the medium"), netcdf.Text("sample_dimension", "knot"))
	w.do(func() error {
		return netcdf.WriteAll(v, take(list, func(m medium) int32 { return int32(len(m.Knots)) }))
	})
}

func (w *writer) knots(media []medium) {
	var list []acoustics.Knot
	for _, m := range media {
		list = append(list, m.Knots...)
	}
	number := func(name, long, units string, get func(acoustics.Knot) float64) {
		w.float64s(name, knotDims, take(list, get), describe(long, units)...)
	}
	number("knot_depth", "depth below the top of the medium", metre, func(k acoustics.Knot) float64 { return k.Depth })
	number("knot_sound_speed", "speed of compressional waves", metrePerSecond, func(k acoustics.Knot) float64 { return k.SoundSpeed })
	number("knot_shear_speed", "speed of shear waves, 0 in a fluid", metrePerSecond, func(k acoustics.Knot) float64 { return k.ShearSpeed })
	number("knot_density", "density", kilogramPerM3, func(k acoustics.Knot) float64 { return k.Density })
	w.attenuation("knot_attenuation", "attenuation of compressional waves", knotDims, take(list, func(k acoustics.Knot) acoustics.Attenuation { return k.Attenuation }))
	w.attenuation("knot_shear_attenuation", "attenuation of shear waves", knotDims, take(list, func(k acoustics.Knot) acoustics.Attenuation { return k.ShearAttenuation }))
}

// attenuation writes the attenuation of each knot with its unit beside it: one
// stack may mix units.
func (w *writer) attenuation(name, long string, dims []string, all []acoustics.Attenuation) {
	w.float64s(name, dims, take(all, func(a acoustics.Attenuation) float64 { return a.Value }), netcdf.Text(longName, long),
		netcdf.Text("comment", "in the unit that "+name+"_unit gives for each knot"))
	w.strings(name+"_unit", dims, take(all, func(a acoustics.Attenuation) string { return string(a.Unit) }),
		netcdf.Text(longName, "unit of "+name))
	power := false
	for _, a := range all {
		power = power || a.Exponent != 0 || a.Reference != 0
	}
	if power {
		w.float64s(name+"_exponent", dims, take(all, func(a acoustics.Attenuation) float64 { return a.Exponent }),
			describe("exponent of frequency", dimensionless)...)
		w.float64s(name+"_reference", dims, take(all, func(a acoustics.Attenuation) float64 { return a.Reference }),
			describe("frequency at which the attenuation holds", hertz)...)
	}
}

func (w *writer) reflections(side string, table []acoustics.ReflectionCoefficient) {
	if len(table) == 0 {
		return
	}
	dims := []string{side + "_grazing_angle"}
	w.dimension(dims[0], len(table))
	w.float64s(dims[0], dims, take(table, func(c acoustics.ReflectionCoefficient) float64 { return c.GrazingAngle }), describe("grazing angle", degree)...)
	w.float64s(side+"_reflection_magnitude", dims, take(table, func(c acoustics.ReflectionCoefficient) float64 { return c.Magnitude }),
		describe("magnitude of the plane-wave reflection coefficient", dimensionless)...)
	w.float64s(side+"_reflection_phase", dims, take(table, func(c acoustics.ReflectionCoefficient) float64 { return c.Phase }),
		describe("phase of the plane-wave reflection coefficient", degree)...)
}

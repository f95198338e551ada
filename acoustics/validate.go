package acoustics

import (
	"fmt"
	"math"
	"strings"
)

// ValidationError is one thing wrong with a description of the ocean.
type ValidationError struct {
	// Path names the field by its JSON names: water.profile.speed[3].
	Path string
	// Value is the offending value; NaN where the problem is not one number.
	Value float64
	// Problem says what is wrong, and what would be right.
	Problem string
}

// Error returns "path: problem".
func (e ValidationError) Error() string { return e.Path + ": " + e.Problem }

// ValidationErrors are all things wrong with a description.
type ValidationErrors []ValidationError

// Error lists the errors, separated by "; ".
func (e ValidationErrors) Error() string {
	all := make([]string, len(e))
	for i, one := range e {
		all[i] = one.Error()
	}
	return strings.Join(all, "; ")
}

// Unwrap gives errors.As and errors.Is each error.
func (e ValidationErrors) Unwrap() []error {
	all := make([]error, len(e))
	for i, one := range e {
		all[i] = one
	}
	return all
}

// checker collects errors.
type checker struct{ errors ValidationErrors }

func (c *checker) add(path string, value float64, format string, args ...any) {
	c.errors = append(c.errors, ValidationError{path, value, fmt.Sprintf(format, args...)})
}

func (c *checker) err() error {
	if len(c.errors) == 0 {
		return nil
	}
	return c.errors
}

func (c *checker) positive(path string, value float64, unit string) bool {
	if !(value > 0) || math.IsInf(value, 0) {
		c.add(path, value, "must be a positive number of %s, not %v", unit, value)
		return false
	}
	return true
}

func (c *checker) notNegative(path string, value float64, unit string) {
	if !(value >= 0) || math.IsInf(value, 0) {
		c.add(path, value, "must be zero or a positive number of %s, not %v", unit, value)
	}
}

func (c *checker) finite(path string, value float64) {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		c.add(path, value, "must be a finite number, not %v", value)
	}
}

// Validate reports everything wrong with the environment as [ValidationErrors],
// or nil: numbers that are not finite, not positive or not in order, profiles
// that do not reach their ends, unknown units and kinds.
func (e Environment) Validate() error {
	var c checker
	c.boundary("surface", e.Surface)
	for i, layer := range e.Cover {
		c.layer(fmt.Sprintf("cover[%d]", i), layer)
	}
	c.water("water", e.Water)
	for i, layer := range e.Layers {
		c.layer(fmt.Sprintf("layers[%d]", i), layer)
	}
	c.boundary("bottom", e.Bottom)
	return c.err()
}

func (c *checker) water(path string, w Water) {
	deep := c.positive(path+".depth", w.Depth, "m")
	c.positive(path+".density", w.Density, "kg/m³")
	c.attenuation(path+".attenuation", w.Attenuation)
	c.volume(path+".volume_attenuation", w.VolumeAttenuation)
	c.notNegative(path+".bottom_roughness", w.BottomRoughness, "m")
	c.profile(path+".profile", w.Profile)
	n := len(w.Profile.Depth)
	if n == 0 || !deep {
		return
	}
	// A knot written with few decimals may miss the floor by a rounding.
	if last := w.Profile.Depth[n-1]; n > 1 && last < w.Depth*(1-1e-9) {
		c.add(fmt.Sprintf("%s.profile.depth[%d]", path, n-1), last,
			"the profile ends at %v m and must reach the sea floor at %v m: add a knot there", last, w.Depth)
	}
	if first := w.Profile.Depth[0]; first > 0 {
		c.add(path+".profile.depth[0]", first,
			"the profile starts at %v m and must start at the top of the water column, 0 m", first)
	}
}

func (c *checker) profile(path string, p SoundSpeedProfile) {
	if len(p.Depth) != len(p.Speed) {
		c.add(path, math.NaN(), "has %d depths but %d speeds: give as many", len(p.Depth), len(p.Speed))
	}
	if len(p.Depth) == 0 {
		c.add(path+".depth", math.NaN(), "has no knots: give at least one depth and speed")
	}
	for i, z := range p.Depth {
		here := fmt.Sprintf("%s.depth[%d]", path, i)
		c.finite(here, z)
		if i > 0 && z <= p.Depth[i-1] {
			c.add(here, z, "depths must increase: %v m follows %v m", z, p.Depth[i-1])
		}
	}
	for i, speed := range p.Speed {
		c.positive(fmt.Sprintf("%s.speed[%d]", path, i), speed, "m/s")
	}
	c.interpolation(path+".interpolation", p.Interpolation)
}

func (c *checker) layer(path string, l Layer) {
	thick := c.positive(path+".thickness", l.Thickness, "m")
	c.notNegative(path+".bottom_roughness", l.BottomRoughness, "m")
	c.interpolation(path+".interpolation", l.Interpolation)
	n := len(l.Knots)
	if n == 0 {
		c.add(path+".knots", math.NaN(), "has no knots: give the material at least at the layer's top")
		return
	}
	for i, k := range l.Knots {
		here := fmt.Sprintf("%s.knots[%d]", path, i)
		c.finite(here+".depth", k.Depth)
		if i > 0 && k.Depth <= l.Knots[i-1].Depth {
			c.add(here+".depth", k.Depth, "depths must increase: %v m follows %v m", k.Depth, l.Knots[i-1].Depth)
		}
		c.material(here, k.Material)
	}
	if first := l.Knots[0].Depth; first != 0 {
		c.add(path+".knots[0].depth", first, "the first knot must be at the layer's top, 0 m, not %v m", first)
	}
	if last := l.Knots[n-1].Depth; n > 1 && thick && math.Abs(last-l.Thickness) > 1e-9*l.Thickness {
		c.add(fmt.Sprintf("%s.knots[%d].depth", path, n-1), last,
			"the last knot must be at the layer's thickness, %v m, not %v m", l.Thickness, last)
	}
}

func (c *checker) material(path string, m Material) {
	c.positive(path+".sound_speed", m.SoundSpeed, "m/s")
	c.notNegative(path+".shear_speed", m.ShearSpeed, "m/s")
	c.positive(path+".density", m.Density, "kg/m³")
	c.attenuation(path+".attenuation", m.Attenuation)
	c.attenuation(path+".shear_attenuation", m.ShearAttenuation)
}

func (c *checker) attenuation(path string, a Attenuation) {
	c.notNegative(path+".value", a.Value, string(a.Unit))
	switch a.Unit {
	case NepersPerMetre, DBPerMetreKHz, DBPerMetre, DBPerWavelength, QualityFactor, LossParameter:
	case DBPerMetrePower:
		c.positive(path+".reference", a.Reference, "Hz")
		c.finite(path+".exponent", a.Exponent)
	case "":
		if a.Value != 0 {
			c.add(path+".unit", a.Value, "an attenuation of %v needs a unit, for instance %q", a.Value, DBPerWavelength)
		}
	default:
		c.add(path+".unit", math.NaN(), "unknown unit %q", a.Unit)
	}
}

func (c *checker) volume(path string, v VolumeAttenuation) {
	switch v.Formula {
	case "", Thorp:
	case FrancoisGarrison:
		c.finite(path+".temperature", v.Temperature)
		c.notNegative(path+".salinity", v.Salinity, "psu")
		c.notNegative(path+".mean_depth", v.MeanDepth, "m")
		c.finite(path+".ph", v.PH)
	default:
		c.add(path+".formula", math.NaN(), "unknown formula %q: %q or %q", v.Formula, Thorp, FrancoisGarrison)
	}
}

func (c *checker) interpolation(path string, i Interpolation) {
	switch i {
	case "", CLinear, N2Linear, PCHIP, Spline:
	default:
		c.add(path, math.NaN(), "unknown interpolation %q: %q, %q, %q or %q", i, CLinear, N2Linear, PCHIP, Spline)
	}
}

func (c *checker) boundary(path string, b Boundary) {
	c.notNegative(path+".roughness", b.Roughness, "m")
	switch b.Kind {
	case PressureRelease, Rigid:
	case Halfspace:
		c.material(path+".material", b.Material)
	case Reflection:
		c.reflections(path+".reflections", b.Reflections)
	default:
		c.add(path+".kind", math.NaN(), "unknown boundary %q: %q, %q, %q or %q",
			b.Kind, PressureRelease, Rigid, Halfspace, Reflection)
	}
}

func (c *checker) reflections(path string, table []ReflectionCoefficient) {
	if len(table) == 0 {
		c.add(path, math.NaN(), "the table of reflection coefficients is empty")
	}
	for i, r := range table {
		here := fmt.Sprintf("%s[%d]", path, i)
		c.finite(here+".grazing_angle", r.GrazingAngle)
		c.notNegative(here+".magnitude", r.Magnitude, "")
		c.finite(here+".phase", r.Phase)
		if i > 0 && r.GrazingAngle <= table[i-1].GrazingAngle {
			c.add(here+".grazing_angle", r.GrazingAngle, "grazing angles must increase: %v° follows %v°",
				r.GrazingAngle, table[i-1].GrazingAngle)
		}
	}
}

// Validate reports everything wrong with the source in this environment.
func (s Source) Validate(e Environment) error {
	var c checker
	c.inWater("depth", s.Depth, e)
	c.finite("level", s.Level)
	return c.err()
}

// Validate reports everything wrong with the array in this environment: phones
// above the surface or below the sea floor, at the depths they take when the
// array is offset and tilted.
func (a ReceiverArray) Validate(e Environment) error {
	var c checker
	c.positive("range", a.Range, "m")
	c.finite("depth_offset", a.DepthOffset)
	if !(math.Abs(a.Tilt) < 90) {
		c.add("tilt", a.Tilt, "must be less than 90 degrees from the vertical, not %v", a.Tilt)
	}
	if len(a.Depths) == 0 {
		c.add("depths", math.NaN(), "has no phones: give at least one depth")
	}
	if err := c.err(); err != nil {
		return err
	}
	depths, ranges := a.Positions(nil, nil)
	for i := range depths {
		c.inWater(fmt.Sprintf("depths[%d]", i), depths[i], e)
		if !(ranges[i] > 0) {
			c.add(fmt.Sprintf("depths[%d]", i), ranges[i], "tilted, the phone is %v m beyond the source", -ranges[i])
		}
	}
	return c.err()
}

func (c *checker) inWater(path string, depth float64, e Environment) {
	switch {
	case math.IsNaN(depth) || math.IsInf(depth, 0):
		c.add(path, depth, "must be a finite number, not %v", depth)
	case depth < 0:
		c.add(path, depth, "%v m is above the surface", depth)
	case depth > e.Floor():
		c.add(path, depth, "%v m is below the sea floor at %v m", depth, e.Floor())
	}
}

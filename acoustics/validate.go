package acoustics

import (
	"fmt"
	"math"
	"slices"
	"strconv"
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

// place is where a number stands in a description; its path is spelled out only
// for an error, so that a check of a sound environment allocates nothing.
type place struct {
	parent *place
	name   string
	index  int // -1 outside a list
}

func field(parent *place, name string) place { return place{parent, name, -1} }

func element(parent *place, name string, index int) place { return place{parent, name, index} }

func (p *place) String() string {
	text := ""
	for ; p != nil; p = p.parent {
		if text != "" {
			text = "." + text
		}
		if p.index >= 0 {
			text = "[" + strconv.Itoa(p.index) + "]" + text
		}
		text = p.name + text
	}
	return text
}

// checker collects errors.
type checker struct {
	errors    ValidationErrors
	frequency float64 // Hz; 0 where it is not known
	lenient   bool    // what a solver can do is not refused for being past belief
}

func (c *checker) add(at *place, value float64, format string, args ...any) {
	c.errors = append(c.errors, ValidationError{at.String(), value, fmt.Sprintf(format, args...)})
}

func (c *checker) err() error {
	if len(c.errors) == 0 {
		return nil
	}
	return c.errors
}

func (c *checker) positive(at place, value float64, unit string) bool {
	if !(value > 0) || math.IsInf(value, 0) {
		c.add(&at, value, "must be a positive number of %s, not %v", unit, value)
		return false
	}
	return true
}

func (c *checker) notNegative(at place, value float64, unit string) {
	if !(value >= 0) || math.IsInf(value, 0) {
		c.add(&at, value, "must be zero or a positive number of %s, not %v", unit, value)
	}
}

func (c *checker) finite(at place, value float64) {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		c.add(&at, value, "must be a finite number, not %v", value)
	}
}

// Validate reports everything wrong with the environment as [ValidationErrors],
// or nil: numbers that are not finite, not positive or not in order, profiles
// that do not reach their ends, unknown units and kinds, waves that are none for their
// attenuation, interfaces too rough to be scattered at.
func (e Environment) Validate() error { return e.validate(checker{}) }

// ValidateAt is [Environment.Validate] at a frequency in Hz, where attenuations whose unit is
// by length can be judged too.
func (e Environment) ValidateAt(frequency float64) error {
	return e.validate(checker{frequency: frequency})
}

// Solvable is [Environment.Validate] but for attenuations and roughnesses that are past belief:
// a prior's tail may hold one, and a band so low a frequency that an attenuation by length
// leaves no wave, where the formulas still give what a solver can go on with.
func (e Environment) Solvable() error { return e.validate(checker{lenient: true}) }

func (e *Environment) validate(c checker) error {
	c.boundary(field(nil, "surface"), &e.Surface, 0)
	for i := range e.Cover {
		c.layer(element(nil, "cover", i), &e.Cover[i])
	}
	c.water(field(nil, "water"), &e.Water)
	for i := range e.Layers {
		c.layer(element(nil, "layers", i), &e.Layers[i])
	}
	c.boundary(field(nil, "bottom"), &e.Bottom, lightest)
	c.roughnesses(e)
	return c.err()
}

func (c *checker) water(at place, w *Water) {
	deep := c.positive(field(&at, "depth"), w.Depth, "m")
	c.density(field(&at, "density"), w.Density, lightest)
	c.attenuation(field(&at, "attenuation"), &w.Attenuation, slowest(w.Profile.Speed))
	losses := field(&at, "attenuations")
	if n := len(w.Attenuations); w.Attenuations != nil && n != len(w.Profile.Depth) {
		c.add(&losses, math.NaN(), "has %d attenuations where the profile has %d knots: give as many", n, len(w.Profile.Depth))
	}
	for i := range w.Attenuations {
		speed := 0.0
		if i < len(w.Profile.Speed) {
			speed = w.Profile.Speed[i]
		}
		c.attenuation(element(&at, "attenuations", i), &w.Attenuations[i], speed)
	}
	c.volume(field(&at, "volume_attenuation"), &w.VolumeAttenuation)
	profile := field(&at, "profile")
	c.profile(profile, &w.Profile)
	n := len(w.Profile.Depth)
	if n == 0 || !deep {
		return
	}
	// A knot written with few decimals may miss the floor by a rounding.
	if last := w.Profile.Depth[n-1]; n > 1 && last < w.Depth*(1-1e-9) {
		knot := element(&profile, "depth", n-1)
		c.add(&knot, last, "the profile ends at %v m and must reach the sea floor at %v m: add a knot there", last, w.Depth)
	}
	if first := w.Profile.Depth[0]; first > 0 {
		knot := element(&profile, "depth", 0)
		c.add(&knot, first, "the profile starts at %v m and must start at the top of the water column, 0 m", first)
	}
}

func (c *checker) profile(at place, p *SoundSpeedProfile) {
	if len(p.Depth) != len(p.Speed) {
		c.add(&at, math.NaN(), "has %d depths but %d speeds: give as many", len(p.Depth), len(p.Speed))
	}
	if len(p.Depth) == 0 {
		list := field(&at, "depth")
		c.add(&list, math.NaN(), "has no knots: give at least one depth and speed")
	}
	for i, z := range p.Depth {
		here := element(&at, "depth", i)
		c.finite(here, z)
		if i > 0 && z <= p.Depth[i-1] {
			c.add(&here, z, "depths must increase: %v m follows %v m", z, p.Depth[i-1])
		}
	}
	for i, speed := range p.Speed {
		c.soundSpeed(element(&at, "speed", i), speed)
	}
	c.interpolation(field(&at, "interpolation"), p.Interpolation)
}

func (c *checker) layer(at place, l *Layer) {
	thick := c.positive(field(&at, "thickness"), l.Thickness, "m")
	c.interpolation(field(&at, "interpolation"), l.Interpolation)
	n := len(l.Knots)
	if n == 0 {
		list := field(&at, "knots")
		c.add(&list, math.NaN(), "has no knots: give the material at least at the layer's top")
		return
	}
	for i := range l.Knots {
		k := &l.Knots[i]
		here := element(&at, "knots", i)
		depth := field(&here, "depth")
		c.finite(depth, k.Depth)
		if i > 0 && k.Depth <= l.Knots[i-1].Depth {
			c.add(&depth, k.Depth, "depths must increase: %v m follows %v m", k.Depth, l.Knots[i-1].Depth)
		}
		c.material(here, &k.Material, lightest)
	}
	if first := l.Knots[0].Depth; first != 0 {
		here := element(&at, "knots", 0)
		depth := field(&here, "depth")
		c.add(&depth, first, "the first knot must be at the layer's top, 0 m, not %v m", first)
	}
	if last := l.Knots[n-1].Depth; n > 1 && thick && math.Abs(last-l.Thickness) > 1e-9*l.Thickness {
		here := element(&at, "knots", n-1)
		depth := field(&here, "depth")
		c.add(&depth, last, "the last knot must be at the layer's thickness, %v m, not %v m", l.Thickness, last)
	}
}

// Densities (kg/m³) between which water, ice and sea beds lie. Above the ocean may be
// a gas.
const (
	lightest = 100
	heaviest = 30_000
)

func (c *checker) density(at place, value, low float64) {
	switch {
	case !c.positive(at, value, "kg/m³"):
	case value < low:
		c.add(&at, value, "%v is lighter than any water or sediment: densities are in kg/m³, 1.8 g/cm³ is 1800", value)
	case value > heaviest:
		c.add(&at, value, "%v is heavier than any rock: densities are in kg/m³", value)
	}
}

// SlowestSound (m/s) is below the speed of sound even in water full of bubbles, some 20 m/s.
const SlowestSound = 10

func (c *checker) soundSpeed(at place, value float64) {
	if c.positive(at, value, "m/s") && value < SlowestSound {
		c.add(&at, value, "%v is slower than sound in any water or sediment: speeds are in m/s, 1.5 km/s is 1500", value)
	}
}

// material checks a material that is at least as dense as low.
func (c *checker) material(at place, m *Material, low float64) {
	c.soundSpeed(field(&at, "sound_speed"), m.SoundSpeed)
	c.notNegative(field(&at, "shear_speed"), m.ShearSpeed, "m/s")
	c.density(field(&at, "density"), m.Density, low)
	c.attenuation(field(&at, "attenuation"), &m.Attenuation, m.SoundSpeed)
	c.attenuation(field(&at, "shear_attenuation"), &m.ShearAttenuation, m.ShearSpeed)
}

// slowest is the least of the speeds, where a wave of an attenuation by length decays least
// in a wavelength; 0 without any.
func slowest(speeds []float64) float64 {
	if len(speeds) == 0 {
		return 0
	}
	return slices.Min(speeds)
}

// attenuation checks that of waves of a speed in m/s; 0 where it is not known.
func (c *checker) attenuation(at place, a *Attenuation, speed float64) {
	c.notNegative(field(&at, "value"), a.Value, string(a.Unit))
	if loss := a.PerWavelength(c.frequency, speed); loss > MostPerWavelength && !c.lenient {
		value := field(&at, "value")
		c.add(&value, a.Value, "%v %s is %.3g dB a wavelength: above %.1f dB k has a larger imaginary than real part, "+
			"and there is no wave left; sea beds have 0.01 to 2: check the number and its unit", a.Value, a.Unit, loss, MostPerWavelength)
	}
	switch a.Unit {
	case NepersPerMetre, DBPerMetreKHz, DBPerMetre, DBPerWavelength, QualityFactor, LossParameter:
	case DBPerMetrePower:
		c.positive(field(&at, "reference"), a.Reference, "Hz")
		c.finite(field(&at, "exponent"), a.Exponent)
	case "":
		if a.Value != 0 {
			unit := field(&at, "unit")
			c.add(&unit, a.Value, "an attenuation of %v needs a unit, for instance %q", a.Value, DBPerWavelength)
		}
	default:
		unit := field(&at, "unit")
		c.add(&unit, math.NaN(), "unknown unit %q", a.Unit)
	}
}

// roughnesses checks the rms roughnesses σ of the interfaces. Scattering is a perturbation of
// first order in σ² kz², with kz the vertical wavenumber of the mode: see [RoughestOf].
func (c *checker) roughnesses(e *Environment) {
	depth := e.Thickness()
	roughest := RoughestOf(depth)
	check := func(at place, sigma float64) {
		c.notNegative(at, sigma, "m")
		if sigma > roughest && roughest > 0 && !c.lenient {
			c.add(&at, sigma, "an rms roughness of %v m is above %.3g m, the thickness of all media over π: no mode sees such an interface "+
				"as a nearly flat one, of which alone the loss by scattering (first order in its square) is known; give it in m, or 0", sigma, roughest)
		}
	}
	surface, bottom, water := field(nil, "surface"), field(nil, "bottom"), field(nil, "water")
	check(field(&surface, "roughness"), e.Surface.Roughness)
	check(field(&bottom, "roughness"), e.Bottom.Roughness)
	check(field(&water, "bottom_roughness"), e.Water.BottomRoughness)
	for i := range e.Cover {
		here := element(nil, "cover", i)
		check(field(&here, "bottom_roughness"), e.Cover[i].BottomRoughness)
	}
	for i := range e.Layers {
		here := element(nil, "layers", i)
		check(field(&here, "bottom_roughness"), e.Layers[i].BottomRoughness)
	}
}

// Thickness is that of all media, cover to lowest layer, in m.
func (e *Environment) Thickness() float64 {
	sum := e.Water.Depth
	for _, list := range [2][]Layer{e.Cover, e.Layers} {
		for i := range list {
			sum += list[i].Thickness
		}
	}
	return sum
}

// RoughestOf is the largest rms roughness σ (m) of an interface that [Environment.Validate] lets
// pass in media of a thickness D in m: D/π. The loss by scattering (Kuperman & Ingenito, J. Acoust.
// Soc. Am. 61, 1178 (1977)) is of first order in (kz σ)², and no mode has a vertical wavenumber kz far
// below π/D, so that beyond it says nothing of any of them. Below it steep modes may still have
// kz σ > 1: they are lost to scattering, by an amount that is not to be believed.
func RoughestOf(thickness float64) float64 { return thickness / math.Pi }

func (c *checker) volume(at place, v *VolumeAttenuation) {
	switch v.Formula {
	case "", Thorp:
	case FrancoisGarrison:
		c.finite(field(&at, "temperature"), v.Temperature)
		c.notNegative(field(&at, "salinity"), v.Salinity, "psu")
		c.notNegative(field(&at, "mean_depth"), v.MeanDepth, "m")
		c.finite(field(&at, "ph"), v.PH)
	default:
		formula := field(&at, "formula")
		c.add(&formula, math.NaN(), "unknown formula %q: %q or %q", v.Formula, Thorp, FrancoisGarrison)
	}
}

func (c *checker) interpolation(at place, i Interpolation) {
	switch i {
	case "", CLinear, N2Linear, PCHIP, Spline:
	default:
		c.add(&at, math.NaN(), "unknown interpolation %q: %q, %q, %q or %q", i, CLinear, N2Linear, PCHIP, Spline)
	}
}

func (c *checker) boundary(at place, b *Boundary, low float64) {
	switch b.Kind {
	case PressureRelease, Rigid:
	case Halfspace:
		c.material(field(&at, "material"), &b.Material, low)
	case Reflection:
		c.reflections(field(&at, "reflections"), b.Reflections)
	case Impedance:
		c.impedance(field(&at, "impedance"), b.Impedance)
	case "":
		kind := field(&at, "kind")
		c.add(&kind, math.NaN(), "is missing: give %q, %q, %q, %q or %q", PressureRelease, Rigid, Halfspace, Reflection, Impedance)
	default:
		kind := field(&at, "kind")
		c.add(&kind, math.NaN(), "unknown boundary %q: %q, %q, %q, %q or %q",
			b.Kind, PressureRelease, Rigid, Halfspace, Reflection, Impedance)
	}
}

func (c *checker) reflections(at place, table []ReflectionCoefficient) {
	if len(table) == 0 {
		c.add(&at, math.NaN(), "the table of reflection coefficients is empty")
	}
	for i, r := range table {
		here := element(at.parent, at.name, i)
		angle := field(&here, "grazing_angle")
		c.finite(angle, r.GrazingAngle)
		c.notNegative(field(&here, "magnitude"), r.Magnitude, "")
		c.finite(field(&here, "phase"), r.Phase)
		if i > 0 && r.GrazingAngle <= table[i-1].GrazingAngle {
			c.add(&angle, r.GrazingAngle, "grazing angles must increase: %v° follows %v°",
				r.GrazingAngle, table[i-1].GrazingAngle)
		}
	}
}

// minImpedanceRows is the shortest table of impedances that says anything.
const minImpedanceRows = 4

func (c *checker) impedance(at place, t *ImpedanceTable) {
	if t == nil || len(t.Rows) < minImpedanceRows {
		c.add(&at, math.NaN(), "the table of impedances has fewer than %d wavenumbers", minImpedanceRows)
		return
	}
	c.positive(field(&at, "frequency"), t.Frequency, "Hz")
	rows := field(&at, "rows")
	for i, r := range t.Rows {
		here := element(rows.parent, rows.name, i)
		kr2 := field(&here, "kr2")
		c.finite(kr2, r.Kr2)
		if i > 0 && r.Kr2 <= t.Rows[i-1].Kr2 {
			c.add(&kr2, r.Kr2, "squared wavenumbers must increase: %v follows %v", r.Kr2, t.Rows[i-1].Kr2)
		}
		for _, x := range []float64{r.FReal, r.FImag, r.GReal, r.GImag} {
			c.finite(here, x)
		}
		if r.F() == 0 && r.G() == 0 {
			c.add(&here, 0, "f and g are both 0: that is no boundary condition")
		}
	}
}

// Validate reports everything wrong with the source in this environment.
func (s Source) Validate(e Environment) error {
	var c checker
	c.inWater(field(nil, "depth"), s.Depth, &e)
	c.finite(field(nil, "level"), s.Level)
	return c.err()
}

// Validate reports everything wrong with the array in this environment: phones
// above the surface or below the sea floor, at the depths they take when the
// array is offset and tilted.
func (a ReceiverArray) Validate(e Environment) error {
	var c checker
	c.positive(field(nil, "range"), a.Range, "m")
	c.finite(field(nil, "depth_offset"), a.DepthOffset)
	if !(math.Abs(a.Tilt) < 90) {
		at := field(nil, "tilt")
		c.add(&at, a.Tilt, "must be less than 90 degrees from the vertical, not %v", a.Tilt)
	}
	if len(a.Depths) == 0 {
		at := field(nil, "depths")
		c.add(&at, math.NaN(), "has no phones: give at least one depth")
	}
	if err := c.err(); err != nil {
		return err
	}
	depths, ranges := a.Positions(nil, nil)
	for i := range depths {
		at := element(nil, "depths", i)
		if first := slices.Index(a.Depths, a.Depths[i]); first < i {
			c.add(&at, a.Depths[i], "%v m is the depth of phone %d too: give each phone its own", a.Depths[i], first+1)
		}
		c.inWater(at, depths[i], &e)
		if !(ranges[i] > 0) {
			c.add(&at, ranges[i], "tilted, the phone is %v m beyond the source", -ranges[i])
		}
	}
	return c.err()
}

func (c *checker) inWater(at place, depth float64, e *Environment) {
	switch {
	case math.IsNaN(depth) || math.IsInf(depth, 0):
		c.add(&at, depth, "must be a finite number, not %v", depth)
	case depth < 0:
		c.add(&at, depth, "%v m is above the surface", depth)
	case depth > e.Floor():
		c.add(&at, depth, "%v m is below the sea floor at %v m", depth, e.Floor())
	}
}

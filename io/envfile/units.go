package envfile

import (
	"fmt"
	"math"
	"slices"

	"oceaninv/acoustics"
)

// oneUnit gives every attenuation of a case the same unit, as an .env file has
// only one. It changes nothing where there is one already. Otherwise the note says
// what was done and where it holds:
//
//   - attenuations that all grow in proportion to frequency become dB/wavelength, or
//     dB/(m kHz) if the water's is by length, which is exact at every frequency;
//   - others of a case with one frequency become the same, which is exact at that
//     frequency;
//   - others of a case with several become dB/m with a power of frequency (the
//     unit m), exact at every frequency, if each medium has one power.
func oneUnit(c *Case) (converted *Case, unit acoustics.AttenuationUnit, note string, err error) {
	list := losses(&c.Environment)
	one, proportional := true, true
	for _, l := range list {
		a := *l.a
		same := a.Unit != acoustics.DBPerMetrePower || a.Reference == c.Reference
		one = one && a.Unit == list[0].a.Unit && same
		proportional = proportional && powerOf(a) == 1
	}
	if len(list) == 0 {
		return c, "", "", nil
	}
	if one {
		unit = list[0].a.Unit
		if unit == acoustics.DBPerMetrePower {
			err = onePower(list)
		}
		return c, unit, "", err
	}
	// The water has one attenuation over all its speeds: a unit that counts
	// wavelengths cannot stand for one that counts metres.
	unit = acoustics.DBPerWavelength
	if w := c.Environment.Water; w.Attenuations == nil && w.Attenuation.Value != 0 && !byWavelength(w.Attenuation.Unit) {
		unit = acoustics.DBPerMetreKHz
	}
	several := len(c.Frequencies) > 1
	switch {
	case proportional:
		note = fmt.Sprintf("attenuations of several units were converted to %s, exactly at every frequency", unit)
	case several:
		unit = acoustics.DBPerMetrePower
		note = fmt.Sprintf("attenuations of several units were converted to dB/m at %v Hz with a power of frequency, exactly at every frequency", c.Reference)
		if w := c.Environment.Water; w.Attenuations == nil && w.Attenuation.Value != 0 && byWavelength(w.Attenuation.Unit) && slices.Min(w.Profile.Speed) < slices.Max(w.Profile.Speed) {
			return nil, "", "", fmt.Errorf("water: its attenuation in %s varies with its speed in 1/m, which does not go with the units of other media in one file of several frequencies; write one file for each frequency", w.Attenuation.Unit)
		}
	default:
		note = fmt.Sprintf("attenuations of several units were converted to %s, which is exact at %v Hz only", unit, c.Frequencies[0])
	}
	clone := *c
	clone.Environment = c.Environment.Clone()
	list = losses(&clone.Environment)
	if unit == acoustics.DBPerMetrePower {
		if err := onePower(list); err != nil {
			return nil, "", "", err
		}
	}
	for _, l := range list {
		*l.a = l.convert(c, unit)
	}
	return &clone, unit, note, nil
}

// loss is a lossy attenuation of an ocean with the wave's speed (m/s).
type loss struct {
	a      *acoustics.Attenuation
	speed  float64
	medium string
	// lawless: the place in the file has no room for a power of frequency.
	lawless bool
}

// losses lists every attenuation that is not zero.
func losses(env *acoustics.Environment) []loss {
	var list []loss
	add := func(a *acoustics.Attenuation, speed float64, medium string) {
		if a.Value != 0 {
			list = append(list, loss{a, speed, medium, medium == "surface"})
		}
	}
	material := func(m *acoustics.Material, medium string) {
		add(&m.Attenuation, m.SoundSpeed, medium)
		add(&m.ShearAttenuation, m.ShearSpeed, medium)
	}
	material(&env.Surface.Material, "surface")
	for i, layers := range [][]acoustics.Layer{env.Cover, env.Layers} {
		for j := range layers {
			for k := range layers[j].Knots {
				material(&layers[j].Knots[k].Material, fmt.Sprintf("%s %d", []string{"cover", "layer"}[i], j+1))
			}
		}
	}
	if env.Water.Attenuations == nil {
		add(&env.Water.Attenuation, env.Water.Profile.Speed[0], "water")
	}
	for i := range env.Water.Attenuations {
		add(&env.Water.Attenuations[i], env.Water.Profile.Speed[i], "water")
	}
	material(&env.Bottom.Material, "bottom")
	return list
}

// powerOf is the power of frequency by which an attenuation in 1/m grows.
func powerOf(a acoustics.Attenuation) float64 {
	switch a.Unit {
	case acoustics.NepersPerMetre, acoustics.DBPerMetre:
		return 0
	case acoustics.DBPerMetrePower:
		return a.Exponent
	}
	return 1
}

// onePower asks that each medium has one power of frequency.
func onePower(list []loss) error {
	powers := map[string]float64{}
	for _, l := range list {
		p := powerOf(*l.a)
		if old, ok := powers[l.medium]; ok && old != p {
			return fmt.Errorf("%s: attenuations that grow with the powers %v and %v of frequency: a medium of an .env file has one", l.medium, old, p)
		}
		if powers[l.medium] = p; l.lawless && p != 1 {
			return fmt.Errorf("%s: an attenuation that grows with the power %v of frequency: an .env file can say that of media and bottom only", l.medium, p)
		}
	}
	return nil
}

// byWavelength says that a unit counts wavelengths, not metres.
func byWavelength(unit acoustics.AttenuationUnit) bool {
	return unit == acoustics.DBPerWavelength || unit == acoustics.QualityFactor || unit == acoustics.LossParameter
}

// convert is the attenuation in another unit: dB/wavelength or dB/(m kHz), exact at
// the case's first frequency and, for attenuations that grow in proportion, at all;
// or dB/m power at its reference.
func (l loss) convert(c *Case, unit acoustics.AttenuationUnit) acoustics.Attenuation {
	decibels := func(f float64) float64 { return 20 * math.Log10E * l.a.NepersPerMetre(f, l.speed) }
	if unit == acoustics.DBPerMetrePower {
		return acoustics.Attenuation{Value: decibels(c.Reference), Unit: unit, Exponent: powerOf(*l.a), Reference: c.Reference}
	}
	if l.a.Unit == unit {
		return *l.a
	}
	f := c.Frequencies[0]
	if unit == acoustics.DBPerMetreKHz {
		return acoustics.Attenuation{Value: decibels(f) * 1000 / f, Unit: unit}
	}
	return acoustics.Attenuation{Value: decibels(f) * l.speed / f, Unit: unit}
}

// suits says whether a file's interpolation gives what the layer's own would.
func suits(l acoustics.Layer, file acoustics.Interpolation) bool {
	own := l.Interpolation
	if own == "" {
		own = acoustics.CLinear
	}
	first := l.Knots[0]
	varied := slices.ContainsFunc(l.Knots, func(k acoustics.Knot) bool { k.Depth = first.Depth; return k != first })
	// Through two points every rule but n² draws the same straight line.
	straight := len(l.Knots) == 2 && own != acoustics.N2Linear && file != acoustics.N2Linear
	return !varied || straight || own == file
}

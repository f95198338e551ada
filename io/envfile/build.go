package envfile

import (
	"fmt"
	"slices"

	"oceaninv/acoustics"
)

const densityUnit = 1000 // kg/m³ in 1 g/cm³

// material is a profile point in SI units.
func (r *caseReader) material(p point, w power) acoustics.Material {
	return acoustics.Material{
		SoundSpeed: p.speed, ShearSpeed: p.shear, Density: p.density * densityUnit,
		Attenuation: r.attenuation(p.loss, w), ShearAttenuation: r.attenuation(p.shearLoss, w),
	}
}

func (r *caseReader) attenuation(x float64, w power) acoustics.Attenuation {
	if x == 0 {
		return acoustics.Attenuation{}
	}
	a := acoustics.Attenuation{Value: x, Unit: r.unit}
	if r.unit == acoustics.DBPerMetrePower {
		a.Exponent, a.Reference = w.exponent, r.c.Reference
	}
	return a
}

// build turns the media into an environment.
func (r *caseReader) build() error {
	media, below := r.media[:len(r.media)-1], r.media[1:]
	water := slices.IndexFunc(media, func(m medium) bool { return m.points[0].shear == 0 })
	if water < 0 {
		return r.at(media[0], "no medium is fluid: there is no water", "give one medium the shear speed 0")
	}
	env := &r.c.Environment
	env.Name = r.c.Title
	env.Surface, env.Bottom = r.surface, r.bottom
	env.Surface.Roughness = media[0].roughness
	if err := r.checkTransitions(); err != nil {
		return err
	}
	if err := r.checkRoughness(media[len(media)-1].bottom - media[0].points[0].depth); err != nil {
		return err
	}
	for i, m := range media {
		if i == water {
			if err := r.buildWater(m, below[i].roughness); err != nil {
				return err
			}
			continue
		}
		layer := r.layer(m, below[i].roughness)
		layer.Name = fmt.Sprintf("medium %d", i+1)
		if i < water {
			env.Cover = append(env.Cover, layer)
		} else {
			env.Layers = append(env.Layers, layer)
		}
	}
	return nil
}

// at is a diagnostic at a medium's head.
func (r *caseReader) at(m medium, problem, remedy string) *Error {
	r.lastLine, r.lastColumn = m.line, 1
	return r.wrong(problem, remedy)
}

// checkTransitions refuses power laws that change within the band: the nouns
// know one exponent.
func (r *caseReader) checkTransitions() error {
	highest := max(r.c.Reference, r.c.Frequencies[len(r.c.Frequencies)-1])
	for _, m := range r.media[:len(r.media)-1] {
		if t := m.power.transition; m.power.exponent != 1 && t < highest {
			return r.at(m, fmt.Sprintf("the attenuation's power law ends at %v Hz, below the highest frequency %v Hz", t, highest), "split the band at the transition frequency")
		}
	}
	if t := r.power.transition; r.power.exponent != 1 && r.bottom.Kind == acoustics.Halfspace && t < highest {
		return r.at(r.media[len(r.media)-2], fmt.Sprintf("the attenuation's power law of the bottom ends at %v Hz, below the highest frequency %v Hz", t, highest), "split the band at the transition frequency")
	}
	return nil
}

// checkRoughness refuses interfaces too rough for the loss that they are to cause.
func (r *caseReader) checkRoughness(thickness float64) error {
	roughest := acoustics.RoughestOf(thickness)
	for _, m := range r.media { // the last is the bottom
		if m.roughness > roughest {
			return r.at(m, fmt.Sprintf("an rms roughness of %v m in media of %v m", m.roughness, thickness),
				fmt.Sprintf("above %.3g m, that thickness over π, no mode sees a nearly flat interface, of which alone the loss by scattering is known: give it in m, or 0", roughest))
		}
	}
	return nil
}

// buildWater makes the water column of the first fluid medium.
func (r *caseReader) buildWater(m medium, roughness float64) error {
	first := m.points[0]
	w := &r.c.Environment.Water
	w.Depth = m.bottom - first.depth
	w.Density = first.density * densityUnit
	w.Attenuation = r.attenuation(first.loss, m.power)
	w.VolumeAttenuation = r.top.volume
	w.BottomRoughness = roughness
	w.Profile.Interpolation = r.top.interpolation
	varied := false
	for _, p := range m.points {
		w.Profile.Depth = append(w.Profile.Depth, p.depth-first.depth)
		w.Profile.Speed = append(w.Profile.Speed, p.speed)
		varied = varied || p.loss != first.loss
	}
	if varied {
		for _, p := range m.points {
			w.Attenuations = append(w.Attenuations, r.attenuation(p.loss, m.power))
		}
	}
	r.warnDensity(m)
	return nil
}

// layer makes a layer; equal points are one homogeneous layer.
func (r *caseReader) layer(m medium, roughness float64) acoustics.Layer {
	first := m.points[0]
	layer := acoustics.Layer{Thickness: m.bottom - first.depth, Interpolation: r.top.interpolation, BottomRoughness: roughness}
	same := true
	for _, p := range m.points {
		if first.shear == 0 {
			p.density = first.density
		}
		q := p
		q.depth = first.depth
		same = same && q == first
		layer.Knots = append(layer.Knots, acoustics.Knot{Depth: p.depth - first.depth, Material: r.material(p, m.power)})
	}
	if same {
		layer.Knots = layer.Knots[:1]
	}
	if first.shear == 0 {
		r.warnDensity(m)
	}
	return layer
}

// warnDensity tells that a gradient of density is left out, as in the Toolbox.
func (r *caseReader) warnDensity(m medium) {
	for _, p := range m.points {
		if p.density != m.points[0].density {
			r.warn(r.at(m, fmt.Sprintf("density varies within a fluid medium; the Toolbox uses its first value, %v g/cm³, and so does this reader", m.points[0].density), "split the medium to model the change"))
			return
		}
	}
}

// warn keeps a remark for the reader's user.
func (r *caseReader) warn(e *Error) {
	e.Source = ""
	r.c.Warnings = append(r.c.Warnings, e.Error())
}

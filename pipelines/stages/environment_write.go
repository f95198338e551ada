package stages

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"oceaninv/acoustics"
)

// EnvironmentHCL is an ocean written out in full, as the environment block of a
// pipeline; decoding it gives the ocean back. The labels of the block and of its
// layers are their names with everything but letters, digits, _ and - replaced.
func EnvironmentHCL(env acoustics.Environment) []byte {
	file := hclwrite.NewEmptyFile()
	block := file.Body().AppendNewBlock("environment", []string{identifier(env.Name)}).Body()
	if env.Surface.Kind != acoustics.PressureRelease || env.Surface.Roughness != 0 {
		surface := block.AppendNewBlock("surface", nil).Body()
		boundaryHCL(surface, env.Surface)
		setNonzero(surface, "roughness", env.Surface.Roughness)
	}
	for i, l := range env.Cover {
		layerHCL(block, "ice", l, i)
	}
	waterHCL(block.AppendNewBlock("water", nil).Body(), &env.Water)
	for i, l := range env.Layers {
		layerHCL(block, "layer", l, i)
	}
	boundaryHCL(block.AppendNewBlock("bottom", nil).Body(), env.Bottom)
	return file.Bytes()
}

func boundaryHCL(body *hclwrite.Body, b acoustics.Boundary) {
	body.SetAttributeValue("kind", cty.StringVal(string(b.Kind)))
	switch m := b.Material; b.Kind {
	case acoustics.Halfspace:
		body.SetAttributeValue("sound_speed", cty.NumberFloatVal(m.SoundSpeed))
		setNonzero(body, "shear_speed", m.ShearSpeed)
		body.SetAttributeValue("density", cty.NumberFloatVal(m.Density))
		setAttenuation(body, "attenuation", m.Attenuation)
		setAttenuation(body, "shear_attenuation", m.ShearAttenuation)
	case acoustics.Reflection:
		var rows []cty.Value
		for _, r := range b.Reflections {
			rows = append(rows, numbers([]float64{r.GrazingAngle, r.Magnitude, r.Phase}))
		}
		body.SetAttributeValue("reflections", cty.TupleVal(rows))
	case acoustics.Impedance:
		var rows []cty.Value
		for _, r := range b.Impedance.Rows {
			rows = append(rows, numbers([]float64{r.Kr2, r.FReal, r.FImag, r.GReal, r.GImag}))
		}
		body.SetAttributeValue("impedance", cty.TupleVal(rows))
		body.SetAttributeValue("impedance_frequency", cty.NumberFloatVal(b.Impedance.Frequency))
	}
}

func waterHCL(body *hclwrite.Body, w *acoustics.Water) {
	body.SetAttributeValue("depth", cty.NumberFloatVal(w.Depth))
	body.SetAttributeValue("density", cty.NumberFloatVal(w.Density))
	setAttenuation(body, "attenuation", w.Attenuation)
	if v := w.VolumeAttenuation; v.Formula != "" {
		body.SetAttributeValue("volume_attenuation", cty.StringVal(string(v.Formula)))
		setNonzero(body, "temperature", v.Temperature)
		setNonzero(body, "salinity", v.Salinity)
		setNonzero(body, "ph", v.PH)
		setNonzero(body, "mean_depth", v.MeanDepth)
	}
	setNonzero(body, "bottom_roughness", w.BottomRoughness)
	profile := body.AppendNewBlock("profile", nil).Body()
	profile.SetAttributeValue("depth", numbers(w.Profile.Depth))
	profile.SetAttributeValue("speed", numbers(w.Profile.Speed))
	if w.Attenuations != nil {
		setLosses(profile, "attenuation", w.Attenuations)
	}
	profile.SetAttributeValue("interpolation", cty.StringVal(string(w.Profile.Interpolation)))
}

func layerHCL(parent *hclwrite.Body, kind string, l acoustics.Layer, index int) {
	name := l.Name
	if name == "" {
		name = fmt.Sprintf("%s_%d", kind, index+1)
	}
	body := parent.AppendNewBlock(kind, []string{identifier(name)}).Body()
	body.SetAttributeValue("thickness", cty.NumberFloatVal(l.Thickness))
	if len(l.Knots) > 2 {
		body.SetAttributeValue("depth", numbers(ofKnots(l.Knots, func(k acoustics.Knot) float64 { return k.Depth })))
	}
	for _, p := range []struct {
		key string
		get func(acoustics.Knot) float64
	}{
		{"sound_speed", func(k acoustics.Knot) float64 { return k.SoundSpeed }},
		{"shear_speed", func(k acoustics.Knot) float64 { return k.ShearSpeed }},
		{"density", func(k acoustics.Knot) float64 { return k.Density }},
	} {
		if x := ofKnots(l.Knots, p.get); varies(x) {
			body.SetAttributeValue(p.key, numbers(x))
		} else {
			setNonzero(body, p.key, x[0])
		}
	}
	layerLosses(body, "attenuation", ofKnots(l.Knots, func(k acoustics.Knot) acoustics.Attenuation { return k.Attenuation }))
	layerLosses(body, "shear_attenuation", ofKnots(l.Knots, func(k acoustics.Knot) acoustics.Attenuation { return k.ShearAttenuation }))
	if l.Interpolation != "" && l.Interpolation != acoustics.CLinear {
		body.SetAttributeValue("interpolation", cty.StringVal(string(l.Interpolation)))
	}
	setNonzero(body, "bottom_roughness", l.BottomRoughness)
}

// layerLosses writes one attenuation, or one for each depth.
func layerLosses(body *hclwrite.Body, key string, losses []acoustics.Attenuation) {
	if !varies(losses) {
		setAttenuation(body, key, losses[0])
		return
	}
	setLosses(body, key, losses)
}

func setLosses(body *hclwrite.Body, key string, losses []acoustics.Attenuation) {
	var list []cty.Value
	for _, a := range losses {
		list = append(list, cty.StringVal(formatAttenuation(a)))
	}
	body.SetAttributeValue(key, cty.TupleVal(list))
}

func ofKnots[T any](knots []acoustics.Knot, get func(acoustics.Knot) T) []T {
	out := make([]T, len(knots))
	for i, k := range knots {
		out[i] = get(k)
	}
	return out
}

func varies[T comparable](x []T) bool {
	for _, v := range x {
		if v != x[0] {
			return true
		}
	}
	return false
}

func setNonzero(body *hclwrite.Body, key string, x float64) {
	if x != 0 {
		body.SetAttributeValue(key, cty.NumberFloatVal(x))
	}
}

func setAttenuation(body *hclwrite.Body, key string, a acoustics.Attenuation) {
	if a.Value != 0 {
		body.SetAttributeValue(key, cty.StringVal(formatAttenuation(a)))
	}
}

func numbers(x []float64) cty.Value {
	v := make([]cty.Value, len(x))
	for i := range x {
		v[i] = cty.NumberFloatVal(x[i])
	}
	return cty.TupleVal(v)
}

// identifier makes a block's label of a title.
func identifier(name string) string {
	label := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '_'
	}, strings.TrimSpace(name))
	if label == "" || label[0] >= '0' && label[0] <= '9' || label[0] == '-' {
		label = "ocean_" + label
	}
	return label
}

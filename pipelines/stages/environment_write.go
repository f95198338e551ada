package main

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"oceaninv/acoustics"
)

// environmentHCL is an ocean as the environment block of a pipeline. What the
// block cannot say is an error: layers of more than a linear gradient, lossy
// gradients, half-spaces above, tables of reflection coefficients.
func environmentHCL(env acoustics.Environment) ([]byte, error) {
	file := hclwrite.NewEmptyFile()
	block := file.Body().AppendNewBlock("environment", []string{identifier(env.Name)}).Body()
	if env.Surface.Kind != acoustics.PressureRelease || env.Surface.Roughness != 0 {
		if env.Surface.Kind != acoustics.PressureRelease && env.Surface.Kind != acoustics.Rigid {
			return nil, fmt.Errorf("a pipeline's environment has no %s above the water", env.Surface.Kind)
		}
		surface := block.AppendNewBlock("surface", nil).Body()
		surface.SetAttributeValue("kind", cty.StringVal(string(env.Surface.Kind)))
		setNonzero(surface, "roughness", env.Surface.Roughness)
	}
	for i, l := range env.Cover {
		if err := layerHCL(block, "ice", l, i); err != nil {
			return nil, err
		}
	}
	waterHCL(block.AppendNewBlock("water", nil).Body(), &env.Water)
	for i, l := range env.Layers {
		if err := layerHCL(block, "layer", l, i); err != nil {
			return nil, err
		}
	}
	if env.Bottom.Kind == acoustics.Reflection {
		return nil, fmt.Errorf("a pipeline's environment has no table of reflection coefficients")
	}
	bottom := block.AppendNewBlock("bottom", nil).Body()
	bottom.SetAttributeValue("kind", cty.StringVal(string(env.Bottom.Kind)))
	if env.Bottom.Kind == acoustics.Halfspace {
		m := env.Bottom.Material
		bottom.SetAttributeValue("sound_speed", cty.NumberFloatVal(m.SoundSpeed))
		setNonzero(bottom, "shear_speed", m.ShearSpeed)
		bottom.SetAttributeValue("density", cty.NumberFloatVal(m.Density))
		setAttenuation(bottom, "attenuation", m.Attenuation)
		setAttenuation(bottom, "shear_attenuation", m.ShearAttenuation)
	}
	return file.Bytes(), nil
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
	profile.SetAttributeValue("interpolation", cty.StringVal(string(w.Profile.Interpolation)))
}

func layerHCL(parent *hclwrite.Body, kind string, l acoustics.Layer, index int) error {
	name := l.Name
	if name == "" {
		name = fmt.Sprintf("%s_%d", kind, index+1)
	}
	first, last := l.Knots[0].Material, l.Knots[len(l.Knots)-1].Material
	if len(l.Knots) > 2 || first.Attenuation != last.Attenuation || first.ShearAttenuation != last.ShearAttenuation {
		return fmt.Errorf("layer %q: a pipeline's layer has a value at its top and one at its bottom, and one attenuation", l.Name)
	}
	body := parent.AppendNewBlock(kind, []string{identifier(name)}).Body()
	body.SetAttributeValue("thickness", cty.NumberFloatVal(l.Thickness))
	ends := func(key string, a, b float64) {
		switch {
		case a != b:
			body.SetAttributeValue(key, numbers([]float64{a, b}))
		case a != 0:
			body.SetAttributeValue(key, cty.NumberFloatVal(a))
		}
	}
	ends("sound_speed", first.SoundSpeed, last.SoundSpeed)
	ends("shear_speed", first.ShearSpeed, last.ShearSpeed)
	ends("density", first.Density, last.Density)
	setAttenuation(body, "attenuation", first.Attenuation)
	setAttenuation(body, "shear_attenuation", first.ShearAttenuation)
	if l.Interpolation != "" && l.Interpolation != acoustics.CLinear {
		body.SetAttributeValue("interpolation", cty.StringVal(string(l.Interpolation)))
	}
	setNonzero(body, "bottom_roughness", l.BottomRoughness)
	return nil
}

func setNonzero(body *hclwrite.Body, key string, x float64) {
	if x != 0 {
		body.SetAttributeValue(key, cty.NumberFloatVal(x))
	}
}

func setAttenuation(body *hclwrite.Body, key string, a acoustics.Attenuation) {
	if a.Value != 0 {
		body.SetAttributeValue(key, cty.StringVal(fmt.Sprintf("%v %s", a.Value, a.Unit)))
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

package modes

import (
	"fmt"
	"math"

	"oceaninv/acoustics"
)

// check is the exported edge's check of a problem.
func check(env *acoustics.Environment, frequency float64) error {
	if !(frequency > 0) || math.IsInf(frequency, 0) {
		return acoustics.ValidationErrors{{Path: "frequency", Value: frequency,
			Problem: fmt.Sprintf("must be a positive number of Hz, not %v", frequency)}}
	}
	if err := env.Solvable(); err != nil {
		return err
	}
	return checkFluid(env)
}

// checkFluid finds what real modes do not know in a valid environment.
func checkFluid(env *acoustics.Environment) error {
	for i := range env.Cover {
		if err := fluid(env.Cover[i].Knots, "cover", i); err != nil {
			return err
		}
	}
	for i := range env.Layers {
		if err := fluid(env.Layers[i].Knots, "layers", i); err != nil {
			return err
		}
	}
	if err := fluidBoundary(&env.Surface, "surface"); err != nil {
		return err
	}
	return fluidBoundary(&env.Bottom, "bottom")
}

func fluid(knots []acoustics.Knot, list string, layer int) error {
	for i := range knots {
		if knots[i].ShearSpeed > 0 {
			return ErrUnsupported{fmt.Sprintf("%s[%d].knots[%d].shear_speed", list, layer, i), "an elastic layer needs the complex solver"}
		}
		if knots[i].Density != knots[0].Density {
			return ErrUnsupported{fmt.Sprintf("%s[%d].knots[%d].density", list, layer, i),
				fmt.Sprintf("density runs from %v to %v kg/m³ within the layer: real modes know one density per layer; take the complex solver, or split the layer",
					knots[0].Density, knots[i].Density)}
		}
	}
	return nil
}

func fluidBoundary(b *acoustics.Boundary, path string) error {
	switch {
	case b.Kind == acoustics.Reflection:
		return ErrUnsupported{path + ".kind", "a tabulated reflection coefficient needs the complex solver"}
	case b.Kind == acoustics.Impedance:
		return ErrUnsupported{path + ".kind", "a tabulated impedance needs the complex solver"}
	case b.Kind == acoustics.Halfspace && b.Material.ShearSpeed > 0:
		return ErrUnsupported{path + ".material.shear_speed", "an elastic half-space needs the complex solver"}
	}
	return nil
}

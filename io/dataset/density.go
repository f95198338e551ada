package dataset

import (
	"fmt"
)

// Density is a function on a rectangular grid of parameters, such as the exact
// posterior of one observation. Values are row-major, the last parameter fastest.
type Density struct {
	Parameters []Parameter
	Axes       [][]float64 // increasing, one per parameter
	// LogDensity is the natural logarithm of the normalised density; -Inf where it
	// is 0.
	LogDensity []float64
	// LogEvidence is the logarithm of the integral that normalised it.
	LogEvidence float64
	Truth       []float64 // by parameter; nil where not known
}

// WriteDensity writes a density file, the axes of which are coordinate variables.
func WriteDensity(path string, d Density) error {
	n := 1
	var dims []string
	for i, p := range d.Parameters {
		n *= len(d.Axes[i])
		dims = append(dims, p.Name)
	}
	if len(d.Axes) != len(d.Parameters) || len(d.LogDensity) != n || (d.Truth != nil && len(d.Truth) != len(d.Parameters)) {
		panic(fmt.Sprintf("dataset: density of %d values on %d axes of %d parameters", len(d.LogDensity), len(d.Axes), len(d.Parameters)))
	}
	return write(path, SchemaDensity, "Density on a grid of parameters", func(w *writer) {
		w.do(func() error { return checkParameters(path, d.Parameters) })
		for i, p := range d.Parameters {
			w.dimension(p.Name, len(d.Axes[i]))
		}
		for i, p := range d.Parameters {
			w.float64s(p.Name, dims[i:i+1], d.Axes[i], p.attributes()...)
			if d.Truth != nil {
				w.float64s(truthPrefix+p.Name, nil, d.Truth[i:i+1], p.attributes()...)
			}
		}
		w.float64s("log_density", dims, d.LogDensity, describe("natural logarithm of the normalised density, in the units of the parameters", dimensionless)...)
		w.float64s("log_evidence", nil, []float64{d.LogEvidence}, describe("natural logarithm of the evidence", dimensionless)...)
	})
}

// ReadDensity reads a density file.
func ReadDensity(path string) (Density, error) {
	r, err := open(path, SchemaDensity)
	if err != nil {
		return Density{}, err
	}
	var d Density
	v := r.anyVariable("log_density")
	if r.err != nil {
		return d, r.done()
	}
	var dims []string
	for _, dim := range v.Dimensions {
		dims = append(dims, dim.Name)
		axis := r.float64s(dim.Name, "", dim.Name)
		d.Axes = append(d.Axes, axis)
		for i := 1; i < len(axis); i++ {
			if axis[i] <= axis[i-1] {
				r.fail(dim.Name, "its value number %d does not increase", i+1)
				break
			}
		}
		if a := r.anyVariable(dim.Name); a != nil {
			p, bounded := parameterOf(a)
			if !bounded {
				r.fail(dim.Name, "its attributes %s and %s are missing", lowerAttribute, upperAttribute)
			}
			d.Parameters = append(d.Parameters, p)
		}
		if r.file.Has(truthPrefix + dim.Name) {
			d.Truth = append(d.Truth, r.scalar(truthPrefix+dim.Name, ""))
		}
	}
	d.LogDensity = r.numbers("log_density", dimensionless, dims...)
	d.LogEvidence = r.scalar("log_evidence", dimensionless)
	return d, r.done()
}

package dataset

import (
	"fmt"
	"slices"

	"oceaninv/io/netcdf"
)

// Observations are measured (or simulated) pressures on an array, with the true
// parameters where they are known.
type Observations struct {
	// Layout holds the array and the tones; its Parameters are those with a truth.
	Layout
	// Snapshots is the number of snapshots of each observation where the file has such
	// a dimension, 0 where it has none.
	Snapshots int
	// Pressure is [observation][receiver][frequency], or [observation][snapshot]
	// [receiver][frequency], row-major, noise included.
	Pressure []complex128
	// Truth is [observation][parameter], or nil where no truth is known.
	Truth []float64
}

// Len is the number of observations.
func (o Observations) Len() int {
	if o.Size() == 0 {
		return 0
	}
	return len(o.Pressure) / o.Size()
}

// Size is the number of pressures of one observation.
func (o Observations) Size() int { return max(o.Snapshots, 1) * o.values() }

// Only is observation i alone.
func (o Observations) Only(i int) Observations {
	o.Pressure = o.Pressure[i*o.Size() : (i+1)*o.Size()]
	if w := len(o.Parameters); o.Truth != nil {
		o.Truth = o.Truth[i*w : (i+1)*w]
	}
	return o
}

var (
	observationDims = []string{"observation", "receiver", "frequency"}
	snapshotDims    = []string{"observation", "snapshot", "receiver", "frequency"}
)

// dims are the dimensions of the pressure.
func (o Observations) dims() []string {
	if o.Snapshots > 0 {
		return snapshotDims
	}
	return observationDims
}

// WriteObservations writes an observation file.
func WriteObservations(path string, o Observations) error {
	n := o.Len()
	if len(o.Pressure) != n*o.Size() || (o.Truth != nil && len(o.Truth) != n*len(o.Parameters)) {
		panic(fmt.Sprintf("dataset: %d pressures and %d truths for %d receivers, %d tones and %d parameters",
			len(o.Pressure), len(o.Truth), len(o.ReceiverDepths), len(o.Frequencies), len(o.Parameters)))
	}
	return write(path, SchemaObservation, "Acoustic pressure observed on an array", func(w *writer) {
		w.dimension("observation", n)
		if o.Snapshots > 0 {
			w.dimension("snapshot", o.Snapshots)
		}
		w.layout(path, o.Layout)
		w.complexes("pressure", o.dims(), o.Pressure, pressure("observed acoustic pressure")...)
		w.truth(o.Parameters, o.Truth)
	})
}

// truth writes the true parameters, where known.
func (w *writer) truth(parameters []Parameter, truth []float64) {
	if truth == nil {
		return
	}
	for i, p := range parameters {
		long := p.LongName
		if long == "" {
			long = p.Name
		}
		p.LongName = "true " + long
		w.float64s(truthPrefix+p.Name, observationDims[:1], column(truth, len(parameters), i), p.attributes()...)
	}
}

// ReadObservations reads an observation file.
func ReadObservations(path string) (Observations, error) {
	r, err := open(path, SchemaObservation)
	if err != nil {
		return Observations{}, err
	}
	o := Observations{Layout: r.layout()}
	if slices.ContainsFunc(r.file.Dimensions(), func(d netcdf.Dimension) bool { return d.Name == "snapshot" }) {
		o.Snapshots = r.length("snapshot")
	}
	o.Pressure = r.complexes("pressure", dimensionless, o.dims()...)
	for _, v := range r.file.Variables() {
		if p, ok := truthOf(v); ok {
			o.Parameters = append(o.Parameters, p)
		}
	}
	o.Truth = r.truth(o.Parameters)
	return o, r.done()
}

// truth reads the true values of the parameters, or nil if one is not known.
func (r *reader) truth(parameters []Parameter) []float64 {
	for _, p := range parameters {
		if !r.file.Has(truthPrefix + p.Name) {
			return nil
		}
	}
	if len(parameters) == 0 {
		return nil
	}
	out := make([]float64, r.length("observation")*len(parameters))
	for i, p := range parameters {
		unit := p.Unit
		if unit == "" {
			unit = dimensionless
		}
		setColumn(out, len(parameters), i, r.float64s(truthPrefix+p.Name, unit, "observation"))
	}
	return out
}

// truthOf is the parameter of which a variable holds the true values.
func truthOf(v *netcdf.Variable) (Parameter, bool) {
	if len(v.Name) <= len(truthPrefix) || v.Name[:len(truthPrefix)] != truthPrefix {
		return Parameter{}, false
	}
	p, _ := parameterOf(v)
	p.Name = v.Name[len(truthPrefix):]
	if long := p.LongName; len(long) > 5 && long[:5] == "true " {
		p.LongName = long[5:]
	}
	return p, true
}

package dataset

import (
	"encoding/json"
	"fmt"
	"math"

	"oceaninv/io/netcdf"
)

// Design is what an experiment can tell of its parameters at one point.
type Design struct {
	Parameters  []Parameter
	Problem     json.RawMessage // the description of the problem
	Frequencies []float64       // Hz
	// At, PriorSD, CramerRao and Posterior are by parameter, in its unit: the point,
	// standard deviations of the prior and of a Gaussian posterior, and the Cramér-Rao
	// bound, +Inf where the data do not determine the parameter.
	At, PriorSD, CramerRao, Posterior []float64
	// ByTone is Posterior from each tone alone, [frequency][parameter].
	ByTone []float64
	// Fisher and Correlation are [parameter][parameter].
	Fisher, Correlation []float64
}

// Dimensions of a design file.
const (
	resolved = interpolated
	other    = "other_parameter"
)

// WriteDesign writes a design file. A bound that does not exist is missing (NaN).
func WriteDesign(path string, d Design) error {
	n, tones := len(d.Parameters), len(d.Frequencies)
	if len(d.At) != n || len(d.PriorSD) != n || len(d.CramerRao) != n || len(d.Posterior) != n || len(d.ByTone) != n*tones ||
		len(d.Fisher) != n*n || len(d.Correlation) != n*n {
		panic(fmt.Sprintf("dataset: design of %d parameters and %d tones with others' numbers", n, tones))
	}
	return write(path, SchemaDesign, "Resolution of parameters by an experiment", func(w *writer) {
		w.do(func() error { return checkParameters(path, d.Parameters) })
		w.dimension(resolved, n)
		w.dimension(other, n)
		w.dimension("frequency", tones)
		w.problem(d.Problem)
		w.parameterList(resolved, d.Parameters)
		low, high := make([]float64, n), make([]float64, n)
		for i, p := range d.Parameters {
			low[i], high[i] = p.Lower, p.Upper
		}
		w.float64s("frequency", []string{"frequency"}, d.Frequencies, frequencyAxis()...)
		put := func(name, long string, dims []string, values []float64) {
			w.float64s(name, dims, values, netcdf.Text(longName, long), netcdf.Number("_FillValue", math.NaN()))
		}
		put(lowerAttribute, "below it the prior has no mass, in the unit of the parameter", []string{resolved}, low)
		put(upperAttribute, "above it the prior has no mass, in the unit of the parameter", []string{resolved}, high)
		put("at", "point the bounds are taken at, in the unit of the parameter", []string{resolved}, d.At)
		put("prior_sd", "standard deviation of the prior, in the unit of the parameter", []string{resolved}, d.PriorSD)
		put("cramer_rao", "least standard deviation of an unbiased estimate, in the unit of the parameter", []string{resolved}, missing(d.CramerRao))
		put("posterior_sd", "standard deviation of a Gaussian posterior, in the unit of the parameter", []string{resolved}, d.Posterior)
		put("posterior_sd_by_tone", "the same from one tone alone", []string{"frequency", resolved}, d.ByTone)
		put("fisher", "Fisher information of the data, in the inverse units of both parameters", []string{resolved, other}, d.Fisher)
		w.float64s("correlation", []string{resolved, other}, d.Correlation, describe("correlation of the Gaussian posterior", dimensionless)...)
	})
}

// missing turns infinities into NaN.
func missing(x []float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = v
		if math.IsInf(v, 0) {
			out[i] = math.NaN()
		}
	}
	return out
}

// ReadDesign reads a design file.
func ReadDesign(path string) (Design, error) {
	r, err := open(path, SchemaDesign)
	if err != nil {
		return Design{}, err
	}
	d := Design{
		Parameters: r.parameterList(resolved), Problem: r.problem(),
		Frequencies: r.float64s("frequency", hertz, "frequency"),
		At:          r.float64s("at", "", resolved), PriorSD: r.float64s("prior_sd", "", resolved),
		CramerRao: r.numbers("cramer_rao", "", resolved), Posterior: r.float64s("posterior_sd", "", resolved),
		ByTone: r.float64s("posterior_sd_by_tone", "", "frequency", resolved),
		Fisher: r.float64s("fisher", "", resolved, other), Correlation: r.float64s("correlation", dimensionless, resolved, other),
	}
	low, high := r.float64s(lowerAttribute, "", resolved), r.float64s(upperAttribute, "", resolved)
	if r.err != nil {
		return d, r.done()
	}
	for i, x := range d.CramerRao {
		if math.IsNaN(x) {
			d.CramerRao[i] = math.Inf(1)
		}
		d.Parameters[i].Lower, d.Parameters[i].Upper = low[i], high[i]
	}
	return d, r.done()
}

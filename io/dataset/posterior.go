package dataset

import (
	"encoding/json"
	"fmt"

	"oceaninv/io/netcdf"
)

// Posterior holds draws of the parameters for each observation. Slices are
// row-major.
type Posterior struct {
	Parameters []Parameter
	Draws      int
	Values     []float64 // [observation][draw][parameter]
	LogProb    []float64 // [observation][draw]: log density of the drawing model; nil without one
	LogWeight  []float64 // [observation][draw]: log importance weight; nil without
	Truth      []float64 // [observation][parameter]; nil where not known
	// Diagnostics are numbers per observation, such as an effective sample size.
	Diagnostics []Column
	// Method says how the draws came about.
	Method  string
	Problem json.RawMessage
}

// Column is a named quantity over one dimension.
type Column struct {
	Name     string
	LongName string
	Unit     string
	Values   []float64 // NaN is a missing value
}

// Len is the number of observations.
func (p Posterior) Len() int {
	if p.Draws*len(p.Parameters) == 0 {
		return 0
	}
	return len(p.Values) / (p.Draws * len(p.Parameters))
}

var drawDims = []string{"observation", "draw"}

// diagnosticAttribute marks the variables that are Diagnostics.
const diagnosticAttribute = "diagnostic"

// WritePosterior writes a posterior file.
func WritePosterior(path string, p Posterior) error {
	n := p.Len()
	if len(p.Values) != n*p.Draws*len(p.Parameters) || (p.LogProb != nil && len(p.LogProb) != n*p.Draws) ||
		(p.LogWeight != nil && len(p.LogWeight) != n*p.Draws) || (p.Truth != nil && len(p.Truth) != n*len(p.Parameters)) {
		panic(fmt.Sprintf("dataset: posterior of %d observations and %d draws with %d values, %d log densities, %d log weights and %d truths",
			n, p.Draws, len(p.Values), len(p.LogProb), len(p.LogWeight), len(p.Truth)))
	}
	return write(path, SchemaPosterior, "Posterior draws", func(w *writer) {
		w.do(func() error { return checkParameters(path, p.Parameters) })
		w.problem(p.Problem)
		w.text("method", p.Method)
		w.dimension("observation", n)
		w.dimension("draw", p.Draws)
		for i, q := range p.Parameters {
			w.float64s(q.Name, drawDims, column(p.Values, len(p.Parameters), i), q.attributes()...)
		}
		if p.LogProb != nil {
			w.float64s("log_prob", drawDims, p.LogProb, describe("log density of the model at the draw", dimensionless)...)
		}
		if p.LogWeight != nil {
			w.float64s("log_weight", drawDims, p.LogWeight, describe("log importance weight of the draw", dimensionless)...)
		}
		w.truth(p.Parameters, p.Truth)
		for _, d := range p.Diagnostics {
			w.float64s(d.Name, drawDims[:1], d.Values, append(d.attributes(), netcdf.Text(diagnosticAttribute, "true"))...)
		}
	})
}

// attributes are what the file says of a column.
func (c Column) attributes() []netcdf.Attribute {
	unit, long := c.Unit, c.LongName
	if unit == "" {
		unit = dimensionless
	}
	if long == "" {
		long = c.Name
	}
	return describe(long, unit)
}

func columnOf(v *netcdf.Variable) Column {
	long, _ := v.Attribute(longName)
	return Column{Name: v.Name, LongName: long.Text(), Unit: v.Units()}
}

// ReadPosterior reads a posterior file.
func ReadPosterior(path string) (Posterior, error) {
	r, err := open(path, SchemaPosterior)
	if err != nil {
		return Posterior{}, err
	}
	method, _ := r.file.Attribute("method")
	p := Posterior{Parameters: r.parameters(drawDims...), Draws: r.length("draw"), Method: method.Text(), Problem: r.problem()}
	if r.err != nil {
		return Posterior{}, r.done()
	}
	p.Values = make([]float64, r.length("observation")*p.Draws*len(p.Parameters))
	for i, q := range p.Parameters {
		setColumn(p.Values, len(p.Parameters), i, r.float64s(q.Name, "", drawDims...))
	}
	if r.file.Has("log_prob") {
		p.LogProb = r.numbers("log_prob", dimensionless, drawDims...)
	}
	if r.file.Has("log_weight") { // a draw outside the prior has weight 0, log -Inf
		p.LogWeight = r.numbers("log_weight", dimensionless, drawDims...)
	}
	p.Truth = r.truth(p.Parameters)
	for _, v := range r.file.Variables() {
		if _, ok := v.Attribute(diagnosticAttribute); ok {
			c := columnOf(v)
			c.Values = r.numbers(v.Name, "", "observation")
			p.Diagnostics = append(p.Diagnostics, c)
		}
	}
	return p, r.done()
}

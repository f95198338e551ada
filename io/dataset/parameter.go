package dataset

import (
	"fmt"
	"regexp"
	"strings"

	"oceaninv/io/netcdf"
)

// Parameter is one inferred quantity: the name of its variable, and what is said of
// it there.
type Parameter struct {
	Name     string `json:"name"`
	LongName string `json:"long_name,omitempty"`
	Unit     string `json:"unit,omitempty"` // as UDUNITS spells it; empty is dimensionless
	// Prior is the family of its prior, such as "uniform"; Lower and Upper are the
	// bounds outside which the prior has no mass (or the range to show, where it
	// has no bounds).
	Prior string  `json:"prior,omitempty"`
	Lower float64 `json:"lower"`
	Upper float64 `json:"upper"`
}

// Attributes of a parameter's variable.
const (
	priorAttribute = "prior"
	lowerAttribute = "prior_lower"
	upperAttribute = "prior_upper"
	truthPrefix    = "truth_"
)

// parameterName are names that can be told apart from the other variables and need
// no quoting anywhere.
var parameterName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// reserved are the names of variables that are not parameters.
var reserved = map[string]bool{
	"sample": true, "observation": true, "draw": true, "receiver_depth": true, "frequency": true,
	"noise_variance": true, "log_prob": true, "log_weight": true,
	"pressure_real": true, "pressure_imag": true, "noise_real": true, "noise_imag": true,
}

// checkParameters refuses names that cannot be variables, and repeated ones.
func checkParameters(path string, list []Parameter) error {
	seen := map[string]bool{}
	for _, p := range list {
		var problem string
		switch {
		case !parameterName.MatchString(p.Name):
			problem = "it must start with a letter and hold letters, digits and underscores"
		case reserved[p.Name] || strings.HasPrefix(p.Name, truthPrefix):
			problem = "that name has another meaning in this file"
		case seen[p.Name]:
			problem = "it is there twice"
		case !(p.Lower < p.Upper):
			problem = fmt.Sprintf("its prior bounds are %g and %g", p.Lower, p.Upper)
		}
		if problem != "" {
			return &netcdf.Error{Path: path, Err: fmt.Errorf("parameter %q: %s", p.Name, problem)}
		}
		seen[p.Name] = true
	}
	return nil
}

// attributes are what the file says of the parameter.
func (p Parameter) attributes() []netcdf.Attribute {
	unit, long := p.Unit, p.LongName
	if unit == "" {
		unit = dimensionless
	}
	if long == "" {
		long = strings.ReplaceAll(p.Name, "_", " ")
	}
	list := describe(long, unit)
	if name := standardNames[p.Name]; name != "" {
		list = append(list, netcdf.Text(standardName, name))
	}
	if p.Prior != "" {
		list = append(list, netcdf.Text(priorAttribute, p.Prior))
	}
	return append(list, netcdf.Number(lowerAttribute, p.Lower), netcdf.Number(upperAttribute, p.Upper))
}

// standardNames are the parameters for which CF has a name.
var standardNames = map[string]string{
	"water_depth": "sea_floor_depth_below_sea_surface",
}

// parameterOf reads what a file says of the parameter with that variable. The
// bounds of a prior may be missing in an observation, not elsewhere.
func parameterOf(v *netcdf.Variable) (p Parameter, bounded bool) {
	text := func(name string) string { a, _ := v.Attribute(name); return a.Text() }
	p = Parameter{Name: v.Name, LongName: text(longName), Unit: v.Units(), Prior: text(priorAttribute)}
	lower, _ := v.Attribute(lowerAttribute)
	upper, _ := v.Attribute(upperAttribute)
	if l, u := lower.Float64s(), upper.Float64s(); len(l) == 1 && len(u) == 1 {
		p.Lower, p.Upper, bounded = l[0], u[0], true
	}
	return p, bounded
}

// parameters finds the variables over dims that carry prior bounds, in the order
// of the file.
func (r *reader) parameters(dims ...string) []Parameter {
	var list []Parameter
	for _, v := range r.file.Variables() {
		p, bounded := parameterOf(v)
		if !bounded || strings.HasPrefix(v.Name, truthPrefix) {
			continue
		}
		r.variable(v.Name, "", dims...)
		list = append(list, p)
	}
	r.do(func() error { return checkParameters(r.file.Path(), list) })
	if len(list) == 0 {
		r.fail("", "no parameter: a variable over (%s) with attributes %s and %s", strings.Join(dims, ", "), lowerAttribute, upperAttribute)
	}
	return list
}

// column copies one parameter's values out of rows of all parameters.
func column(rows []float64, width, i int) []float64 {
	out := make([]float64, len(rows)/width)
	for row := range out {
		out[row] = rows[row*width+i]
	}
	return out
}

// setColumn copies one parameter's values into rows of all parameters.
func setColumn(rows []float64, width, i int, values []float64) {
	for row, v := range values {
		rows[row*width+i] = v
	}
}

// parameterList writes parameters along a dimension of their own.
func (w *writer) parameterList(dimension string, list []Parameter) {
	var names, units, long, prior []string
	for _, p := range list {
		names, units, long, prior = append(names, p.Name), append(units, p.Unit), append(long, p.LongName), append(prior, p.Prior)
	}
	dims := []string{dimension}
	w.strings("parameter", dims, names, netcdf.Text(longName, "name of the parameter"))
	w.strings("parameter_units", dims, units, netcdf.Text(longName, "unit of the parameter"))
	w.strings("parameter_label", dims, long, netcdf.Text(longName, "what the parameter is"))
	w.strings("parameter_prior", dims, prior, netcdf.Text(longName, "kind of the parameter's prior"))
}

// parameterList reads what [writer.parameterList] wrote; the bounds are elsewhere.
func (r *reader) parameterList(dimension string) []Parameter {
	names, units := r.strings("parameter", dimension), r.strings("parameter_units", dimension)
	long, prior := r.strings("parameter_label", dimension), r.strings("parameter_prior", dimension)
	if r.err != nil {
		return nil
	}
	out := make([]Parameter, len(names))
	for i, n := range names {
		out[i] = Parameter{Name: n, LongName: long[i], Unit: units[i], Prior: prior[i]}
	}
	return out
}

package stages

import (
	"fmt"
	"math"
	"strings"

	"oceaninv/io/dataset"
	"oceaninv/io/netcdf"
	"oceaninv/surrogate/train"
)

// pairs are samples (x, y) of any inverse problem, in a table file: a column for
// each unknown and each observed quantity, named in two global attributes.
type pairs struct {
	n           int
	unknowns    []string
	observed    []string
	x, y        []float64 // row-major
	description string    // JSON of what made them; "" where not known
}

// Global attributes of a table of pairs.
const (
	unknownsAttribute = "unknowns"
	observedAttribute = "observed"
	armAttribute      = "kinematics"
)

func writePairs(path, title string, p pairs) error {
	t := dataset.Table{Title: title, Index: dataset.Column{Name: "sample", LongName: "number of the sample"},
		Attributes: []netcdf.Attribute{netcdf.Text(unknownsAttribute, strings.Join(p.unknowns, ", "))}}
	if len(p.observed) > 0 {
		t.Attributes = append(t.Attributes, netcdf.Text(observedAttribute, strings.Join(p.observed, ", ")))
	}
	if p.description != "" {
		t.Attributes = append(t.Attributes, netcdf.Text(armAttribute, p.description))
	}
	for i := range p.n {
		t.Index.Values = append(t.Index.Values, float64(i))
	}
	add := func(names []string, values []float64, what string) {
		for j, name := range names {
			c := dataset.Column{Name: name, LongName: what + " " + name, Values: make([]float64, p.n)}
			for i := range c.Values {
				c.Values[i] = values[i*len(names)+j]
			}
			t.Columns = append(t.Columns, c)
		}
	}
	add(p.unknowns, p.x, "unknown")
	add(p.observed, p.y, "observed")
	return dataset.WriteTable(path, t)
}

func readPairs(path string) (*pairs, error) {
	t, err := dataset.ReadTable(path)
	if err != nil {
		return nil, err
	}
	p := &pairs{n: len(t.Index.Values)}
	for _, a := range t.Attributes {
		switch a.Name {
		case unknownsAttribute:
			p.unknowns = names(a.Text())
		case observedAttribute:
			p.observed = names(a.Text())
		case armAttribute:
			p.description = a.Text()
		}
	}
	if len(p.unknowns) == 0 {
		return nil, &netcdf.Error{Path: path, Err: fmt.Errorf("its attribute %q names no column", unknownsAttribute),
			Advice: "list the columns to infer, separated by commas"}
	}
	if p.x, err = matrix(path, t, p.unknowns); err != nil {
		return nil, err
	}
	p.y, err = matrix(path, t, p.observed)
	return p, err
}

func names(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// matrix lays columns of a table side by side.
func matrix(path string, t dataset.Table, names []string) ([]float64, error) {
	out := make([]float64, len(t.Index.Values)*len(names))
	for j, name := range names {
		c, ok := t.Column(name)
		if !ok {
			return nil, &netcdf.Error{Path: path, Variable: name, Err: netcdf.ErrMissing}
		}
		for i, v := range c.Values {
			out[i*len(names)+j] = v
		}
	}
	return out, nil
}

// finite reports the first number that is infinite or missing.
func (p *pairs) finite(path string) error {
	for _, part := range []struct {
		names  []string
		values []float64
	}{{p.unknowns, p.x}, {p.observed, p.y}} {
		for i, v := range part.values {
			if k := len(part.names); math.IsNaN(v) || math.IsInf(v, 0) {
				return &netcdf.Error{Path: path, Variable: part.names[i%k], Err: fmt.Errorf("sample %d is %v", i/k, v), Advice: "leave such samples out"}
			}
		}
	}
	return nil
}

// heldOut is how many of the pairs, the last, are held out.
func (p *pairs) heldOut(fraction float64) int { return p.n - p.shape(fraction).Rows }

// shape is the size of the pairs when a fraction is held out.
func (p *pairs) shape(heldOut float64) train.Shape {
	return train.Shape{Rows: p.n - int(heldOut*float64(p.n)), NX: len(p.unknowns), NY: len(p.observed)}
}

package netcdf

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
)

// Compare says in one line how what two files say differs: variables, dimensions,
// types, values and semantic attributes; "" where they agree. Numbers agree where
//
//	|a - b| <= tolerance * max(|a|, |b|),
//
// the maximum being over the whole variable, since values that cross zero have no
// relative difference of their own. Two NaN agree, and infinities of one sign. It
// reads in slabs of about 1 MiB.
func Compare(a, b string, tolerance float64) (string, error) {
	f, err := Open(a)
	if err != nil {
		return "", err
	}
	defer f.Close()
	g, err := Open(b)
	if err != nil {
		return "", err
	}
	defer g.Close()
	c := comparison{tolerance: tolerance}
	for _, v := range f.Variables() {
		if !g.Has(v.Name) {
			c.say("%s is only in the first", v.Name)
			continue
		}
		w, err := g.Variable(v.Name)
		if err == nil {
			err = c.variable(v, w)
		}
		if err != nil {
			return "", err
		}
	}
	for _, w := range g.Variables() {
		if !f.Has(w.Name) {
			c.say("%s is only in the second", w.Name)
		}
	}
	c.attributes("", semantic(f.Attributes()), semantic(g.Attributes()))
	return c.text(len(f.Variables())), nil
}

// comparison gathers differences.
type comparison struct {
	tolerance float64
	other     []string // differences that are not of numbers
	apart     int      // variables whose numbers differ
	worst     float64
	where     string // the variable of the worst
}

func (c *comparison) say(format string, args ...any) {
	c.other = append(c.other, fmt.Sprintf(format, args...))
}

func (c *comparison) text(variables int) string {
	all := c.other
	if c.apart > 0 {
		all = append([]string{fmt.Sprintf("numbers of %d of %d variables differ, most those of %s: by %.3g of its largest",
			c.apart, variables, c.where, c.worst)}, all...)
	}
	const most = 5
	if len(all) > most {
		all = append(all[:most:most], fmt.Sprintf("%d more", len(all)-most))
	}
	return strings.Join(all, "; ")
}

func (c *comparison) variable(v, w *Variable) error {
	if !slices.Equal(v.Dimensions, w.Dimensions) {
		c.say("%s has dimensions %s, then %s", v.Name, dimensionText(v), dimensionText(w))
		return nil
	}
	c.attributes(v.Name, v.Attributes(), w.Attributes())
	if v.Type.numeric() && w.Type.numeric() {
		return c.numbers(v, w)
	}
	if v.Type != w.Type {
		c.say("%s is of type %s, then %s", v.Name, v.Type, w.Type)
		return nil
	}
	a, errA := v.Strings()
	b, errB := w.Strings()
	if err := errors.Join(errA, errB); err != nil {
		return err
	}
	if !slices.Equal(a, b) {
		c.say("texts of %s differ", v.Name)
	}
	return nil
}

func dimensionText(v *Variable) string {
	all := make([]string, len(v.Dimensions))
	for i, d := range v.Dimensions {
		all[i] = fmt.Sprintf("%s = %d", d.Name, d.Length)
	}
	return "(" + strings.Join(all, ", ") + ")"
}

// numbers compares all values of two variables of one shape.
func (c *comparison) numbers(v, w *Variable) error {
	var a, b []float64
	var apart, largest float64
	err := v.slabs(func(start, count []int) error {
		n := product(count)
		a, b = slices.Grow(a[:0], n)[:n], slices.Grow(b[:0], n)[:n]
		if err := errors.Join(v.Float64Slab(start, count, a), w.Float64Slab(start, count, b)); err != nil {
			return err
		}
		for i, x := range a {
			apart = max(apart, distance(x, b[i]))
			for _, y := range []float64{x, b[i]} {
				if y = math.Abs(y); y > largest && !math.IsInf(y, 0) {
					largest = y
				}
			}
		}
		return nil
	})
	if err != nil || !(apart > c.tolerance*largest) {
		return err
	}
	c.apart++
	if relative := apart / largest; relative > c.worst || c.where == "" {
		c.worst, c.where = relative, v.Name
	}
	return nil
}

// distance is |x - y|, 0 between equal infinities and between NaN, infinite where only one is.
func distance(x, y float64) float64 {
	switch {
	case x == y, math.IsNaN(x) && math.IsNaN(y):
		return 0
	case math.IsNaN(x) || math.IsNaN(y):
		return math.Inf(1)
	}
	return math.Abs(x - y)
}

func semantic(all []Attribute) []Attribute {
	return slices.DeleteFunc(slices.Clone(all), func(a Attribute) bool { return !Semantic(a.Name) })
}

// attributes compares those of a variable, or of the files where it has no name.
func (c *comparison) attributes(variable string, a, b []Attribute) {
	values := make(map[string]any)
	for _, x := range b {
		values[x.Name] = x.Value
	}
	if variable != "" {
		variable += ":"
	}
	for _, x := range a {
		value, ok := values[x.Name]
		delete(values, x.Name)
		if !ok {
			c.say("attribute %s%s is only in the first", variable, x.Name)
		} else if !reflect.DeepEqual(x.Value, value) {
			c.say("attribute %s%s differs", variable, x.Name)
		}
	}
	for _, x := range b {
		if _, left := values[x.Name]; left {
			c.say("attribute %s%s is only in the second", variable, x.Name)
		}
	}
}

package netcdf

// #include <netcdf.h>
import "C"

import (
	"fmt"
	"slices"

	nc "github.com/fhs/go-netcdf/netcdf"
)

// readHeader fills the lists of dimensions, variables and attributes. It runs
// on the library's thread.
func (f *File) readHeader() error {
	wrap := func(err error) error { return openError(f.path, err) }
	groups, err := hasGroups(f.id())
	if err != nil {
		return wrap(err)
	}
	if groups {
		return &Error{Path: f.path, Err: fmt.Errorf("%w: groups", ErrUnsupported),
			Advice: "move its variables to the root group, for example with ncks -G :"}
	}
	if f.dimensions, err = dimensions(f.id()); err != nil {
		return wrap(err)
	}
	n, err := f.dataset.NAttrs()
	if err != nil {
		return wrap(err)
	}
	if f.attributes, err = f.readAttributes(C.NC_GLOBAL, f.dataset.AttrN, n); err != nil {
		return wrap(err)
	}
	count, err := f.dataset.NVars()
	if err != nil {
		return wrap(err)
	}
	for i := range count {
		v, err := f.readVariable(i)
		if err != nil {
			return wrap(err)
		}
		if _, ok := atomic[v.Type]; !ok {
			return &Error{Path: f.path, Variable: v.Name, Err: fmt.Errorf("%w: %v", ErrUnsupported, v.Type)}
		}
		f.variables = append(f.variables, v)
	}
	return nil
}

// readVariable reads the header of the variable with the given number.
func (f *File) readVariable(i int) (*Variable, error) {
	v := &Variable{file: f, index: i, handle: f.dataset.VarN(i)}
	var err error
	if v.Name, err = v.handle.Name(); err != nil {
		return nil, err
	}
	t, err := v.handle.Type()
	if err != nil {
		return nil, err
	}
	v.Type = Type(t)
	ids, err := variableDimensions(f.id(), C.int(i))
	if err != nil {
		return nil, err
	}
	for _, d := range ids {
		if d < 0 || d >= len(f.dimensions) {
			return nil, fmt.Errorf("variable %q has a dimension that the file lacks", v.Name)
		}
		v.Dimensions = append(v.Dimensions, f.dimensions[d])
	}
	n, err := v.handle.NAttrs()
	if err != nil {
		return nil, err
	}
	v.attributes, err = f.readAttributes(C.int(i), v.handle.AttrN, n)
	return v, err
}

// readAttributes reads n attributes of a variable or of the file.
func (f *File) readAttributes(variable C.int, at func(int) (nc.Attr, error), n int) (attributes, error) {
	var list attributes
	for i := range n {
		handle, err := at(i)
		if err != nil {
			return nil, err
		}
		a, err := f.readAttribute(variable, handle)
		if err != nil {
			return nil, fmt.Errorf("attribute %q: %w", handle.Name(), err)
		}
		list = append(list, a)
	}
	return list, nil
}

// maxAttribute bounds what the length in a damaged header can make us allocate.
const maxAttribute = 1 << 28

func (f *File) readAttribute(variable C.int, handle nc.Attr) (Attribute, error) {
	t, err := handle.Type()
	if err != nil {
		return Attribute{}, err
	}
	length, err := handle.Len()
	if err != nil {
		return Attribute{}, err
	}
	a := Attribute{Name: handle.Name(), Type: Type(t)}
	if _, ok := atomic[a.Type]; !ok {
		return a, fmt.Errorf("%w: %v", ErrUnsupported, a.Type)
	}
	if length > maxAttribute {
		return a, fmt.Errorf("%w: it claims %d values", ErrDamaged, length)
	}
	n := int(length)
	if a.Type == String {
		a.Value, err = getStrings(f.id(), variable, a.Name, n)
		return a, err
	}
	if a.raw, err = getRaw(f.id(), variable, a.Name, n*a.Type.size()); err != nil {
		return a, err
	}
	if a.Type == Char {
		a.Value = string(a.raw)
		return a, nil
	}
	values, err := getDoubles(f.id(), variable, a.Name, n)
	a.Value = values
	if err != nil {
		return a, err
	}
	switch a.Type {
	case Float:
		a.Value = narrow[float32](values)
	case Int:
		a.Value = narrow[int32](values)
	case Int64:
		a.Value = integers(a.raw)
	}
	return a, nil
}

func narrow[T float32 | int32](values []float64) []T {
	out := make([]T, len(values))
	for i, v := range values {
		out[i] = T(v)
	}
	return out
}

func (v *Variable) shape() []int {
	out := make([]int, len(v.Dimensions))
	for i, d := range v.Dimensions {
		out[i] = d.Length
	}
	return out
}

// Attributes lists the variable's attributes.
func (v *Variable) Attributes() []Attribute { return slices.Clone(v.attributes) }

// Attribute finds an attribute of the variable.
func (v *Variable) Attribute(name string) (Attribute, bool) { return v.attributes.find(name) }

// Units is the variable's units attribute, or "".
func (v *Variable) Units() string {
	a, _ := v.attributes.find("units")
	return a.Text()
}

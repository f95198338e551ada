package dataset

import (
	"fmt"

	"oceaninv/io/netcdf"
)

// Table is columns over one dimension: a training history over epochs, a coverage
// curve over levels, a profile over depths.
type Table struct {
	Title string
	// Index is the coordinate; its name is the dimension's.
	Index   Column
	Columns []Column
	// Attributes are global ones.
	Attributes []netcdf.Attribute
}

// WriteTable writes a table file.
func WriteTable(path string, t Table) error {
	return write(path, SchemaTable, t.Title, func(w *writer) {
		for _, a := range t.Attributes {
			w.do(func() error { return w.file.SetAttribute(a) })
		}
		dims := []string{t.Index.Name}
		w.dimension(t.Index.Name, len(t.Index.Values))
		w.float64s(t.Index.Name, dims, t.Index.Values, t.Index.attributes()...)
		for _, c := range t.Columns {
			if len(c.Values) != len(t.Index.Values) {
				panic(fmt.Sprintf("dataset: column %q has %d values, its index %d", c.Name, len(c.Values), len(t.Index.Values)))
			}
			w.float64s(c.Name, dims, c.Values, c.attributes()...)
		}
	})
}

// ReadTable reads a table file.
func ReadTable(path string) (Table, error) {
	r, err := open(path, SchemaTable)
	if err != nil {
		return Table{}, err
	}
	title, _ := r.file.Attribute("title")
	t := Table{Title: title.Text()}
	dims := r.file.Dimensions()
	if len(dims) != 1 {
		r.fail("", "a table has one dimension; this file has %d", len(dims))
		return t, r.done()
	}
	for _, v := range r.file.Variables() {
		c := columnOf(v)
		c.Values = r.numbers(v.Name, "", dims[0].Name)
		if v.Name == dims[0].Name {
			t.Index = c
		} else {
			t.Columns = append(t.Columns, c)
		}
	}
	if t.Index.Name == "" {
		r.fail(dims[0].Name, "%w: the coordinate of the table", netcdf.ErrMissing)
	}
	for _, a := range r.file.Attributes() {
		switch a.Name {
		case "Conventions", "title", "source", schemaAttribute:
		default:
			t.Attributes = append(t.Attributes, netcdf.Attribute{Name: a.Name, Value: a.Value})
		}
	}
	return t, r.done()
}

// Column finds a column.
func (t Table) Column(name string) (Column, bool) {
	for _, c := range t.Columns {
		if c.Name == name {
			return c, true
		}
	}
	return Column{}, false
}

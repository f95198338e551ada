package dataset

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"oceaninv/io/netcdf"
)

// Tensor is a named array of weights, row-major, in one of two precisions: exactly
// one of Float32 and Float64 is set.
type Tensor struct {
	Name    string
	Shape   []int // none for a scalar
	Float32 []float32
	Float64 []float64
}

// Model is a trained network: every weight a variable, and the architecture in
// attributes. Together they are enough to rebuild it in another language.
type Model struct {
	// Attributes are the architecture, in netcdf's values.
	Attributes []netcdf.Attribute
	Tensors    []Tensor
	// Layout is the data the model was trained on: its inputs and outputs. Without
	// receivers it is a model of something else than an array's pressures.
	Layout Layout
}

// modelPrefix begins the names of a model's own global attributes.
const modelPrefix = "model_"

// WriteModel writes a model file. Dimensions of the tensors are named after their
// lengths.
func WriteModel(path string, m Model) error {
	return write(path, SchemaModel, "Trained invertible network", func(w *writer) {
		w.do(func() error { return checkParameters(path, m.Layout.Parameters) })
		for _, a := range m.Attributes {
			a.Name = modelPrefix + a.Name
			w.do(func() error { return w.file.SetAttribute(a) })
		}
		if len(m.Layout.ReceiverDepths) > 0 {
			w.layout(path, m.Layout)
		} else {
			w.problem(m.Layout.Problem)
		}
		w.parameterTable(m.Layout.Parameters)
		for _, n := range tensorLengths(m.Tensors) {
			w.dimension(lengthName(n), n)
		}
		for _, t := range m.Tensors {
			w.tensor(t)
		}
	})
}

// parameterTable records the parameters as JSON: a model has no values of them.
func (w *writer) parameterTable(list []Parameter) {
	w.do(func() error {
		text, err := json.Marshal(list)
		if err != nil {
			return err
		}
		return w.file.SetAttribute(netcdf.Text("parameters", string(text)))
	})
}

func lengthName(n int) string { return fmt.Sprintf("length_%d", n) }

// tensorLengths lists the lengths that need a dimension, in increasing order.
func tensorLengths(list []Tensor) []int {
	var out []int
	for _, t := range list {
		out = append(out, t.Shape...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (w *writer) tensor(t Tensor) {
	n := 1
	var dims []string
	for _, d := range t.Shape {
		n *= d
		dims = append(dims, lengthName(d))
	}
	if len(t.Float32)+len(t.Float64) != n || (len(t.Float32) > 0 && len(t.Float64) > 0) {
		panic(fmt.Sprintf("dataset: tensor %q of shape %v with %d float32 and %d float64", t.Name, t.Shape, len(t.Float32), len(t.Float64)))
	}
	if len(t.Float32) > 0 {
		v := w.variable(t.Name, netcdf.Float, dims)
		w.do(func() error { return netcdf.WriteAll(v, t.Float32) })
		return
	}
	w.float64s(t.Name, dims, t.Float64)
}

// ReadModel reads a model file.
func ReadModel(path string) (Model, error) {
	r, err := open(path, SchemaModel)
	if err != nil {
		return Model{}, err
	}
	m := Model{Layout: Layout{Problem: r.problem()}}
	if r.file.Has("receiver_depth") {
		m.Layout = r.layout()
	}
	for _, a := range r.file.Attributes() {
		if name, ok := strings.CutPrefix(a.Name, modelPrefix); ok {
			a.Name = name
			m.Attributes = append(m.Attributes, netcdf.Attribute{Name: name, Value: a.Value})
		}
	}
	table, _ := r.file.Attribute("parameters")
	if err := json.Unmarshal([]byte(table.Text()), &m.Layout.Parameters); err != nil {
		r.fail("", "its attribute \"parameters\" is missing or damaged: %w", err)
	}
	for _, v := range r.file.Variables() {
		if !reserved[v.Name] {
			m.Tensors = append(m.Tensors, r.tensor(v))
		}
	}
	return m, r.done()
}

func (r *reader) tensor(v *netcdf.Variable) Tensor {
	t := Tensor{Name: v.Name, Shape: v.Shape()}
	switch v.Type {
	case netcdf.Float:
		r.do(func() (err error) { t.Float32, err = netcdf.Read[float32](v); return err })
	default:
		r.do(func() (err error) { t.Float64, err = v.Float64s(); return err })
	}
	return t
}

// Attribute finds one of the model's own attributes.
func (m Model) Attribute(name string) (netcdf.Attribute, bool) {
	for _, a := range m.Attributes {
		if a.Name == name {
			return a, true
		}
	}
	return netcdf.Attribute{}, false
}

// Tensor finds a tensor.
func (m Model) Tensor(name string) (Tensor, bool) {
	for _, t := range m.Tensors {
		if t.Name == name {
			return t, true
		}
	}
	return Tensor{}, false
}

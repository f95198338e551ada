package dataset

import (
	"encoding/json"
	"fmt"

	"oceaninv/io/netcdf"
)

// Interpolation is a forward model expanded in Chebyshev polynomials on panels of the
// box over which parameters vary. Of a panel that was bisected, Axis is the parameter,
// Cut the place and Child the panel below it, the next being the one above; a leaf has
// the axis -1 and coefficients.
type Interpolation struct {
	Parameters []Parameter
	Problem    json.RawMessage
	Nodes      int
	Low, High  []float64 // [parameter]: the box
	Scale      []float64 // [datum]
	Parts      []int     // [parameter]
	// PanelLow and PanelHigh are [panel][parameter].
	PanelLow, PanelHigh []float64
	Axis, Child         []int     // [panel]
	Cut                 []float64 // [panel]
	// Coefficients are [leaf][node][datum], the nodes of the last parameter fastest.
	Coefficients              []complex128
	Solves, Unresolved, Rough int
	Error, RMSError           float64
}

// Dimensions of an interpolation file.
const (
	interpolated = "parameter"
	panels       = "panel"
	leaves       = "leaf"
	polynomials  = "polynomial"
	data         = "datum"
)

// leafCount is the number of panels with coefficients.
func (x *Interpolation) leafCount() int {
	n := 0
	for _, a := range x.Axis {
		if a < 0 {
			n++
		}
	}
	return n
}

// WriteInterpolation writes an interpolation file.
func WriteInterpolation(path string, x Interpolation) error {
	d, n, leaf := len(x.Parameters), len(x.Axis), x.leafCount()
	if leaf == 0 || len(x.Scale) == 0 || len(x.Coefficients)%(leaf*len(x.Scale)) != 0 || len(x.PanelLow) != n*d || len(x.PanelHigh) != n*d {
		panic(fmt.Sprintf("dataset: interpolation of %d parameters with %d panels and %d coefficients", d, n, len(x.Coefficients)))
	}
	return write(path, SchemaInterpolation, "Acoustic pressure expanded over the prior", func(w *writer) {
		w.do(func() error { return checkParameters(path, x.Parameters) })
		w.problem(x.Problem)
		w.dimension(interpolated, d)
		w.dimension(panels, n)
		w.dimension(leaves, leaf)
		w.dimension(polynomials, len(x.Coefficients)/leaf/len(x.Scale))
		w.dimension(data, len(x.Scale))
		w.box(x)
		number := func(name, long string, v float64) {
			w.float64s(name, nil, []float64{v}, describe(long, dimensionless)...)
		}
		number("nodes", "polynomials along each parameter", float64(x.Nodes))
		number("solves", "forward solves that the expansion took", float64(x.Solves))
		number("unresolved", "panels left too coarse by the bound on solves", float64(x.Unresolved))
		number("rough", "panels on which the field jumps or bends", float64(x.Rough))
		number("error", "largest error at check points, in noise standard deviations", x.Error)
		number("rms_error", "root mean square error at check points, in noise standard deviations", x.RMSError)
		w.float64s("noise_scale", []string{data}, x.Scale, describe("noise standard deviation that the tolerance was in", dimensionless)...)
		w.integers("parts", []string{interpolated}, x.Parts, describe("equal parts of the box along a parameter", dimensionless)...)
		w.float64s("panel_low", []string{panels, interpolated}, x.PanelLow, netcdf.Text(longName, "lower corner of a panel, in the units of the parameters"))
		w.float64s("panel_high", []string{panels, interpolated}, x.PanelHigh, netcdf.Text(longName, "upper corner of a panel, in the units of the parameters"))
		w.integers("axis", []string{panels}, x.Axis, describe("parameter across which a panel is bisected; -1 for a leaf", dimensionless)...)
		w.integers("child", []string{panels}, x.Child, describe("panel below the cut; the next is the one above", dimensionless)...)
		w.float64s("cut", []string{panels}, x.Cut, netcdf.Text(longName, "where a panel is bisected, in the unit of that parameter"))
		w.complexes("coefficient", []string{leaves, polynomials, data}, x.Coefficients, describe("Chebyshev coefficient of acoustic pressure", dimensionless)...)
	})
}

// ReadInterpolation reads an interpolation file.
func ReadInterpolation(path string) (Interpolation, error) {
	r, err := open(path, SchemaInterpolation)
	if err != nil {
		return Interpolation{}, err
	}
	number := func(name string) int { return int(r.scalar(name, dimensionless)) }
	x := Interpolation{
		Problem: r.problem(), Parameters: r.box(),
		Low: r.float64s("low", "", interpolated), High: r.float64s("high", "", interpolated),
		Nodes: number("nodes"), Solves: number("solves"), Unresolved: number("unresolved"), Rough: number("rough"),
		Error: r.scalar("error", dimensionless), RMSError: r.scalar("rms_error", dimensionless),
		Scale:    r.float64s("noise_scale", dimensionless, data),
		Parts:    r.integers("parts", interpolated),
		PanelLow: r.float64s("panel_low", "", panels, interpolated), PanelHigh: r.float64s("panel_high", "", panels, interpolated),
		Axis: r.integers("axis", panels), Child: r.integers("child", panels), Cut: r.float64s("cut", "", panels),
		Coefficients: r.complexes("coefficient", dimensionless, leaves, polynomials, data),
	}
	return x, r.done()
}

// box writes the parameters and their extent.
func (w *writer) box(x Interpolation) {
	w.parameterList(interpolated, x.Parameters)
	dims := []string{interpolated}
	w.float64s("low", dims, x.Low, netcdf.Text(longName, "lower end of the box, in the unit of the parameter"))
	w.float64s("high", dims, x.High, netcdf.Text(longName, "upper end of the box, in the unit of the parameter"))
}

// box reads the parameters.
func (r *reader) box() []Parameter {
	out := r.parameterList(interpolated)
	low, high := r.float64s("low", "", interpolated), r.float64s("high", "", interpolated)
	if r.err != nil {
		return nil
	}
	for i := range out {
		out[i].Lower, out[i].Upper = low[i], high[i]
	}
	return out
}

// integers declares a variable of whole numbers and writes it.
func (w *writer) integers(name string, dims []string, data []int, attributes ...netcdf.Attribute) {
	values := make([]int32, len(data))
	for i, v := range data {
		values[i] = int32(v)
	}
	v := w.variable(name, netcdf.Int, dims, attributes...)
	w.do(func() error { return netcdf.WriteAll(v, values) })
}

// integers reads a variable of whole numbers.
func (r *reader) integers(name string, dims ...string) []int {
	values := r.float64s(name, dimensionless, dims...)
	out := make([]int, len(values))
	for i, v := range values {
		out[i] = int(v)
	}
	return out
}

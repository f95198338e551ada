package netcdf

// #include <netcdf.h>
import "C"

import (
	"encoding/binary"
	"fmt"
	"strings"

	nc "github.com/fhs/go-netcdf/netcdf"
)

// Variable is an array with a name, a type, dimensions and attributes.
type Variable struct {
	Name       string
	Type       Type
	Dimensions []Dimension

	file       *File
	index      int
	handle     nc.Var
	attributes attributes
	written    int // values written, of a file being made
}

// Len is the number of values: the product of the dimensions' lengths, 1 for a
// scalar.
func (v *Variable) Len() int { return product(v.shape()) }

// Shape lists the lengths of the dimensions.
func (v *Variable) Shape() []int { return v.shape() }

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// Read returns all values of a variable that holds exactly T; [Variable.Float64s]
// converts.
func Read[T Element](v *Variable) ([]T, error) {
	if err := v.holds(TypeOf[T]()); err != nil {
		return nil, err
	}
	data := make([]T, v.Len())
	return data, ReadSlab(v, make([]int, len(v.Dimensions)), v.shape(), data)
}

// ReadSlab reads the block of count values along each dimension from start, row
// by row, into data, whose length is the product of count.
func ReadSlab[T Element](v *Variable, start, count []int, data []T) error {
	if err := v.holds(TypeOf[T]()); err != nil {
		return err
	}
	v.checkSlab(start, count, len(data))
	if len(data) == 0 {
		return nil
	}
	return v.reading(func() error { return transfer(v, start, count, data, false) })
}

// WriteAll writes all values of a variable of a file being made.
func WriteAll[T Element](v *Variable, data []T) error {
	return WriteSlab(v, make([]int, len(v.Dimensions)), v.shape(), data)
}

// WriteSlab writes the block of count values along each dimension from start.
// Blocks must not overlap: Commit counts the values written.
func WriteSlab[T Element](v *Variable, start, count []int, data []T) error {
	v.file.mustBeMade("WriteSlab")
	if want := TypeOf[T](); v.Type != want {
		panic(fmt.Sprintf("netcdf: variable %q holds %v, not %v", v.Name, v.Type, want))
	}
	v.checkSlab(start, count, len(data))
	if len(data) == 0 {
		return nil
	}
	if err := call(func() error { return transfer(v, start, count, data, true) }); err != nil {
		e := createError(v.file.path, err).(*Error)
		e.Variable = v.Name
		return e
	}
	v.written += len(data)
	return nil
}

// reading runs a read on the library's thread and explains its failure.
func (v *Variable) reading(f func() error) error {
	if err := call(f); err != nil {
		return v.readError(err)
	}
	return nil
}

// holds checks the type of a variable being read.
func (v *Variable) holds(t Type) error {
	if v.Type == t {
		return nil
	}
	return &Error{Path: v.file.path, Variable: v.Name, Err: fmt.Errorf("it holds %v, where %v is expected", v.Type, t)}
}

// checkSlab panics on a block outside the variable: the caller's mistake.
func (v *Variable) checkSlab(start, count []int, n int) {
	if len(start) != len(v.Dimensions) || len(count) != len(v.Dimensions) || product(count) != n {
		panic(fmt.Sprintf("netcdf: variable %q of shape %v: block of %v at %v with %d values", v.Name, v.shape(), count, start, n))
	}
	for i, d := range v.Dimensions {
		if start[i] < 0 || count[i] < 0 || start[i]+count[i] > d.Length {
			panic(fmt.Sprintf("netcdf: variable %q of shape %v: block of %v at %v is outside", v.Name, v.shape(), count, start))
		}
	}
}

// transfer moves a slab through the typed calls of go-netcdf.
func transfer[T Element](v *Variable, start, count []int, data []T, write bool) error {
	h := v.handle
	var m any
	switch any(data).(type) {
	case []float64:
		m = calls[float64]{h.ReadFloat64s, h.WriteFloat64s, h.ReadFloat64Slice, h.WriteFloat64Slice}
	case []float32:
		m = calls[float32]{h.ReadFloat32s, h.WriteFloat32s, h.ReadFloat32Slice, h.WriteFloat32Slice}
	case []int64:
		m = calls[int64]{h.ReadInt64s, h.WriteInt64s, h.ReadInt64Slice, h.WriteInt64Slice}
	case []int32:
		m = calls[int32]{h.ReadInt32s, h.WriteInt32s, h.ReadInt32Slice, h.WriteInt32Slice}
	case []byte:
		m = calls[byte]{h.ReadBytes, h.WriteBytes, h.ReadBytesSlice, h.WriteBytesSlice}
	}
	return m.(calls[T]).do(data, unsigned(start), unsigned(count), write)
}

// calls are go-netcdf's methods for one type: for whole variables, which scalars
// need, and for slabs.
type calls[T Element] struct {
	readAll, writeAll   func([]T) error
	readSlab, writeSlab func(data []T, start, count []uint64) error
}

func (m calls[T]) do(data []T, start, count []uint64, write bool) error {
	switch {
	case len(start) == 0 && write:
		return m.writeAll(data)
	case len(start) == 0:
		return m.readAll(data)
	case write:
		return m.writeSlab(data, start, count)
	default:
		return m.readSlab(data, start, count)
	}
}

func unsigned(v []int) []uint64 {
	out := make([]uint64, len(v))
	for i, n := range v {
		out[i] = uint64(n)
	}
	return out
}

// Float64s returns all values of a variable of any numeric type as float64.
func (v *Variable) Float64s() ([]float64, error) {
	if err := v.mustBeNumbers(); err != nil {
		return nil, err
	}
	data := make([]float64, v.Len())
	return data, v.Float64Slab(make([]int, len(v.Dimensions)), v.shape(), data)
}

// Float64Slab reads a block of a variable of any numeric type as float64.
func (v *Variable) Float64Slab(start, count []int, data []float64) error {
	if err := v.mustBeNumbers(); err != nil {
		return err
	}
	v.checkSlab(start, count, len(data))
	if len(data) == 0 {
		return nil
	}
	return v.reading(func() error { return readDoubles(v.file.id(), C.int(v.index), start, count, data) })
}

// mustBeNumbers refuses text, and numbers that mean others once unpacked.
func (v *Variable) mustBeNumbers() error {
	if !v.Type.numeric() {
		return &Error{Path: v.file.path, Variable: v.Name, Err: fmt.Errorf("it holds %v, where numbers are expected", v.Type)}
	}
	for _, name := range []string{"scale_factor", "add_offset"} {
		if _, packed := v.Attribute(name); packed {
			return &Error{Path: v.file.path, Variable: v.Name, Err: fmt.Errorf("it is packed (attribute %s)", name),
				Advice: "unpack the file, for example with ncpdq -U"}
		}
	}
	return nil
}

// Strings returns the values of a string variable, or the rows of a char variable
// without their padding.
func (v *Variable) Strings() ([]string, error) {
	switch {
	case v.Type == String:
		return v.stringSlab(make([]int, len(v.Dimensions)), v.shape())
	case v.Type == Char && len(v.Dimensions) > 0:
		data, err := Read[byte](v)
		if err != nil {
			return nil, err
		}
		width := v.Dimensions[len(v.Dimensions)-1].Length
		var out []string
		for i := 0; width > 0 && i < len(data); i += width {
			out = append(out, strings.TrimRight(string(data[i:i+width]), " \x00"))
		}
		return out, nil
	}
	return nil, v.holds(String)
}

func (v *Variable) stringSlab(start, count []int) ([]string, error) {
	n := product(count)
	if n == 0 {
		return nil, nil
	}
	var out []string
	err := v.reading(func() (err error) {
		out, err = readStrings(v.file.id(), C.int(v.index), start, count, n)
		return err
	})
	return out, err
}

// WriteStrings writes all values of a string variable of a file being made.
func (v *Variable) WriteStrings(values []string) error {
	v.file.mustBeMade("WriteStrings")
	if v.Type != String || len(values) != v.Len() {
		panic(fmt.Sprintf("netcdf: variable %q: %d strings for %d values of type %v", v.Name, len(values), v.Len(), v.Type))
	}
	err := call(func() error {
		return writeStrings(v.file.id(), C.int(v.index), make([]int, len(v.Dimensions)), v.shape(), values)
	})
	if err != nil {
		return &Error{Path: v.file.path, Variable: v.Name, Err: err}
	}
	v.written = len(values)
	return nil
}

// integers reads 64-bit integers as they lie in memory.
func integers(raw []byte) []int64 {
	out := make([]int64, len(raw)/8)
	for i := range out {
		out[i] = int64(binary.NativeEndian.Uint64(raw[8*i:]))
	}
	return out
}

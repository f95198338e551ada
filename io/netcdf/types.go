package netcdf

import (
	"fmt"

	nc "github.com/fhs/go-netcdf/netcdf"
)

// Type is the type of a variable's or an attribute's values.
type Type int

// The atomic types of NetCDF-4, by the names of CDL.
const (
	Char   = Type(nc.CHAR)
	Byte   = Type(nc.BYTE)
	UByte  = Type(nc.UBYTE)
	Short  = Type(nc.SHORT)
	UShort = Type(nc.USHORT)
	Int    = Type(nc.INT)
	UInt   = Type(nc.UINT)
	Int64  = Type(nc.INT64)
	UInt64 = Type(nc.UINT64)
	Float  = Type(nc.FLOAT)
	Double = Type(nc.DOUBLE)
	String = Type(nc.STRING)
)

// atomic are the types this package handles, with their names in CDL and sizes in
// bytes (0 where values differ in length).
var atomic = map[Type]struct {
	name string
	size int
}{
	Char: {"char", 1}, Byte: {"byte", 1}, UByte: {"ubyte", 1}, Short: {"short", 2}, UShort: {"ushort", 2},
	Int: {"int", 4}, UInt: {"uint", 4}, Int64: {"int64", 8}, UInt64: {"uint64", 8},
	Float: {"float", 4}, Double: {"double", 8}, String: {"string", 0},
}

// String is the type's name in CDL.
func (t Type) String() string {
	if a, ok := atomic[t]; ok {
		return a.name
	}
	return fmt.Sprintf("user-defined type %d", int(t))
}

func (t Type) size() int     { return atomic[t].size }
func (t Type) numeric() bool { return t != Char && t != String }

// Element is a Go type with a NetCDF type of its own: double, float, int64, int,
// char.
type Element interface {
	float64 | float32 | int64 | int32 | byte
}

// TypeOf is the NetCDF type that holds values of T.
func TypeOf[T Element]() Type {
	var zero T
	switch any(zero).(type) {
	case float64:
		return Double
	case float32:
		return Float
	case int64:
		return Int64
	case int32:
		return Int
	default:
		return Char
	}
}

// Dimension is a named length.
type Dimension struct {
	Name   string
	Length int
}

// Attribute is a named value on a variable or on the file. Value holds a string,
// []string, []float64, []float32, []int64 or []int32. Attributes of other integer
// types are read as []float64, which Type tells apart.
type Attribute struct {
	Name  string
	Value any
	// Type is set on attributes read; written ones have the type of their Value.
	Type Type

	raw []byte // numbers as stored, for the digest
}

// Text is an attribute that holds a string.
func Text(name, value string) Attribute { return Attribute{Name: name, Value: value} }

// Number is an attribute that holds one double.
func Number(name string, value float64) Attribute {
	return Attribute{Name: name, Value: []float64{value}}
}

// Text is the attribute's value as a string, or "" if it is not one.
func (a Attribute) Text() string {
	switch v := a.Value.(type) {
	case string:
		return v
	case []string:
		if len(v) == 1 {
			return v[0]
		}
	}
	return ""
}

// Float64s is the attribute's value as numbers, or nil if it has none.
func (a Attribute) Float64s() []float64 {
	switch v := a.Value.(type) {
	case []float64:
		return v
	case []float32:
		return convert(v)
	case []int64:
		return convert(v)
	case []int32:
		return convert(v)
	}
	return nil
}

func convert[T float32 | int64 | int32](v []T) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}

// attributes is a list with lookup by name.
type attributes []Attribute

func (list attributes) find(name string) (Attribute, bool) {
	for _, a := range list {
		if a.Name == name {
			return a, true
		}
	}
	return Attribute{}, false
}

package netcdf

// #include <netcdf.h>
import "C"

import (
	"fmt"

	nc "github.com/fhs/go-netcdf/netcdf"
)

// Definition declares a variable of a file being made.
type Definition struct {
	Name       string
	Type       Type
	Dimensions []string // none makes a scalar
	Attributes []Attribute
	// Storage; none of it changes what the file says, or its digest.
	Chunks   []int // shape of a chunk; nil chooses one of about 1 MiB of whole rows
	Deflate  int   // 1 to 9 compresses, 0 does not
	Checksum bool  // store a checksum with each chunk and verify it on reading
}

// AddDimension declares a dimension of a positive length.
func (f *File) AddDimension(name string, length int) error {
	f.mustBeMade("AddDimension")
	if length <= 0 {
		return &Error{Path: f.path, Err: fmt.Errorf("dimension %q would have length %d; it must be positive", name, length)}
	}
	err := call(func() error {
		_, err := f.dataset.AddDim(name, uint64(length))
		return err
	})
	if err != nil {
		return &Error{Path: f.path, Err: fmt.Errorf("dimension %q: %w", name, err)}
	}
	f.dimensions = append(f.dimensions, Dimension{name, length})
	return nil
}

// SetAttribute sets a global attribute.
func (f *File) SetAttribute(a Attribute) error {
	f.mustBeMade("SetAttribute")
	return call(func() error { return f.setAttribute(a) })
}

// setAttribute sets a global attribute, on the library's thread.
func (f *File) setAttribute(a Attribute) error {
	if err := putAttribute(f.id(), C.NC_GLOBAL, f.dataset.Attr(a.Name), a); err != nil {
		return &Error{Path: f.path, Err: fmt.Errorf("attribute %q: %w", a.Name, err)}
	}
	f.attributes = put(f.attributes, a)
	return nil
}

// SetAttribute sets an attribute of a variable of a file being made.
func (v *Variable) SetAttribute(a Attribute) error {
	v.file.mustBeMade("SetAttribute")
	return call(func() error { return v.setAttribute(a) })
}

func (v *Variable) setAttribute(a Attribute) error {
	if err := putAttribute(v.file.id(), C.int(v.index), v.handle.Attr(a.Name), a); err != nil {
		return &Error{Path: v.file.path, Variable: v.Name, Err: fmt.Errorf("attribute %q: %w", a.Name, err)}
	}
	v.attributes = put(v.attributes, a)
	return nil
}

// AddVariable declares a variable.
func (f *File) AddVariable(d Definition) (*Variable, error) {
	f.mustBeMade("AddVariable")
	v := &Variable{Name: d.Name, Type: d.Type, file: f, index: len(f.variables)}
	for _, name := range d.Dimensions {
		dim, err := f.Dimension(name)
		if err != nil {
			return nil, err
		}
		v.Dimensions = append(v.Dimensions, dim)
	}
	if err := call(func() error { return f.declare(v, d) }); err != nil {
		return nil, &Error{Path: f.path, Variable: d.Name, Err: err}
	}
	f.variables = append(f.variables, v)
	for _, a := range d.Attributes {
		if err := v.SetAttribute(a); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// declare makes the variable in the library and sets its storage.
func (f *File) declare(v *Variable, d Definition) error {
	var dims []nc.Dim
	for _, name := range d.Dimensions {
		dim, err := f.dataset.Dim(name)
		if err != nil {
			return err
		}
		dims = append(dims, dim)
	}
	var err error
	if v.handle, err = f.dataset.AddVar(d.Name, nc.Type(d.Type), dims); err != nil {
		return err
	}
	if v.Type == String { // strings have no fill to turn off and are stored on a heap
		return nil
	}
	chunked := len(dims) > 0 && (d.Chunks != nil || d.Deflate > 0 || d.Checksum)
	chunks := d.Chunks
	if !chunked {
		chunks = nil
	} else if chunks == nil {
		chunks = defaultChunks(v.shape(), d.Type.size())
	}
	if len(chunks) != 0 && len(chunks) != len(dims) {
		panic(fmt.Sprintf("netcdf: variable %q: %d chunk lengths for %d dimensions", d.Name, len(chunks), len(dims)))
	}
	if err := setStorage(f.id(), C.int(v.index), chunks, d.Checksum); err != nil {
		return err
	}
	if chunked && d.Deflate > 0 {
		return v.handle.SetCompression(true, true, d.Deflate)
	}
	return nil
}

// chunkBytes is the size that chunks chosen here stay under: within the library's
// chunk cache, and large enough that a chunk costs little beside its bytes.
const chunkBytes = 1 << 20

// defaultChunks are whole rows of the trailing dimensions, as many as fit.
func defaultChunks(shape []int, size int) []int {
	chunks := make([]int, len(shape))
	room := max(chunkBytes/size, 1)
	for i := len(shape) - 1; i >= 0; i-- {
		chunks[i] = min(shape[i], room)
		room = max(room/shape[i], 1)
	}
	return chunks
}

// putAttribute writes an attribute, on the library's thread.
func putAttribute(id, variable C.int, handle nc.Attr, a Attribute) error {
	switch value := a.Value.(type) {
	case string:
		return putText(id, variable, a.Name, value)
	case []string:
		return putStrings(id, variable, a.Name, value)
	case []float64:
		if len(value) > 0 {
			return handle.WriteFloat64s(value)
		}
	case []float32:
		if len(value) > 0 {
			return handle.WriteFloat32s(value)
		}
	case []int64:
		if len(value) > 0 {
			return handle.WriteInt64s(value)
		}
	case []int32:
		if len(value) > 0 {
			return handle.WriteInt32s(value)
		}
	default:
		panic(fmt.Sprintf("netcdf: attribute %q has a value of type %T", a.Name, a.Value))
	}
	return fmt.Errorf("an attribute needs at least one number")
}

// put adds an attribute to a list, or replaces the one of its name.
func put(list attributes, a Attribute) attributes {
	for i := range list {
		if list[i].Name == a.Name {
			list[i] = a
			return list
		}
	}
	return append(list, a)
}

func (f *File) mustBeMade(method string) {
	if f.temporary == "" {
		panic("netcdf: " + method + " on a file that is not being made: " + f.path)
	}
}

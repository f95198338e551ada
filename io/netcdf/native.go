package netcdf

// What libnetcdf offers and go-netcdf v1.2.1 does not: the list of dimensions,
// chunking, checksums, strings, groups, and reads that convert or keep the stored
// bytes. They run on the
// library's thread.

// #cgo pkg-config: netcdf
// #include <stdlib.h>
// #include <netcdf.h>
import "C"

import (
	"unsafe"

	nc "github.com/fhs/go-netcdf/netcdf"
)

func status(code C.int) error {
	if code == C.NC_NOERR {
		return nil
	}
	return nc.Error(code)
}

// Codes of libnetcdf that get a message of their own.
const (
	errHDF       = nc.Error(C.NC_EHDFERR)
	errNotNetCDF = nc.Error(C.NC_ENOTNC)
)

// dimensions lists the dimensions of the root group by their ids, which run from
// 0 in a file without groups.
func dimensions(id C.int) ([]Dimension, error) {
	var n C.int
	if err := status(C.nc_inq_ndims(id, &n)); err != nil {
		return nil, err
	}
	dims := make([]Dimension, n)
	var name [C.NC_MAX_NAME + 1]C.char
	for i := range dims {
		var length C.size_t
		if err := status(C.nc_inq_dim(id, C.int(i), &name[0], &length)); err != nil {
			return nil, err
		}
		dims[i] = Dimension{Name: C.GoString(&name[0]), Length: int(length)}
	}
	return dims, nil
}

// variableDimensions lists the ids of a variable's dimensions.
func variableDimensions(id, variable C.int) ([]int, error) {
	var rank C.int
	if err := status(C.nc_inq_varndims(id, variable, &rank)); err != nil || rank == 0 {
		return nil, err
	}
	ids := make([]C.int, rank)
	if err := status(C.nc_inq_vardimid(id, variable, &ids[0])); err != nil {
		return nil, err
	}
	out := make([]int, rank)
	for i, d := range ids {
		out[i] = int(d)
	}
	return out, nil
}

// hasGroups reports whether the file has groups below its root.
func hasGroups(id C.int) (bool, error) {
	var n C.int
	err := status(C.nc_inq_grps(id, &n, nil))
	return n > 0, err
}

// setStorage lays a variable out in chunks, with an optional checksum of each, and
// turns off the filling that Commit makes unnecessary.
func setStorage(id, variable C.int, chunks []int, checksum bool) error {
	if err := status(C.nc_def_var_fill(id, variable, C.NC_NOFILL, nil)); err != nil {
		return err
	}
	if len(chunks) == 0 {
		return nil
	}
	sizes := sizes(chunks)
	if err := status(C.nc_def_var_chunking(id, variable, C.NC_CHUNKED, &sizes[0])); err != nil {
		return err
	}
	if !checksum {
		return nil
	}
	return status(C.nc_def_var_fletcher32(id, variable, C.NC_FLETCHER32))
}

// chunking returns the chunk shape of a variable, or nil when it is contiguous.
func chunking(id, variable C.int, rank int) ([]int, error) {
	if rank == 0 {
		return nil, nil
	}
	var storage C.int
	shape := make([]C.size_t, rank)
	if err := status(C.nc_inq_var_chunking(id, variable, &storage, &shape[0])); err != nil {
		return nil, err
	}
	if storage != C.NC_CHUNKED {
		return nil, nil
	}
	out := make([]int, rank)
	for i, n := range shape {
		out[i] = int(n)
	}
	return out, nil
}

// putText writes a character attribute, which may be empty.
func putText(id, variable C.int, name, value string) error {
	cname, cvalue := C.CString(name), C.CString(value)
	defer C.free(unsafe.Pointer(cname))
	defer C.free(unsafe.Pointer(cvalue))
	return status(C.nc_put_att_text(id, variable, cname, C.size_t(len(value)), cvalue))
}

// putStrings writes an attribute of type string.
func putStrings(id, variable C.int, name string, values []string) error {
	cname := C.CString(name)
	defer C.free(unsafe.Pointer(cname))
	list, free := cStrings(values)
	defer free()
	return status(C.nc_put_att_string(id, variable, cname, C.size_t(len(values)), (**C.char)(list)))
}

// getStrings reads an attribute of type string with n values.
func getStrings(id, variable C.int, name string, n int) ([]string, error) {
	cname := C.CString(name)
	defer C.free(unsafe.Pointer(cname))
	list := (**C.char)(C.calloc(C.size_t(max(n, 1)), C.size_t(unsafe.Sizeof(uintptr(0)))))
	defer C.free(unsafe.Pointer(list))
	if err := status(C.nc_get_att_string(id, variable, cname, list)); err != nil {
		return nil, err
	}
	return takeStrings(list, n)
}

// getDoubles reads a numeric attribute of any type, converted to double.
func getDoubles(id, variable C.int, name string, n int) ([]float64, error) {
	cname := C.CString(name)
	defer C.free(unsafe.Pointer(cname))
	out := make([]float64, max(n, 1))
	err := status(C.nc_get_att_double(id, variable, cname, (*C.double)(unsafe.Pointer(&out[0]))))
	return out[:n], err
}

// getRaw reads a numeric attribute as it lies in memory.
func getRaw(id, variable C.int, name string, bytes int) ([]byte, error) {
	cname := C.CString(name)
	defer C.free(unsafe.Pointer(cname))
	out := make([]byte, max(bytes, 1))
	err := status(C.nc_get_att(id, variable, cname, unsafe.Pointer(&out[0])))
	return out[:bytes], err
}

// readRaw reads a slab of a numeric or character variable as it lies in memory.
func readRaw(id, variable C.int, start, count []int, data []byte) error {
	s, c := corner(start), corner(count)
	return status(C.nc_get_vara(id, variable, &s[0], &c[0], unsafe.Pointer(&data[0])))
}

// readDoubles reads a slab of a numeric variable of any type, converted to double.
func readDoubles(id, variable C.int, start, count []int, data []float64) error {
	s, c := corner(start), corner(count)
	return status(C.nc_get_vara_double(id, variable, &s[0], &c[0], (*C.double)(unsafe.Pointer(&data[0]))))
}

// readStrings reads a slab of n strings.
func readStrings(id, variable C.int, start, count []int, n int) ([]string, error) {
	s, c := corner(start), corner(count)
	list := (**C.char)(C.calloc(C.size_t(max(n, 1)), C.size_t(unsafe.Sizeof(uintptr(0)))))
	defer C.free(unsafe.Pointer(list))
	if err := status(C.nc_get_vara_string(id, variable, &s[0], &c[0], list)); err != nil {
		return nil, err
	}
	return takeStrings(list, n)
}

// writeStrings writes a slab of strings.
func writeStrings(id, variable C.int, start, count []int, values []string) error {
	s, c := corner(start), corner(count)
	list, free := cStrings(values)
	defer free()
	return status(C.nc_put_vara_string(id, variable, &s[0], &c[0], (**C.char)(list)))
}

// takeStrings copies n C strings and releases the library's copies.
func takeStrings(list **C.char, n int) ([]string, error) {
	out := make([]string, n)
	for i, s := range unsafe.Slice(list, n) {
		if s != nil {
			out[i] = C.GoString(s)
		}
	}
	return out, status(C.nc_free_string(C.size_t(n), list))
}

// cStrings copies strings to C memory: an array of C strings and its release.
func cStrings(values []string) (list unsafe.Pointer, free func()) {
	list = C.calloc(C.size_t(max(len(values), 1)), C.size_t(unsafe.Sizeof(uintptr(0))))
	items := unsafe.Slice((**C.char)(list), len(values))
	for i, v := range values {
		items[i] = C.CString(v)
	}
	return list, func() {
		for _, s := range items {
			C.free(unsafe.Pointer(s))
		}
		C.free(list)
	}
}

// corner converts a start or count vector; a scalar's has one unused element, so
// that its address can be taken.
func corner(v []int) []C.size_t {
	if len(v) == 0 {
		return make([]C.size_t, 1)
	}
	return sizes(v)
}

func sizes(v []int) []C.size_t {
	out := make([]C.size_t, len(v))
	for i, n := range v {
		out[i] = C.size_t(n)
	}
	return out
}

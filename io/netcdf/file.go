package netcdf

// #include <netcdf.h>
import "C"

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	nc "github.com/fhs/go-netcdf/netcdf"
)

// File is an open NetCDF file: one being read ([Open]) or one being made
// ([Create]). Its methods may be called from any goroutine, one at a time.
type File struct {
	path      string // the name the user knows
	temporary string // where a file being made is written; empty when reading
	dataset   nc.Dataset
	open      bool

	dimensions []Dimension
	variables  []*Variable
	attributes attributes
}

// id is the library's number of the open file.
func (f *File) id() C.int { return C.int(f.dataset) }

// Path is the file's name.
func (f *File) Path() string { return f.path }

// Dimensions lists the dimensions in the order of their declaration.
func (f *File) Dimensions() []Dimension { return slices.Clone(f.dimensions) }

// Variables lists the variables in the order of their declaration.
func (f *File) Variables() []*Variable { return slices.Clone(f.variables) }

// Attributes lists the global attributes.
func (f *File) Attributes() []Attribute { return slices.Clone(f.attributes) }

// Attribute finds a global attribute.
func (f *File) Attribute(name string) (Attribute, bool) { return f.attributes.find(name) }

// Dimension finds a dimension; the error wraps [ErrMissing] and names those there.
func (f *File) Dimension(name string) (Dimension, error) {
	var names []string
	for _, d := range f.dimensions {
		if d.Name == name {
			return d, nil
		}
		names = append(names, d.Name)
	}
	return Dimension{}, &Error{Path: f.path, Err: fmt.Errorf("dimension %q is %w; it has %v", name, ErrMissing, names)}
}

// Variable finds a variable; the error wraps [ErrMissing] and names those there.
func (f *File) Variable(name string) (*Variable, error) {
	var names []string
	for _, v := range f.variables {
		if v.Name == name {
			return v, nil
		}
		names = append(names, v.Name)
	}
	return nil, &Error{Path: f.path, Variable: name, Err: fmt.Errorf("%w; the file has %v", ErrMissing, names)}
}

// Has reports whether the file has a variable of that name.
func (f *File) Has(variable string) bool {
	return slices.ContainsFunc(f.variables, func(v *Variable) bool { return v.Name == variable })
}

// Open opens a file for reading and reads its header. The error says whether the
// file is missing, foreign, truncated, damaged or locked. A file of unknown origin
// goes through [Probe] first.
func Open(path string) (*File, error) {
	if err := checkSignature(path); err != nil {
		return nil, err
	}
	return open(path, nc.NOWRITE)
}

// open opens a file that is known to be sound.
func open(path string, mode nc.FileMode) (*File, error) {
	f := &File{path: path}
	err := call(func() (err error) {
		if f.dataset, err = nc.OpenFile(path, mode); err != nil {
			return openError(path, err)
		}
		f.open = true
		if err := f.readHeader(); err != nil {
			f.dataset.Close()
			return err
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Close ends reading. On a file being made it does what [File.Abort] does, so that
// it may be deferred either way.
func (f *File) Close() error {
	if f.temporary != "" {
		f.Abort()
		return nil
	}
	return f.shut()
}

// shut closes the file in the library, once.
func (f *File) shut() error {
	if !f.open {
		return nil
	}
	f.open = false
	if err := call(f.dataset.Close); err != nil {
		return createError(f.path, err)
	}
	return nil
}

// Create begins a new NetCDF-4 file under a temporary name in the directory of
// path. Nothing has that path until [File.Commit]; [File.Abort] leaves no trace.
func Create(path string) (*File, error) {
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	t, err := os.CreateTemp(dir, "."+base+".*.tmp")
	if err != nil {
		return nil, &Error{Path: path, Err: fmt.Errorf("cannot be created: %w", plain(err)),
			Advice: "check that its directory exists and may be written"}
	}
	// os.CreateTemp makes private files; results are for colleagues too.
	err = errors.Join(t.Chmod(0o644), t.Close())
	f := &File{path: path, temporary: t.Name()}
	if err == nil {
		err = call(func() (err error) {
			f.dataset, err = nc.CreateFile(f.temporary, nc.NETCDF4|nc.CLOBBER)
			return err
		})
	}
	if err != nil {
		os.Remove(f.temporary)
		return nil, createError(path, err)
	}
	f.open = true
	return f, nil
}

// Abort drops a file being made. After [File.Commit] it does nothing, so that it
// may be deferred.
func (f *File) Abort() {
	if f.temporary == "" {
		return
	}
	_ = f.shut() // the file is dropped whatever its state
	os.Remove(f.temporary)
	f.temporary = ""
}

// Commit closes a file being made, syncs it to disk, reopens it and compares its
// header with what was declared, and gives it its name. If anything fails the file
// is dropped and a previous file of that name stays.
func (f *File) Commit() error {
	if f.temporary == "" {
		panic("netcdf: Commit of a file that is not being made: " + f.path)
	}
	defer f.Abort()
	for _, v := range f.variables {
		if v.written < v.Len() {
			return &Error{Path: f.path, Variable: v.Name,
				Err: fmt.Errorf("only %d of its %d values were written", v.written, v.Len())}
		}
	}
	if err := f.shut(); err != nil {
		return err
	}
	if err := flush(f.temporary); err != nil {
		return &Error{Path: f.path, Err: plain(err), Advice: "check the free disk space"}
	}
	if err := f.verify(); err != nil {
		return err
	}
	if err := os.Rename(f.temporary, f.path); err != nil {
		return &Error{Path: f.path, Err: err}
	}
	f.temporary = ""
	return flush(filepath.Dir(f.path))
}

// flush forces a file or directory to disk.
func flush(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// verify reopens the temporary file and checks that it holds what was declared.
func (f *File) verify() error {
	got, err := open(f.temporary, nc.NOWRITE)
	if err != nil {
		return fmt.Errorf("%s: what was written cannot be read back: %w", f.path, err)
	}
	defer got.Close()
	same := slices.Equal(got.dimensions, f.dimensions) &&
		len(got.attributes) == len(f.attributes) &&
		slices.EqualFunc(got.variables, f.variables, func(a, b *Variable) bool {
			return a.Name == b.Name && a.Type == b.Type && slices.Equal(a.Dimensions, b.Dimensions) &&
				len(a.attributes) == len(b.attributes)
		})
	if !same {
		return &Error{Path: f.path, Err: fmt.Errorf("%w: its header differs from what was written", ErrDamaged)}
	}
	return nil
}

// Write makes a file: define fills it, and it is committed if define returns nil,
// dropped otherwise (also when define panics).
func Write(path string, define func(*File) error) error {
	f, err := Create(path)
	if err != nil {
		return err
	}
	defer f.Abort()
	if err := define(f); err != nil {
		return err
	}
	return f.Commit()
}

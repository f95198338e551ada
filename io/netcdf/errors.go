package netcdf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	nc "github.com/fhs/go-netcdf/netcdf"
)

// Error says what is wrong with which file, where in it, and what to do.
type Error struct {
	Path     string
	Variable string // empty when the whole file is concerned
	Err      error
	Advice   string // what to do; may be empty
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Path)
	if e.Variable != "" {
		fmt.Fprintf(&b, ": variable %q", e.Variable)
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	if e.Advice != "" {
		fmt.Fprintf(&b, "; %s", e.Advice)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ErrDamaged marks files that are not NetCDF, truncated or corrupt.
var ErrDamaged = errors.New("not a readable NetCDF file")

// ErrMissing marks dimensions, variables and attributes that a file lacks.
var ErrMissing = errors.New("missing")

// ErrUnsupported marks files with groups or user-defined types.
var ErrUnsupported = errors.New("unsupported part of NetCDF")

// openError explains why libnetcdf would not open a file whose signature is right.
func openError(path string, cause error) error {
	e := &Error{Path: path, Err: cause}
	if !errors.Is(cause, errHDF) && !errors.Is(cause, errNotNetCDF) {
		return e
	}
	switch lock := probeLock(path); {
	case errors.Is(lock, syscall.EWOULDBLOCK):
		e.Err = fmt.Errorf("another process is writing it (%w)", cause)
		e.Advice = "wait for that process to end"
	case lock != nil:
		e.Err = fmt.Errorf("its file system cannot lock files: %v (%w)", lock, cause)
		e.Advice = "set the environment variable HDF5_USE_FILE_LOCKING=FALSE and run again"
	default:
		e.Err = fmt.Errorf("%w: %w", ErrDamaged, cause)
		e.Advice = "write it again, or copy it again from where it came" +
			" (on a network file system also try HDF5_USE_FILE_LOCKING=FALSE)"
	}
	return e
}

// createError explains why a file could not be created or written.
func createError(path string, cause error) error {
	e := &Error{Path: path, Err: cause}
	if errors.Is(cause, errHDF) {
		e.Advice = "check the free disk space; if the file system cannot lock files," +
			" set the environment variable HDF5_USE_FILE_LOCKING=FALSE"
	}
	return e
}

// probeLock tries the shared lock that HDF5 takes on the files it reads.
func probeLock(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return nil // the caller already has a better error
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); err != nil {
		return err
	}
	return syscall.Flock(int(f.Fd()), syscall.LOCK_UN)
}

// readError explains why a variable's values could not be read.
func (v *Variable) readError(cause error) error {
	e := &Error{Path: v.file.path, Variable: v.Name, Err: cause}
	if code := nc.Error(0); errors.As(cause, &code) {
		e.Err = fmt.Errorf("%w: %w", ErrDamaged, cause)
		e.Advice = "its values cannot be read: write it again, or copy it again from where it came"
	}
	return e
}

// plain removes the path that the os package repeats in its errors.
func plain(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

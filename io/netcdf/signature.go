package netcdf

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

// checkSignature refuses what libnetcdf should never see: directories, empty and
// foreign files, and HDF5 files shorter than they say they are.
func checkSignature(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return &Error{Path: path, Err: plain(err)}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return &Error{Path: path, Err: plain(err)}
	}
	if info.IsDir() {
		return &Error{Path: path, Err: fmt.Errorf("%w: it is a directory", ErrDamaged)}
	}
	if info.Size() == 0 {
		return &Error{Path: path, Err: fmt.Errorf("%w: it is empty", ErrDamaged)}
	}
	head := make([]byte, 128)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.ErrUnexpectedEOF {
		return &Error{Path: path, Err: plain(err)}
	}
	if err := checkHead(head[:n], info.Size()); err != nil {
		return &Error{Path: path, Err: err, Advice: "give a NetCDF file (ncdump -h lists what one holds)"}
	}
	return nil
}

var (
	hdf5Signature    = []byte("\x89HDF\r\n\x1a\n")
	classicSignature = []byte("CDF")
)

// checkHead checks the first bytes of a file of the given size.
func checkHead(head []byte, size int64) error {
	switch {
	case bytes.HasPrefix(head, hdf5Signature):
		end, ok := hdf5End(head)
		if !ok {
			return fmt.Errorf("%w: its HDF5 header is damaged", ErrDamaged)
		}
		if end > uint64(size) {
			return fmt.Errorf("%w: it is truncated, %d of %d bytes", ErrDamaged, size, end)
		}
		return nil
	case bytes.HasPrefix(head, classicSignature) && len(head) >= 32:
		if v := head[3]; v == 1 || v == 2 || v == 5 {
			return nil
		}
	}
	return fmt.Errorf("%w: its first bytes are not those of NetCDF or HDF5", ErrDamaged)
}

// hdf5End reads the end-of-file address in an HDF5 superblock (HDF5 File Format
// Specification 3.0, section II.A), relative to the base address.
func hdf5End(head []byte) (end uint64, ok bool) {
	if len(head) < 48 {
		return 0, false
	}
	var width, at int
	switch version := head[8]; version {
	case 0, 1: // base, free space, end of file
		width = int(head[13])
		at = 24 + 4*int(version) + 2*width
	case 2, 3: // base, extension, end of file
		width = int(head[9])
		at = 12 + 2*width
	default:
		return 0, false
	}
	if width != 8 || at+8 > len(head) {
		return 0, false
	}
	return binary.LittleEndian.Uint64(head[at:]), true
}

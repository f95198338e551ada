// Package netcdf reads and writes NetCDF files: [File], [Dimension], [Variable]
// and [Attribute] over github.com/fhs/go-netcdf and libnetcdf. It knows nothing of
// acoustics; package dataset gives files their meaning.
//
// # Guarantees
//
//   - A file appears under its name only when it is whole: [Create] writes to a
//     temporary name in the same directory, and [File.Commit] closes it, syncs it
//     to disk, reopens and checks it, and renames it. A failure leaves nothing.
//   - A variable that was declared but not filled is an error at Commit, so no
//     reader meets library fill values.
//   - All calls into libnetcdf run one after another on one thread of the process,
//     because HDF5 is not thread safe. Files may be used from any goroutine.
//   - Whatever the size of a variable, it can be read and written in slabs; no call
//     here allocates more than the slab asked for.
//   - [Digest] identifies what a file says: equal dimensions, variables, values and
//     attributes give equal digests, however the bytes are laid out.
//
// # Limitations
//
// Files written are NetCDF-4 with fixed dimensions, numbers, characters and
// strings. Classic files are read too. Groups and user-defined types are refused
// by [Open] (Digest falls back to the bytes of such a file). Packed variables
// (scale_factor, add_offset) are refused when read as numbers.
//
// A damaged file is refused by its signature, its recorded length, the checksums
// HDF5 keeps and, by [Probe], a trial reading of its header in a child process,
// because libnetcdf crashes on some. Values are read in this process: libhdf5 is
// known to crash on data forged to that end, so files from strangers belong in a
// process of their own.
package netcdf

package netcdf

// #include <netcdf.h>
import "C"

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"
	"slices"
	"strings"
)

// digestFormat begins every digest's pre-image. A change of what is hashed changes
// it, and with it every digest.
const digestFormat = "netcdf content 1"

// ProvenancePrefix begins the names of global attributes that tell where a file
// came from rather than what it says. They are outside its digest.
const ProvenancePrefix = "provenance_"

// bookkeeping are the other global attributes outside the digest: records of when
// and how, as the attribute conventions CF and ACDD name them.
var bookkeeping = map[string]bool{
	"history": true, "date_created": true, "date_modified": true, "date_issued": true,
	"date_metadata_modified": true, "creation_date": true, "tracking_id": true, "uuid": true,
	"_NCProperties": true,
}

// Semantic reports whether a global attribute of that name is part of what a file
// says, and so of its digest.
func Semantic(attribute string) bool {
	return !bookkeeping[attribute] && !strings.HasPrefix(attribute, ProvenancePrefix)
}

// Digest is the SHA-256, in hexadecimal, of what a file says: dimensions,
// variables (name, type, dimensions, attributes, values, each bit of them) and
// semantic global attributes, all in the order of their names. Chunking,
// compression, order of declaration, dates, history and provenance leave it alone.
// It reads in slabs of about 1 MiB.
//
// A file with groups or user-defined types is digested byte by byte.
func Digest(path string) (string, error) {
	f, err := Open(path)
	if errors.Is(err, ErrUnsupported) {
		return digestBytes(path)
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	d := digester{sha256.New()}
	d.text(digestFormat)
	dims := slices.Clone(f.dimensions)
	slices.SortFunc(dims, func(a, b Dimension) int { return cmp.Compare(a.Name, b.Name) })
	d.number(len(dims))
	for _, dim := range dims {
		d.text(dim.Name)
		d.number(dim.Length)
	}
	d.attributes(slices.DeleteFunc(slices.Clone(f.attributes), func(a Attribute) bool { return !Semantic(a.Name) }))
	variables := slices.Clone(f.variables)
	slices.SortFunc(variables, func(a, b *Variable) int { return cmp.Compare(a.Name, b.Name) })
	d.number(len(variables))
	for _, v := range variables {
		if err := d.variable(v); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(d.hash.Sum(nil)), nil
}

// digestBytes is the digest of a file that this package does not model.
func digestBytes(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", &Error{Path: path, Err: plain(err)}
	}
	defer f.Close()
	h := sha256.New()
	digester{h}.text(digestFormat + " bytes")
	if _, err := io.Copy(h, f); err != nil {
		return "", &Error{Path: path, Err: plain(err)}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// digester writes values so that different ones cannot run into each other:
// numbers in 8 bytes, texts and lists after their length.
type digester struct{ hash hash.Hash }

func (d digester) number(n int) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(n))
	d.hash.Write(b[:])
}

func (d digester) text(s string) {
	d.number(len(s))
	io.WriteString(d.hash, s)
}

func (d digester) attributes(list []Attribute) {
	slices.SortFunc(list, func(a, b Attribute) int { return cmp.Compare(a.Name, b.Name) })
	d.number(len(list))
	for _, a := range list {
		d.text(a.Name)
		d.text(a.Type.String())
		if texts, ok := a.Value.([]string); ok {
			d.texts(texts)
			continue
		}
		d.number(len(a.raw))
		d.values(a.raw, a.Type.size())
	}
}

func (d digester) texts(list []string) {
	d.number(len(list))
	for _, s := range list {
		d.text(s)
	}
}

// values hashes numbers as they lie in memory, least significant byte first.
func (d digester) values(raw []byte, size int) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		raw = slices.Clone(raw)
		for i := 0; i < len(raw); i += size {
			slices.Reverse(raw[i : i+size])
		}
	}
	d.hash.Write(raw)
}

func (d digester) variable(v *Variable) error {
	d.text(v.Name)
	d.text(v.Type.String())
	d.number(len(v.Dimensions))
	for _, dim := range v.Dimensions {
		d.text(dim.Name)
	}
	d.attributes(v.Attributes())
	var buffer []byte
	return v.slabs(func(start, count []int) error {
		if v.Type == String {
			list, err := v.stringSlab(start, count)
			for _, s := range list {
				d.text(s)
			}
			return err
		}
		n := product(count) * v.Type.size()
		buffer = slices.Grow(buffer[:0], n)[:n]
		if err := v.raw(start, count, buffer); err != nil {
			return err
		}
		d.values(buffer, v.Type.size())
		return nil
	})
}

// raw reads a slab as it lies in memory.
func (v *Variable) raw(start, count []int, data []byte) error {
	return v.reading(func() error { return readRaw(v.file.id(), C.int(v.index), start, count, data) })
}

// slabs visits a variable in row order, in blocks of about chunkBytes that follow
// its chunks, so that no chunk is decompressed twice.
func (v *Variable) slabs(visit func(start, count []int) error) error {
	if v.Len() == 0 {
		return nil
	}
	var chunks []int
	err := v.reading(func() (err error) {
		chunks, err = chunking(v.file.id(), C.int(v.index), len(v.Dimensions))
		return err
	})
	if err != nil {
		return err
	}
	return visitSlabs(v.shape(), chunks, max(chunkBytes/max(v.Type.size(), 16), 1), visit)
}

// visitSlabs cuts shape into blocks of at most room values (or one chunk's worth of
// rows), in row order: trailing dimensions whole, one dimension in steps, the
// leading ones index by index.
func visitSlabs(shape, chunks []int, room int, visit func(start, count []int) error) error {
	start, count := make([]int, len(shape)), slices.Clone(shape)
	split := len(shape)
	for n := 1; split > 0 && n*shape[split-1] <= room; split-- {
		n *= shape[split-1]
	}
	if split == 0 {
		return visit(start, count)
	}
	split-- // the dimension that is cut; those after it are whole
	step := max(room/product(shape[split+1:]), 1)
	if chunks != nil && chunks[split] < step {
		step -= step % chunks[split]
	}
	for i := range split {
		count[i] = 1
	}
	for {
		for at := 0; at < shape[split]; at += step {
			start[split], count[split] = at, min(step, shape[split]-at)
			if err := visit(start, count); err != nil {
				return err
			}
		}
		i := split - 1
		for ; i >= 0; i-- {
			if start[i]++; start[i] < shape[i] {
				break
			}
			start[i] = 0
		}
		if i < 0 {
			return nil
		}
	}
}

package envfile

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
)

// ModeFile is one profile of a .mod file in the layout of the Toolbox of 2018 and
// later: fixed records, little-endian, single precision except the frequencies.
type ModeFile struct {
	Title       string
	Frequencies []float64 // Hz
	Media       []ModeMedium
	Depths      []float32 // m, where the modes are tabulated
	Sets        []ModeSet // one per frequency
}

// ModeMedium is one medium of the profile: mesh count, kind, depth of its top (m)
// and density (g/cm³).
type ModeMedium struct {
	Mesh    int32
	Elastic bool
	Depth   float32
	Density float32
}

// ModeSet holds the modes of one frequency.
type ModeSet struct {
	Top, Bottom ModeBoundary
	K           []complex64   // rad/m
	Phi         [][]complex64 // [mode][depth]
}

// ModeBoundary is a boundary: its option letter, complex speeds (m/s), density
// (g/cm³) and depth (m).
type ModeBoundary struct {
	Letter         byte
	Speed, Shear   complex64
	Density, Depth float32
}

const (
	acousticName = "ACOUSTIC"
	elasticName  = "ELASTIC "
	maxMedia     = 10_000
)

// ReadModes reads every profile of a .mod file of the given size in bytes.
func ReadModes(r io.ReaderAt, size int64, name string) ([]ModeFile, error) {
	f := &records{r: r, size: size, name: name}
	if err := f.readLength(); err != nil {
		return nil, err
	}
	var files []ModeFile
	for next := int64(0); len(files) == 0 || (next+1)*f.length <= size; {
		m, after, err := readModeFile(f, next)
		if err != nil {
			return nil, err
		}
		if m == nil {
			break
		}
		files, next = append(files, *m), after
	}
	return files, nil
}

// readModeFile reads the profile that begins at a record and returns the record
// after it. A profile that announces no media ends the file.
func readModeFile(f *records, at int64) (*ModeFile, int64, error) {
	head, err := f.record(at)
	if err != nil {
		return nil, 0, err
	}
	head.skip(4)
	m := &ModeFile{Title: strings.TrimRight(head.text(80), " \x00")}
	frequencies, media, depths, materials := head.int(), head.int(), head.int(), head.int()
	if media <= 0 && at > 0 {
		return nil, 0, nil
	}
	if media < 1 || media > maxMedia || frequencies < 1 || depths < 0 || materials < 0 {
		return nil, 0, f.wrong(fmt.Sprintf("record %d announces %d frequencies, %d media, %d depths, %d values: no head of a mode file", at+1, frequencies, media, depths, materials))
	}
	if materials != depths {
		return nil, 0, f.wrong("the modes hold stresses and displacements of elastic media (KRAKEL), which is not supported")
	}
	if err := m.readHead(f, at, frequencies, media, depths); err != nil {
		return nil, 0, err
	}
	at += 5
	for range frequencies {
		var set ModeSet
		if set, at, err = readModeSet(f, at, depths); err != nil {
			return nil, 0, err
		}
		m.Sets = append(m.Sets, set)
	}
	return m, at, nil
}

// readHead reads media, frequencies and depths.
func (m *ModeFile) readHead(f *records, at int64, frequencies, media, depths int) error {
	names, err := f.span(at+1, 12*int64(media))
	if err != nil {
		return err
	}
	bulk, err := f.span(at+2, 8*int64(media))
	if err != nil {
		return err
	}
	for range media {
		mesh := int32(names.int())
		elastic := names.text(8) == elasticName
		m.Media = append(m.Media, ModeMedium{mesh, elastic, bulk.float(), bulk.float()})
	}
	list, err := f.span(at+3, 8*int64(frequencies))
	if err != nil {
		return err
	}
	for range frequencies {
		m.Frequencies = append(m.Frequencies, list.double())
	}
	z, err := f.span(at+4, 4*int64(depths))
	if err != nil {
		return err
	}
	for range depths {
		m.Depths = append(m.Depths, z.float())
	}
	return nil
}

// readModeSet reads the modes of one frequency.
func readModeSet(f *records, at int64, depths int) (ModeSet, int64, error) {
	var s ModeSet
	count, err := f.record(at)
	if err != nil {
		return s, 0, err
	}
	n := count.int()
	if n < 0 || int64(n) > f.size/f.length {
		return s, 0, f.wrong(fmt.Sprintf("record %d announces %d modes, more than the file can hold", at+1, n))
	}
	ends, err := f.span(at+1, 2*25)
	if err != nil {
		return s, 0, err
	}
	s.Top, s.Bottom = ends.boundary(), ends.boundary()
	if n == 0 {
		return s, at + 3, nil
	}
	for mode := range int64(n) {
		row, err := f.span(at+2+mode, 8*int64(depths))
		if err != nil {
			return s, 0, err
		}
		phi := make([]complex64, depths)
		for i := range phi {
			phi[i] = row.complex()
		}
		s.Phi = append(s.Phi, phi)
	}
	k, err := f.long(at+2+int64(n), 8*int64(n))
	if err != nil {
		return s, 0, err
	}
	for range n {
		s.K = append(s.K, k.complex())
	}
	return s, at + 3 + int64(n) + 4*(2*int64(n)-1)/f.length, nil
}

// WriteModes writes profiles as one .mod file. All share the record length, which
// the widest asks for.
func WriteModes(w io.Writer, files []ModeFile) error {
	length := 100
	for i := range files {
		m := &files[i]
		if len(m.Sets) != len(m.Frequencies) {
			panic(fmt.Sprintf("envfile: %d mode sets for %d frequencies", len(m.Sets), len(m.Frequencies)))
		}
		length = max(length, 12*len(m.Media), 8*len(m.Frequencies), 8*len(m.Depths))
	}
	b := &recordWriter{w: w, length: (length + 3) / 4 * 4}
	for i := range files {
		files[i].write(b)
	}
	return b.err
}

func (m *ModeFile) write(b *recordWriter) {
	b.int(b.length / 4)
	b.text(m.Title, 80)
	for _, n := range []int{len(m.Frequencies), len(m.Media), len(m.Depths), len(m.Depths)} {
		b.int(n)
	}
	b.end()
	for _, medium := range m.Media {
		b.int(int(medium.Mesh))
		if medium.Elastic {
			b.text(elasticName, 8)
		} else {
			b.text(acousticName, 8)
		}
	}
	b.end()
	for _, medium := range m.Media {
		b.float(medium.Depth)
		b.float(medium.Density)
	}
	b.end()
	for _, f := range m.Frequencies {
		b.double(f)
	}
	b.end()
	for _, z := range m.Depths {
		b.float(z)
	}
	b.end()
	for i := range m.Sets {
		m.Sets[i].write(b)
	}
}

func (s *ModeSet) write(b *recordWriter) {
	b.int(len(s.K))
	b.end()
	b.boundary(s.Top)
	b.boundary(s.Bottom)
	b.end()
	for _, phi := range s.Phi {
		for _, v := range phi {
			b.complex(v)
		}
		b.end()
	}
	for _, k := range s.K {
		b.complex(k)
	}
	b.end()
}

// records reads a direct-access file of fixed records.
type records struct {
	r      io.ReaderAt
	size   int64
	name   string
	length int64 // of a record, bytes
}

func (f *records) wrong(problem string) *Error {
	return &Error{File: f.name, Problem: problem, Remedy: "give a binary file of the Acoustics Toolbox (2018 or later, little-endian)"}
}

// readLength reads the record length, the file's first word (in words).
func (f *records) readLength() error {
	var b [4]byte
	if _, err := f.r.ReadAt(b[:], 0); err != nil {
		return f.wrong("the file is too short to hold a record length")
	}
	f.length = 4 * int64(int32(binary.LittleEndian.Uint32(b[:])))
	if f.length < 40 || f.length > f.size {
		return f.wrong(fmt.Sprintf("record length %d bytes in a file of %d", f.length, f.size))
	}
	return nil
}

func (f *records) record(at int64) (*cursor, error) { return f.span(at, f.length) }

// span reads the first n bytes of a record, which must hold them.
func (f *records) span(at, n int64) (*cursor, error) {
	if n > f.length {
		return nil, f.wrong(fmt.Sprintf("record %d should hold %d bytes, records have %d", at+1, n, f.length))
	}
	return f.long(at, n)
}

// long reads n bytes from a record on, over its end where need be. What is
// missing behind the last record's data counts as zeros, if it is less than a
// record: Fortran need not pad the last one.
func (f *records) long(at, n int64) (*cursor, error) {
	if n > f.size || at > f.size/f.length || at*f.length >= f.size {
		return nil, f.wrong(fmt.Sprintf("the file ends before record %d is complete", at+1))
	}
	b := make([]byte, n)
	got, err := f.r.ReadAt(b, at*f.length)
	if err != nil && (err != io.EOF || n-int64(got) >= f.length || n < f.length) {
		return nil, f.wrong(fmt.Sprintf("the file ends before record %d is complete", at+1))
	}
	return &cursor{b}, nil
}

// cursor takes values off bytes; behind their end it reads zeros.
type cursor struct{ b []byte }

func (c *cursor) skip(n int) []byte {
	n = min(n, len(c.b))
	head := c.b[:n]
	c.b = c.b[n:]
	return head
}

func (c *cursor) word() uint32 {
	var w [4]byte
	copy(w[:], c.skip(4))
	return binary.LittleEndian.Uint32(w[:])
}

func (c *cursor) int() int          { return int(int32(c.word())) }
func (c *cursor) float() float32    { return math.Float32frombits(c.word()) }
func (c *cursor) text(n int) string { return string(c.skip(n)) }

func (c *cursor) double() float64 {
	low := c.word()
	return math.Float64frombits(uint64(c.word())<<32 | uint64(low))
}

func (c *cursor) complex() complex64 {
	re := c.float()
	return complex(re, c.float())
}

func (c *cursor) boundary() ModeBoundary {
	var b ModeBoundary
	if s := c.skip(1); len(s) == 1 {
		b.Letter = s[0]
	}
	b.Speed, b.Shear = c.complex(), c.complex()
	b.Density, b.Depth = c.float(), c.float()
	return b
}

// recordWriter writes fixed records.
type recordWriter struct {
	w      io.Writer
	length int // bytes
	b      []byte
	err    error
}

func (w *recordWriter) int(n int) { w.b = binary.LittleEndian.AppendUint32(w.b, uint32(int32(n))) }
func (w *recordWriter) float(x float32) {
	w.b = binary.LittleEndian.AppendUint32(w.b, math.Float32bits(x))
}
func (w *recordWriter) double(x float64) {
	w.b = binary.LittleEndian.AppendUint64(w.b, math.Float64bits(x))
}

func (w *recordWriter) complex(z complex64) {
	w.float(real(z))
	w.float(imag(z))
}

func (w *recordWriter) text(s string, n int) {
	s += strings.Repeat(" ", n)
	w.b = append(w.b, s[:n]...)
}

func (w *recordWriter) boundary(m ModeBoundary) {
	w.b = append(w.b, m.Letter)
	w.complex(m.Speed)
	w.complex(m.Shear)
	w.float(m.Density)
	w.float(m.Depth)
}

// end fills the record (or, where its data is longer, its last) with zeros and
// writes it.
func (w *recordWriter) end() {
	n := max(1, (len(w.b)+w.length-1)/w.length) * w.length
	w.b = append(w.b, make([]byte, n-len(w.b))...)
	if w.err == nil {
		_, w.err = w.w.Write(w.b)
	}
	w.b = w.b[:0]
}

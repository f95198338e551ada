package envfile

import (
	"fmt"
	"io"
	"strings"
)

// Shade is a .shd file in the layout of the Toolbox of 2018 and later: pressure
// in single precision on a grid of receivers.
type Shade struct {
	Title          string
	PlotType       string    // "rectilin" or "irregular"
	Frequencies    []float64 // Hz
	Frequency      float64   // Hz, nominal
	Attenuation    float64   // stabilizing attenuation of wavenumber integration; 0 for modes
	Bearings       []float64 // degrees
	SourceX        []float64 // m
	SourceY        []float64
	SourceDepths   []float32 // m
	ReceiverDepths []float32 // m
	Ranges         []float64 // m
	// Pressure is [frequency][bearing][source][receiver][range], flattened
	// row-major; the receiver axis has one entry for irregular grids.
	Pressure []complex64
}

const irregular = "irregular"

// Receivers is the length of the receiver axis of Pressure.
func (s *Shade) Receivers() int {
	if s.PlotType == irregular {
		return 1
	}
	return len(s.ReceiverDepths)
}

// ReadShade reads a .shd file of the given size in bytes.
func ReadShade(r io.ReaderAt, size int64, name string) (*Shade, error) {
	f := &records{r: r, size: size, name: name}
	if err := f.readLength(); err != nil {
		return nil, err
	}
	s := &Shade{}
	head, err := f.record(0)
	if err != nil {
		return nil, err
	}
	head.skip(4)
	s.Title = strings.TrimRight(head.text(80), " \x00")
	plot, err := f.span(1, 10)
	if err != nil {
		return nil, err
	}
	s.PlotType = strings.TrimRight(plot.text(10), " \x00")
	counts, err := f.span(2, 44)
	if err != nil {
		return nil, err
	}
	var n [7]int
	for i := range n {
		if n[i] = counts.int(); n[i] < 1 || int64(n[i]) > size {
			return nil, f.wrong(fmt.Sprintf("record 3 announces an axis of %d values in a file of %d bytes", n[i], size))
		}
	}
	s.Frequency, s.Attenuation = counts.double(), counts.double()
	if strings.HasPrefix(s.PlotType, "TL") || n[2] != 1 || n[3] != 1 {
		return nil, f.wrong("a field of several source positions in the plane (FIELD3D) is not supported")
	}
	if err := s.readAxes(f, n); err != nil {
		return nil, err
	}
	return s, s.readPressure(f)
}

// readAxes reads the records of coordinates.
func (s *Shade) readAxes(f *records, n [7]int) error {
	doubles := []struct {
		at int64
		n  int
		x  *[]float64
	}{{3, n[0], &s.Frequencies}, {4, n[1], &s.Bearings}, {5, n[2], &s.SourceX}, {6, n[3], &s.SourceY}, {9, n[6], &s.Ranges}}
	for _, axis := range doubles {
		c, err := f.span(axis.at, 8*int64(axis.n))
		if err != nil {
			return err
		}
		for range axis.n {
			*axis.x = append(*axis.x, c.double())
		}
	}
	floats := []struct {
		at int64
		n  int
		x  *[]float32
	}{{7, n[4], &s.SourceDepths}, {8, n[5], &s.ReceiverDepths}}
	for _, axis := range floats {
		c, err := f.span(axis.at, 4*int64(axis.n))
		if err != nil {
			return err
		}
		for range axis.n {
			*axis.x = append(*axis.x, c.float())
		}
	}
	return nil
}

// readPressure reads one record of ranges per receiver.
func (s *Shade) readPressure(f *records) error {
	held := f.size/f.length + 1
	rows := int64(1)
	for _, n := range []int{len(s.Frequencies), len(s.Bearings), len(s.SourceDepths), s.Receivers()} {
		if rows *= int64(n); rows > held {
			return f.wrong("the axes announce more pressures than the file holds")
		}
	}
	for row := range rows {
		c, err := f.span(10+row, 8*int64(len(s.Ranges)))
		if err != nil {
			return err
		}
		for range s.Ranges {
			s.Pressure = append(s.Pressure, c.complex())
		}
	}
	return nil
}

// WriteShade writes a .shd file. The length of Pressure must be the product of
// the axes.
func WriteShade(w io.Writer, s *Shade) error {
	rows := len(s.Frequencies) * len(s.Bearings) * len(s.SourceDepths) * s.Receivers()
	if len(s.Pressure) != rows*len(s.Ranges) || len(s.SourceX) != 1 || len(s.SourceY) != 1 {
		panic("envfile: WriteShade: axes and pressure do not fit")
	}
	length := max(84, 8*len(s.Frequencies), 8*len(s.Bearings), 4*len(s.SourceDepths), 4*len(s.ReceiverDepths), 8*len(s.Ranges))
	b := &recordWriter{w: w, length: (length + 3) / 4 * 4}
	b.int(b.length / 4)
	b.text(s.Title, 80)
	b.end()
	b.text(s.PlotType, 10)
	b.end()
	for _, n := range []int{len(s.Frequencies), len(s.Bearings), 1, 1, len(s.SourceDepths), len(s.ReceiverDepths), len(s.Ranges)} {
		b.int(n)
	}
	b.double(s.Frequency)
	b.double(s.Attenuation)
	b.end()
	for _, axis := range [][]float64{s.Frequencies, s.Bearings, s.SourceX, s.SourceY} {
		for _, x := range axis {
			b.double(x)
		}
		b.end()
	}
	for _, axis := range [][]float32{s.SourceDepths, s.ReceiverDepths} {
		for _, x := range axis {
			b.float(x)
		}
		b.end()
	}
	for _, x := range s.Ranges {
		b.double(x)
	}
	b.end()
	for row := range rows {
		for _, p := range s.Pressure[row*len(s.Ranges) : (row+1)*len(s.Ranges)] {
			b.complex(p)
		}
		b.end()
	}
	return b.err
}

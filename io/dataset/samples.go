package dataset

import (
	"encoding/json"
	"fmt"
	"slices"

	"oceaninv/io/netcdf"
)

// Layout says what every row of a dataset holds.
type Layout struct {
	Parameters     []Parameter
	ReceiverDepths []float64 // m
	Frequencies    []float64 // Hz
	// NoiseVariance is the variance of the complex noise per frequency, relative to
	// the pressure's unit squared; nil when it is not constant.
	NoiseVariance []float64
	// Noise tells whether each sample carries its noise.
	Noise bool
	// Problem describes how the samples came about, as JSON.
	Problem json.RawMessage
	// Truncation describes the part of the prior that samples were drawn from, as JSON;
	// nil for the whole.
	Truncation json.RawMessage
}

// Samples is a block of rows of a dataset. The slices are row-major: Parameters is
// [row][parameter]; Pressure (noise-free, relative to 1 m from the source) and Noise
// are [row][receiver][frequency]. Noise is nil in a dataset without it.
type Samples struct {
	Parameters []float64
	Pressure   []complex128
	Noise      []complex128
}

// values is the number of pressures in a row.
func (l Layout) values() int { return len(l.ReceiverDepths) * len(l.Frequencies) }

// resize makes room for n rows, reusing memory.
func (s *Samples) resize(l Layout, n int) {
	s.Parameters = slices.Grow(s.Parameters[:0], n*len(l.Parameters))[:n*len(l.Parameters)]
	s.Pressure = slices.Grow(s.Pressure[:0], n*l.values())[:n*l.values()]
	s.Noise = s.Noise[:0]
	if l.Noise {
		s.Noise = slices.Grow(s.Noise, n*l.values())[:n*l.values()]
	}
}

var (
	sampleDims = []string{"sample", "receiver", "frequency"}
	arrayDims  = []string{"receiver"}
	toneDims   = []string{"frequency"}
)

// pressure are the attributes of a pressure relative to 1 m from the source.
func pressure(long string) []netcdf.Attribute {
	return append(describe(long+", relative to 1 m from the source", dimensionless),
		netcdf.Text("comment", "time factor exp(+i 2 pi f t); an outgoing wave is exp(-i kr r)"),
		netcdf.Text(coordinatesName, "receiver_depth"))
}

// declare writes the layout: coordinates and the variances of the noise.
func (w *writer) layout(path string, l Layout) {
	w.do(func() error { return checkParameters(path, l.Parameters) })
	if len(l.NoiseVariance) != 0 && len(l.NoiseVariance) != len(l.Frequencies) {
		panic(fmt.Sprintf("dataset: %d noise variances for %d frequencies", len(l.NoiseVariance), len(l.Frequencies)))
	}
	w.problem(l.Problem)
	if len(l.Truncation) > 0 {
		w.text(truncationAttribute, string(l.Truncation))
	}
	w.dimension("receiver", len(l.ReceiverDepths))
	w.dimension("frequency", len(l.Frequencies))
	w.float64s("receiver_depth", arrayDims, l.ReceiverDepths, depthAxis("depth of the receiver")...)
	w.float64s("frequency", toneDims, l.Frequencies, frequencyAxis()...)
	if len(l.NoiseVariance) > 0 {
		w.float64s("noise_variance", toneDims, l.NoiseVariance,
			describe("variance of the circular complex Gaussian noise on each receiver", dimensionless)...)
	}
}

// layout reads what layout wrote, but the parameters.
func (r *reader) layout() Layout {
	l := Layout{
		ReceiverDepths: r.float64s("receiver_depth", metre, arrayDims...),
		Frequencies:    r.float64s("frequency", hertz, toneDims...),
		Problem:        r.problem(),
		Truncation:     r.json(truncationAttribute),
	}
	if r.file.Has("noise_variance") {
		l.NoiseVariance = r.float64s("noise_variance", dimensionless, toneDims...)
	}
	return l
}

// DatasetWriter writes a dataset, or one shard of it, row by row in bounded memory.
type DatasetWriter struct {
	layout     Layout
	rows, next int
	writer     *writer
	parameters []*netcdf.Variable
	pressure   [2]*netcdf.Variable
	noise      [2]*netcdf.Variable
	buffer     []float64
}

// CreateDataset begins a file of rows samples of which the first has the number
// first in the whole dataset. Nothing has that path until Commit.
func CreateDataset(path string, l Layout, first, rows int) (*DatasetWriter, error) {
	w, err := create(path, SchemaDataset, "Simulated acoustic pressure on an array over samples of the prior")
	if err != nil {
		return nil, err
	}
	d := &DatasetWriter{layout: l, rows: rows, writer: w}
	w.dimension("sample", rows)
	w.layout(path, l)
	d.index(first)
	for _, p := range l.Parameters {
		d.parameters = append(d.parameters, w.variable(p.Name, netcdf.Double, sampleDims[:1], p.attributes()...))
	}
	for i, part := range parts {
		d.pressure[i] = w.variable("pressure"+part.suffix, netcdf.Double, sampleDims, part.of(pressure("acoustic pressure without noise"))...)
		if l.Noise {
			d.noise[i] = w.variable("noise"+part.suffix, netcdf.Double, sampleDims, part.of(pressure("additive noise"))...)
		}
	}
	if w.err != nil {
		w.file.Abort()
		return nil, w.err
	}
	return d, nil
}

// index writes the numbers of the samples.
func (d *DatasetWriter) index(first int) {
	v := d.writer.variable("sample", netcdf.Int64, sampleDims[:1], describe("number of the sample", dimensionless)...)
	d.writer.do(func() error {
		numbers := make([]int64, d.rows)
		for i := range numbers {
			numbers[i] = int64(first + i)
		}
		return netcdf.WriteAll(v, numbers)
	})
}

// Append writes the next rows.
func (d *DatasetWriter) Append(s Samples) error {
	n := len(s.Parameters) / len(d.parameters)
	if len(s.Parameters) != n*len(d.parameters) || len(s.Pressure) != n*d.layout.values() ||
		(d.layout.Noise && len(s.Noise) != len(s.Pressure)) || d.next+n > d.rows {
		panic(fmt.Sprintf("dataset: Append of %d parameters, %d pressures and %d noise values after row %d of %d",
			len(s.Parameters), len(s.Pressure), len(s.Noise), d.next, d.rows))
	}
	for i, v := range d.parameters {
		d.writer.do(func() error {
			return netcdf.WriteSlab(v, []int{d.next}, []int{n}, column(s.Parameters, len(d.parameters), i))
		})
	}
	d.complexes(d.pressure, s.Pressure, n)
	if d.layout.Noise {
		d.complexes(d.noise, s.Noise, n)
	}
	d.next += n
	return d.writer.err
}

func (d *DatasetWriter) complexes(v [2]*netcdf.Variable, data []complex128, n int) {
	for i, part := range parts {
		d.buffer = part.take(data, d.buffer)
		d.writer.do(func() error {
			return netcdf.WriteSlab(v[i], []int{d.next, 0, 0}, []int{n, len(d.layout.ReceiverDepths), len(d.layout.Frequencies)}, d.buffer)
		})
	}
}

// Commit gives the file its name once all rows are written and on disk.
func (d *DatasetWriter) Commit() error {
	defer d.writer.file.Abort()
	if d.writer.err != nil {
		return d.writer.err
	}
	return d.writer.file.Commit()
}

// Abort drops the file; after Commit it does nothing.
func (d *DatasetWriter) Abort() { d.writer.file.Abort() }

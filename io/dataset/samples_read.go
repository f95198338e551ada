package dataset

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"oceaninv/io/netcdf"
)

// Dataset reads a dataset in blocks of rows, from one file or from shards as if
// they were one. It is not safe for concurrent use.
type Dataset struct {
	layout Layout
	rows   int
	shards []*shard
	buffer []float64
}

// shard is one open file of a dataset.
type shard struct {
	*reader
	first, rows int // numbers of its samples
}

// OpenDataset opens a dataset, or its shards in any order. Their layouts must be
// equal and their samples follow each other without gap.
func OpenDataset(paths ...string) (*Dataset, error) {
	if len(paths) == 0 {
		return nil, errors.New("dataset: no file to open")
	}
	d := &Dataset{}
	for _, path := range paths {
		s, l, err := openShard(path)
		if err != nil {
			return nil, errors.Join(err, d.Close())
		}
		d.shards = append(d.shards, s)
		if len(d.shards) == 1 {
			d.layout = l
		} else if difference := l.differs(d.layout); difference != "" {
			err := &netcdf.Error{Path: path, Err: fmt.Errorf("its %s differ from those of %s", difference, paths[0])}
			return nil, errors.Join(err, d.Close())
		}
	}
	slices.SortFunc(d.shards, func(a, b *shard) int { return cmp.Compare(a.first, b.first) })
	next := d.shards[0].first
	for _, s := range d.shards {
		if s.first != next {
			err := &netcdf.Error{Path: s.file.Path(), Variable: "sample", Err: fmt.Errorf("it starts at sample %d, where %d is next", s.first, next)}
			return nil, errors.Join(err, d.Close())
		}
		next += s.rows
		d.rows += s.rows
	}
	return d, nil
}

// openShard opens one file and reads its layout.
func openShard(path string) (*shard, Layout, error) {
	r, err := openKnown(path, SchemaDataset)
	if err != nil {
		return nil, Layout{}, err
	}
	l := r.layout()
	l.Parameters = r.parameters("sample")
	l.Noise = r.file.Has("noise_real")
	s := &shard{reader: r, rows: r.length("sample")}
	for _, name := range s.complexNames(l) {
		for _, part := range parts {
			r.variable(name+part.suffix, dimensionless, sampleDims...)
		}
	}
	if r.file.Has("sample") {
		s.checkIndex()
	}
	if r.err != nil {
		return nil, Layout{}, r.done()
	}
	return s, l, nil
}

func (s *shard) complexNames(l Layout) []string {
	if l.Noise {
		return []string{"pressure", "noise"}
	}
	return []string{"pressure"}
}

// checkIndex reads the numbers of the samples, which must count up by one.
func (s *shard) checkIndex() {
	numbers := s.float64s("sample", "", "sample")
	for i, n := range numbers {
		if n != numbers[0]+float64(i) || n < 0 {
			s.fail("sample", "its value number %d is %g: samples are numbered one by one", i+1, n)
			return
		}
	}
	if len(numbers) > 0 {
		s.first = int(numbers[0])
	}
}

// differs names the part of two layouts that differs, or "".
func (l Layout) differs(m Layout) string {
	switch {
	case !reflect.DeepEqual(l.Parameters, m.Parameters):
		return "parameters"
	case !slices.Equal(l.ReceiverDepths, m.ReceiverDepths):
		return "receiver depths"
	case !slices.Equal(l.Frequencies, m.Frequencies):
		return "frequencies"
	case !slices.Equal(l.NoiseVariance, m.NoiseVariance) || l.Noise != m.Noise:
		return "noise settings"
	case !bytes.Equal(l.Problem, m.Problem):
		return "problem descriptions"
	case !bytes.Equal(l.Truncation, m.Truncation):
		return "truncated priors"
	}
	return ""
}

// Layout says what every row holds.
func (d *Dataset) Layout() Layout { return d.layout }

// Len is the number of rows.
func (d *Dataset) Len() int { return d.rows }

// First is the number of the first sample.
func (d *Dataset) First() int { return d.shards[0].first }

// Read reads rows [start, start+count) into s, reusing its memory.
func (d *Dataset) Read(start, count int, s *Samples) error {
	if start < 0 || count < 0 || start+count > d.rows {
		panic(fmt.Sprintf("dataset: Read of rows %d to %d of %d", start, start+count, d.rows))
	}
	s.resize(d.layout, count)
	at, row := 0, start // rows filled, and next row relative to the shard
	for _, shard := range d.shards {
		n := min(count-at, shard.rows-row)
		if n > 0 {
			d.readShard(shard, row, n, s, at)
			if shard.err != nil {
				return shard.err
			}
			at += n
		}
		row = max(row-shard.rows, 0)
	}
	return nil
}

// readShard reads n rows of a shard from row into s from row at.
func (d *Dataset) readShard(f *shard, row, n int, s *Samples, at int) {
	for i, p := range d.layout.Parameters {
		values := d.slab(f, p.Name, []int{row}, []int{n})
		setColumn(s.Parameters[at*len(d.layout.Parameters):], len(d.layout.Parameters), i, values)
	}
	width := d.layout.values()
	d.readComplex(f, "pressure", row, n, s.Pressure[at*width:(at+n)*width])
	if d.layout.Noise {
		d.readComplex(f, "noise", row, n, s.Noise[at*width:(at+n)*width])
	}
}

func (d *Dataset) readComplex(f *shard, name string, row, n int, out []complex128) {
	start, count := []int{row, 0, 0}, []int{n, len(d.layout.ReceiverDepths), len(d.layout.Frequencies)}
	for i, v := range d.slab(f, name+parts[0].suffix, start, count) {
		out[i] = complex(v, 0)
	}
	for i, v := range d.slab(f, name+parts[1].suffix, start, count) {
		out[i] = complex(real(out[i]), v)
	}
}

// slab reads a block of finite numbers into the buffer, which the next call reuses.
func (d *Dataset) slab(f *shard, name string, start, count []int) []float64 {
	n := 1
	for _, c := range count {
		n *= c
	}
	d.buffer = slices.Grow(d.buffer[:0], n)[:n]
	f.do(func() error {
		v, err := f.file.Variable(name)
		if err != nil {
			return err
		}
		return v.Float64Slab(start, count, d.buffer)
	})
	f.finite(name, d.buffer)
	if f.err != nil {
		return nil
	}
	return d.buffer
}

// Close closes the files.
func (d *Dataset) Close() error {
	var err error
	for _, s := range d.shards {
		err = errors.Join(err, s.file.Close())
	}
	return err
}

// mergeBytes bounds the memory of a merge.
const mergeBytes = 16 << 20

// Merge writes the shards of a dataset into one file, in bounded memory.
func Merge(path string, shards ...string) error {
	d, err := OpenDataset(shards...)
	if err != nil {
		return err
	}
	defer d.Close()
	w, err := CreateDataset(path, d.layout, d.First(), d.rows)
	if err != nil {
		return err
	}
	defer w.Abort()
	block := max(mergeBytes/(16*(len(d.layout.Parameters)+2*d.layout.values())), 1)
	var s Samples
	for start := 0; start < d.rows; start += block {
		if err := d.Read(start, min(block, d.rows-start), &s); err != nil {
			return err
		}
		if err := w.Append(s); err != nil {
			return err
		}
	}
	return w.Commit()
}

package netcdf

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
)

// sample writes a file with every kind of content this package writes.
func sample(t testing.TB, path string, change func(*contents)) {
	t.Helper()
	c := contents{
		units: "m", history: "made", depth: []float64{1, 2, 3}, layers: []string{"sand", "Schlick ä"},
		grid: []float32{1, 2, 3, 4, 5, 6}, length: 3,
	}
	if change != nil {
		change(&c)
	}
	if err := Write(path, c.define); err != nil {
		t.Fatal(err)
	}
}

type contents struct {
	units, history string
	depth          []float64
	grid           []float32
	layers         []string
	length         int
	chunks         []int
	deflate        int
	checksum       bool
	reversed       bool // declare in another order
	extra          []Attribute
}

func (c contents) define(f *File) error {
	dims := []Dimension{{"depth", c.length}, {"layer", 2}}
	if c.reversed {
		dims[0], dims[1] = dims[1], dims[0]
	}
	for _, d := range dims {
		if err := f.AddDimension(d.Name, d.Length); err != nil {
			return err
		}
	}
	for _, a := range append([]Attribute{Text("title", "a sample"), Text("empty", ""), Text("history", c.history),
		{Name: "names", Value: []string{"a", "b"}}, {Name: "counts", Value: []int32{1, -2}},
		{Name: "big", Value: []int64{1<<53 + 1}}, {Name: "single", Value: []float32{0.1}}, Number("pi", 3.14)}, c.extra...) {
		if err := f.SetAttribute(a); err != nil {
			return err
		}
	}
	writers := []func(*File) error{c.depths, c.grids, c.names, c.scalars}
	if c.reversed {
		writers = []func(*File) error{c.scalars, c.names, c.grids, c.depths}
	}
	for _, w := range writers {
		if err := w(f); err != nil {
			return err
		}
	}
	return nil
}

func (c contents) depths(f *File) error {
	v, err := f.AddVariable(Definition{Name: "depth", Type: Double, Dimensions: []string{"depth"},
		Attributes: []Attribute{Text("units", c.units)}})
	if err != nil {
		return err
	}
	return WriteAll(v, c.depth)
}

func (c contents) grids(f *File) error {
	v, err := f.AddVariable(Definition{Name: "grid", Type: Float, Dimensions: []string{"depth", "layer"},
		Chunks: c.chunks, Deflate: c.deflate, Checksum: c.checksum})
	if err != nil {
		return err
	}
	for row := range c.length {
		if err := WriteSlab(v, []int{row, 0}, []int{1, 2}, c.grid[2*row:2*row+2]); err != nil {
			return err
		}
	}
	return nil
}

func (c contents) names(f *File) error {
	v, err := f.AddVariable(Definition{Name: "layer", Type: String, Dimensions: []string{"layer"}})
	if err != nil {
		return err
	}
	return v.WriteStrings(c.layers)
}

func (c contents) scalars(f *File) error {
	v, err := f.AddVariable(Definition{Name: "count", Type: Int64})
	if err != nil {
		return err
	}
	return WriteAll(v, []int64{1<<53 + 1})
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.nc")
	sample(t, path, func(c *contents) { c.deflate, c.checksum = 4, true })
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if want := []Dimension{{"depth", 3}, {"layer", 2}}; !reflect.DeepEqual(f.Dimensions(), want) {
		t.Errorf("dimensions %v, want %v", f.Dimensions(), want)
	}
	for name, want := range map[string]any{"title": "a sample", "empty": "", "names": []string{"a", "b"},
		"counts": []int32{1, -2}, "big": []int64{1<<53 + 1}, "single": []float32{0.1}, "pi": []float64{3.14}} {
		if a, ok := f.Attribute(name); !ok || !reflect.DeepEqual(a.Value, want) {
			t.Errorf("attribute %s = %#v, want %#v", name, a.Value, want)
		}
	}
	grid, _ := f.Variable("grid")
	block := make([]float32, 2)
	if err := ReadSlab(grid, []int{1, 1}, []int{2, 1}, block); err != nil || block[0] != 4 || block[1] != 6 {
		t.Errorf("slab %v, %v", block, err)
	}
	if all, err := grid.Float64s(); err != nil || !reflect.DeepEqual(all, []float64{1, 2, 3, 4, 5, 6}) {
		t.Errorf("converted %v, %v", all, err)
	}
	layer, _ := f.Variable("layer")
	if names, err := layer.Strings(); err != nil || !reflect.DeepEqual(names, []string{"sand", "Schlick ä"}) {
		t.Errorf("strings %q, %v", names, err)
	}
	count, _ := f.Variable("count")
	if n, err := Read[int64](count); err != nil || n[0] != 1<<53+1 {
		t.Errorf("scalar %v, %v", n, err)
	}
	if _, err := Read[float64](count); err == nil || !strings.Contains(err.Error(), "int64") {
		t.Errorf("reading int64 as double: %v", err)
	}
	if depth, _ := f.Variable("depth"); depth.Units() != "m" {
		t.Errorf("units %q", depth.Units())
	}
}

func TestMissingNamesWhatIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.nc")
	sample(t, path, nil)
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, err = f.Variable("dpth")
	if !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "depth grid layer count") || !strings.Contains(err.Error(), path) {
		t.Errorf("missing variable: %v", err)
	}
	if _, err = f.Dimension("range"); !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "depth layer") {
		t.Errorf("missing dimension: %v", err)
	}
}

// onlyFile checks that a directory holds nothing but the named file.
func onlyFile(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("directory holds %v, want %v", got, want)
	}
}

func TestNothingIsLeftOfAFailure(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.nc")
	broken := errors.New("broken")
	failures := map[string]func(f *File) error{
		"error": func(f *File) error { return broken },
		"unwritten": func(f *File) error {
			if err := f.AddDimension("x", 2); err != nil {
				return err
			}
			v, err := f.AddVariable(Definition{Name: "x", Type: Double, Dimensions: []string{"x"}})
			if err != nil {
				return err
			}
			return WriteSlab(v, []int{0}, []int{1}, []float64{1})
		},
		"empty dimension": func(f *File) error { return f.AddDimension("x", 0) },
		"missing dimension": func(f *File) error {
			_, err := f.AddVariable(Definition{Name: "x", Type: Double, Dimensions: []string{"y"}})
			return err
		},
	}
	for name, define := range failures {
		if err := Write(path, define); err == nil {
			t.Errorf("%s: no error", name)
		}
		onlyFile(t, dir)
	}
	func() {
		defer func() { recover() }()
		Write(path, func(*File) error { panic("caller's mistake") })
	}()
	onlyFile(t, dir)

	sample(t, path, nil)
	before, _ := Digest(path)
	if err := Write(path, failures["unwritten"]); err == nil || !strings.Contains(err.Error(), "only 1 of its 2 values") {
		t.Errorf("unwritten: %v", err)
	}
	onlyFile(t, dir, "a.nc")
	if after, _ := Digest(path); after != before {
		t.Error("a failed write changed the file of that name")
	}
}

func TestCreateInMissingDirectory(t *testing.T) {
	_, err := Create(filepath.Join(t.TempDir(), "no", "a.nc"))
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "directory") {
		t.Errorf("got %v", err)
	}
}

func TestConcurrentUse(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	digests := make([]string, 8)
	for i := range digests {
		wg.Add(1)
		go func() {
			defer wg.Done()
			path := filepath.Join(dir, fmt.Sprint(i, ".nc"))
			sample(t, path, nil)
			digests[i], _ = Digest(path)
		}()
	}
	wg.Wait()
	for _, d := range digests {
		if d != digests[0] || d == "" {
			t.Fatalf("digests differ: %v", digests)
		}
	}
}

func BenchmarkDigest(b *testing.B) {
	path := filepath.Join(b.TempDir(), "a.nc")
	rows := 1 << 15
	err := Write(path, func(f *File) error {
		if err := errors.Join(f.AddDimension("sample", rows), f.AddDimension("value", 64)); err != nil {
			return err
		}
		v, err := f.AddVariable(Definition{Name: "x", Type: Double, Dimensions: []string{"sample", "value"}, Checksum: true})
		if err != nil {
			return err
		}
		return WriteAll(v, make([]float64, rows*64))
	})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(rows * 64 * 8))
	for b.Loop() {
		if _, err := Digest(path); err != nil {
			b.Fatal(err)
		}
	}
}

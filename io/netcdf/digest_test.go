package netcdf

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func digestOf(t testing.TB, change func(*contents)) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.nc")
	sample(t, path, change)
	d, err := Digest(path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDigestIgnoresHowAndWhen(t *testing.T) {
	want := digestOf(t, nil)
	for name, change := range map[string]func(*contents){
		"chunks":      func(c *contents) { c.chunks = []int{2, 1} },
		"compression": func(c *contents) { c.deflate = 9 },
		"checksum":    func(c *contents) { c.checksum = true },
		"history":     func(c *contents) { c.history = "made again" },
		"order":       func(c *contents) { c.reversed = true },
		"dates":       func(c *contents) { c.extra = []Attribute{Text("date_created", "2025-01-01")} },
		"provenance":  func(c *contents) { c.extra = []Attribute{Text("provenance_run_id", "7"), Number("provenance_n", 1)} },
	} {
		if got := digestOf(t, change); got != want {
			t.Errorf("%s changes the digest", name)
		}
	}
}

func TestDigestSeesWhatAFileSays(t *testing.T) {
	seen := map[string]string{digestOf(t, nil): "unchanged"}
	for name, change := range map[string]func(*contents){
		"unit":           func(c *contents) { c.units = "km" },
		"value":          func(c *contents) { c.depth[1] = math.Nextafter(2, 3) },
		"sign of zero":   func(c *contents) { c.depth[0] = math.Copysign(0, -1) },
		"zero":           func(c *contents) { c.depth[0] = 0 },
		"float value":    func(c *contents) { c.grid[5] = 6.0000005 },
		"string":         func(c *contents) { c.layers[0] = "Sand" },
		"string borders": func(c *contents) { c.layers = []string{"sandSchlick", " ä"} },
		"attribute":      func(c *contents) { c.extra = []Attribute{Text("note", "x")} },
		"attribute type": func(c *contents) { c.extra = []Attribute{{Name: "note", Value: []string{"x"}}} },
		"number type":    func(c *contents) { c.extra = []Attribute{{Name: "note", Value: []float32{1}}} },
		"number":         func(c *contents) { c.extra = []Attribute{Number("note", 1)} },
		"length":         func(c *contents) { c.length, c.depth, c.grid = 2, c.depth[:2], c.grid[:4] },
	} {
		d := digestOf(t, change)
		if other, ok := seen[d]; ok {
			t.Errorf("%q and %q have one digest", name, other)
		}
		seen[d] = name
	}
}

func TestAddProvenance(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.nc")
	sample(t, path, nil)
	before, err := Digest(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := AddProvenance(path, "2025-01-01 oceaninv run", []Attribute{Text("run_id", "r1"), Number("shard", 3)}); err != nil {
		t.Fatal(err)
	}
	if after, _ := Digest(path); after != before {
		t.Error("provenance changed the digest")
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if a, _ := f.Attribute("provenance_run_id"); a.Text() != "r1" {
		t.Errorf("run id %q", a.Text())
	}
	if a, _ := f.Attribute("history"); a.Text() != "2025-01-01 oceaninv run\nmade" {
		t.Errorf("history %q", a.Text())
	}
}

// Every value is visited once, in order, in blocks within bounds.
func TestSlabsCoverInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shape := rapid.SliceOfN(rapid.IntRange(1, 7), 0, 4).Draw(t, "shape")
		chunks := make([]int, len(shape))
		for i, n := range shape {
			chunks[i] = rapid.IntRange(1, n).Draw(t, "chunk")
		}
		room := rapid.IntRange(1, 30).Draw(t, "room")
		var order []int
		err := visitSlabs(shape, chunks, room, func(start, count []int) error {
			if product(count) > room {
				t.Fatalf("block of %v holds more than %d", count, room)
			}
			order = append(order, indices(shape, start, count)...)
			return nil
		})
		if err != nil || len(order) != product(shape) || !slices.IsSorted(order) {
			t.Fatalf("order %v, %v", order, err)
		}
	})
}

// indices lists the row-order indices of a block, in row order.
func indices(shape, start, count []int) []int {
	out := []int{0}
	for d := range shape {
		var next []int
		for _, base := range out {
			for i := range count[d] {
				next = append(next, base*shape[d]+start[d]+i)
			}
		}
		out = next
	}
	return out
}

func TestDigestOfSlabsIsDigestOfWhole(t *testing.T) {
	// One variable larger than a slab, contiguous and in awkward chunks.
	dir := t.TempDir()
	rows, columns := 700, 129
	values := make([]float64, rows*columns)
	for i := range values {
		values[i] = math.Sin(float64(i))
	}
	var digests []string
	for i, chunks := range [][]int{nil, {rows, columns}, {13, 5}, {1, columns}} {
		path := filepath.Join(dir, fmt.Sprint(i, ".nc"))
		err := Write(path, func(f *File) error {
			f.AddDimension("row", rows)
			f.AddDimension("column", columns)
			v, err := f.AddVariable(Definition{Name: "x", Type: Double, Dimensions: []string{"row", "column"}, Chunks: chunks})
			if err != nil {
				return err
			}
			return WriteAll(v, values)
		})
		if err != nil {
			t.Fatal(err)
		}
		d, err := Digest(path)
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, d)
	}
	if slices.ContainsFunc(digests, func(d string) bool { return d != digests[0] }) {
		t.Errorf("digests differ: %v", digests)
	}
}

// A file with groups has a digest, of its bytes, though it cannot be opened.
func TestDigestOfForeignFile(t *testing.T) {
	ncgen, err := exec.LookPath("ncgen")
	if err != nil {
		t.Skip("ncgen, which makes the file with groups, is not installed")
	}
	dir := t.TempDir()
	cdl, path := filepath.Join(dir, "g.cdl"), filepath.Join(dir, "g.nc")
	os.WriteFile(cdl, []byte("netcdf g { group: a { dimensions: x = 1; } }"), 0o644)
	if out, err := exec.Command(ncgen, "-4", "-o", path, cdl).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if _, err := Open(path); err == nil {
		t.Error("a file with groups was opened")
	}
	if d, err := Digest(path); err != nil || len(d) != 64 {
		t.Errorf("digest %q, %v", d, err)
	}
}

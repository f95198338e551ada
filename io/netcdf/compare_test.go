package netcdf

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
)

// TestCompare: what differs is named, numbers by how much of the variable's largest; how a file is laid out, dates and
// provenance are no difference, nor is one within the tolerance.
func TestCompare(t *testing.T) {
	a := filepath.Join(t.TempDir(), "a.nc")
	sample(t, a, nil)
	for name, c := range map[string]struct {
		change    func(*contents)
		tolerance float64
		want      string
	}{
		"nothing":       {nil, 0, ""},
		"chunks":        {func(c *contents) { c.chunks = []int{2, 1} }, 0, ""},
		"provenance":    {func(c *contents) { c.extra = []Attribute{Text("provenance_run_id", "7")} }, 0, ""},
		"history":       {func(c *contents) { c.history = "made again" }, 0, ""},
		"unit":          {func(c *contents) { c.units = "km" }, 0, "attribute depth:units differs"},
		"attribute":     {func(c *contents) { c.extra = []Attribute{Text("note", "x")} }, 0, "attribute note is only in the second"},
		"string":        {func(c *contents) { c.layers[0] = "Sand" }, 1, "texts of layer differ"},
		"next number":   {func(c *contents) { c.depth[1] = math.Nextafter(c.depth[1], 9) }, 0, "numbers of 1 of"},
		"within":        {func(c *contents) { c.depth[1] = math.Nextafter(c.depth[1], 9) }, 1e-12, ""},
		"not a number":  {func(c *contents) { c.depth[1] = math.NaN() }, 1e9, "most those of depth: by +Inf"},
		"length":        {func(c *contents) { c.length, c.depth, c.grid = 2, c.depth[:2], c.grid[:4] }, 0, "depth has dimensions ("},
		"far, allowed":  {func(c *contents) { c.depth[1] *= 1.01 }, 0.02, ""},
		"far, too much": {func(c *contents) { c.depth[1] *= 1.01 }, 0.001, "numbers of 1 of"},
	} {
		b := filepath.Join(t.TempDir(), "b.nc")
		sample(t, b, c.change)
		got, err := Compare(a, b, c.tolerance)
		if err != nil || (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
		back, err := Compare(b, a, c.tolerance)
		if err != nil || (back == "") != (got == "") {
			t.Errorf("%s: %q one way, %q the other, %v", name, got, back, err)
		}
	}
}

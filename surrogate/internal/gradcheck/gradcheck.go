package gradcheck

import (
	"fmt"
	"math"
	"os"
	"sort"
	"strings"
	"sync"
)

// Part is one slice of numbers that a scalar function depends on, and the gradient claimed for it.
type Part struct {
	Name  string
	Value []float64 // moved in place by the check and restored
	Grad  []float64
}

// Worst returns the largest error of the claimed gradients of f, and where it is. f must read the parts' Value
// slices, and Grad must hold its gradient at the point given. At most limit elements per part are tried, spread
// evenly. The error of an element is |claimed - numeric| / max(|claimed|, |numeric|, s), where s is the
// root mean square of the numeric derivatives that were tried: an element that hardly matters need not be more
// accurate than the differences can resolve.
func Worst(f func() float64, limit int, parts ...Part) (worst float64, where string) {
	type sample struct {
		name             string
		claimed, numeric float64
	}
	var all []sample
	square := 0.0
	for _, p := range parts {
		if len(p.Value) != len(p.Grad) {
			panic(fmt.Sprintf("gradcheck: %s has %d values and %d gradients", p.Name, len(p.Value), len(p.Grad)))
		}
		stride := max(1, (len(p.Value)+limit-1)/limit)
		for i := 0; i < len(p.Value); i += stride {
			n := derivative(f, &p.Value[i], p.Grad[i])
			all = append(all, sample{fmt.Sprintf("%s[%d]", p.Name, i), p.Grad[i], n})
			square += n * n
		}
	}
	scale := math.Sqrt(square / float64(max(len(all), 1)))
	for _, s := range all {
		e := math.Abs(s.claimed - s.numeric)
		if e != 0 {
			e /= math.Max(scale, math.Max(math.Abs(s.claimed), math.Abs(s.numeric)))
		}
		if e > worst || math.IsNaN(e) {
			worst, where = e, fmt.Sprintf("%s: claimed %.9g, numeric %.9g", s.name, s.claimed, s.numeric)
		}
		if math.IsNaN(e) {
			return math.Inf(1), where
		}
	}
	return worst, where
}

// derivative returns a central difference. Where f bends sharply its error is too large, and a kink of f (the knot of
// a spline, ELU's second derivative) within the step spoils it, so if it disagrees with the claim the extrapolation of
// a longer step is tried and then a shorter one; a wrong claim agrees with none.
func derivative(f func() float64, at *float64, claimed float64) float64 {
	x := *at
	central := func(h float64) float64 {
		*at = x + h
		up := f()
		*at = x - h
		down := f()
		*at = x
		return (up - down) / (2 * h)
	}
	best := math.Inf(1)
	scale := math.Max(1, math.Abs(x))
	for _, step := range []func() float64{
		func() float64 { return central(1e-5 * scale) },
		func() float64 { return (4*central(5e-5*scale) - central(1e-4*scale)) / 3 },
		func() float64 { return central(1e-6 * scale) },
	} {
		n := step()
		if math.Abs(n-claimed) < math.Abs(best-claimed) || math.IsNaN(n) {
			best = n
		}
		if math.Abs(n-claimed) <= 1e-7*math.Max(math.Abs(n), 1e-3) || math.IsNaN(n) {
			break
		}
	}
	return best
}

// Table collects worst errors by layer (row) and dimension (column). It may be used from several tests at once.
type Table struct {
	mu    sync.Mutex
	cells map[string]map[int]float64
	order []string
}

// Add records an error; of several for one cell the largest stays.
func (t *Table) Add(layer string, dim int, worst float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cells == nil {
		t.cells = map[string]map[int]float64{}
	}
	row := t.cells[layer]
	if row == nil {
		row = map[int]float64{}
		t.cells[layer] = row
		t.order = append(t.order, layer)
	}
	row[dim] = math.Max(row[dim], worst)
}

// String formats the table; an empty table is the empty string.
func (t *Table) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	seen := map[int]bool{}
	width := len("worst relative error")
	for name, row := range t.cells {
		width = max(width, len(name))
		for d := range row {
			seen[d] = true
		}
	}
	if len(seen) == 0 {
		return ""
	}
	var dims []int
	for d := range seen {
		dims = append(dims, d)
	}
	sort.Ints(dims)
	var b strings.Builder
	fmt.Fprintf(&b, "%-*s", width, "worst relative error")
	for _, d := range dims {
		fmt.Fprintf(&b, "  %7s", fmt.Sprintf("D=%d", d))
	}
	for _, name := range t.order {
		fmt.Fprintf(&b, "\n%-*s", width, name)
		for _, d := range dims {
			if e, ok := t.cells[name][d]; ok {
				fmt.Fprintf(&b, "  %7.1e", e)
			} else {
				fmt.Fprintf(&b, "  %7s", "-")
			}
		}
	}
	return b.String() + "\n"
}

// Write stores the table, with a title, as a page of Markdown. The errors are those of one run on one machine: they
// differ in rounding from one to the next.
func (t *Table) Write(path, title string) error {
	text := fmt.Sprintf("# %s\n\nWorst relative error of the gradients against central differences in float64, by dimension. "+
		"Written by the tests with `-update`.\n\n```\n%s```\n", title, t.String())
	return os.WriteFile(path, []byte(text), 0o644)
}

package reference

import (
	"errors"
	"fmt"
	"slices"
)

// Expansion is all of an [Interpolant] as plain numbers, for a file: what one process
// has solved for, others need not. Along each parameter the box is cut in Parts equal
// parts; their panels, the last parameter fastest, are followed by those of bisected
// panels.
type Expansion struct {
	Nodes     int
	Low, High []float64 // [parameter]: the box
	Scale     []float64 // [datum]: the noise standard deviation that Tolerance was in
	Parts     []int     // [parameter]
	// PanelLow and PanelHigh are [panel][parameter].
	PanelLow, PanelHigh []float64
	// Axis is [panel]: -1 of a leaf, else the parameter across which it was bisected,
	// at Cut; Child is the panel below the cut, and the next the one above.
	Axis  []int
	Cut   []float64
	Child []int
	// Coefficients are [leaf][node]...[node][datum], leaves in the order of panels.
	Coefficients              []complex128
	Solves, Unresolved, Rough int
	Error, RMSError           float64
}

// Expansion returns the interpolant's numbers. The coefficients are copied.
func (it *Interpolant) Expansion() Expansion {
	e := Expansion{
		Nodes: it.nodes, Low: it.low, High: it.high, Scale: it.scale,
		Solves: it.Solves, Unresolved: it.Unresolved, Rough: it.Rough, Error: it.Error, RMSError: it.RMSError,
	}
	for _, edges := range it.edges {
		e.Parts = append(e.Parts, len(edges)-1)
	}
	for i := range it.panels {
		p := &it.panels[i]
		e.PanelLow, e.PanelHigh = append(e.PanelLow, p.low...), append(e.PanelHigh, p.high...)
		e.Axis, e.Cut, e.Child = append(e.Axis, p.axis), append(e.Cut, p.cut), append(e.Child, p.child[0])
		if p.axis < 0 {
			e.Coefficients = append(e.Coefficients, p.coef...)
		}
	}
	return e
}

// Interpolant returns the interpolant of an expansion, to the bit the one it was taken
// from. It fails where the numbers do not fit together.
func (e *Expansion) Interpolant() (*Interpolant, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	d, data := len(e.Low), len(e.Scale)
	it := &Interpolant{
		low: e.Low, high: e.High, nodes: e.Nodes, data: data, scale: e.Scale,
		Solves: e.Solves, Unresolved: e.Unresolved, Rough: e.Rough, Error: e.Error, RMSError: e.RMSError,
		edges: make([][]float64, d), panels: make([]panel, len(e.Axis)),
	}
	for j, n := range e.Parts {
		it.edges[j] = divided(it.low[j], it.high[j], n)
	}
	rest, size := e.Coefficients, pow(e.Nodes, d)*data
	for i, axis := range e.Axis {
		p := panel{low: e.PanelLow[i*d : (i+1)*d], high: e.PanelHigh[i*d : (i+1)*d], axis: axis}
		if axis < 0 {
			p.coef, rest = rest[:size:size], rest[size:]
		} else {
			p.cut, p.child = e.Cut[i], [2]int{e.Child[i], e.Child[i] + 1}
		}
		it.panels[i] = p
	}
	return it, nil
}

func (e *Expansion) check() error {
	d, panels, leaves, regular := len(e.Low), len(e.Axis), 0, 1
	if d < 1 || d > MaxDim || e.Nodes < 4 || len(e.Scale) == 0 {
		return fmt.Errorf("reference: an expansion in %d parameters with %d nodes of %d data is none", d, e.Nodes, len(e.Scale))
	}
	if len(e.High) != d || len(e.Parts) != d || len(e.PanelLow) != panels*d || len(e.PanelHigh) != panels*d || len(e.Cut) != panels || len(e.Child) != panels {
		return errors.New("reference: the parts of the expansion differ in length")
	}
	if slices.Min(e.Parts) < 1 {
		return errors.New("reference: an axis of the expansion has no part")
	}
	for _, n := range e.Parts {
		regular *= n
	}
	for i, axis := range e.Axis {
		switch {
		case axis < 0:
			leaves++
		case axis >= d || e.Child[i] <= i || e.Child[i]+1 >= panels: // children come later, so that every descent ends
			return fmt.Errorf("reference: panel %d of the expansion has no children at %d", i, e.Child[i])
		}
	}
	if regular > panels || len(e.Coefficients) != leaves*pow(e.Nodes, d)*len(e.Scale) {
		return fmt.Errorf("reference: %d coefficients do not fill the %d leaves of the expansion's %d panels", len(e.Coefficients), leaves, panels)
	}
	return nil
}

// divided are the edges of n equal parts.
func divided(low, high float64, n int) []float64 {
	edges := make([]float64, n+1)
	for i := range edges {
		t := float64(i) / float64(n)
		edges[i] = low*(1-t) + high*t
	}
	return edges
}

package analytic

import (
	"math"
	"math/cmplx"
)

// mesh is the number of cells of each layer's segments.
type mesh [][]int

// on is the stack with cells.
func (m mesh) on(s *stack) *stack {
	cut := *s
	cut.layers = make([]slab, len(s.layers))
	for i, b := range s.layers {
		b.cells, b.counts = nil, m[i]
		for j, n := range m[i] {
			seg := b.segments[j]
			h := seg.thickness / float64(n)
			for c := range n {
				b.cells = append(b.cells, b.cell(seg, float64(c)*h, h))
			}
		}
		cut.layers[i] = b
	}
	return &cut
}

// count makes a mesh of a rule for each segment; number is that of the layer and of
// the segment in it.
func (s *stack) count(rule func(b *slab, seg *segment, layer, number int) int) mesh {
	m := make(mesh, len(s.layers))
	for i := range s.layers {
		b := &s.layers[i]
		m[i] = make([]int, len(b.segments))
		for j := range b.segments {
			m[i][j] = rule(b, &b.segments[j], i, j)
		}
	}
	return m
}

// coarse is the mesh of the search: a uniform segment is one exact cell, a gradient
// has as many as its propagator needs.
func (s *stack) coarse() mesh {
	return s.count(func(b *slab, seg *segment, _, _ int) int {
		switch {
		case seg.uniform:
			return 1
		case b.elastic:
			return b.solidCells(seg, s.kappa)
		}
		return seg.fluidCells()
	})
}

// refined multiplies the cells of gradients.
func (m mesh) refined(s *stack, factor int) mesh {
	return s.count(func(_ *slab, seg *segment, i, j int) int {
		if seg.uniform {
			return 1
		}
		return factor * m[i][j]
	})
}

// within has cells in which no wave turns by more than a phase (rad).
func (m mesh) within(s *stack, phase float64) mesh {
	return s.count(func(_ *slab, seg *segment, i, j int) int {
		return max(m[i][j], int(math.Ceil(seg.wavenumber*seg.thickness/phase)))
	})
}

// maxCells bounds the cells of a segment.
const maxCells = 1 << 14

// cellTolerance is the relative error of a fluid cell in q that the coarsest mesh
// may have.
const cellTolerance = 1e-9

// fluidCells is the smallest number of cells whose propagators are accurate enough.
func (s *segment) fluidCells() int {
	for n := 1; n < maxCells; n += (n + 2) / 3 {
		if s.neglected(n) <= cellTolerance {
			return n
		}
	}
	return maxCells
}

// neglected is the largest error of n cells.
func (s *segment) neglected(n int) (worst float64) {
	var p propagator
	h := s.thickness / float64(n)
	for i := 0; i < n && worst <= cellTolerance; i++ {
		p.set(*s, float64(i)*h, h)
		worst = max(worst, p.neglected)
	}
	return worst
}

// solidTolerance is the error that crossing a gradient of a solid may have on the
// coarsest mesh; refined meshes and Richardson's extrapolation take it off.
const solidTolerance = 1e-3

// solidCells is the number of cells after which twice as many change the solution,
// carried through the segment, by less than solidTolerance. The Magnus series is
// certain to converge where a cell turns shear waves by less than π; where the
// gradient is gentle larger cells do.
func (b *slab) solidCells(seg *segment, kappa float64) int {
	phase := seg.wavenumber * seg.thickness
	n := max(1, int(math.Ceil(phase/12)))
	for n < maxCells {
		worst := 0.0
		for _, share := range []float64{0.15, 0.5, 0.95} {
			x := by(share, seg.k2[1])
			once, twice := b.through(seg, n, x, kappa), b.through(seg, 2*n, x, kappa)
			worst = max(worst, once.difference(&twice))
		}
		if worst <= solidTolerance {
			return n
		}
		n += 1 + n/3
	}
	return maxCells
}

// through carries the solution of a free surface through a segment of n cells.
func (b *slab) through(seg *segment, n int, x complex128, kappa float64) minors {
	m := minors{m: [6]complex128{1}}
	h := seg.thickness / float64(n)
	k := cmplx.Sqrt(x)
	for i := range n {
		c := b.cell(*seg, float64(i)*h, h)
		m.crossElastic(&c, k, x, kappa, false)
	}
	return m
}

// difference is that of two solutions, relative to the larger entries.
func (m *minors) difference(o *minors) (worst float64) {
	for i, v := range m.m {
		worst = max(worst, cmplx.Abs(v-o.m[i]*complex(math.Exp(o.scale-m.scale), 0)))
	}
	if math.IsNaN(worst) {
		return math.Inf(1)
	}
	return worst
}

// cell is a step in depth: its thickness, and what carries solutions over it.
type cell struct {
	h       float64
	uniform bool
	fluid   propagator
	solid   [3]wave // at the three Gauss points of the Magnus method
}

// cell is the stretch of a segment from z over h.
func (b *slab) cell(s segment, z, h float64) cell {
	c := cell{h: h, uniform: s.uniform}
	switch {
	case !b.elastic:
		c.fluid.set(s, z, h)
	case s.uniform:
		c.solid[1] = s.at(0)
	default:
		g := math.Sqrt(15) / 10
		c.solid = [3]wave{s.at(z + h*(0.5-g)), s.at(z + h/2), s.at(z + h*(0.5+g))}
	}
	return c
}

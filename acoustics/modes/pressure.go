package modes

import (
	"math"
	"math/cmplx"

	"oceaninv/acoustics"
)

// Grid is where a field is wanted.
type Grid struct {
	SourceDepths   []float64 // m
	ReceiverDepths []float64 // m
	Ranges         []float64 // m
	// Offsets is the horizontal displacement (m) of each receiver from Ranges; nil
	// is none.
	Offsets []float64
	// Line is an infinite line source instead of a point source.
	Line bool
	// Incoherent sums the modes' intensities instead of their pressures.
	Incoherent bool
}

// fieldScratch is the memory of the pressure sums.
type fieldScratch struct {
	source, receiver []float64
	weight           []complex128
	depths, ranges   []float64
	one              [1]float64
}

// Pressure sets dst[i] to the pressure at phone i of the array, relative to that
// at 1 m from the source, or in µPa if the source has a level:
//
//	p = √(2π) exp(i3π/4)/ρ(zs) Σ φ(zs) φ(zr) exp(-i kr r)/√(kr r)
//
// with ρ in g/cm³: Jensen, Kuperman, Porter & Schmidt (2011), eq. 5.14, conjugated
// and with KRAKEN's sign, which is the opposite. For a line source √(kr r) becomes
// kr, as in KRAKEN's FIELD. dst must hold a number per phone; it is returned.
// Phones must lie beyond the source.
func (m *Modes) Pressure(dst []complex128, source acoustics.Source, array acoustics.ReceiverArray) []complex128 {
	if len(dst) < len(array.Depths) {
		panic("modes: Pressure: dst is too short")
	}
	w := &m.field
	w.depths, w.ranges = array.Positions(w.depths[:0], w.ranges[:0])
	n := m.Len()
	w.source, w.receiver = grow(w.source, n), grow(w.receiver, n*len(w.depths))
	w.one[0] = source.Depth
	m.Shapes(w.source, w.one[:])
	m.Shapes(w.receiver, w.depths)
	scale := m.weights(source.Depth, source.Line)
	if source.Level != 0 {
		scale *= complex(math.Pow(10, source.Level/20), 0)
	}
	for i := range w.source {
		w.weight[i] *= complex(w.source[i], 0) * scale
	}
	for d := range w.depths {
		phi := w.receiver[d*n : (d+1)*n]
		if d > 0 && w.ranges[d] == w.ranges[d-1] {
			dst[d] = m.sum(phi)
			continue
		}
		spread := 1.0
		if !source.Line {
			spread = 1 / math.Sqrt(w.ranges[d])
		}
		m.propagate(w.ranges[d], spread)
		dst[d] = m.sum(phi)
	}
	return dst
}

// weights sets weight to 1/√kr (point) or 1/kr (line) and returns the sum's factor.
func (m *Modes) weights(sourceDepth float64, line bool) complex128 {
	w := &m.field
	w.weight = grow(w.weight, 2*m.Len())
	rho := complex(m.densityAt(sourceDepth), 0)
	for i, k := range m.Kr {
		if line {
			w.weight[i] = 1 / k
		} else {
			w.weight[i] = 1 / cmplx.Sqrt(k)
		}
	}
	s := math.Sqrt(math.Pi)
	return complex(-s, s) / rho
}

// propagate sets the second half of weight to the modes at range r.
func (m *Modes) propagate(r, spread float64) {
	w := m.field.weight
	n := m.Len()
	for i, k := range m.Kr {
		a := spread * math.Exp(imag(k)*r)
		sin, cos := math.Sincos(real(k) * r)
		w[n+i] = w[i] * complex(a*cos, -a*sin)
	}
}

// sum is Σ weight φ over the propagated modes.
func (m *Modes) sum(phi []float64) complex128 {
	n := m.Len()
	var re, im float64
	for i, w := range m.field.weight[n : 2*n] {
		re += real(w) * phi[i]
		im += imag(w) * phi[i]
	}
	return complex(re, im)
}

// densityAt returns the density (g/cm³) at a depth.
func (m *Modes) densityAt(z float64) float64 {
	media := m.column.stack.media
	for i := range media {
		if z <= media[i].bottom {
			return media[i].density
		}
	}
	return media[len(media)-1].density
}

// Field sets dst[(s*len(ReceiverDepths)+d)*len(Ranges)+r] to the pressure from
// source s at receiver d and range r, as [Modes.Pressure] defines it; summed
// incoherently, it is √Σ|term|², real. dst must hold all of them; it is returned.
func (m *Modes) Field(dst []complex128, g Grid) []complex128 {
	ns, nd, nr := len(g.SourceDepths), len(g.ReceiverDepths), len(g.Ranges)
	if len(dst) < ns*nd*nr {
		panic("modes: Field: dst is too short")
	}
	if g.Offsets != nil && len(g.Offsets) != nd {
		panic("modes: Field: as many offsets as receivers are needed")
	}
	n := m.Len()
	w := &m.field
	w.source, w.receiver = grow(w.source, n*ns), grow(w.receiver, n*nd)
	m.Shapes(w.source, g.SourceDepths)
	m.Shapes(w.receiver, g.ReceiverDepths)
	for s, zs := range g.SourceDepths {
		scale := m.weights(zs, g.Line)
		for i, phi := range w.source[s*n : (s+1)*n] {
			w.weight[i] *= complex(phi, 0) * scale
		}
		for r, x := range g.Ranges {
			m.atRange(dst[s*nd*nr+r:], &g, x, nr)
		}
	}
	return dst
}

// atRange sets the receivers of one range, stride apart in dst.
func (m *Modes) atRange(dst []complex128, g *Grid, x float64, stride int) {
	n := m.Len()
	for d := range g.ReceiverDepths {
		here := x
		if g.Offsets != nil {
			here += g.Offsets[d]
		}
		if d == 0 || g.Offsets != nil {
			spread := 1.0
			if !g.Line {
				spread = 1 / math.Sqrt(here)
			}
			m.propagate(here, spread)
		}
		phi := m.field.receiver[d*n : (d+1)*n]
		if g.Incoherent {
			dst[d*stride] = m.incoherent(phi)
		} else {
			dst[d*stride] = m.sum(phi)
		}
	}
}

func (m *Modes) incoherent(phi []float64) complex128 {
	n := m.Len()
	sum := 0.0
	for i, w := range m.field.weight[n : 2*n] {
		a := cmplx.Abs(w) * phi[i]
		sum += a * a
	}
	return complex(math.Sqrt(sum), 0)
}

package rangedep

import (
	"math"
	"math/cmplx"
	"slices"

	"oceaninv/acoustics"
)

// coupled is the field of one-way coupled modes: the ocean is a staircase whose
// steps lie halfway between the sections; at each the pressure is expanded in the next
// section's modes, a'_n = Σ_m C_nm a_m exp(-ik_m Δr) with
// C_nm = ∫ φ'_n φ_m/ρ' dz (COA section 5.10, one-way).
func (f *summation) coupled() {
	couplings := make([][]complex128, len(f.Sections))
	shapes := make([][][]complex128, len(f.Sections))
	for i, s := range f.Sections {
		shapes[i] = s.Shapes(f.at.ReceiverDepths)
		if i > 0 {
			couplings[i] = f.coupling(i)
		}
	}
	for s := range f.source {
		for z := range f.at.ReceiverDepths {
			f.march(s, z, couplings, shapes)
		}
	}
}

// edge is the range at which the staircase steps from section i-1 to section i:
// halfway between them, as in KRAKEN's FIELD; at the edge itself the old section holds.
func (f *summation) edge(i int) float64 { return (f.Ranges[i] + f.Ranges[i-1]) / 2 }

// march carries a source's modes out along range past one receiver depth.
func (f *summation) march(s, z int, couplings [][]complex128, shapes [][][]complex128) {
	order := make([]int, len(f.at.Ranges))
	for r := range order {
		order[r] = r
	}
	slices.SortFunc(order, func(a, b int) int {
		if f.rangeOf(z, a) < f.rangeOf(z, b) {
			return -1
		}
		return 1
	})
	amplitude := slices.Clone(f.source[s])
	for m := range amplitude {
		amplitude[m] /= f.o.root(f.Sections[0].K[m])
	}
	section, from := 0, 0.0
	for _, r := range order {
		x := f.rangeOf(z, r)
		for section+1 < len(f.Sections) && f.edge(section+1) < x {
			section++
			amplitude = f.step(amplitude, section, f.edge(section)-from, couplings[section])
			from = f.edge(section)
		}
		terms := make([]complex128, len(amplitude))
		for m, a := range amplitude {
			terms[m] = a * shapes[section][m][z] * cmplx.Exp(-1i*f.Sections[section].K[m]*complex(x-from, 0))
		}
		*f.pressure(s, z, r) = f.finish(f.o.sum(terms), x)
	}
}

// step carries amplitudes over a section's length into the next section.
func (f *summation) step(amplitude []complex128, section int, length float64, coupling []complex128) []complex128 {
	old := f.Sections[section-1]
	next := make([]complex128, f.modes(section))
	for m, a := range amplitude {
		a *= cmplx.Exp(-1i * old.K[m] * complex(length, 0))
		for n := range next {
			next[n] += coupling[n*len(amplitude)+m] * a
		}
	}
	return next
}

// coupling is C_nm between the section before i and section i, [n][m] row-major:
// Gauss-Legendre quadrature between the interfaces of both, and the half-space's
// exponential tails in closed form.
func (f *summation) coupling(i int) []complex128 {
	old, next := f.Sections[i-1], f.Sections[i]
	depths, weights := quadrature(old, next)
	a, b := old.Shapes(depths), next.Shapes(depths)
	for d, z := range depths {
		weights[d] /= next.densityAt(z)
	}
	columns := f.modes(i - 1)
	c := make([]complex128, f.modes(i)*columns)
	deepest := []float64{max(old.Environment.BottomDepth(), next.Environment.BottomDepth())}
	tailA, tailB := old.Shapes(deepest), next.Shapes(deepest)
	for n := range f.modes(i) {
		for m := range columns {
			var sum complex128
			for d, w := range weights {
				sum += complex(w, 0) * b[n][d] * a[m][d]
			}
			if gamma := old.decay(m) + next.decay(n); gamma != 0 && real(gamma) > 0 {
				sum += tailB[n][0] * tailA[m][0] / gamma / complex(next.Environment.Bottom.Material.Density/1000, 0)
			}
			c[n*columns+m] = sum
		}
	}
	return c
}

// decay is the vertical decay of a mode in a fluid half-space below, 1/m; 0
// without one.
func (s *Section) decay(mode int) complex128 {
	b := s.Environment.Bottom
	if b.Kind != acoustics.Halfspace {
		return 0
	}
	k := complex(2*math.Pi*s.Frequency, 0) / b.Material.ComplexSoundSpeed(s.Frequency)
	x := s.K[mode] * s.K[mode]
	if s.Method == Real {
		return complex(real(cmplx.Sqrt(complex(real(x), 0)-k*k)), 0)
	}
	return cmplx.Sqrt(x - k*k)
}

// quadrature are Gauss-Legendre points and weights over the deeper of two oceans,
// split at the interfaces of both and finer than a third of the shortest
// vertical wavelength.
func quadrature(a, b *Section) (depths, weights []float64) {
	edges := []float64{0}
	for _, s := range []*Section{a, b} {
		for _, m := range media(s.Environment) {
			edges = append(edges, m.bottom)
		}
	}
	slices.Sort(edges)
	edges = slices.Compact(edges)
	panel := 500 / a.Frequency
	for i := 1; i < len(edges); i++ {
		low, high := edges[i-1], edges[i]
		n := int(math.Ceil((high - low) / panel))
		for j := range n {
			h := (high - low) / float64(n)
			mid := low + (float64(j)+0.5)*h
			for p, x := range gaussPoints {
				depths = append(depths, mid+x*h/2)
				weights = append(weights, gaussWeights[p]*h/2)
			}
		}
	}
	return depths, weights
}

// Gauss-Legendre rule of four points on [-1, 1].
var (
	gaussPoints  = [4]float64{-0.8611363115940526, -0.3399810435848563, 0.3399810435848563, 0.8611363115940526}
	gaussWeights = [4]float64{0.3478548451374538, 0.6521451548625461, 0.6521451548625461, 0.3478548451374538}
)

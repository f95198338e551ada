package inversion

import "fmt"

// MaxSobol is the largest number of parameters of a Sobol design.
const MaxSobol = 21

// joeKuo are the primitive polynomials and initial direction numbers of
// dimensions 2 to MaxSobol: Joe & Kuo, SIAM J. Sci. Comput. 30, 2635-2654 (2008),
// file new-joe-kuo-6.21201: degree s, inner coefficients a, m_1 ... m_s.
var joeKuo = [MaxSobol - 1]struct {
	s uint
	a uint32
	m [7]uint32
}{
	{1, 0, [7]uint32{1}},
	{2, 1, [7]uint32{1, 3}},
	{3, 1, [7]uint32{1, 3, 1}},
	{3, 2, [7]uint32{1, 1, 1}},
	{4, 1, [7]uint32{1, 1, 3, 3}},
	{4, 4, [7]uint32{1, 3, 5, 13}},
	{5, 2, [7]uint32{1, 1, 5, 5, 17}},
	{5, 4, [7]uint32{1, 1, 5, 5, 5}},
	{5, 7, [7]uint32{1, 1, 7, 11, 19}},
	{5, 11, [7]uint32{1, 1, 5, 1, 1}},
	{5, 13, [7]uint32{1, 1, 1, 3, 11}},
	{5, 14, [7]uint32{1, 3, 5, 5, 31}},
	{6, 1, [7]uint32{1, 3, 3, 9, 7, 49}},
	{6, 13, [7]uint32{1, 1, 1, 15, 21, 21}},
	{6, 16, [7]uint32{1, 3, 1, 13, 27, 49}},
	{6, 19, [7]uint32{1, 1, 1, 15, 7, 5}},
	{6, 22, [7]uint32{1, 3, 1, 15, 13, 25}},
	{6, 25, [7]uint32{1, 1, 5, 5, 19, 61}},
	{7, 1, [7]uint32{1, 3, 7, 11, 23, 15, 103}},
	{7, 4, [7]uint32{1, 3, 7, 13, 13, 15, 69}},
}

// sobol is a Sobol sequence in base 2 with Owen's nested uniform scrambling
// (Owen, J. Complexity 14, 466-489 (1998)). Any point can be had by its index.
type sobol struct {
	direction [][32]uint32
	key       []uint64 // of each dimension's scrambling
}

func newSobol(dim int, seed uint64) *sobol {
	if dim < 1 || dim > MaxSobol {
		panic(fmt.Sprintf("inversion: Sobol sequence in %d dimensions, not 1 to %d", dim, MaxSobol))
	}
	q := &sobol{direction: make([][32]uint32, dim), key: make([]uint64, dim)}
	rng := source(seed, ScrambleStream, 0)
	for d := range dim {
		q.key[d] = rng.Uint64()
		v := &q.direction[d]
		if d == 0 {
			for i := range v {
				v[i] = 1 << (31 - i)
			}
			continue
		}
		p := &joeKuo[d-1]
		for i := range v {
			if uint(i) < p.s {
				v[i] = p.m[i] << (31 - i)
				continue
			}
			// Bratley & Fox, ACM TOMS 14 (1988), eq 2.
			v[i] = v[uint(i)-p.s] ^ v[uint(i)-p.s]>>p.s
			for k := uint(1); k < p.s; k++ {
				if p.a>>(p.s-1-k)&1 == 1 {
					v[i] ^= v[uint(i)-k]
				}
			}
		}
	}
	return q
}

// raw is coordinate d of point index before scrambling, in units of 2⁻³².
func (q *sobol) raw(d int, index uint32) uint32 {
	var x uint32
	for i := 0; index != 0; i, index = i+1, index>>1 {
		if index&1 == 1 {
			x ^= q.direction[d][i]
		}
	}
	return x
}

// point sets dst to the scrambled point of the index, inside the open unit cube.
func (q *sobol) point(dst []float64, index uint32) {
	for d := range dst {
		x := q.raw(d, index)
		var y uint32
		for bit := 31; bit >= 0; bit-- {
			// Whether a bit flips depends on all bits above it: a leading one marks
			// how many there are.
			prefix := uint64(1)<<(31-bit) | uint64(x)>>(bit+1)
			flip := uint32(mix64(q.key[d]^prefix*0xd1342543de82ef95) >> 63)
			y |= (x>>bit&1 ^ flip) << bit
		}
		tail := mix64(q.key[d] ^ uint64(x)<<32 ^ 0xa5a5a5a5)
		dst[d] = (float64(y) + (float64(tail>>32)+0.5)/(1<<32)) / (1 << 32)
	}
}

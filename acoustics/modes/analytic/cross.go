package analytic

import (
	"math"
	"math/cmplx"
)

// fluidState is pressure and scaled derivative (1/ρ) dp/dz, times exp(scale).
type fluidState struct {
	p, w  complex128
	scale float64
}

// normalize moves the magnitude into the scale.
func (s *fluidState) normalize() {
	m := max(cmplx.Abs(s.p), cmplx.Abs(s.w))
	if m > 1e-30 && m < 1e30 || m == 0 || math.IsNaN(m) || math.IsInf(m, 0) {
		return
	}
	s.p /= complex(m, 0)
	s.w /= complex(m, 0)
	s.scale += math.Log(m)
}

// crossFluid carries a state over a cell, downward or upward: exp(±Ω) with
// Magnus' fourth-order Ω = h(A₁+A₂)/2 - √3/12 h² [A₁, A₂] at the Gauss points,
// A = [[0, ρ], [q/ρ, 0]], q = x - k₀² (Iserles, Munthe-Kaas, Nørsett, Zanna, Acta
// Numerica 9 (2000), section 5). Exact where the cell is uniform.
func (s *fluidState) crossFluid(c *cell, x complex128, up bool) {
	h := complex(c.h, 0)
	r1, r2 := complex(c.a.density, 0), complex(c.b.density, 0)
	q1, q2 := x-c.a.kp2, x-c.b.kp2
	m11 := complex(math.Sqrt(3)/12*c.h*c.h, 0) * (r2*q1/r1 - r1*q2/r2)
	m12, m21 := h*(r1+r2)/2, h*(q1/r1+q2/r2)/2
	if up {
		m11, m12, m21 = -m11, -m12, -m21
	}
	ch, sh, scale := coshSinhc(m11*m11 + m12*m21)
	s.p, s.w = ch*s.p+sh*(m11*s.p+m12*s.w), ch*s.w+sh*(m21*s.p-m11*s.w)
	s.scale += scale
	s.normalize()
}

// coshSinhc is cosh d and sinh(d)/d of d², both divided by exp(scale).
func coshSinhc(d2 complex128) (ch, sh complex128, scale float64) {
	if cmplx.Abs(d2) < 1e-2 {
		ch = 1 + d2/2*(1+d2/12*(1+d2/30*(1+d2/56*(1+d2/90))))
		sh = 1 + d2/6*(1+d2/20*(1+d2/42*(1+d2/72*(1+d2/110))))
		return ch, sh, 0
	}
	d := cmplx.Sqrt(d2) // Re d ≥ 0
	scale = real(d)
	sin, cos := math.Sincos(imag(d))
	grow := complex(cos, sin) / 2
	decay := complex(math.Exp(-2*scale)/2, 0) * complex(cos, -sin)
	return grow + decay, (grow - decay) / d, scale
}

// minors are the six 2×2 minors (12, 13, 14, 23, 24, 34) of two solutions of the
// elastic system, times exp(scale).
type minors struct {
	m     [6]complex128
	scale float64
}

// pairs are the rows of each minor.
var pairs = [6][2]int{{0, 1}, {0, 2}, {0, 3}, {1, 2}, {1, 3}, {2, 3}}

// pairIndex and pairSign place the minor of rows (i, j).
var pairIndex, pairSign = func() (index [4][4]int, sign [4][4]complex128) {
	for n, p := range pairs {
		index[p[0]][p[1]], sign[p[0]][p[1]] = n, 1
		index[p[1]][p[0]], sign[p[1]][p[0]] = n, -1
	}
	return index, sign
}()

// elasticMatrix is the system dR/dz = A R for R = (u_x, u_z, τ_xz, σ_zz), scaled
// from Aki & Richards (2002), eq. 7.28: displacements R₁, R₂, stresses R₃, R₄
// times ρ₀ω²/κ.
func elasticMatrix(w wave, k, x complex128, kappa float64) (a [4][4]complex128) {
	rk := complex(w.density*kappa, 0)
	ratio := w.kp2 / w.ks2 // μ/(λ+2μ)
	nu := 1 - 2*ratio
	a[0][1], a[0][2] = k, w.ks2/rk
	a[1][0], a[1][3] = -k*nu, w.kp2/rk
	a[2][0], a[2][3] = rk*(4*x/w.ks2*(1-ratio)-1), k*nu
	a[3][1], a[3][2] = -rk, -k
	return a
}

// magnus is Ω of a cell for the elastic system: h(A₁+A₂)/2 - √3/12 h² [A₁, A₂].
func magnus(c *cell, k, x complex128, kappa float64) [4][4]complex128 {
	a := elasticMatrix(c.a, k, x, kappa)
	h := complex(c.h, 0)
	if c.uniform {
		for i := range a {
			for j := range a[i] {
				a[i][j] *= h
			}
		}
		return a
	}
	b := elasticMatrix(c.b, k, x, kappa)
	f := complex(math.Sqrt(3)/12*c.h*c.h, 0)
	var omega [4][4]complex128
	for i := range 4 {
		for j := range 4 {
			var commutator complex128
			for l := range 4 {
				commutator += a[i][l]*b[l][j] - b[i][l]*a[l][j]
			}
			omega[i][j] = h*(a[i][j]+b[i][j])/2 - f*commutator
		}
	}
	return omega
}

// compound is the second additive compound of Ω, the system of the minors.
func compound(o *[4][4]complex128) (c [6][6]complex128) {
	for n, p := range pairs {
		i, j := p[0], p[1]
		for l := range 4 {
			if l != j {
				c[n][pairIndex[l][j]] += o[i][l] * pairSign[l][j]
			}
			if l != i {
				c[n][pairIndex[i][l]] += o[j][l] * pairSign[i][l]
			}
		}
	}
	return c
}

// crossElastic carries minors over a cell by the exponential's Taylor series.
func (m *minors) crossElastic(c *cell, k, x complex128, kappa float64, up bool) {
	omega := magnus(c, k, x, kappa)
	if up {
		for i := range omega {
			for j := range omega[i] {
				omega[i][j] = -omega[i][j]
			}
		}
	}
	matrix := compound(&omega)
	m.applyExponential(&matrix)
	m.normalize()
}

// entry is a nonzero entry of a sparse matrix.
type entry struct {
	row, column int
	value       complex128
}

// applyExponential multiplies by exp(matrix) with the exponential's series, in as
// many equal parts as keep it short.
func (m *minors) applyExponential(matrix *[6][6]complex128) {
	var entries [36]entry
	n, norm := 0, 0.0
	for i := range matrix {
		row := 0.0
		for j, v := range matrix[i] {
			if v != 0 {
				entries[n] = entry{i, j, v}
				n++
				row += math.Abs(real(v)) + math.Abs(imag(v))
			}
		}
		norm = max(norm, row)
	}
	parts := max(1, math.Ceil(norm/4))
	for range int(parts) {
		m.series(entries[:n], parts)
	}
}

// series adds up the exponential of the matrix over parts.
func (m *minors) series(entries []entry, parts float64) {
	term := m.m
	for n := 1.0; n < 80; n++ {
		var next [6]complex128
		for i := range entries {
			e := &entries[i]
			next[e.row] += e.value * term[e.column]
		}
		f := 1 / (n * parts)
		size, total := 0.0, 0.0
		for i, v := range next {
			v = complex(real(v)*f, imag(v)*f)
			next[i] = v
			m.m[i] += v
			size += math.Abs(real(v)) + math.Abs(imag(v))
			total += math.Abs(real(m.m[i])) + math.Abs(imag(m.m[i]))
		}
		if size <= 1e-17*total {
			return
		}
		term = next
	}
}

func (m *minors) normalize() {
	size := 0.0
	for _, v := range m.m {
		size = max(size, math.Abs(real(v))+math.Abs(imag(v)))
	}
	if size == 0 || math.IsNaN(size) || math.IsInf(size, 0) {
		return
	}
	f := complex(1/size, 0)
	for i := range m.m {
		m.m[i] *= f
	}
	m.scale += math.Log(size)
}

// toFluid passes an interface from the elastic side to the fluid side: of the two
// solutions the combination without shear stress (τ₁ = 0), its pressure -σ_zz and
// displacement.
func (m *minors) toFluid(kappa float64) fluidState {
	// Combination (τ₂, -τ₁): u_z = m(23), σ_zz = -m(34).
	return fluidState{p: m.m[5], w: complex(kappa, 0) * m.m[3], scale: m.scale}
}

// toElastic passes an interface from the fluid side to the elastic side: slip is
// free, normal displacement and stress are the fluid's.
func (s *fluidState) toElastic(kappa float64) minors {
	var m minors
	m.m[0] = s.w / complex(kappa, 0) // u_x u_z
	m.m[2] = -s.p                    // u_x σ_zz
	m.scale = s.scale
	return m
}

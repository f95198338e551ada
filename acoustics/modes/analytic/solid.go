package analytic

import (
	"math"
	"math/cmplx"
)

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

// quarter is a 2×2 block. The elastic system couples (u_x, σ_zz) with (u_z, τ_xz)
// and neither with itself.
type quarter [2][2]complex128

func (q *quarter) add(f float64, r *quarter) {
	for i := range q {
		for j := range q[i] {
			q[i][j] += by(f, r[i][j])
		}
	}
}

// addProduct adds f a b.
func (q *quarter) addProduct(f float64, a, b *quarter) {
	for i := range q {
		for j := range q[i] {
			q[i][j] += by(f, a[i][0]*b[0][j]+a[i][1]*b[1][j])
		}
	}
}

// generator is a matrix in blocks over ((u_x, σ_zz), (u_z, τ_xz)).
type generator struct{ xx, xz, zx, zz quarter }

func (g *generator) add(f float64, r *generator) {
	g.xx.add(f, &r.xx)
	g.xz.add(f, &r.xz)
	g.zx.add(f, &r.zx)
	g.zz.add(f, &r.zz)
}

// addCommutator adds f [a, b].
func (g *generator) addCommutator(f float64, a, b *generator) {
	for _, p := range []struct {
		f    float64
		a, b *generator
	}{{f, a, b}, {-f, b, a}} {
		g.xx.addProduct(p.f, &p.a.xx, &p.b.xx)
		g.xx.addProduct(p.f, &p.a.xz, &p.b.zx)
		g.xz.addProduct(p.f, &p.a.xx, &p.b.xz)
		g.xz.addProduct(p.f, &p.a.xz, &p.b.zz)
		g.zx.addProduct(p.f, &p.a.zx, &p.b.xx)
		g.zx.addProduct(p.f, &p.a.zz, &p.b.zx)
		g.zz.addProduct(p.f, &p.a.zx, &p.b.xz)
		g.zz.addProduct(p.f, &p.a.zz, &p.b.zz)
	}
}

// elasticSystem is A of dR/dz = A R for R = (u_x, u_z, τ_xz, σ_zz), scaled
// from Aki & Richards (2002), eq. 7.28: displacements R₁, R₂, stresses R₃, R₄
// times ρ₀ω²/κ.
func elasticSystem(w wave, k, x complex128, kappa float64) (g generator) {
	rk := complex(w.density*kappa, 0)
	ratio := w.kp2 / w.ks2 // μ/(λ+2μ)
	nu := 1 - 2*ratio
	g.xz = quarter{{k, w.ks2 / rk}, {-rk, -k}}
	g.zx = quarter{{-k * nu, w.kp2 / rk}, {rk * (4*x/w.ks2*(1-ratio) - 1), k * nu}}
	return g
}

// blocks are the indices in R of the two pairs.
var blocks = [2][2]int{{0, 3}, {1, 2}}

// matrix spreads a generator over R.
func (g *generator) matrix() (o [4][4]complex128) {
	for bi, row := range [2][2]*quarter{{&g.xx, &g.xz}, {&g.zx, &g.zz}} {
		for bj, q := range row {
			for i, r := range blocks[bi] {
				for j, c := range blocks[bj] {
					o[r][c] = q[i][j]
				}
			}
		}
	}
	return o
}

// magnus is Ω of a cell for the elastic system: hA where it is uniform, else the
// sixth-order Magnus method on three Gauss points (Blanes, Casas & Ros, BIT 40
// (2000) 434): with α₁ = hA₂, α₂ = √15/3 h(A₃-A₁), α₃ = 10/3 h(A₃-2A₂+A₁),
// C₁ = [α₁, α₂], C₂ = -[α₁, 2α₃+C₁]/60,
// Ω = α₁ + α₃/12 + [-20α₁-α₃+C₁, α₂+C₂]/240.
func magnus(c *cell, k, x complex128, kappa float64) [4][4]complex128 {
	var first, a1, a2, a3, omega generator
	middle := elasticSystem(c.solid[1], k, x, kappa)
	a1.add(c.h, &middle)
	if c.uniform {
		return a1.matrix()
	}
	first = elasticSystem(c.solid[0], k, x, kappa)
	last := elasticSystem(c.solid[2], k, x, kappa)
	a2.add(math.Sqrt(15)/3*c.h, &last)
	a2.add(-math.Sqrt(15)/3*c.h, &first)
	a3.add(10*c.h/3, &last)
	a3.add(-20*c.h/3, &middle)
	a3.add(10*c.h/3, &first)
	var c1, c2, left generator
	c1.addCommutator(1, &a1, &a2)
	left.add(2, &a3)
	left.add(1, &c1)
	c2.addCommutator(-1.0/60, &a1, &left)
	c2.add(1, &a2)
	left = c1
	left.add(-20, &a1)
	left.add(-1, &a3)
	omega = a1
	omega.add(1.0/12, &a3)
	omega.addCommutator(1.0/240, &left, &c2)
	return omega.matrix()
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

// crossElastic carries minors over a cell: exp(C) with the compound C of Magnus' Ω.
func (m *minors) crossElastic(c *cell, k, x complex128, kappa float64, up bool) {
	omega := magnus(c, k, x, kappa)
	if up {
		for i := range omega {
			for j := range omega[i] {
				omega[i][j] = -omega[i][j]
			}
		}
	}
	var g1, g2 complex128
	if c.uniform {
		h2 := complex(c.h*c.h, 0)
		g1, g2 = h2*(x-c.solid[1].kp2), h2*(x-c.solid[1].ks2)
	} else {
		g1, g2 = eigenvalues(&omega)
	}
	e := compoundExponential(g1, g2)
	m.apply(compound(&omega), &e)
	m.normalize()
}

// eigenvalues are the squares γ1², γ2² of Ω's: Ω is a Hamiltonian matrix, whose
// eigenvalues are ±γ1, ±γ2 with γ1²+γ2² = ½ tr Ω² and γ1⁴+γ2⁴ = ½ tr Ω⁴.
func eigenvalues(o *[4][4]complex128) (g1, g2 complex128) {
	var square [4][4]complex128
	for i := range o {
		for l, v := range o[i] {
			if v != 0 {
				for j := range o[l] {
					square[i][j] += v * o[l][j]
				}
			}
		}
	}
	var sum, fourth complex128
	for i := range square {
		sum += square[i][i] / 2
		for j := range square {
			fourth += square[i][j] * square[j][i] / 2
		}
	}
	root := cmplx.Sqrt(2*fourth - sum*sum)
	return (sum + root) / 2, (sum - root) / 2
}

// exponential holds what exp(C) v takes: C has the eigenvalues ±a, ±b, 0, 0 with
// a = γ1+γ2, b = γ1-γ2, so that Newton's interpolation of cosh and sinh at a², b²
// is exact. Everything is divided by exp(scale).
type exponential struct {
	a2               complex128
	one              float64
	even, evenDivide complex128 // φ(a²) and φ[a², b²] of φ(y) = (cosh √y - 1)/y
	odd, oddDivide   complex128 // ψ(a²) and ψ[a², b²] of ψ(y) = sinh √y/√y
	scale            float64
}

// compoundExponential prepares the exponential of a compound from γ1² and γ2². The
// divided differences are written without cancellation:
// cosh a - cosh b = 2 sinh γ1 sinh γ2, a²-b² = 4γ1γ2, ab = γ1²-γ2².
func compoundExponential(g1, g2 complex128) exponential {
	root1, root2 := cmplx.Sqrt(g1), cmplx.Sqrt(g2)
	if real(root1)*real(root2)+imag(root1)*imag(root2) < 0 {
		root2 = -root2 // so that |a| ≥ |b|
	}
	a, b := root1+root2, root1-root2
	e := exponential{a2: a * a}
	if cmplx.Abs(e.a2) < 1 {
		e.taylor(e.a2, b*b)
		return e
	}
	ch1, sh1, scale1 := coshSinhc(g1)
	ch2, sh2, scale2 := coshSinhc(g2)
	e.scale = scale1 + scale2
	e.one = math.Exp(-e.scale)
	one := complex(e.one, 0)
	evenB := evenPart(b*b, e.scale)
	cosh := ch1*ch2 + root1*root2*sh1*sh2
	e.even = (cosh - one) / e.a2
	e.evenDivide = (sh1*sh2/2 - evenB) / e.a2
	e.odd = (root1*sh1*ch2 + ch1*root2*sh2) / a
	if d := g1 - g2; cmplx.Abs(d) > 1e-6*cmplx.Abs(e.a2) {
		e.oddDivide = (ch1*sh2 - ch2*sh1) / (2 * d)
	} else {
		e.oddDivide = (e.odd - oddPart(b*b, e.scale)) / (e.a2 - b*b)
	}
	return e
}

// taylor fills the interpolation for small eigenvalues.
func (e *exponential) taylor(a2, b2 complex128) {
	e.one = 1
	even, odd := 0.5, 1.0                          // 1/(2n+2)!, 1/(2n+1)!
	power, divided := complex128(1), complex128(0) // a²ⁿ, Σ a²ⁱ b²ʲ with i+j = n-1
	for n := 0.0; n < 14; n++ {
		e.even += by(even, power)
		e.odd += by(odd, power)
		e.evenDivide += by(even, divided)
		e.oddDivide += by(odd, divided)
		divided = divided*b2 + power
		power *= a2
		even /= (2*n + 3) * (2*n + 4)
		odd /= (2*n + 2) * (2*n + 3)
	}
}

// evenPart is φ(y) and oddPart ψ(y), over exp(scale).
func evenPart(y complex128, scale float64) complex128 {
	if cmplx.Abs(y) < 1 {
		var sum complex128
		for n := 14.0; n > 0; n-- {
			sum = (sum*y + 1) / complex((2*n-1)*(2*n), 0)
		}
		return by(math.Exp(-scale), sum)
	}
	ch, _, own := coshSinhc(y)
	return (by(math.Exp(own-scale), ch) - complex(math.Exp(-scale), 0)) / y
}

func oddPart(y complex128, scale float64) complex128 {
	_, sh, own := coshSinhc(y)
	return by(math.Exp(own-scale), sh)
}

// apply multiplies by exp(C).
func (m *minors) apply(c [6][6]complex128, e *exponential) {
	var entries [36]entry
	n := 0
	for i := range c {
		for j, v := range c[i] {
			if v != 0 {
				entries[n] = entry{i, j, v}
				n++
			}
		}
	}
	times := func(v *[6]complex128) (w [6]complex128) {
		for i := range entries[:n] {
			t := &entries[i]
			w[t.row] += t.value * v[t.column]
		}
		return w
	}
	v := m.m
	v1 := times(&v)
	v2 := times(&v1)
	var w [6]complex128
	for i := range w {
		w[i] = v2[i] - e.a2*v[i]
	}
	w1 := times(&w)
	w2 := times(&w1)
	for i := range m.m {
		m.m[i] = by(e.one, v[i]) + e.odd*v1[i] + e.even*v2[i] + e.oddDivide*w1[i] + e.evenDivide*w2[i]
	}
	m.scale += e.scale
}

// entry is a nonzero entry of a sparse matrix.
type entry struct {
	row, column int
	value       complex128
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

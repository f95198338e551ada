package modes

import "math"

// resolvent solves (L - σ) w = u for L = d²/dz² + k0² with the stack's boundary
// conditions, by the cells' propagators and their derivative in E: a function is given by
// its states (u, s) at the cells' ends and solves u″ = (σ - q) u between them. Banded
// elimination with pivoting is stable whatever barriers and ducts the cells make, where a
// sweep holds on one side of them only.
type resolvent struct {
	shift float64
	steps []step
	ends  [2]state1 // what the surface and the bottom ask of a solution, inwards
	band  band
	scale float64 // s is carried times this, so that it is about u
}

// state1 is the state of one solution, and the derivative of s in E.
type state1 struct{ u, s, se float64 }

// step is a cell, or a part of a thick one: T and dT/dZ of (u, h s) downwards, and √ the
// ratio of densities at its bottom.
type step struct {
	cell int
	h    float64
	t    transfer
	jump float64
}

// set makes the steps and factors the matrix.
func (r *resolvent) set(k *column, shift float64) {
	r.shift = shift
	r.scale = k.total / float64(len(k.cells))
	r.steps = r.steps[:0]
	for c := range k.cells {
		jump := 1.0
		if c+1 < len(k.cells) {
			jump = k.sweeps[c+1].jump
		}
		r.cross(&k.cells[c], c, jump)
	}
	r.close(k)
	r.factor()
}

// cross appends a cell, cut so that no step makes more of a wave than e^3: of what grows
// more, elimination would lose the part that decays.
func (r *resolvent) cross(c *cell, index int, jump float64) {
	z := (r.shift - c.q0) * c.h * c.h
	parts := 1
	if c.long && z > maxZ {
		parts = int(math.Ceil(math.Sqrt(z / maxZ)))
	}
	p := c.propagator
	p.h /= float64(parts)
	z /= float64(parts * parts)
	var f etas
	f.any(z)
	st := step{cell: index, h: p.h, jump: 1}
	st.t.of(&p, z, &f)
	for range parts {
		r.steps = append(r.steps, st)
	}
	r.steps[len(r.steps)-1].jump = jump
}

// close sets what the ends ask for.
func (r *resolvent) close(k *column) {
	var probe batch
	for i := range probe.e {
		probe.e[i] = r.shift
	}
	probe.last = len(k.cells)
	for i, y := range [2]state{k.above(&probe), k.below(&probe)} {
		r.ends[i] = state1{y.u[0], y.s[0], y.se[0]}
	}
}

// factor fills and factors the matrix: a row of the surface, two of each step, one of the
// bottom.
func (r *resolvent) factor() {
	n := len(r.steps)
	r.band.reset(2 * (n + 1))
	top, bottom := r.ends[0], r.ends[1]
	r.band.put(0, 0, -top.s*r.scale)
	r.band.put(0, 1, top.u)
	for i := range r.steps {
		c := &r.steps[i]
		at, l := 2*i, r.scale/c.h
		r.band.put(at+1, at, -c.jump*c.t.t11)
		r.band.put(at+1, at+1, -c.jump*c.t.t12/l)
		r.band.put(at+1, at+2, 1)
		r.band.put(at+2, at, -c.t.t21*l/c.jump)
		r.band.put(at+2, at+1, -c.t.t22/c.jump)
		r.band.put(at+2, at+3, 1)
	}
	r.band.put(2*n+1, 2*n, bottom.s*r.scale)
	r.band.put(2*n+1, 2*n+1, bottom.u)
	r.band.factor()
}

// apply sets w to the solution for u, both (u, scale·s) at the tops of the steps and the
// last one's bottom.
func (r *resolvent) apply(w, u []float64) {
	n := len(r.steps)
	w[0] = r.ends[0].se * r.scale * u[0]
	for i := range r.steps {
		c := &r.steps[i]
		l, h2 := r.scale/c.h, c.h*c.h
		a, b := u[2*i], u[2*i+1]/l
		w[2*i+1] = c.jump * h2 * (c.t.d11*a + c.t.d12*b)
		w[2*i+2] = l / c.jump * h2 * (c.t.d21*a + c.t.d22*b)
	}
	w[2*n+1] = -r.ends[1].se * r.scale * u[2*n]
	r.band.solve(w)
}

// inner is ∫ u v over the layers and the half-spaces, cell by cell by Lagrange's identity.
func (r *resolvent) inner(u, v []float64) float64 {
	n := len(r.steps)
	sum := r.ends[0].se*u[0]*v[0] + r.ends[1].se*u[2*n]*v[2*n]
	for i := range r.steps {
		c := &r.steps[i]
		l := r.scale / c.h
		a, b, e, f := u[2*i], u[2*i+1]/l, v[2*i], v[2*i+1]/l
		sum += 0.5 * c.h * (c.lagrange(a, b, e, f) + c.lagrange(e, f, a, b))
	}
	return sum
}

// lagrange is ∫ u v dx over the step, for the states (u, h s) at its top.
func (c *step) lagrange(u, s, v, t float64) float64 {
	m := &c.t
	return (m.t11*u+m.t12*s)*(m.d21*v+m.d22*t) - (m.t21*u+m.t22*s)*(m.d11*v+m.d12*t)
}

// band is a matrix of two diagonals either side of the main one, and two more that
// pivoting fills.
type band struct {
	n     int
	rows  [][bandWidth]float64 // row i holds columns i-2 .. i+4
	low   [][2]float64         // multipliers of rows i+1 and i+2
	pivot []int
	size  []float64 // rows are divided by
}

const bandWidth = 7

func (b *band) reset(n int) {
	b.n = n
	b.rows, b.low, b.pivot, b.size = grow(b.rows, n), grow(b.low, n), grow(b.pivot, n), grow(b.size, n)
	clear(b.rows)
}

func (b *band) put(i, j int, x float64) { b.rows[i][j-i+2] = x }

// factor eliminates with row scaling and partial pivoting. A pivot of nothing, at an
// eigenvalue, becomes one of rounding size.
func (b *band) factor() {
	for i := range b.rows {
		size := 0.0
		for _, x := range b.rows[i] {
			size = math.Max(size, math.Abs(x))
		}
		b.size[i] = size
		for j := range b.rows[i] {
			b.rows[i][j] /= size
		}
	}
	for j := range b.n {
		best := j
		for i := j + 1; i < min(j+3, b.n); i++ {
			if math.Abs(b.at(i, j)) > math.Abs(b.at(best, j)) {
				best = i
			}
		}
		b.pivot[j] = best
		b.swap(j, best)
		if b.at(j, j) == 0 {
			b.put(j, j, 1e-16)
		}
		for i := j + 1; i < min(j+3, b.n); i++ {
			f := b.at(i, j) / b.at(j, j)
			b.low[j][i-j-1] = f
			for c := j; c < min(j+5, b.n); c++ {
				b.put(i, c, b.at(i, c)-f*b.at(j, c))
			}
		}
	}
}

func (b *band) at(i, j int) float64 {
	if at := j - i + 2; at >= 0 && at < bandWidth {
		return b.rows[i][at]
	}
	return 0
}

// swap exchanges two rows from column i on.
func (b *band) swap(i, k int) {
	if i == k {
		return
	}
	for c := i; c < min(i+5, b.n); c++ {
		x, y := b.at(i, c), b.at(k, c)
		b.put(i, c, y)
		b.put(k, c, x)
	}
}

// solve overwrites a right-hand side.
func (b *band) solve(x []float64) {
	for i := range x {
		x[i] /= b.size[i]
	}
	for j := range b.n {
		k := b.pivot[j]
		x[j], x[k] = x[k], x[j]
		for i := j + 1; i < min(j+3, b.n); i++ {
			x[i] -= b.low[j][i-j-1] * x[j]
		}
	}
	for j := b.n - 1; j >= 0; j-- {
		sum := x[j]
		for c := j + 1; c < min(j+5, b.n); c++ {
			sum -= b.at(j, c) * x[c]
		}
		x[j] = sum / b.at(j, j)
	}
}

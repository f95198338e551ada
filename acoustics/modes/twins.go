package modes

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// Modes of several ducts that lie close in E mix by what the last digits of E say: found
// by sweeps that keep to one duct, or lead from one to the other, they would not be
// orthogonal. All that lie within closeness (relative, in E) of the next are found
// together instead, by subspace iteration with the resolvent and the method of Rayleigh
// and Ritz (Parlett, The Symmetric Eigenvalue Problem, 1998, ch. 11 and 14), as orthogonal
// as arithmetic is and with E told apart as far as double precision does. One that has
// another within the neighbourhood is found so by itself.
const (
	closeness     = 1e-8
	neighbourhood = 1e-5
)

// twinSolver is the memory of that.
type twinSolver struct {
	resolvent     resolvent
	x, w          [][]float64
	theta, vector []float64 // size × size
	order         []int
	e             []float64
	batches       []batch // of the Modes, and after them those of the twins
	given         int     // of the latter
}

// separate returns the batches of the modes, where close modes have been replaced by
// orthonormal ones. What was swept, in batches, stays.
func (s *Solver) separate(swept []batch, count int) ([]batch, error) {
	s.twins.batches, s.twins.given = s.twins.batches[:0], 0
	if len(s.column.ducts) == 1 {
		return swept, nil
	}
	// s.homes are by mode.
	for first := 0; first < count; {
		last := first
		for last+1 < count && s.homes[last].e-s.homes[last+1].e <= closeness*s.homes[last].e {
			last++
		}
		if s.homes[first].near {
			if err := s.mix(swept, first, last); err != nil {
				return nil, err
			}
		}
		first = last + 1
	}
	if s.twins.given == 0 {
		return swept, nil
	}
	return s.twins.batches, nil
}

// mix replaces modes first .. last.
func (s *Solver) mix(swept []batch, first, last int) error {
	t := &s.twins
	if len(t.batches) == 0 {
		t.batches = append(t.batches, swept...)
	}
	lo, hi := s.homes[last].e, s.homes[first].e
	// The shift lies a third of the way to where another mode may be.
	t.resolvent.set(&s.column, hi*(1+closeness/3))
	if !t.iterate(lo, hi, last-first+1, len(s.column.ducts)) {
		return ErrDegenerate{s.stack.frequency, first + 1, last + 1}
	}
	for i := range t.batches {
		for l, mode := range t.batches[i].modes {
			if int(mode) >= first && int(mode) <= last {
				t.batches[i].modes[l] = -1
			}
		}
	}
	for i, column := range t.order[:last-first+1] {
		t.give(&s.column, first+i, t.e[column], t.x[column])
	}
	return nil
}

// Iterations end when no E changes by more than rounding, or after mostIterations.
const (
	leastIterations = 3
	mostIterations  = 60
)

// iterate finds the wanted modes between lo and hi: order then begins with their columns
// of x, by falling E. It reports whether there are just so many.
func (t *twinSolver) iterate(lo, hi float64, wanted, size int) bool {
	n := 2 * (len(t.resolvent.steps) + 1)
	size = min(max(wanted, size), n)
	t.begin(n, size)
	margin := 0.25 * closeness * hi
	before := math.Inf(1)
	for i := range mostIterations {
		for j := range t.x {
			t.resolvent.apply(t.w[j], t.x[j])
		}
		t.ritz()
		t.rotate()
		found, sum := 0, 0.0
		for j, e := range t.e {
			if t.order[j] = j; e >= lo-margin && e <= hi+margin {
				found++
				sum += e - hi
			}
		}
		if i >= leastIterations && found == wanted && math.Abs(sum-before) <= 1e-15*hi {
			slices.SortFunc(t.order, func(a, b int) int {
				return cmp.Compare(t.rank(b, lo-margin, hi+margin), t.rank(a, lo-margin, hi+margin))
			})
			return true
		}
		before = sum
	}
	return false
}

// rank puts what lies between lo and hi first.
func (t *twinSolver) rank(column int, lo, hi float64) float64 {
	if e := t.e[column]; e >= lo && e <= hi {
		return e
	}
	return math.Inf(-1)
}

// begin fills x with functions that are like no mode, orthonormal.
func (t *twinSolver) begin(n, size int) {
	r := rand.New(rand.NewPCG(uint64(n), uint64(size)))
	for len(t.x) < size {
		t.x, t.w = append(t.x, nil), append(t.w, nil)
	}
	t.x, t.w = t.x[:size], t.w[:size]
	for j := range t.x {
		t.x[j], t.w[j] = grow(t.x[j], n), grow(t.w[j], n)
		for i := range t.x[j] {
			t.x[j][i] = r.Float64() - 0.5
		}
	}
	t.theta, t.vector = grow(t.theta, size*size), grow(t.vector, size*size)
	t.order, t.e = grow(t.order, size), grow(t.e, size)
	t.orthonormalise()
}

// ritz diagonalises the resolvent between the functions x: e are the Ritz values, vector
// their columns by falling size.
func (t *twinSolver) ritz() {
	n := len(t.x)
	for i := range n {
		for j := range i + 1 {
			a := 0.5 * (t.resolvent.inner(t.x[i], t.w[j]) + t.resolvent.inner(t.x[j], t.w[i]))
			t.theta[i*n+j], t.theta[j*n+i] = a, a
		}
	}
	jacobiRotations(t.theta, t.vector, n)
	for j := range t.order {
		t.order[j] = j
	}
	slices.SortFunc(t.order, func(a, b int) int { return cmp.Compare(math.Abs(t.theta[b*n+b]), math.Abs(t.theta[a*n+a])) })
	for j, column := range t.order {
		t.e[j] = t.resolvent.shift + 1/t.theta[column*n+column]
	}
}

// rotate makes x the Ritz vectors, once more through the resolvent, orthonormal.
func (t *twinSolver) rotate() {
	n := len(t.x)
	for j, column := range t.order {
		clear(t.x[j])
		for i := range n {
			f := t.vector[i*n+column]
			for k, v := range t.w[i] {
				t.x[j][k] += f * v
			}
		}
	}
	t.orthonormalise()
}

// orthonormalise is the modified method of Gram and Schmidt, twice.
func (t *twinSolver) orthonormalise() {
	for j, x := range t.x {
		t.normalise(x)
		for range 2 {
			for _, y := range t.x[:j] {
				f := t.resolvent.inner(x, y)
				for k, v := range y {
					x[k] -= f * v
				}
			}
			t.normalise(x)
		}
	}
}

func (t *twinSolver) normalise(x []float64) {
	f := 1 / math.Sqrt(t.resolvent.inner(x, x))
	for k := range x {
		x[k] *= f
	}
}

// jacobiRotations diagonalises a symmetric n×n matrix a in place by cyclic rotations;
// the columns of v are its eigenvectors.
func jacobiRotations(a, v []float64, n int) {
	clear(v[:n*n])
	for i := range n {
		v[i*n+i] = 1
	}
	for range 50 {
		moved := false
		for p := range n {
			for q := p + 1; q < n; q++ {
				if math.Abs(a[p*n+q]) <= 1e-17*math.Sqrt(math.Abs(a[p*n+p]*a[q*n+q])) {
					continue
				}
				moved = true
				rotate(a, v, n, p, q)
			}
		}
		if !moved {
			return
		}
	}
}

// rotate makes a[p, q] nothing.
func rotate(a, v []float64, n, p, q int) {
	theta := (a[q*n+q] - a[p*n+p]) / (2 * a[p*n+q])
	t := math.Copysign(1, theta) / (math.Abs(theta) + math.Hypot(theta, 1))
	c := 1 / math.Hypot(t, 1)
	s := t * c
	for i := range n {
		x, y := a[i*n+p], a[i*n+q]
		a[i*n+p], a[i*n+q] = c*x-s*y, s*x+c*y
		x, y = v[i*n+p], v[i*n+q]
		v[i*n+p], v[i*n+q] = c*x-s*y, s*x+c*y
	}
	for i := range n {
		x, y := a[p*n+i], a[q*n+i]
		a[p*n+i], a[q*n+i] = c*x-s*y, s*x+c*y
	}
}

// give makes a lane of what has been found: the states of all cells, matched at the first
// duct, normalised, positive at the surface.
func (t *twinSolver) give(k *column, mode int, e float64, x []float64) {
	if t.given%lanes == 0 {
		t.batches = append(t.batches, batch{})
		t.next(k)
	}
	b := &t.batches[len(t.batches)-1]
	l := t.given % lanes
	t.given++
	if l == 0 {
		for i := range b.e {
			b.e[i] = e
		}
	}
	b.e[l], b.modes[l] = e, int32(mode)
	sign := 1.0
	for i := 0; i+1 < len(x); i += 2 {
		if size := math.Hypot(x[i], x[i+1]); size > 1e-12*t.largest(x) {
			if negative(x[i], x[i+1]) {
				sign = -1
			}
			break
		}
	}
	t.states(k, b, l, sign, x)
}

func (t *twinSolver) largest(x []float64) (size float64) {
	for _, v := range x {
		size = math.Max(size, math.Abs(v))
	}
	return size
}

// next clears a batch for twins.
func (t *twinSolver) next(k *column) {
	b := &t.batches[len(t.batches)-1]
	*b = batch{match: k.ducts[0].match, last: len(k.cells), given: true, states: make([]state, len(k.cells))}
	for i := range b.modes {
		b.modes[i] = -1
	}
}

// states writes a solution's states as the sweeps of lane l would have left them.
func (t *twinSolver) states(k *column, b *batch, l int, sign float64, x []float64) {
	r := &t.resolvent
	put := func(y *state, u, s float64) { y.u[l], y.s[l] = sign*u, sign*s/r.scale }
	for i := range r.steps {
		c := &r.steps[i]
		first := i == 0 || r.steps[i-1].cell != c.cell
		if first && c.cell == b.match {
			put(&b.down, x[2*i], x[2*i+1])
			put(&b.up, x[2*i], -x[2*i+1])
		}
		if first && c.cell < b.match {
			put(&b.states[c.cell], x[2*i], x[2*i+1])
		}
		if last := i+1 == len(r.steps) || r.steps[i+1].cell != c.cell; last && c.cell >= b.match {
			// At its bottom, before the jump.
			put(&b.states[c.cell], x[2*i+2]/c.jump, -x[2*i+3]*c.jump)
		}
	}
}

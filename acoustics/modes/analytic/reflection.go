package analytic

import (
	"fmt"
	"math"
	"math/cmplx"
	"slices"

	"gonum.org/v1/gonum/mat"

	"oceaninv/acoustics"
	"oceaninv/acoustics/modes"
)

// table is a tabulated reflection coefficient continued to complex angles: a
// rational function of s = sin θ in barycentric form, N(s)/D(s) with
// N = Σ w_j R_j/(s-s_j), D = Σ w_j/(s-s_j), fitted to the whole table by the AAA
// algorithm (Nakatsukasa, Sète & Trefethen, SIAM J. Sci. Comput. 40 (2018) A1494).
// R has the phase of the time factor exp(+iωt): at grazing incidence on a
// penetrable bottom it is +180° and falls.
type table struct {
	nodes   []float64 // s
	values  []complex128
	weights []complex128
	grazing complex128 // R at the smallest angle
	toZero  bool       // that angle is 0
	k2      complex128 // squared wavenumber of the medium in front
	density float64
}

// A fit stops at fitTolerance or the table's own noise, or at maxNodes; worse than
// fitLimit it is refused.
const (
	fitTolerance = 1e-9
	fitLimit     = 1e-3
	maxNodes     = 40
)

func newTable(list []acoustics.ReflectionCoefficient, front wave) (*table, error) {
	var s []float64
	var r []complex128
	for _, c := range list {
		if c.GrazingAngle >= 0 && c.GrazingAngle <= 90 {
			s = append(s, math.Sin(c.GrazingAngle*math.Pi/180))
			r = append(r, cmplx.Rect(c.Magnitude, c.Phase*math.Pi/180))
		}
	}
	if len(s) < 2 {
		return nil, fmt.Errorf("a table needs at least two angles from 0° to 90°, not %d", len(s))
	}
	t := &table{grazing: r[0], toZero: s[0] == 0, k2: front.kp2, density: front.density}
	if worst := t.fit(s, r); worst > fitLimit {
		return nil, fmt.Errorf("the table bends too sharply between its angles: a rational function of %d nodes misses it by %.1g", len(t.nodes), worst)
	}
	return t, nil
}

// fit is the AAA algorithm: the worst-fitted angle becomes a node, the weights are
// the right singular vector of the Loewner matrix with the smallest singular value.
// It returns the largest misfit.
func (t *table) fit(s []float64, r []complex128) float64 {
	free := make(map[int]bool, len(s))
	var mean complex128
	for i := range s {
		free[i] = true
		mean += r[i] / complex(float64(len(s)), 0)
	}
	misfit := func(i int) float64 { return cmplx.Abs(mean - r[i]) }
	tolerance := max(fitTolerance, 20*noise(r))
	for {
		worst, at := -1.0, -1
		for i := range s {
			if free[i] && misfit(i) > worst {
				worst, at = misfit(i), i
			}
		}
		if at < 0 || len(t.nodes) > 0 && (worst <= tolerance || len(t.nodes) == maxNodes || 2*len(t.nodes) >= len(s)) {
			return max(worst, 0)
		}
		delete(free, at)
		t.nodes, t.values = append(t.nodes, s[at]), append(t.values, r[at])
		t.weigh(s, r, free)
		misfit = func(i int) float64 {
			d, n, _ := t.parts(complex(s[i], 0))
			return cmplx.Abs(n/d - r[i])
		}
	}
}

// noise estimates the rounding of a table: the median of its sixth differences,
// which leave nothing of a smooth function, over the root of the sum of their
// squared coefficients (924). Fitting noise would make poles and false modes.
func noise(r []complex128) float64 {
	d := slices.Clone(r)
	for order := 0; order < 6 && len(d) > 1; order++ {
		for i := range len(d) - 1 {
			d[i] = d[i+1] - d[i]
		}
		d = d[:len(d)-1]
	}
	sizes := make([]float64, len(d))
	for i := range d {
		sizes[i] = cmplx.Abs(d[i])
	}
	slices.Sort(sizes)
	return sizes[len(sizes)/2] / math.Sqrt(924)
}

// weigh sets the weights. A complex matrix is the real one [[Re, -Im], [Im, Re]].
func (t *table) weigh(s []float64, r []complex128, free map[int]bool) {
	m := len(t.nodes)
	rows := make([]int, 0, len(free))
	for i := range s {
		if free[i] {
			rows = append(rows, i)
		}
	}
	n := max(len(rows), m)
	a := mat.NewDense(2*n, 2*m, nil)
	for i, row := range rows {
		for j := range t.nodes {
			v := (r[row] - t.values[j]) / complex(s[row]-t.nodes[j], 0)
			a.Set(i, j, real(v))
			a.Set(i, m+j, -imag(v))
			a.Set(n+i, j, imag(v))
			a.Set(n+i, m+j, real(v))
		}
	}
	var svd mat.SVD
	t.weights = make([]complex128, m)
	if !svd.Factorize(a, mat.SVDThinV) {
		panic("modes: the singular values of a table of reflection coefficients do not converge")
	}
	var v mat.Dense
	svd.VTo(&v)
	for j := range t.weights {
		t.weights[j] = complex(v.At(j, 2*m-1), v.At(m+j, 2*m-1))
	}
}

// start is the solution in front of the table, both parts multiplied by the
// interpolant's denominator and by Π(s-s_j), which makes them analytic:
// p = 1+R, w = ∓ik_z(1-R)/ρ. Where the wave in front is evanescent the table says
// nothing; R at grazing incidence holds.
func (t *table) start(x complex128, evanescent, down bool) fluidState {
	kz := cmplx.Sqrt(t.k2 - x)
	var denominator, numerator complex128 = 1, t.grazing
	scale := 0.0
	if evanescent {
		kz = -1i * cmplx.Sqrt(x-t.k2)
	} else {
		denominator, numerator, scale = t.parts(kz / cmplx.Sqrt(t.k2))
	}
	p, w := denominator+numerator, -1i*kz*(denominator-numerator)/complex(t.density, 0)
	if cmplx.Abs(1+t.grazing) < 1e-9 && t.toZero {
		// R(0) = -1: both vanish with k_z, which is no mode.
		small := math.Sqrt(cmplx.Abs(t.k2)) * 1e-7
		switch {
		case evanescent:
			p, kz = 0, 1
		case cmplx.Abs(kz) < small:
			denominator, numerator, scale = t.parts(1e-7)
			p, kz = denominator+numerator, complex(small, 0)
		}
		p, w = p/kz, -1i*(denominator-numerator)/complex(t.density, 0)
	}
	if down {
		w = -w
	}
	return fluidState{p: p, w: w, scale: scale}
}

// parts are denominator and numerator of the interpolant times Π(s-s_j), over
// exp(scale).
func (t *table) parts(s complex128) (denominator, numerator complex128, scale float64) {
	product := complex128(1)
	for j, node := range t.nodes {
		distance := s - complex(node, 0)
		if cmplx.Abs(distance) < 1e-13 {
			distance = 1e-13
		}
		term := t.weights[j] / distance
		denominator += term
		numerator += term * t.values[j]
		product *= distance
		if size := cmplx.Abs(product); size < 1e-100 || size > 1e100 {
			scale += math.Log(size)
			product /= complex(size, 0)
		}
	}
	return denominator * product, numerator * product, scale
}

// addTables gives Reflection ends their tables.
func (s *stack) addTables(env *acoustics.Environment) error {
	ends := []struct {
		e     *end
		b     acoustics.Boundary
		layer int
		lower bool
		path  string
	}{{&s.top, env.Surface, 0, false, "surface"}, {&s.bottom, env.Bottom, len(s.layers) - 1, true, "bottom"}}
	for _, x := range ends {
		if x.b.Kind != acoustics.Reflection {
			continue
		}
		l := &s.layers[x.layer]
		if l.elastic {
			return modes.ErrUnsupported{Path: x.path + ".kind", What: "a tabulated reflection coefficient must border on a fluid"}
		}
		front := l.segments[0].at(0)
		if x.lower {
			last := &l.segments[len(l.segments)-1]
			front = last.at(last.thickness)
		}
		var err error
		if x.e.table, err = newTable(x.b.Reflections, front); err != nil {
			return modes.ErrUnsupported{Path: x.path + ".reflections", What: err.Error()}
		}
	}
	return nil
}

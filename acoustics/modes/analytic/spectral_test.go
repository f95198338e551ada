package analytic

import (
	"math"
	"math/cmplx"
	"slices"
	"testing"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mat"

	"oceaninv/acoustics"
)

// element is a stretch of depth on which the solution is one polynomial: pressure in
// fluids, both displacements in solids. A complex stretch turns the depth axis, so
// that what radiates downward decays (a perfectly matched layer).
type element struct {
	thickness float64
	solid     bool
	stretch   complex128
	at        func(z float64) (cp, cs complex128, density float64) // z from the element's top

	dof [3][]int // unknowns at the nodes: pressure, u_x, u_z; -1 where it is 0
}

// spectral is the variational form of an ocean's modes, x a + c = 0 in x = k², on
// polynomials: the independent method of the tests. Fluids: (p'/ρ)' + (ω²/c² - x) p/ρ
// = 0 for p = ω²P; solids: virtual work of the strains of (i a, b) exp(-ikx), the
// unknowns being v = k a and b, which makes the problem linear in x (Kausel, Int. J.
// Numer. Meth. Eng. 37 (1994) 927). P and u_z meet at interfaces.
type spectral struct {
	omega2   float64
	elements []*element
	size     int
	a, c     *mat.CDense
}

// basis is the Lagrange basis on Chebyshev's points, and its derivatives, at the
// points of a Gauss rule, on [0, 1].
type basis struct {
	x, w  []float64
	l, dl *mat.Dense // [point][node]
}

func newBasis(degree int) basis {
	n := degree + 1
	node, weight := make([]float64, n), make([]float64, n)
	for j := range node {
		node[j], weight[j] = (1-math.Cos(math.Pi*float64(j)/float64(degree)))/2, 1-2*float64(j%2)
	}
	weight[0], weight[degree] = weight[0]/2, weight[degree]/2
	d := mat.NewDense(n, n, nil)
	for i := range n {
		sum := 0.0
		for j := range n {
			if i != j {
				v := weight[j] / weight[i] / (node[i] - node[j])
				d.Set(i, j, v)
				sum += v
			}
		}
		d.Set(i, i, -sum)
	}
	b := basis{x: make([]float64, degree+8), w: make([]float64, degree+8)}
	quad.Legendre{}.FixedLocations(b.x, b.w, 0, 1)
	b.l = mat.NewDense(len(b.x), n, nil)
	for i, x := range b.x {
		sum := 0.0
		for j := range n {
			sum += weight[j] / (x - node[j])
		}
		for j := range n {
			b.l.Set(i, j, weight[j]/(x-node[j])/sum)
		}
	}
	b.dl = new(mat.Dense)
	b.dl.Mul(b.l, d)
	return b
}

// newSpectral sets up elements of one degree, free above and rigid below.
func newSpectral(omega float64, elements []*element, degree int) *spectral {
	s := &spectral{omega2: omega * omega, elements: elements}
	for i, e := range elements {
		for q := range e.dof {
			if e.solid == (q == 0) {
				continue
			}
			e.dof[q] = make([]int, degree+1)
			for j := range e.dof[q] {
				switch {
				case i > 0 && j == 0 && elements[i-1].solid == e.solid:
					e.dof[q][j] = elements[i-1].dof[q][degree]
					continue
				case i == 0 && j == 0 && !e.solid, i == len(elements)-1 && j == degree && e.solid:
					e.dof[q][j] = -1
					continue
				}
				e.dof[q][j] = s.size
				s.size++
			}
		}
	}
	s.a, s.c = mat.NewCDense(s.size, s.size, nil), mat.NewCDense(s.size, s.size, nil)
	b := newBasis(degree)
	for i, e := range elements {
		s.fill(e, &b)
		if i > 0 && elements[i-1].solid != e.solid {
			s.join(elements[i-1], e, degree)
		}
	}
	return s
}

// add adds a product of basis functions to a matrix.
func add(m *mat.CDense, rows, columns []int, left, right []float64, f complex128) {
	for i, r := range rows {
		for j, c := range columns {
			if r >= 0 && c >= 0 {
				m.Set(r, c, m.At(r, c)+f*complex(left[i]*right[j], 0))
			}
		}
	}
}

// fill integrates an element.
func (s *spectral) fill(e *element, b *basis) {
	w2 := complex(s.omega2, 0)
	for g, x := range b.x {
		cp, cs, density := e.at(x * e.thickness)
		rho := complex(density, 0)
		l, slope := b.l.RawRowView(g), b.dl.RawRowView(g)
		mass, stiff, cross := by(b.w[g]*e.thickness, e.stretch), by(b.w[g]/e.thickness, 1/e.stretch), complex(b.w[g], 0)
		if !e.solid {
			p := e.dof[0]
			add(s.a, p, p, l, l, mass/rho)
			add(s.c, p, p, l, l, -w2/(cp*cp)*mass/rho)
			add(s.c, p, p, slope, slope, stiff/rho)
			continue
		}
		// Rows are divided by ω², those of u_x multiplied by k.
		mu, all := rho*cs*cs/w2, rho*cp*cp/w2
		lambda := all - 2*mu
		u, v := e.dof[1], e.dof[2]
		add(s.a, u, u, l, l, all*mass)
		add(s.c, u, u, slope, slope, mu*stiff)
		add(s.c, u, u, l, l, -rho*mass)
		add(s.a, v, v, l, l, mu*mass)
		add(s.c, v, v, slope, slope, all*stiff)
		add(s.c, v, v, l, l, -rho*mass)
		add(s.a, u, v, l, slope, lambda*cross)
		add(s.a, u, v, slope, l, -mu*cross)
		add(s.c, v, u, slope, l, lambda*cross)
		add(s.c, v, u, l, slope, -mu*cross)
	}
}

// join gives a fluid its wall's displacement and a solid its fluid's pressure.
func (s *spectral) join(above, below *element, degree int) {
	p, v, sign := above.dof[0], below.dof[2], complex128(-1)
	row, column := degree, 0
	if above.solid {
		p, v, sign = below.dof[0], above.dof[2], 1
		row, column = 0, degree
	}
	if p[row] >= 0 {
		s.c.Set(p[row], v[column], s.c.At(p[row], v[column])+sign)
		s.c.Set(v[column], p[row], s.c.At(v[column], p[row])+sign)
	}
}

// wavenumbers are all k of the form, by falling real part: the eigenvalues of
// -a⁻¹c, as those of the real matrix twice its size, which has their conjugates too.
func (s *spectral) wavenumbers(t *testing.T) []complex128 {
	t.Helper()
	n := s.size
	double := func(m *mat.CDense) *mat.Dense {
		d := mat.NewDense(2*n, 2*n, nil)
		for i := range n {
			for j := range n {
				v := m.At(i, j)
				d.Set(i, j, real(v))
				d.Set(n+i, n+j, real(v))
				d.Set(n+i, j, imag(v))
				d.Set(i, n+j, -imag(v))
			}
		}
		return d
	}
	var m mat.Dense
	if err := m.Solve(double(s.a), double(s.c)); err != nil {
		t.Fatal(err)
	}
	var e mat.Eigen
	if !e.Factorize(&m, mat.EigenNone) {
		t.Fatal("no eigenvalues")
	}
	var k []complex128
	for _, x := range e.Values(nil) {
		// k² of what decays lies below the real axis; a lossless mode's lies on it,
		// rounding aside, and comes twice.
		if root := cmplx.Sqrt(-x); imag(root) <= 0 {
			k = append(k, root)
		}
	}
	slices.SortFunc(k, func(a, b complex128) int { return int(math.Copysign(1, real(b)-real(a))) })
	return k
}

// elementsOf cuts an ocean into elements: between knots, of at most a wavelength of the
// slowest wave; a half-space below becomes a turned layer.
func elementsOf(env *acoustics.Environment, hz float64) []*element {
	var list []*element
	add := func(l acoustics.Layer) {
		for i := range max(1, len(l.Knots)-1) {
			a := l.Knots[i]
			b, h := a, l.Thickness
			if len(l.Knots) > 1 {
				b = l.Knots[i+1]
				h = b.Depth - a.Depth
			}
			n := int(math.Ceil(h * hz / min(slowestSpeed(a.Material), slowestSpeed(b.Material))))
			for j := range n {
				at := func(z float64) (cp, cs complex128, density float64) {
					u := (float64(j) + z/h*float64(n)) / float64(n)
					mix := func(x, y complex128) complex128 { return by(1-u, x) + by(u, y) }
					return mix(a.ComplexSoundSpeed(hz), b.ComplexSoundSpeed(hz)), mix(a.ComplexShearSpeed(hz), b.ComplexShearSpeed(hz)), ((1-u)*a.Density + u*b.Density) / 1000
				}
				list = append(list, &element{thickness: h / float64(n), solid: a.ShearSpeed > 0, stretch: 1, at: at})
			}
		}
	}
	for _, l := range env.Cover {
		add(l)
	}
	add(waterLayer(&env.Water))
	for _, l := range env.Layers {
		add(l)
	}
	if env.Bottom.Kind == acoustics.Halfspace {
		m := env.Bottom.Material
		const thickness, turned = 4.0, 6 // wavelengths, elements
		for range turned {
			list = append(list, &element{thickness: thickness / turned * slowestSpeed(m) / hz, solid: m.ShearSpeed > 0, stretch: complex(2, -1),
				at: func(float64) (cp, cs complex128, density float64) {
					return m.ComplexSoundSpeed(hz), m.ComplexShearSpeed(hz), m.Density / 1000
				}})
		}
	}
	return list
}

func slowestSpeed(m acoustics.Material) float64 {
	if m.ShearSpeed > 0 {
		return m.ShearSpeed
	}
	return m.SoundSpeed
}

func lossy(cp, cs, density, ap, as float64) acoustics.Material {
	loss := func(x float64) acoustics.Attenuation {
		return acoustics.Attenuation{Value: x, Unit: acoustics.DBPerWavelength}
	}
	return acoustics.Material{SoundSpeed: cp, ShearSpeed: cs, Density: density, Attenuation: loss(ap), ShearAttenuation: loss(as)}
}

func uniform(thickness float64, m acoustics.Material) acoustics.Layer {
	return acoustics.Layer{Thickness: thickness, Knots: []acoustics.Knot{{Material: m}}}
}

func graded(thickness float64, top, bottom acoustics.Material) acoustics.Layer {
	return acoustics.Layer{Thickness: thickness, Interpolation: acoustics.CLinear, Knots: []acoustics.Knot{{Material: top}, {Depth: thickness, Material: bottom}}}
}

// munkWater is the Munk profile between n knots, down to a depth.
func munkWater(depth float64, n int) acoustics.Water {
	w := acoustics.Water{Depth: depth, Density: 1000, Profile: acoustics.SoundSpeedProfile{Interpolation: acoustics.CLinear}}
	for i := range n {
		z := depth * float64(i) / float64(n-1)
		eta := 2 * (z - 1300) / 1300
		w.Profile.Depth = append(w.Profile.Depth, z)
		w.Profile.Speed = append(w.Profile.Speed, 1500*(1+0.00737*(eta-1+math.Exp(-eta))))
	}
	return w
}

// solidOceans have solids where KRAKENC finds fewer modes, or cannot go at all: solids
// between fluids.
func solidOceans() []struct {
	name      string
	hz        float64
	low, high float64 // m/s
	env       acoustics.Environment
} {
	free := acoustics.Boundary{Kind: acoustics.PressureRelease}
	below := func(m acoustics.Material) acoustics.Boundary {
		return acoustics.Boundary{Kind: acoustics.Halfspace, Material: m}
	}
	ice, rock, sand := lossy(3500, 1800, 900, 0.3, 1), lossy(3800, 2000, 2400, 0.1, 0.2), lossy(1750, 0, 1900, 0.5, 0)
	upward := water(200, 1440)
	upward.Profile.Speed[1] = 1465
	return []struct {
		name      string
		hz        float64
		low, high float64
		env       acoustics.Environment
	}{
		{"ice over sand", 50, 500, 1700, acoustics.Environment{Surface: free, Cover: []acoustics.Layer{uniform(4, ice)}, Water: upward, Bottom: below(sand)}},
		{"ice over rock", 30, 500, 1950, acoustics.Environment{Surface: free, Cover: []acoustics.Layer{uniform(3, ice)}, Water: upward, Bottom: below(rock)}},
		{"solid between fluids", 60, 700, 1700, acoustics.Environment{Surface: free, Water: water(100, 1500),
			Layers: []acoustics.Layer{uniform(10, lossy(1480, 0, 1400, 0.1, 0)), uniform(20, lossy(2200, 900, 2000, 0.2, 0.4)), uniform(15, lossy(1600, 0, 1700, 0.3, 0))}, Bottom: below(sand)}},
		{"graded solid on rock", 60, 350, 1950, acoustics.Environment{Surface: free, Water: water(80, 1500),
			Layers: []acoustics.Layer{graded(40, lossy(1650, 400, 1600, 0.2, 0.8), lossy(2100, 900, 2000, 0.1, 0.4))}, Bottom: below(rock)}},
		{"Munk over sediment and rock", 8, 1000, 1950, acoustics.Environment{Surface: free, Water: munkWater(4000, 9),
			Layers: []acoustics.Layer{graded(300, lossy(1700, 500, 1700, 0.1, 0.5), lossy(2400, 1100, 2100, 0.1, 0.3))}, Bottom: below(rock)}},
		{"ice, fluid and solid layers", 40, 400, 1950, acoustics.Environment{Surface: free, Cover: []acoustics.Layer{uniform(2, ice)}, Water: upward,
			Layers: []acoustics.Layer{uniform(12, lossy(1500, 0, 1500, 0.2, 0)), graded(25, lossy(1800, 500, 1800, 0.2, 0.5), lossy(2300, 900, 2000, 0.1, 0.3))}, Bottom: below(rock)}},
	}
}

// Where KRAKENC misses modes the eigenvalues of a variational form say how many there
// are, and where: each is a mode of ours, and each mode of ours is one.
func TestAgainstSpectral(t *testing.T) {
	for _, o := range solidOceans() {
		t.Run(o.name, func(t *testing.T) {
			options := optionsFor(o.low, o.high)
			m := mustSolve(t, o.env, o.hz, options)
			s := newSpectral(2*math.Pi*o.hz, elementsOf(&o.env, o.hz), 13)
			all := s.wavenumbers(t)
			count, worst := 0, 0.0
			for _, k := range all {
				speed, loss := 2*math.Pi*o.hz/real(k), -imag(k)/real(k)*2*math.Pi*decibelsPerNeper
				if speed < o.low || speed > o.high || loss > options.MaxLoss {
					continue
				}
				count++
				if d := cmplx.Abs(nearest(m.K, k)/k - 1); d > 1e-8 {
					t.Errorf("an eigenvalue, %v (%.1f m/s), is %.1e from the nearest of our modes", k, speed, d)
				}
			}
			for i, k := range m.K {
				d := cmplx.Abs(nearest(all, k)/k - 1)
				worst = max(worst, d)
				if d > 1e-8 {
					t.Errorf("mode %d, %v, is %.1e from the nearest eigenvalue", i+1, k, d)
				}
			}
			if count != len(m.K) {
				t.Errorf("%d eigenvalues, %d modes", count, len(m.K))
			}
			t.Logf("%d unknowns, %d modes, k to %.1e", s.size, len(m.K), worst)
		})
	}
}

package modes

import (
	"fmt"
	"math"
	"testing"

	"oceaninv/acoustics"
)

// fineDepths are Gauss points of every cell of a converged mesh, with weights, so
// that products of modes integrate to rounding.
func fineDepths(m *Modes) (z, w, density []float64) {
	for i := range m.column.cells {
		c := &m.column.cells[i]
		parts := 1
		if c.long {
			parts = 1 + int(c.h*math.Sqrt(math.Abs(c.q0-real(m.Kr[m.Len()-1])*real(m.Kr[m.Len()-1]))))
		}
		parts *= 2
		h := c.h / float64(parts)
		for p := range parts {
			for j, x := range gaussX {
				z = append(z, c.top+h*(float64(p)+0.5*(1+x)))
				w = append(w, 0.5*h*gaussW[j])
				density = append(density, m.column.stack.media[c.medium].density)
			}
		}
	}
	return z, w, density
}

// overlap is ∫ φi φj/ρ dz over the layers and the half-space below.
func overlap(m *Modes, phi []float64, z, w, density []float64, i, j int) float64 {
	n := m.Len()
	sum := 0.0
	for d := range z {
		sum += w[d] * phi[d*n+i] * phi[d*n+j] / density[d]
	}
	st := m.column.stack
	if st.bottom.density > 0 && !m.column.cut {
		end := m.Shapes(make([]float64, n), []float64{st.media[len(st.media)-1].bottom})
		g := func(i int) float64 { k := real(m.Kr[i]); r, _ := rootOf(k*k, st.bottom.k2); return real(r) }
		sum += end[i] * end[j] / st.bottom.density / (g(i) + g(j))
	}
	return sum
}

// Modes are orthonormal: also where two or three ducts hold modes of their own, and
// where those agree in kr to the last digit.
func TestOrthonormal(t *testing.T) {
	cases := krakenCases(t)
	duct := cases["double_duct_10hz"]
	for _, c := range []struct {
		name      string
		env       acoustics.Environment
		frequency float64
		top       float64
	}{
		{"pekeris", cases["pekeris_lossless_100m_150hz"].Environment, 150, 0},
		{"sediments", lossless(cases["two_sediments_100m_150hz"].Environment), 150, 0},
		{"swellex", lossless(cases["swellex_nominal_148hz"].Environment), 148, 1800},
		{"double duct 10 Hz", duct.Environment, 10, 1600},
		{"double duct 60 Hz", duct.Environment, 60, 1560},
		{"double duct 200 Hz", duct.Environment, 200, 1535},
		{"twin ducts 100 Hz", twinDucts(), 100, 1540},
		{"twin ducts 37 Hz", twinDucts(), 37, 1545},
		{"twin ducts 250 Hz", twinDucts(), 250, 1530},
		{"surface duct 200 Hz", surfaceDuct(), 200, 1530},
	} {
		t.Run(c.name, func(t *testing.T) {
			solver, err := NewSolver(Options{Tolerance: 1e-11, MaxPhaseSpeed: c.top})
			if err != nil {
				t.Fatal(err)
			}
			m, err := solver.Solve(&c.env, c.frequency)
			if err != nil {
				t.Fatal(err)
			}
			z, w, density := fineDepths(m)
			phi := m.Shapes(make([]float64, len(z)*m.Len()), z)
			worst, where := 0.0, ""
			for i := range m.Len() {
				for j := range i + 1 {
					want := 0.0
					if i == j {
						want = 1
					}
					if e := math.Abs(overlap(m, phi, z, w, density, i, j) - want); e > worst {
						worst, where = e, fmt.Sprintf("modes %d and %d", i+1, j+1)
					}
				}
			}
			t.Logf("%d modes, %d ducts, worst %.1e (%s)", m.Len(), len(m.column.ducts), worst, where)
			if !(worst <= 1e-6) {
				t.Errorf("%s: overlap is off by %.1e", where, worst)
			}
		})
	}
}

func lossless(e acoustics.Environment) acoustics.Environment {
	e = e.Clone()
	for i := range e.Layers {
		for j := range e.Layers[i].Knots {
			e.Layers[i].Knots[j].Attenuation = acoustics.Attenuation{}
		}
	}
	e.Bottom.Material.Attenuation = acoustics.Attenuation{}
	return e
}

// twinDucts has mirror symmetry between two rigid walls: each mode has a twin of
// the other parity, exponentially close.
func twinDucts() acoustics.Environment {
	return acoustics.Environment{
		Surface: acoustics.Boundary{Kind: acoustics.Rigid},
		Bottom:  acoustics.Boundary{Kind: acoustics.Rigid},
		Water: acoustics.Water{Depth: 2000, Density: 1000, Profile: acoustics.SoundSpeedProfile{
			Depth: []float64{0, 500, 1000, 1500, 2000}, Speed: []float64{1550, 1500, 1550, 1500, 1550},
			Interpolation: acoustics.N2Linear}},
	}
}

// surfaceDuct is a mixed layer over a deep sound channel.
func surfaceDuct() acoustics.Environment {
	return acoustics.Environment{
		Surface: acoustics.Boundary{Kind: acoustics.PressureRelease},
		Bottom:  acoustics.Boundary{Kind: acoustics.Halfspace, Material: acoustics.Material{SoundSpeed: 1600, Density: 1800}},
		Water: acoustics.Water{Depth: 3000, Density: 1000, Profile: acoustics.SoundSpeedProfile{
			Depth: []float64{0, 150, 400, 1000, 3000}, Speed: []float64{1508, 1512, 1500, 1490, 1522},
			Interpolation: acoustics.N2Linear}},
	}
}

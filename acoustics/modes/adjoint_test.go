package modes

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"oceaninv/acoustics"
)

// The derivative taken backwards, all modes and directions at once, is that taken
// forwards, mode by mode: in random oceans, for what they are made of.
func TestBackwardIsForward(t *testing.T) {
	if !haveAdjoint {
		t.Skip("without cgo there is no backward derivative to compare with the forward one")
	}
	solver, err := NewSolver(Options{Tolerance: 1e-9})
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for seed := range uint64(150) {
		env, f := randomOcean(rand.New(rand.NewPCG(seed, 23)))
		if seed%2 == 1 {
			roughen(&env, rand.New(rand.NewPCG(seed, 31)))
		}
		depth := env.Water.Depth
		at := Case{&env, acoustics.Source{Depth: 0.4 * depth, Level: 150}, acoustics.ReceiverArray{
			Depths: []float64{0.2 * depth, 0.55 * depth, depth + 0.3*thickness(&env)}, Range: 30 * depth, Tilt: 2}}
		at.Source.Line = seed%5 == 0
		directions := randomDirections(at)
		n := len(at.Array.Depths)
		p, jac, want := make([]complex128, n), make([]complex128, n*len(directions)), make([]complex128, n*len(directions))
		m, err := solver.Jacobian(p, jac, directionsOf(t, at, directions...), f)
		if err != nil {
			continue
		}
		compared++
		solver.jacobian.vary(m)
		m.Pressure(p, at.Source, at.Array)
		solver.jacobian.assemble(want, m, at)
		for d := range directions {
			var worst, size float64
			for i := d * n; i < (d+1)*n; i++ {
				worst = math.Max(worst, cmplx.Abs(jac[i]-want[i]))
				size = math.Max(size, cmplx.Abs(want[i]))
			}
			if !(worst <= 1e-6*size+1e-9*cmplx.Abs(p[0])) {
				t.Errorf("seed %d, direction %d: %.1e of %.1e apart", seed, d, worst, size)
			}
		}
	}
	if compared < 100 {
		t.Errorf("only %d oceans had modes", compared)
	}
}

// roughen makes interfaces rough by up to a tenth of a metre.
func roughen(env *acoustics.Environment, r *rand.Rand) {
	env.Surface.Roughness = 0.1 * r.Float64()
	env.Water.BottomRoughness = 0.1 * r.Float64()
	for i := range env.Layers {
		env.Layers[i].BottomRoughness = 0.1 * r.Float64()
	}
	env.Bottom.Roughness = 0.1 * r.Float64()
}

func thickness(env *acoustics.Environment) float64 {
	if len(env.Layers) == 0 {
		return 0
	}
	return env.Layers[0].Thickness
}

// randomDirections are all kinds of parameters that an ocean of randomOcean has.
func randomDirections(at Case) []Direction {
	var out []Direction
	for _, e := range edits() {
		switch {
		case len(e.name) > 8 && e.name[:8] == "sediment" && len(at.Environment.Layers) == 0,
			len(e.name) > 10 && e.name[:10] == "half-space" && at.Environment.Bottom.Kind != acoustics.Halfspace,
			e.name == "one knot" && len(at.Environment.Water.Profile.Speed) < 11,
			e.name == "roughness" && at.Environment.Water.BottomRoughness == 0, e.name == "water depth" && len(at.Environment.Water.Profile.Depth) < 2:
			continue
		}
		out = append(out, directionOf(at, e.step, e.apply))
	}
	for i := range at.Environment.Water.Profile.Speed {
		out = append(out, directionOf(at, 1e-3, func(c *Case, x float64) { c.Environment.Water.Profile.Speed[i] += x }))
	}
	// Several at once: medium, absorption, source and array.
	return append(out, directionOf(at, 1e-3, func(c *Case, x float64) {
		w := &c.Environment.Water
		w.Profile.Speed[0] += x
		w.Attenuation = acoustics.Attenuation{Value: 0.01 * x, Unit: acoustics.DBPerWavelength}
		c.Source.Depth += 0.1 * x
		c.Array.Range += x
		c.Array.DepthOffset -= 0.1 * x
	}))
}

// Integrals and shapes in C are those in Go, to rounding.
func TestIntegralTwins(t *testing.T) {
	solver, err := NewSolver(Options{Tolerance: 1e-9})
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(60) {
		env, f := randomOcean(rand.New(rand.NewPCG(seed, 29)))
		m, err := solver.Solve(&env, f)
		if err != nil {
			continue
		}
		depths := []float64{0, 0.3 * env.Water.Depth, env.Water.Depth, env.BottomDepth()}
		m.locate(depths)
		m.absorbers()
		for j := range m.batches {
			b, to := &m.batches[j], &m.joins[j]
			var a, want lane
			integrate(&a, m.measures, b, to)
			integratePlain(&want, m.measures, b, to)
			u, v := make([]float64, 2*lanes*len(depths)), make([]float64, 2*lanes*len(depths))
			shape(u, m.parts[:2*len(depths)], b, to)
			shapePlain(v, m.parts[:2*len(depths)], b, to)
			for i := range lanes {
				if math.Abs(a[i]-want[i]) > 1e-9*math.Abs(want[i])+1e-18*b.e[i] {
					t.Errorf("seed %d: integrals %v and %v", seed, a[i], want[i])
				}
			}
			for i := range u {
				if size := 1 / math.Min(b.joinSize(to, i%lanes), 1e300); math.Abs(u[i]-v[i]) > 1e-9*size {
					t.Errorf("seed %d: shapes %v and %v", seed, u[i], v[i])
				}
			}
		}
	}
}

// joinSize is the amplitude that makes a lane's states a mode.
func (b *batch) joinSize(t *join, i int) float64 {
	return math.Min(math.Abs(t.above[i]), math.Abs(t.below[i]))
}

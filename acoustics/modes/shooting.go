package modes

import (
	"math"
	"runtime"

	"oceaninv/acoustics"
)

// state is a solution of u″ = (E-q) u and its derivative in E, for every lane, at
// one depth. Here u = p/√ρ, so that u″ has no first derivative, and s = du/dζ with
// ζ pointing the way the sweep goes: down above the matching depth, up below it.
type state struct{ u, s, ue, se lane }

// batch is up to [lanes] trial values of E carried through the cells together.
type batch struct {
	e     lane
	match int // cells[:match] are swept from above, the others from below
	// barrier, unless 0, is the ∫√(E-q)dz of a barrier beyond the match's duct that is not
	// swept through.
	barrier float64
	// given states are a mode's as they are, normalised, without derivatives in E.
	given bool
	// modes are the modes' numbers from 0 in the list; -1 is an unused lane.
	modes [lanes]int32
	scale lane // Prüfer's scale at the matching depth
	slope lane // its derivative in E

	// states[c] is the state entering cell c: at its top for a cell above the match,
	// at its bottom for one below; valid for first <= c < last.
	states      []state
	first, last int
	down, up    state // at the match, from above and from below

	zerosDown, zerosUp [lanes]int64
	phase, dphase      lane // total phase in units of π, and its derivative in E
}

// column is what a sweep runs through.
type column struct {
	stack *stack
	cells []cell
	// sweeps are the same cells as the sweep reads them.
	sweeps  []sweepCell
	cut     bool // the last cell ends where no mode reaches
	ducts   []duct
	maxima  []int // of k0²; scratch of ducts
	centres []int // of the ducts
	total   float64
	swept   int // cells since breathe last yielded
}

// breathe yields every few milliseconds of sweeps through cells. The runtime takes the
// processor from a goroutine that it finds in C after a turn of 10 ms, and the goroutine
// then waits for the runtime's monitor: where every core sweeps, for a core of its own,
// which costs a sixth of all time (Go 1.26, two cores). A turn that ends by itself is not
// taken away.
func (k *column) breathe(cells int) {
	if k.swept += cells; k.swept > cellsPerTurn {
		k.swept = 0
		runtime.Gosched()
	}
}

// cellsPerTurn take 2 ms where eight modes cross a cell in 30 ns, and less than 10 on
// processors that are four times as slow.
const cellsPerTurn = 1 << 16

// shoot carries the batch's solutions from both ends to the match and sets their
// phase: an increasing count of half-waves as E falls, equal to m at mode m.
func (k *column) shoot(b *batch) {
	k.limits(b)
	b.zerosDown, b.zerosUp = [lanes]int64{}, [lanes]int64{}
	b.down = k.above(b)
	b.up = k.below(b)
	if b.first < b.match {
		sweep(k.sweeps, b.first, b.match-b.first, 1, &b.e, &b.down, b.states, &b.zerosDown)
		if j := k.sweeps[b.match].jump; j != 1 {
			b.down.jump(j)
		}
	}
	if b.last > b.match {
		sweep(k.sweeps, b.last-1, b.last-b.match, -1, &b.e, &b.up, b.states, &b.zerosUp)
	}
	b.setPhase()
	k.breathe(b.last - b.first)
}

// jump crosses an interface: p and p'/ρ are continuous.
func (y *state) jump(r float64) {
	inverse := 1 / r
	for i := range lanes {
		y.u[i] *= r
		y.ue[i] *= r
		y.s[i] *= inverse
		y.se[i] *= inverse
	}
}

// limits finds the cells that the batch needs, for the lane that reaches farthest.
func (k *column) limits(b *batch) {
	e := b.e[0]
	for _, v := range b.e {
		e = math.Min(e, v)
	}
	b.first, _ = k.reach(b.match-1, -1, e, b.barrier)
	b.last, _ = k.reach(b.match, 1, e, b.barrier)
	b.last++
}

// Of a barrier between ducts, a mode of one is swept through so much of ∫√(E-q)dz: beyond
// thickBarrier a mode of the other duct at a distance δ in E mixes in by less than
// e^-thickBarrier of the distance between a duct's own modes over δ. Where the other mode
// is a neighbour, rounding shows much before: the sweeps keep to their duct, and the mode
// is found with its neighbours (see [Solver.separate]).
const (
	thickBarrier = 27
	barrierCut   = 12
)

// reach is the last cell that a mode at e reaches from cell c on in steps of step:
// deepDecay beyond its last turning point, or, if most is not 0, as much inside the
// first thick barrier, which is then reported.
func (k *column) reach(c, step int, e, most float64) (last int, barrier bool) {
	n := len(k.cells)
	end := n - 1
	if step < 0 {
		end = 0
	}
	turn := end
	for turn != c && k.cells[turn].hi < e {
		turn -= step
	}
	decay := 0.0
	for ; c != end; c += step {
		cl := &k.cells[c]
		if cl.hi >= e {
			decay = 0
			continue
		}
		decay += math.Sqrt(e-cl.hi) * cl.h
		outside := (c-turn)*step > 0
		if outside && decay > deepDecay || !outside && most > 0 && decay > most {
			return c, !outside
		}
	}
	return end, false
}

// above is the state at the top of the sweep.
func (k *column) above(b *batch) state {
	if b.first > 0 {
		return decaying(b, k.cells[b.first].q0)
	}
	return closed(b, k.stack.surface, k.stack.media[0].density)
}

// below is the state at the bottom of the sweep.
func (k *column) below(b *batch) state {
	n := len(k.cells)
	if b.last < n || k.cut {
		return decaying(b, k.cells[b.last-1].q0)
	}
	return closed(b, k.stack.bottom, k.stack.media[len(k.stack.media)-1].density)
}

// decaying is the solution that decays outwards into a medium with q below E.
func decaying(b *batch, q float64) (y state) {
	for i, e := range b.e {
		g := math.Sqrt(math.Max(e-q, 1e-12*e))
		y.u[i], y.s[i], y.se[i] = 1, g, 0.5/g
	}
	return y
}

// closed is the solution that meets a boundary condition; ζ points inwards. A
// half-space has u' = γ (ρ/ρh) u with γ = Re √(E - kh²): for a lossy half-space
// the real part of the complex root, as KRAKEN takes it.
func closed(b *batch, bd boundary, density float64) (y state) {
	for i, e := range b.e {
		switch bd.kind {
		case acoustics.PressureRelease:
			y.s[i] = 1
		case acoustics.Rigid:
			y.u[i] = 1
		default:
			g, dg := rootOf(e, bd.k2)
			r := density / bd.density
			y.u[i], y.s[i], y.se[i] = 1, r*real(g), r*real(dg)
		}
	}
	return y
}

// setPhase sets the total phase in units of π, less one: zeros above and below
// the match, and the two Prüfer angles there, α = atan(S u/s) in [0, π). By the
// Wronskian u s_E - s u_E = ∫u², its derivative is -Σ S ∫u²/(s² + S²u²)/π, and
// that of the scale S.
func (b *batch) setPhase() {
	for i := range lanes {
		a, da := pruefer(&b.down, i, b.scale[i], b.slope[i])
		c, dc := pruefer(&b.up, i, b.scale[i], b.slope[i])
		b.phase[i] = float64(b.zerosDown[i]+b.zerosUp[i]) + (a+c)/math.Pi - 1
		b.dphase[i] = (da + dc) / math.Pi
	}
}

func pruefer(y *state, i int, scale, slope float64) (angle, derivative float64) {
	u, s := y.u[i], y.s[i]
	if negative(u, s) {
		u, s = -u, -s
	}
	angle = math.Atan2(scale*u, s)
	squared := s*s + scale*scale*u*u
	derivative = (slope*u*s - scale*y.norm(i)) / squared
	return angle, derivative
}

// norm is ∫u² dz from where the sweep started, the half-space beyond included.
func (y *state) norm(i int) float64 { return y.u[i]*y.se[i] - y.s[i]*y.ue[i] }

package bench

import (
	"math"
	"time"

	"oceaninv/acoustics"
	"oceaninv/acoustics/modes"
)

// Derivative is what the derivative of the pressure by so many parameters costs, at
// all tones and phones.
type Derivative struct {
	Parameters int     `json:"parameters"`
	MS         float64 `json:"ms"`     // processor time, of all tones
	Solves     float64 `json:"solves"` // MS over that of the pressure alone, in the same run
}

// knots is how many knots of sound speed the second and third sets of parameters have.
const knots = 40

// derivativeTurns is how often pressure and derivative are timed turn by turn.
const derivativeTurns = 8

// timeDerivatives differentiates by eight parameters of all kinds, by the sound speed
// at 40 knots of the profile, and by all 48.
func (r *Result) timeDerivatives(o Options, oceans []acoustics.Environment) error {
	for _, set := range [][]move{eightMoves(), knotMoves(), append(knotMoves(), eightMoves()...)} {
		d, err := timeMoves(o.Tolerance, oceans[:min(len(oceans), 50)], set)
		if err != nil {
			return err
		}
		r.Derivatives = append(r.Derivatives, d)
	}
	return nil
}

// move changes a case by x steps of a parameter.
type move struct {
	step  float64
	apply func(*modes.Case, float64)
}

// eightMoves are water depth, sediment thickness, sound speed, density and
// attenuation, source depth, range and tilt.
func eightMoves() []move {
	sediment := func(c *modes.Case) *acoustics.Layer { return &c.Environment.Layers[0] }
	return []move{
		{1e-4, func(c *modes.Case, x float64) {
			w := &c.Environment.Water
			w.Depth += x
			w.Profile.Depth[len(w.Profile.Depth)-1] += x
		}},
		{1e-4, func(c *modes.Case, x float64) { sediment(c).Thickness += x; sediment(c).Knots[1].Depth += x }},
		{1e-3, func(c *modes.Case, x float64) { sediment(c).Knots[0].SoundSpeed += x }},
		{1e-3, func(c *modes.Case, x float64) { sediment(c).Knots[0].Density += x; sediment(c).Knots[1].Density += x }},
		{1e-6, func(c *modes.Case, x float64) {
			sediment(c).Knots[0].Attenuation.Value += x
			sediment(c).Knots[1].Attenuation.Value += x
		}},
		{1e-4, func(c *modes.Case, x float64) { c.Source.Depth += x }},
		{1e-3, func(c *modes.Case, x float64) { c.Array.Range += x }},
		{1e-5, func(c *modes.Case, x float64) { c.Array.Tilt += x }},
	}
}

func knotMoves() (out []move) {
	for i := range knots {
		out = append(out, move{1e-3, func(c *modes.Case, x float64) { c.Environment.Water.Profile.Speed[i] += x }})
	}
	return out
}

// timeMoves times pressure and derivative ocean by ocean; of each the quickest of
// several turns counts.
func timeMoves(tolerance float64, oceans []acoustics.Environment, moves []move) (d Derivative, err error) {
	s, err := solver(tolerance)
	if err != nil {
		return d, err
	}
	array := Array()
	p := make([]complex128, len(array.Depths))
	jac := make([]complex128, len(array.Depths)*len(moves))
	var solves, derivatives time.Duration
	for i := range oceans {
		env := oceans[i]
		if len(moves) >= knots {
			env = resampled(env)
		}
		at := modes.Case{Environment: &env, Source: Source(), Array: array}
		directions := directionsOf(at, moves)
		solve, derivative := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
		for turn := range derivativeTurns {
			start := processorTime()
			for _, hz := range Tones() {
				m, err := s.Solve(&env, hz)
				if err != nil {
					return d, err
				}
				m.Pressure(p, at.Source, array)
			}
			middle := processorTime()
			for _, hz := range Tones() {
				if _, err := s.Jacobian(p, jac, at, hz, directions); err != nil {
					return d, err
				}
			}
			if turn > 0 { // the first makes the memory
				solve, derivative = min(solve, middle-start), min(derivative, processorTime()-middle)
			}
		}
		solves, derivatives = solves+solve, derivatives+derivative
	}
	return Derivative{len(moves), derivatives.Seconds() * 1000 / float64(len(oceans)), derivatives.Seconds() / solves.Seconds()}, nil
}

// resampled is the ocean with its profile at even knots.
func resampled(env acoustics.Environment) acoustics.Environment {
	env = env.Clone()
	p := env.Water.Profile
	even := acoustics.SoundSpeedProfile{Interpolation: p.Interpolation}
	for i := range knots {
		z := env.Water.Depth * float64(i) / (knots - 1)
		even.Depth, even.Speed = append(even.Depth, z), append(even.Speed, p.SoundSpeedAt(z))
	}
	env.Water.Profile = even
	return env
}

func directionsOf(at modes.Case, moves []move) (out []modes.Direction) {
	moved := func(m move, x float64) modes.Case {
		c, env := at, at.Environment.Clone()
		c.Environment = &env
		m.apply(&c, x)
		return c
	}
	for _, m := range moves {
		out = append(out, modes.Direction{Plus: moved(m, m.step), Minus: moved(m, -m.step), Step: m.step})
	}
	return out
}

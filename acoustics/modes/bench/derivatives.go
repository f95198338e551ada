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

// derivativeTurns is how often pressure and derivative are timed turn by turn.
const derivativeTurns = 8

// timeDerivatives differentiates by eight parameters of all kinds, by the sound speed
// at 40 knots of the profile, and by both with 40 knots and with 92.
func (r *Result) timeDerivatives(o Options, oceans []acoustics.Environment) error {
	for _, set := range []parameters{{0, eightMoves()}, {40, nil}, {40, eightMoves()}, {92, eightMoves()}} {
		d, err := set.time(o.Tolerance, oceans[:min(len(oceans), 50)])
		if err != nil {
			return err
		}
		r.Derivatives = append(r.Derivatives, d)
	}
	return nil
}

// parameters are the sound speed at so many even knots of the profile, which has them
// then (0: it stays as it is), and others.
type parameters struct {
	knots  int
	others []move
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

func (p parameters) moves() (out []move) {
	for i := range p.knots {
		out = append(out, move{1e-3, func(c *modes.Case, x float64) { c.Environment.Water.Profile.Speed[i] += x }})
	}
	return append(out, p.others...)
}

// time times pressure and derivative ocean by ocean; of each the quickest of several
// turns counts.
func (p parameters) time(tolerance float64, oceans []acoustics.Environment) (d Derivative, err error) {
	s, err := solver(tolerance)
	if err != nil {
		return d, err
	}
	array, moves := Array(), p.moves()
	field := make([]complex128, len(array.Depths))
	jac := make([]complex128, len(array.Depths)*len(moves))
	var directions modes.Directions
	var solves, derivatives time.Duration
	for i := range oceans {
		env := oceans[i]
		if p.knots > 0 {
			env = resampled(env, p.knots)
		}
		at := modes.Case{Environment: &env, Source: Source(), Array: array}
		list := directionsOf(at, moves)
		solve, derivative := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
		for turn := range derivativeTurns {
			start := processorTime()
			for _, hz := range Tones() {
				m, err := s.Solve(&env, hz)
				if err != nil {
					return d, err
				}
				m.Pressure(field, at.Source, array)
			}
			middle := processorTime()
			if err := directions.Set(at, list); err != nil {
				return d, err
			}
			for _, hz := range Tones() {
				if _, err := s.Jacobian(field, jac, &directions, hz); err != nil {
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
func resampled(env acoustics.Environment, knots int) acoustics.Environment {
	env = env.Clone()
	p := env.Water.Profile
	even := acoustics.SoundSpeedProfile{Interpolation: p.Interpolation}
	for i := range knots {
		z := env.Water.Depth * float64(i) / float64(knots-1)
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

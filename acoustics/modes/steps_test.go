package modes_test

import (
	"testing"

	"oceaninv/acoustics/modes"
	"oceaninv/acoustics/modes/bench"
)

// Modes that the mudstone carries with hardly any of them in the water make the
// phase climb in steps; plain Newton went back and forth over these without end.
func TestModesWhereThePhaseClimbsInSteps(t *testing.T) {
	for _, c := range []struct{ depth, speed, frequency, maxPhaseSpeed float64 }{
		{236.11548590003648, 1576.8994797006044, 148, 3000},
		{228.93539251356856, 1579.1137961400968, 388, 3000},
		{224.85798485855085, 1574.2420263234435, 388, 0},
	} {
		o := modes.DefaultOptions()
		o.MaxPhaseSpeed = c.maxPhaseSpeed
		s, err := modes.NewSolver(o)
		if err != nil {
			t.Fatal(err)
		}
		env := bench.SWellEx96(c.depth, c.speed)
		m, err := s.Solve(&env, c.frequency)
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		for i := 1; i < m.Len(); i++ {
			if !(real(m.Kr[i]) < real(m.Kr[i-1])) {
				t.Errorf("%+v: wavenumbers %d and %d do not fall", c, i-1, i)
			}
		}
	}
}

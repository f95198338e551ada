package generative

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Law is the law of every column. Kind is one of
//
//	uniform  on [Low, High)
//	pareto   density Alpha x^-(Alpha+1) for x > 1: numpy's RandomState.pareto(Alpha) + 1
//	normal   standard normal
type Law struct {
	Kind  string  `json:"distribution"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Alpha float64 `json:"alpha"`
}

// Kinds lists the laws.
func Kinds() []string { return []string{"uniform", "pareto", "normal"} }

// Error is a mistake in one of a law's numbers, named as in JSON.
type Error struct{ Field, Problem string }

func (e *Error) Error() string { return e.Field + " " + e.Problem }

// Validate reports the first mistake, an [*Error].
func (l Law) Validate() error {
	switch l.Kind {
	case "normal":
		return nil
	case "uniform":
		if !(l.Low < l.High) || math.IsInf(l.Low, 0) || math.IsInf(l.High, 0) {
			return &Error{"high", fmt.Sprintf("must exceed low (%g) and both be finite, is %g", l.Low, l.High)}
		}
		return nil
	case "pareto":
		if !(l.Alpha > 0) || math.IsInf(l.Alpha, 0) {
			return &Error{"alpha", fmt.Sprintf("must be a positive number, is %g", l.Alpha)}
		}
		return nil
	}
	return &Error{"distribution", fmt.Sprintf("= %q is not one of uniform, pareto, normal", l.Kind)}
}

// Draw fills x with independent numbers. A law that Validate refuses panics.
func (l Law) Draw(x []float64, rng *rand.Rand) {
	if err := l.Validate(); err != nil {
		panic("generative: " + err.Error())
	}
	for i := range x {
		switch l.Kind {
		case "uniform":
			x[i] = l.Low + (l.High-l.Low)*rng.Float64()
		case "pareto":
			x[i] = math.Exp(rng.ExpFloat64() / l.Alpha)
		default:
			x[i] = rng.NormFloat64()
		}
	}
}

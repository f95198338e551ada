package calibration

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Estimate is a value with its Monte-Carlo standard error.
type Estimate struct {
	Value    float64 `json:"value"`
	StdError float64 `json:"standard_error"`
}

// String writes value ± standard error.
func (e Estimate) String() string { return fmt.Sprintf("%.4g ± %.2g", e.Value, e.StdError) }

// Largest is the largest of independent values, with the standard deviation of the largest
// of as many drawn from them with replacement (bootstrap): how much of it is the chance
// of which observations there are. It says nothing of values beyond those seen.
func Largest(values []float64, seed uint64) Estimate {
	return bootstrap(values, seed, func(v []float64) float64 { return slices.Max(v) })
}

// Smallest is the smallest of independent values, with its error as of [Largest].
func Smallest(values []float64, seed uint64) Estimate {
	return bootstrap(values, seed, func(v []float64) float64 { return slices.Min(v) })
}

// bootstrap is a statistic of independent values, with its standard deviation over sets of
// as many drawn from them with replacement.
func bootstrap[T any](values []T, seed uint64, statistic func([]T) float64) Estimate {
	if len(values) == 0 {
		return Estimate{math.NaN(), math.NaN()}
	}
	const resamples = 400
	rng := rand.New(rand.NewPCG(seed, 0x1a56e57))
	again, drawn := make([]float64, resamples), make([]T, len(values))
	for k := range again {
		for i := range drawn {
			drawn[i] = values[rng.IntN(len(values))]
		}
		again[k] = statistic(drawn)
	}
	return Estimate{statistic(values), Mean(again).StdError * math.Sqrt(resamples)}
}

// Mean is the mean of independent values with its standard error.
func Mean(values []float64) Estimate {
	n := float64(len(values))
	var mean, square float64
	for _, v := range values {
		mean += v / n
	}
	for _, v := range values {
		square += (v - mean) * (v - mean)
	}
	e := Estimate{Value: mean, StdError: math.NaN()}
	if n > 1 {
		e.StdError = math.Sqrt(square / (n - 1) / n)
	}
	return e
}

package calibration

import (
	"fmt"
	"math"
)

// Estimate is a value with its Monte-Carlo standard error.
type Estimate struct {
	Value    float64 `json:"value"`
	StdError float64 `json:"standard_error"`
}

// String writes value ± standard error.
func (e Estimate) String() string { return fmt.Sprintf("%.4g ± %.2g", e.Value, e.StdError) }

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

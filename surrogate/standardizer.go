package surrogate

import (
	"fmt"
	"math"
)

// Standardizer maps columns to mean 0 and standard deviation 1: u = (x - Mean)/Scale.
type Standardizer struct {
	Mean  []float64 `json:"mean"`
	Scale []float64 `json:"scale"` // standard deviations; 1 for a column that does not vary
}

// Moments accumulates the mean and variance of columns, row by row and in one sweep (Welford 1962), for data that
// does not fit in memory.
type Moments struct {
	rows         int
	mean, square []float64
}

// NewMoments starts with no rows of dim columns.
func NewMoments(dim int) *Moments {
	return &Moments{mean: make([]float64, dim), square: make([]float64, dim)}
}

// Add takes rows×dim numbers. It fails, without counting further rows, at one that is not finite.
func (m *Moments) Add(rows []float64) error {
	d := len(m.mean)
	if d == 0 || len(rows)%d != 0 {
		panic("surrogate: numbers do not fill rows of the moments' width")
	}
	for i := 0; i < len(rows); i += d {
		for j, v := range rows[i : i+d] {
			if !finite(v) {
				return fmt.Errorf("surrogate: row %d, column %d is %v", m.rows, j, v)
			}
		}
		m.rows++
		for j, v := range rows[i : i+d] {
			delta := v - m.mean[j]
			m.mean[j] += delta / float64(m.rows)
			m.square[j] += delta * (v - m.mean[j])
		}
	}
	return nil
}

// Standardizer returns the map for the rows seen, with the population's standard deviation (divisor n).
func (m *Moments) Standardizer() Standardizer {
	s := Identity(len(m.mean))
	copy(s.Mean, m.mean)
	for j, q := range m.square {
		// A spread at the level of rounding is a constant column: dividing by it would blow up noise.
		if sd := math.Sqrt(q / float64(max(m.rows, 1))); sd > 1e-12*math.Abs(m.mean[j]) && sd > 0 {
			s.Scale[j] = sd
		}
	}
	return s
}

// Identity returns the standardizer that changes nothing.
func Identity(dim int) Standardizer {
	s := Standardizer{Mean: make([]float64, dim), Scale: make([]float64, dim)}
	for j := range s.Scale {
		s.Scale[j] = 1
	}
	return s
}

// FitStandardizer returns the standardizer of the rows×dim matrix x. It fails if x is empty or not finite.
func FitStandardizer(x []float64, dim int) (Standardizer, error) {
	if dim < 1 || len(x) < dim || len(x)%dim != 0 {
		return Standardizer{}, fmt.Errorf("surrogate: %d numbers are not rows of %d columns", len(x), dim)
	}
	m := NewMoments(dim)
	if err := m.Add(x); err != nil {
		return Standardizer{}, err
	}
	return m.Standardizer(), nil
}

// Dim returns the number of columns.
func (s Standardizer) Dim() int { return len(s.Mean) }

// Validate reports a standardizer that is not a bijection.
func (s Standardizer) Validate() error {
	if len(s.Mean) != len(s.Scale) {
		return fmt.Errorf("surrogate: %d means and %d scales", len(s.Mean), len(s.Scale))
	}
	for j, v := range s.Scale {
		if !(v > 0) || !finite(v) || !finite(s.Mean[j]) {
			return fmt.Errorf("surrogate: column %d has mean %g and scale %g", j, s.Mean[j], v)
		}
	}
	return nil
}

// Apply sets u = (x - Mean)/Scale for whole rows; u may be x.
func (s Standardizer) Apply(u, x []float64) {
	for i := range x {
		j := i % len(s.Mean)
		u[i] = (x[i] - s.Mean[j]) / s.Scale[j]
	}
}

// Invert sets x = Mean + Scale u for whole rows; x may be u.
func (s Standardizer) Invert(x, u []float64) {
	for i := range u {
		j := i % len(s.Mean)
		x[i] = s.Mean[j] + s.Scale[j]*u[i]
	}
}

// LogDet returns ln|det ∂u/∂x| = -Σ ln Scale.
func (s Standardizer) LogDet() float64 {
	l := 0.0
	for _, v := range s.Scale {
		l -= math.Log(v)
	}
	return l
}

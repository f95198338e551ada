package surrogate

import (
	"fmt"
	"math"
)

// Conditional is a conditional density p(θ | y) in the units of θ and y: a flow between standardized coordinates.
// θ goes through Bounds, which keeps draws inside their box, and Theta; y goes through Y.
//
//	v = Theta(Bounds(θ)),  c = Y(y),  ln p(θ|y) = ln N(T(v; c); 0, I) + ln|∂T/∂v| + ln|∂v/∂θ|
//
// θ and y are float64 whatever the precision of the flow. It is safe for concurrent use as long as nothing changes
// the flow.
type Conditional[T Float] struct {
	Flow   *Flow[T]
	Bounds Bounds
	Theta  Standardizer // of Bounds(θ)
	Y      Standardizer
}

// NewConditional builds the density and its flow; spec.Dim and spec.CondDim are taken from the bounds and y. The
// standardizer of θ after the bounds is fitted by [Conditional.FitTheta] or may be set; until then it does nothing.
func NewConditional[T Float](spec FlowSpec, bounds Bounds, y Standardizer) (*Conditional[T], error) {
	if err := bounds.Validate(); err != nil {
		return nil, err
	}
	if err := y.Validate(); err != nil {
		return nil, err
	}
	spec.Dim, spec.CondDim = bounds.Dim(), y.Dim()
	f, err := NewFlow[T](spec)
	if err != nil {
		return nil, err
	}
	return &Conditional[T]{Flow: f, Bounds: bounds, Theta: Identity(bounds.Dim()), Y: y}, nil
}

// FitTheta sets Theta from rows of θ. It fails at a row that is outside the box or not finite.
func (c *Conditional[T]) FitTheta(theta []float64) error {
	d := c.Bounds.Dim()
	u := make([]float64, len(theta))
	for i := 0; i+d <= len(theta); i += d {
		if err := c.bound(u[i:i+d], theta[i:i+d], i/d); err != nil {
			return err
		}
	}
	s, err := FitStandardizer(u, d)
	if err != nil {
		return err
	}
	c.Theta = s
	return nil
}

func (c *Conditional[T]) bound(u, theta []float64, row int) error {
	for j, v := range theta {
		if !finite(v) {
			return fmt.Errorf("surrogate: parameter row %d, column %d is %v", row, j, v)
		}
	}
	if math.IsInf(c.Bounds.Apply(u, theta), -1) {
		return fmt.Errorf("surrogate: parameter row %d, %v, is outside the bounds", row, theta)
	}
	return nil
}

// Encode turns rows of θ and y into the rows v and c that the flow is trained on: maximising the flow's log-density
// of v given c maximises that of θ given y. It fails at a number that is not finite or a θ outside the box.
func (c *Conditional[T]) Encode(theta, y []float64) (v, cond []T, err error) {
	d := c.Bounds.Dim()
	v = make([]T, len(theta))
	u := make([]float64, d)
	for i := 0; i+d <= len(theta); i += d {
		if err := c.bound(u, theta[i:i+d], i/d); err != nil {
			return nil, nil, err
		}
		c.Theta.Apply(u, u)
		for j := range u {
			v[i+j] = T(u[j])
		}
	}
	cond, err = c.encodeY(y)
	return v, cond, err
}

func (c *Conditional[T]) encodeY(y []float64) ([]T, error) {
	n := c.Y.Dim()
	cond := make([]T, len(y))
	for i, v := range y {
		if !finite(v) {
			return nil, fmt.Errorf("surrogate: observation row %d, column %d is %v", i/n, i%n, v)
		}
		cond[i] = T((v - c.Y.Mean[i%n]) / c.Y.Scale[i%n])
	}
	return cond, nil
}

// LogProb returns ln p(θ|y) for each row of θ; y holds one observation for all rows or one per row. A θ outside the
// box has log-density -Inf. Numbers that are not finite are errors.
func (c *Conditional[T]) LogProb(theta, y []float64) ([]float64, error) {
	d := c.Bounds.Dim()
	rows := len(theta) / d
	if rows < 1 || rows*d != len(theta) {
		return nil, fmt.Errorf("surrogate: %d numbers are not rows of %d parameters", len(theta), d)
	}
	cond, err := c.encodeY(y)
	if err != nil {
		return nil, err
	}
	out, v, u := make([]float64, rows), make([]T, len(theta)), make([]float64, d)
	for i := range rows {
		row := theta[i*d : (i+1)*d]
		for j, x := range row {
			if !finite(x) {
				return nil, fmt.Errorf("surrogate: parameter row %d, column %d is %v", i, j, x)
			}
		}
		clear(u) // a row outside the box still needs numbers for the flow
		out[i] = c.Bounds.Apply(u, row) + c.Theta.LogDet()
		c.Theta.Apply(u, u)
		for j := range u {
			v[i*d+j] = T(u[j])
		}
	}
	l, err := c.Flow.LogProb(v, cond)
	for i := range l {
		out[i] += float64(l[i])
	}
	return out, err
}

// Sample draws n rows of θ given y (one observation for all or one per row), inside the box. Draw i uses the random
// stream (seed, i).
func (c *Conditional[T]) Sample(n int, y []float64, seed uint64) ([]float64, error) {
	cond, err := c.encodeY(y)
	if err != nil {
		return nil, err
	}
	v, err := c.Flow.Sample(n, cond, seed)
	if err != nil {
		return nil, err
	}
	theta := make([]float64, len(v))
	for i, x := range v {
		theta[i] = float64(x)
	}
	c.Theta.Invert(theta, theta)
	d := c.Bounds.Dim()
	for i := 0; i < len(theta); i += d {
		c.Bounds.Invert(theta[i:i+d], theta[i:i+d])
	}
	return theta, nil
}

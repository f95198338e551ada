package inversion

// Forward predicts the noise-free data of an experiment.
type Forward interface {
	// Predict sets dst, of length receivers×frequencies in the order
	// [receiver][frequency], to the pressure for parameters theta. It is not safe
	// for concurrent use: each goroutine has its own Forward.
	Predict(dst []complex128, theta []float64) error
}

// Differentiable is a Forward with derivatives.
type Differentiable interface {
	Forward
	// Jacobian also sets jac[i*D+j], of D parameters, to ∂p_i/∂θ_j.
	Jacobian(dst, jac []complex128, theta []float64) error
}

// ForwardFunc makes a Forward of a function.
type ForwardFunc func(dst []complex128, theta []float64) error

// Predict calls the function.
func (f ForwardFunc) Predict(dst []complex128, theta []float64) error { return f(dst, theta) }

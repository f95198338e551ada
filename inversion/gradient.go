package inversion

import (
	"errors"
	"fmt"
	"math"
	"math/cmplx"
)

// FiniteDifferences makes a Differentiable of any Forward by central differences
// with the given step in each parameter: 2D+1 solves a Jacobian, errors of the order
// of step². Near an edge of the support, or of what the forward model can do, the stencil
// turns inward, one-sided.
type FiniteDifferences struct {
	Forward
	Prior       *Prior
	Step        []float64
	minus, plus []complex128
	theta       []float64
}

// NewFiniteDifferences differentiates with steps of a ten-thousandth of each
// parameter's prior standard deviation.
func NewFiniteDifferences(forward Forward, prior *Prior, data int) *FiniteDifferences {
	f := &FiniteDifferences{Forward: forward, Prior: prior, minus: make([]complex128, data), plus: make([]complex128, data), theta: make([]float64, prior.Dim())}
	for i := range prior.Marginals {
		f.Step = append(f.Step, 1e-4*prior.Marginals[i].SDev())
	}
	return f
}

// Jacobian sets dst to the field and jac[i·D+j] to ∂p_i/∂θ_j. It is an error if there is no
// field at theta, or on neither side of it.
func (f *FiniteDifferences) Jacobian(dst, jac []complex128, theta []float64) error {
	if err := f.Predict(dst, theta); err != nil {
		return err
	}
	d := len(theta)
	for j := range d {
		a, below := f.beside(f.minus, dst, theta, j, -f.Step[j])
		b, above := f.beside(f.plus, dst, theta, j, f.Step[j])
		if !(b > a) {
			return errors.Join(fmt.Errorf("inversion: no field beside parameter %d = %g", j+1, theta[j]), below, above)
		}
		for i := range dst {
			jac[i*d+j] = (f.plus[i] - f.minus[i]) / complex(b-a, 0)
		}
	}
	return nil
}

// beside sets p to the field a step from theta in parameter j and returns where that is. Where
// there is none it stays at theta, where the field is centre, and says why.
func (f *FiniteDifferences) beside(p, centre []complex128, theta []float64, j int, step float64) (float64, error) {
	low, high := f.Prior.Marginals[j].Bounds()
	copy(f.theta, theta)
	f.theta[j] = math.Min(math.Max(theta[j]+step, low), high)
	err := f.Predict(p, f.theta)
	if err != nil {
		copy(p, centre)
		return theta[j], err
	}
	return f.theta[j], nil
}

// GradientTarget is a PosteriorTarget with a gradient, for Hamiltonian sampling in
// the unbounded coordinates of [NewUnboundedTarget].
type GradientTarget struct {
	*PosteriorTarget
	model       Differentiable
	differences *FiniteDifferences // where the model knows the field and not its slope
	jac         []complex128
}

// NewGradientTarget returns the target. The noise must not depend on the sample.
func NewGradientTarget(prior *Prior, model Differentiable, likelihood *Likelihood, data []complex128) (*GradientTarget, error) {
	if likelihood.Noise.Variance == nil {
		return nil, invalid("noise.convention", "gradients need a variance that is the same for all samples")
	}
	size := len(likelihood.residual)
	return &GradientTarget{NewPosteriorTarget(prior, model, likelihood, data), model, NewFiniteDifferences(model, prior, size), make([]complex128, size*prior.Dim())}, nil
}

// LogDensityGradient is the log density with its gradient: with r the whitened
// residual at the best amplitude a (1 for a known source),
//
//	∂ ln L/∂θ = Σ_f 2 Re (a ∂p_f)ᴴ r_f / ν_f,
//
// where the amplitude's own derivative drops out because it is a maximum, and for an
// unknown variance ν_f is its maximum-likelihood value ‖r_f‖²/N. The log density is -Inf
// where [PosteriorTarget.LogDensity] is and nowhere else.
func (t *GradientTarget) LogDensityGradient(grad, theta []float64) float64 {
	lp := t.Prior.LogDensity(theta)
	clear(grad)
	if math.IsInf(lp, -1) {
		return lp
	}
	t.Calls++
	if !t.differentiate(theta) {
		return math.Inf(-1)
	}
	l := t.Likelihood
	value := lp + l.LogDensity(t.field, t.Data)
	l.scores(grad, t.field, t.jac, t.Data)
	t.Prior.addScore(grad, theta)
	return value
}

// differentiate sets field and jac; it reports whether parameters theta are possible. A model
// may know the field and refuse its derivative, as modes do of ducts that are nearly alike
// ([modes.ErrNoDerivative]): then fields are differenced, and where no neighbour has a field
// the slope counts as 0. Taken for an impossible parameter it would be a wall that the
// posterior does not have; a force that is not quite the gradient costs acceptance only, as
// leapfrog steps keep volume and turn back under any force of the position.
func (t *GradientTarget) differentiate(theta []float64) bool {
	if t.model.Jacobian(t.field, t.jac, theta) == nil || t.differences.Jacobian(t.field, t.jac, theta) == nil {
		return true
	}
	clear(t.jac)
	return t.model.Predict(t.field, theta) == nil
}

// scores adds the gradient of the log likelihood to grad.
func (l *Likelihood) scores(grad []float64, field, jac, data []complex128) {
	size := len(field)
	for k := range l.snapshots(field, data) {
		l.snapshotScores(grad, field, jac, data[k*size:(k+1)*size])
	}
}

// snapshotScores adds the gradient of one snapshot's log likelihood.
func (l *Likelihood) snapshotScores(grad []float64, field, jac, data []complex128) {
	n := l.Noise
	d := len(grad)
	copy(l.replica, field)
	copy(l.residual, data)
	n.whiten(l.replica)
	n.whiten(l.residual)
	column := make([]complex128, len(data))
	amplitude := make([]complex128, n.Tones)
	weight := make([]float64, n.Tones)
	for f := range n.Tones {
		amplitude[f] = 1
		if l.Form != KnownSource {
			var dot complex128
			for i := f; i < len(data); i += n.Tones {
				dot += cmplx.Conj(l.replica[i]) * l.residual[i]
			}
			amplitude[f] = dot / complex(toneNorm2(l.replica, f, n.Tones), 0)
		}
		for i := f; i < len(data); i += n.Tones {
			l.residual[i] -= amplitude[f] * l.replica[i]
		}
		weight[f] = 2 / n.Variance[f]
		if l.Form == UnknownVariance {
			weight[f] = 2 * float64(n.Receivers) / toneNorm2(l.residual, f, n.Tones)
		}
	}
	for j := range d {
		for i := range column {
			column[i] = jac[i*d+j]
		}
		n.whiten(column)
		for i, c := range column {
			f := i % n.Tones
			grad[j] += weight[f] * real(cmplx.Conj(amplitude[f]*c)*l.residual[i])
		}
	}
}

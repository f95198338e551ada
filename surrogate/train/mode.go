package train

import (
	"errors"
	"slices"

	"oceaninv/surrogate"
)

// Mode is how a flow is used, which decides the losses that make sense.
type Mode string

// The modes.
const (
	ModeINN         Mode = "inn"         // T(x, padding) = (z, y): [TrainINN]
	ModeConditional Mode = "conditional" // q(x | y): [TrainConditional]
	ModeNF          Mode = "nf"          // x alone: [TrainFlow]
)

// Losses lists the losses that a mode can be trained with. Of x alone (NF) nll is
// the paper's Σz² - ln|J|, and nll_exact the same as maximum_likelihood.
func (m Mode) Losses() []Loss {
	switch m {
	case ModeConditional:
		return []Loss{LossMaximumLikelihood}
	case ModeNF:
		return Losses()
	}
	return slices.DeleteFunc(Losses(), func(l Loss) bool { return l == LossMaximumLikelihood })
}

// Shape is the size of a training's data: rows, columns of x and columns of y.
type Shape struct{ Rows, NX, NY int }

// Check reports, before anything runs, every reason why a flow of the spec cannot
// be trained in a mode with the options on data of that shape, each an
// [*OptionError], joined. It does not repeat [Options.Validate] or
// [surrogate.FlowSpec.Validate].
func Check(m Mode, spec surrogate.FlowSpec, s Shape, o Options) error {
	c := &checker{}
	switch m {
	case ModeConditional:
		c.check(spec.Dim == s.NX, "flow.dim", "must be the %d columns of x, is %d", s.NX, spec.Dim)
		c.check(spec.CondDim == s.NY, "flow.cond_dim", "must be the %d columns of y, is %d", s.NY, spec.CondDim)
		c.check(o.Loss == LossMaximumLikelihood, "loss", "a conditional flow is trained by maximum_likelihood, not %q", o.Loss)
	case ModeINN, ModeNF:
		ny := s.NY
		if m == ModeNF {
			ny = 0
		}
		c.check(spec.CondDim == 0, "flow", "an invertible network takes no condition, this flow has one of %d numbers; train it as a conditional flow", spec.CondDim)
		c.check(spec.Dim >= s.NX, "flow.dim", "must be at least the %d columns of x, is %d", s.NX, spec.Dim)
		c.check(spec.Dim > ny, "flow.dim", "must exceed the %d columns of y to leave room for a latent part, is %d", ny, spec.Dim)
		if ny > 0 {
			c.check(o.Loss != LossMaximumLikelihood, "loss", "maximum_likelihood needs a conditional flow or data without y; for an invertible network the likelihood is nll_exact")
		}
		mixes := spec.Permutation == "rotation" || spec.Permutation == "householder"
		c.check(!spec.Elementwise() || spec.Dim == 1 || mixes && spec.Blocks > 1, "flow.coupling",
			"%s treats every coordinate on its own, so that no output could depend on two inputs; use a coupling such as glow or spline, or more than one block with permutation = \"rotation\"", spec.Coupling)
	default:
		c.check(false, "mode", "%q is not one of inn, conditional, nf", m)
	}
	c.check(s.NX > 0, "data", "has no column to infer")
	c.check(s.Rows > 0, "data", "has no rows")
	c.check(o.BatchSize <= s.Rows, "batch_size", "is %d, more than the %d rows of training data", o.BatchSize, s.Rows)
	return errors.Join(append(c.errs, o.validateShape(s.NX))...)
}

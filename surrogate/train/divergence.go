package train

import (
	"fmt"
	"math"
	"strings"
)

// Divergence is one of the f-divergences D_f(P‖Q) = E_Q f(p/q) with P the data's law and Q the model's, estimated
// through its variational bound (Nguyen, Wainwright & Jordan 2010; Nowozin et al. 2016)
//
//	D_f(P‖Q) ≥ E_P[g(v)] - E_Q[f*(g(v))],
//
// where v is a critic's output and g maps the real line onto the domain of the conjugate f*. Equality holds at
// the critic v* given by [Divergence.Optimum].
type Divergence int

// The divergences. With u = p/q the generators f(u) are:
const (
	KLD Divergence = iota // u ln u: KL(data‖model)
	RKL                   // -ln u: KL(model‖data)
	CHI                   // (u-1)²: Pearson's chi-square
	SQH                   // (√u-1)²: squared Hellinger, twice the usual normalisation
	JSD                   // u ln u - (u+1) ln((u+1)/2): twice the Jensen-Shannon divergence
	GAN                   // u ln u - (u+1) ln(u+1): twice Jensen-Shannon less ln 4
)

var divergenceNames = [...]string{"kld", "rkl", "chi", "sqh", "jsd", "gan"}

func (d Divergence) String() string {
	if d < 0 || int(d) >= len(divergenceNames) {
		return fmt.Sprintf("Divergence(%d)", int(d))
	}
	return divergenceNames[d]
}

// ParseDivergence reads a divergence's name, in any case.
func ParseDivergence(name string) (Divergence, error) {
	for i, n := range divergenceNames {
		if strings.EqualFold(n, name) {
			return Divergence(i), nil
		}
	}
	return 0, fmt.Errorf("unknown divergence %q: one of %s", name, strings.Join(divergenceNames[:], ", "))
}

// Real returns g(v) and g'(v), the term of the bound under the data.
func (d Divergence) Real(v float64) (g, slope float64) {
	switch d {
	case KLD, CHI:
		return v, 1
	case RKL:
		e := math.Exp(-v)
		return -e, e
	case SQH:
		e := math.Exp(-v)
		return -math.Expm1(-v), e
	case JSD:
		s, sig := softplus(-v)
		return math.Ln2 - s, sig
	case GAN:
		s, sig := softplus(-v)
		return -s, sig
	}
	panic("train: unknown divergence")
}

// Fake returns f*(g(v)) and its derivative, the term of the bound under the model, in a form that does not
// overflow where the bound itself is finite.
func (d Divergence) Fake(v float64) (conjugate, slope float64) {
	switch d {
	case KLD:
		e := math.Exp(v - 1)
		return e, e
	case RKL:
		return v - 1, 1
	case CHI:
		return v*v/4 + v, v/2 + 1
	case SQH:
		return math.Expm1(v), math.Exp(v)
	case JSD:
		s, sig := softplus(v)
		return s - math.Ln2, sig
	case GAN:
		return softplus(v)
	}
	panic("train: unknown divergence")
}

// Optimum is the critic's value at which the bound is tight where ln(p/q) = logRatio.
func (d Divergence) Optimum(logRatio float64) float64 {
	switch d {
	case KLD:
		return 1 + logRatio
	case RKL, JSD, GAN:
		return logRatio
	case CHI:
		return 2 * math.Expm1(logRatio)
	case SQH:
		return logRatio / 2
	}
	panic("train: unknown divergence")
}

// softplus is ln(1+e^v) and its derivative.
func softplus(v float64) (value, slope float64) {
	e := math.Exp(-math.Abs(v))
	if v < 0 {
		return math.Log1p(e), e / (1 + e)
	}
	return v + math.Log1p(e), 1 / (1 + e)
}

// Clamp says which of a critic's scores are confined to [-Limit, Limit] before they enter the objective.
//
// A hard clamp, the released code's, has no gradient outside: a score that has left on the wrong side (data
// scored below -Limit) can never come back. With Tangent the objective goes on along its tangent on the side
// from which minimising it pulls the score back, and is constant only on the side to which it would run away.
type Clamp struct {
	Limit      float64
	Real, Fake bool
	Tangent    bool
	CriticOnly bool // the model's objective sees scores as they are
}

// PaperClamp confines the scores of data only, to ±4, hard, as the released code does.
func PaperClamp() Clamp { return Clamp{Limit: 4, Real: true} }

// HardClamp confines all scores to ±4, hard, while the critic learns, and none in the model's objective, as the
// authors' studies of generation (pareto_exp.py, obs5.ipynb) do.
func HardClamp() Clamp { return Clamp{Limit: 4, Real: true, Fake: true, CriticOnly: true} }

// TangentClamp confines the scores of data and model alike to ±4, so that e^(v-1) cannot run away on the model's
// side, and lets them come back.
func TangentClamp() Clamp { return Clamp{Limit: 4, Real: true, Fake: true, Tangent: true} }

// apply evaluates f at the confined score. sign is that of f in what is minimised.
func (c Clamp) apply(on bool, sign, v float64, f func(float64) (float64, float64)) (value, slope float64) {
	if !on || math.Abs(v) <= c.Limit || v != v {
		return f(v)
	}
	edge := math.Copysign(c.Limit, v)
	value, slope = f(edge)
	if c.Tangent && sign*slope*edge > 0 { // descent leads back inside
		return value + slope*(v-edge), slope
	}
	return value, 0
}

// GeneratorObjective is what the model minimises against a critic.
type GeneratorObjective int

// The objectives: Trick, the released code's -E_Q g(v) (the non-saturating heuristic of Goodfellow et al.), and
// Saddle, -E_Q f*(g(v)), the model's share of the bound itself.
const (
	Trick GeneratorObjective = iota
	Saddle
)

// ParseGeneratorObjective reads "trick" or "saddle".
func ParseGeneratorObjective(name string) (GeneratorObjective, error) {
	switch strings.ToLower(name) {
	case "trick":
		return Trick, nil
	case "saddle":
		return Saddle, nil
	}
	return 0, fmt.Errorf("unknown generator objective %q: one of trick, saddle", name)
}

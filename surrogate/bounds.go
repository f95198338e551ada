package surrogate

import (
	"fmt"
	"math"
)

// Bounds maps a box onto R^D coordinate by coordinate, so that a flow on R^D never leaves the box. A coordinate
// between finite Lower and Upper uses, with p = (θ - Lower)/(Upper - Lower), u = logit p or, with Link probit,
// u = Φ⁻¹(p), under which a uniform prior becomes the standard normal law. A coordinate with one infinite end uses
// the logarithm of the distance to the other, one without ends is unchanged.
type Bounds struct {
	Lower []float64 `json:"lower"`
	Upper []float64 `json:"upper"`
	Link  string    `json:"link"` // logit or probit
}

// edgeShare is how near to an end of the box, as a share of its width, a value is told from the end itself.
const edgeShare = 1e-12

// Dim returns the number of coordinates.
func (b Bounds) Dim() int { return len(b.Lower) }

// Validate reports bounds that enclose nothing, or an unknown link.
func (b Bounds) Validate() error {
	if len(b.Lower) != len(b.Upper) {
		return fmt.Errorf("surrogate: %d lower and %d upper bounds", len(b.Lower), len(b.Upper))
	}
	if b.Link != "logit" && b.Link != "probit" {
		return fmt.Errorf("surrogate: link = %q is not logit or probit", b.Link)
	}
	for j, lo := range b.Lower {
		if !(lo < b.Upper[j]) || math.IsInf(lo, 1) || math.IsInf(b.Upper[j], -1) {
			return fmt.Errorf("surrogate: coordinate %d is bounded by %g and %g", j, lo, b.Upper[j])
		}
	}
	return nil
}

// Apply maps one point θ of the box to u and returns ln|det ∂u/∂θ|. Values at an end, or nearer to it than 1e-12 of
// the width, are treated as lying that far inside. Outside the box, u is not set and the result is -Inf, the
// log-density's value there.
func (b Bounds) Apply(u, theta []float64) (logdet float64) {
	for j, v := range theta {
		if v < b.Lower[j] || v > b.Upper[j] {
			return math.Inf(-1)
		}
	}
	for j, v := range theta {
		x, l := b.apply(j, v)
		u[j] = x
		logdet += l
	}
	return logdet
}

func (b Bounds) apply(j int, v float64) (u, logdet float64) {
	lo, hi := b.Lower[j], b.Upper[j]
	switch {
	case math.IsInf(lo, -1) && math.IsInf(hi, 1):
		return v, 0
	case math.IsInf(hi, 1):
		d := math.Max(v-lo, math.SmallestNonzeroFloat64)
		return math.Log(d), -math.Log(d)
	case math.IsInf(lo, -1):
		d := math.Max(hi-v, math.SmallestNonzeroFloat64)
		return -math.Log(d), -math.Log(d)
	}
	w := hi - lo
	p, q := math.Max((v-lo)/w, edgeShare), math.Max((hi-v)/w, edgeShare)
	if b.Link == "logit" {
		return math.Log(p) - math.Log(q), -math.Log(w) - math.Log(p) - math.Log(q)
	}
	u = quantile(p, q)
	return u, -math.Log(w) + 0.5*u*u + lnSqrt2Pi
}

// quantile returns Φ⁻¹(p) given p and 1-p, from the smaller so that neither tail loses digits.
func quantile(p, q float64) float64 {
	if p < q {
		return -math.Sqrt2 * math.Erfcinv(2*p)
	}
	return math.Sqrt2 * math.Erfcinv(2*q)
}

// Invert maps one point u to θ, which lies in the closed box whatever u is.
func (b Bounds) Invert(theta, u []float64) {
	for j, v := range u {
		lo, hi := b.Lower[j], b.Upper[j]
		switch {
		case math.IsInf(lo, -1) && math.IsInf(hi, 1):
			theta[j] = v
		case math.IsInf(hi, 1):
			theta[j] = lo + math.Exp(v)
		case math.IsInf(lo, -1):
			theta[j] = hi - math.Exp(-v)
		default:
			theta[j] = math.Min(math.Max(b.inside(lo, hi, v), lo), hi)
		}
	}
}

// inside counts from the nearer end, so that values close to the upper end keep their digits.
func (b Bounds) inside(lo, hi, u float64) float64 {
	share := func(u float64) float64 {
		if b.Link == "logit" {
			return 1 / (1 + math.Exp(-u))
		}
		return 0.5 * math.Erfc(-u/math.Sqrt2)
	}
	if u < 0 {
		return lo + (hi-lo)*share(u)
	}
	return hi - (hi-lo)*share(-u)
}

package inversion

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// Marginal is the prior of one parameter. Which fields it uses depends on Kind.
type Marginal struct {
	Kind PriorKind `json:"kind" hcl:"kind,label"`
	// Low and High bound Uniform, LogUniform and TruncatedNormal.
	Low  float64 `json:"low,omitempty" hcl:"low,optional"`
	High float64 `json:"high,omitempty" hcl:"high,optional"`
	// Mean and SD (standard deviation) of Normal and TruncatedNormal, the latter
	// before truncation. For LogNormal, SD is that of the natural logarithm.
	Mean float64 `json:"mean,omitempty" hcl:"mean,optional"`
	SD   float64 `json:"sd,omitempty" hcl:"sd,optional"`
	// Median of LogNormal.
	Median float64 `json:"median,omitempty" hcl:"median,optional"`
}

// PriorKind names a family of priors. It is an alias because a label of a block
// is decoded into a plain string only.
type PriorKind = string

// Families of priors.
const (
	Uniform         PriorKind = "uniform"
	Normal          PriorKind = "normal"
	TruncatedNormal PriorKind = "truncated_normal"
	LogUniform      PriorKind = "log_uniform"
	LogNormal       PriorKind = "log_normal"
)

func (m *Marginal) validate(field string) error {
	for _, v := range []float64{m.Low, m.High, m.Mean, m.SD, m.Median} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return invalid(field, "%g is not a finite number", v)
		}
	}
	switch m.Kind {
	case Uniform, LogUniform, TruncatedNormal:
		if !(m.Low < m.High) {
			return invalid(field, "low = %g is not below high = %g", m.Low, m.High)
		}
	case Normal, LogNormal:
	default:
		return invalid(field, "unknown kind %q; choose one of %q", m.Kind,
			[]PriorKind{Uniform, Normal, TruncatedNormal, LogUniform, LogNormal})
	}
	if m.Kind == LogUniform && m.Low <= 0 {
		return invalid(field, "a log-uniform prior needs low > 0, not %g", m.Low)
	}
	if m.Kind == LogNormal && m.Median <= 0 {
		return invalid(field, "a log-normal prior needs median > 0, not %g", m.Median)
	}
	if (m.Kind == Normal || m.Kind == TruncatedNormal || m.Kind == LogNormal) && m.SD <= 0 {
		return invalid(field, "sd = %g is not positive", m.SD)
	}
	if m.Kind == TruncatedNormal && m.mass() < 1e-12 {
		return invalid(field, "[%g, %g] holds none of the mass of a normal with mean %g and sd %g", m.Low, m.High, m.Mean, m.SD)
	}
	return nil
}

// mass is the probability a normal has between Low and High.
func (m *Marginal) mass() float64 {
	a, b := (m.Low-m.Mean)/m.SD, (m.High-m.Mean)/m.SD
	if a > 0 { // the upper tail keeps its digits in the mirror image
		a, b = -b, -a
	}
	return normalCDF(b) - normalCDF(a)
}

// Bounds is the support; unbounded ends are infinite.
func (m *Marginal) Bounds() (low, high float64) {
	switch m.Kind {
	case Normal:
		return math.Inf(-1), math.Inf(1)
	case LogNormal:
		return 0, math.Inf(1)
	}
	return m.Low, m.High
}

// Within is the prior restricted to [low, high] and normalised again. A log-normal
// prior, whose family has no bounds, is left as it is.
func (m Marginal) Within(low, high float64) Marginal {
	if m.Kind == LogNormal {
		return m
	}
	from, to := m.Bounds()
	m.Low, m.High = math.Max(low, from), math.Min(high, to)
	if m.Kind == Normal {
		m.Kind = TruncatedNormal
	}
	return m
}

// Extent is an interval to draw or grid over: the bounds where they are finite,
// else the quantiles at the tail probability 1e-6.
func (m *Marginal) Extent() (low, high float64) {
	low, high = m.Bounds()
	if math.IsInf(low, 0) || m.Kind == LogNormal {
		low = m.Quantile(1e-6)
	}
	if math.IsInf(high, 0) {
		high = m.Quantile(1 - 1e-6)
	}
	return low, high
}

// LogDensity is ln of the density at x, -Inf outside the support.
func (m *Marginal) LogDensity(x float64) float64 {
	low, high := m.Bounds()
	if math.IsNaN(x) || x < low || x > high {
		return math.Inf(-1)
	}
	switch m.Kind {
	case Uniform:
		return -math.Log(m.High - m.Low)
	case LogUniform:
		return -math.Log(x * math.Log(m.High/m.Low))
	case Normal:
		return logNormal((x-m.Mean)/m.SD) - math.Log(m.SD)
	case TruncatedNormal:
		return logNormal((x-m.Mean)/m.SD) - math.Log(m.SD*m.mass())
	}
	if x == 0 {
		return math.Inf(-1)
	}
	return logNormal(math.Log(x/m.Median)/m.SD) - math.Log(m.SD*x)
}

// CDF is the probability of a value at most x.
func (m *Marginal) CDF(x float64) float64 {
	low, high := m.Bounds()
	if x <= low {
		return 0
	}
	if x >= high {
		return 1
	}
	switch m.Kind {
	case Uniform:
		return (x - m.Low) / (m.High - m.Low)
	case LogUniform:
		return math.Log(x/m.Low) / math.Log(m.High/m.Low)
	case Normal:
		return normalCDF((x - m.Mean) / m.SD)
	case TruncatedNormal:
		part := *m
		part.High = x
		return part.mass() / m.mass()
	}
	return normalCDF(math.Log(x/m.Median) / m.SD)
}

// Quantile is the value at probability u in [0, 1], the inverse of CDF.
func (m *Marginal) Quantile(u float64) float64 {
	switch m.Kind {
	case Uniform:
		return m.Low + u*(m.High-m.Low)
	case LogUniform:
		return m.Low * math.Pow(m.High/m.Low, u)
	case Normal:
		return m.Mean + m.SD*mathext.NormalQuantile(u)
	case TruncatedNormal:
		return m.truncatedQuantile(u)
	}
	return m.Median * math.Exp(m.SD*mathext.NormalQuantile(u))
}

func (m *Marginal) truncatedQuantile(u float64) float64 {
	a, b := (m.Low-m.Mean)/m.SD, (m.High-m.Mean)/m.SD
	var z float64
	if a > 0 {
		p := normalCDF(-a) - u*m.mass()
		z = -mathext.NormalQuantile(math.Max(p, 0))
	} else {
		p := normalCDF(a) + u*m.mass()
		z = mathext.NormalQuantile(math.Min(p, 1))
	}
	return m.Mean + m.SD*math.Min(math.Max(z, a), b)
}

// SDev is the standard deviation of the prior.
func (m *Marginal) SDev() float64 {
	switch m.Kind {
	case Uniform:
		return (m.High - m.Low) / math.Sqrt(12)
	case Normal:
		return m.SD
	case LogUniform:
		l := math.Log(m.High / m.Low)
		mean := (m.High - m.Low) / l
		return math.Sqrt((m.High*m.High-m.Low*m.Low)/(2*l) - mean*mean)
	case LogNormal:
		v := m.SD * m.SD
		return m.Median * math.Exp(v/2) * math.Sqrt(math.Expm1(v))
	}
	return m.truncatedSD()
}

// truncatedSD is the standard deviation of a truncated normal: with the standard
// bounds a, b and mass Z, variance/SD² = 1 + (aφ(a)-bφ(b))/Z - ((φ(a)-φ(b))/Z)².
func (m *Marginal) truncatedSD() float64 {
	a, b := (m.Low-m.Mean)/m.SD, (m.High-m.Mean)/m.SD
	pa, pb, z := math.Exp(logNormal(a)), math.Exp(logNormal(b)), m.mass()
	d := (pa - pb) / z
	return m.SD * math.Sqrt(math.Max(0, 1+(a*pa-b*pb)/z-d*d))
}

// Unbounded maps a value inside the support onto the real line: the logit between
// two bounds, the logarithm above one, the identity without any. A sampler or a
// flow working there never leaves the prior.
func (m *Marginal) Unbounded(x float64) float64 {
	switch m.Kind {
	case Normal:
		return x
	case LogNormal:
		return math.Log(x)
	}
	return math.Log((x - m.Low) / (m.High - x))
}

// Bounded is the inverse of Unbounded, with ln|dx/du|.
func (m *Marginal) Bounded(u float64) (x, logJacobian float64) {
	switch m.Kind {
	case Normal:
		return u, 0
	case LogNormal:
		return math.Exp(u), u
	}
	width := m.High - m.Low
	// σ(u) and σ(u)(1-σ(u)) from e = exp(-|u|), which cannot overflow.
	e := math.Exp(-math.Abs(u))
	s := 1 / (1 + e)
	if u < 0 {
		s = e / (1 + e)
	}
	return m.Low + width*s, math.Log(width) - math.Abs(u) - 2*math.Log1p(e)
}

// slope is dx/du of Bounded, and the derivative of its log.
func (m *Marginal) slope(u float64) (dx, dlog float64) {
	x, logJacobian := m.Bounded(u)
	switch m.Kind {
	case Normal:
		return 1, 0
	case LogNormal:
		return x, 1
	}
	return math.Exp(logJacobian), -math.Tanh(u / 2) // 1 - 2σ(u)
}

// logDensitySlope is d ln f/dx inside the support.
func (m *Marginal) logDensitySlope(x float64) float64 {
	switch m.Kind {
	case LogUniform:
		return -1 / x
	case Normal, TruncatedNormal:
		return -(x - m.Mean) / (m.SD * m.SD)
	case LogNormal:
		return -(1 + math.Log(x/m.Median)/(m.SD*m.SD)) / x
	}
	return 0
}

func normalCDF(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }

func logNormal(z float64) float64 { return -z*z/2 - 0.5*math.Log(2*math.Pi) }

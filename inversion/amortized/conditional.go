package amortized

import (
	"fmt"
	"math"

	"oceaninv/inversion"
	"oceaninv/inversion/matchedfield"
	"oceaninv/surrogate"
)

// Conditional is a trained conditional flow q(θ | y) and all it needs to be
// applied to observations in physical units. It is read-only once built: share it
// between goroutines, each with a [Session] of its own.
type Conditional struct {
	Prior *inversion.Prior
	Form  inversion.FeatureForm
	// Receivers and Tones are the shape of an observation.
	Receivers, Tones int
	// Match is the table of replicas that observations are summarised with, at
	// these temperatures; nil conditions on the features themselves.
	Match        *matchedfield.Table
	Temperatures []float64
	// Zeta standardises ζ where there is no Match.
	Zeta surrogate.Standardizer
	// Condition standardises the condition.
	Condition surrogate.Standardizer
	// Flow gives densities in double precision; draws are taken in single, see
	// [Session.Sample].
	Flow *surrogate.Flow[float64]
}

// ConditionSize is the length of the condition before the flow: the summary's,
// or the number of features.
func (c *Conditional) ConditionSize() int {
	if c.Match != nil {
		return matchedfield.NewSummarizer(c.Match, c.Temperatures).Size()
	}
	return inversion.FeatureSize(c.Form, c.Receivers, c.Tones)
}

// Session applies a Conditional. It owns the workspace.
type Session struct {
	model    *Conditional
	summary  *matchedfield.Summarizer
	pass     *surrogate.Pass[float64] // of densities, in double precision
	features []float64
	raw      []float64 // the condition before standardisation: the summary itself
	cond     []float64
	u, zeta  []float64
	drawers  []*drawer // one for each core
}

// batch is how many rows go through the flow at once: few enough that what the
// networks pass from layer to layer stays in cache.
const batch = 256

// NewSession returns a session that draws on one core.
func (c *Conditional) NewSession() *Session { return c.newSession(1) }

func (c *Conditional) newSession(workers int) *Session {
	d, k := c.Prior.Dim(), c.ConditionSize()
	s := &Session{
		model: c, features: make([]float64, inversion.FeatureSize(c.Form, c.Receivers, c.Tones)),
		raw: make([]float64, k), cond: make([]float64, k), u: make([]float64, batch*d), zeta: make([]float64, d),
	}
	if c.Match != nil {
		s.summary = matchedfield.NewSummarizer(c.Match, c.Temperatures)
	}
	if c.Flow != nil {
		s.pass = c.Flow.NewEvaluation(batch)
		single := surrogate.Convert[float32](c.Flow)
		for range max(workers, 1) {
			s.drawers = append(s.drawers, newDrawer(single))
		}
	}
	return s
}

// summarize sets s.raw from an observation (data layout [receiver][tone]).
func (s *Session) summarize(data []complex128) {
	c := s.model
	if len(data) != c.Receivers*c.Tones {
		panic(fmt.Sprintf("amortized: observation of %d values, the model has %d", len(data), c.Receivers*c.Tones))
	}
	inversion.Features(s.features, c.Form, data, c.Tones)
	if s.summary != nil {
		s.summary.Summarize(s.raw, s.features, 1)
		return
	}
	copy(s.raw, s.features)
}

// standardize sets u from θ and returns ln|det ∂u/∂θ|.
func (s *Session) standardize(u, theta []float64) float64 {
	c := s.model
	Unbounded(c.Prior, s.zeta, theta)
	logDet := -Bounded(c.Prior, u, s.zeta) // u is scratch here
	if s.summary != nil {
		return logDet + s.summary.Standardize(u, s.zeta, s.raw)
	}
	c.Zeta.Apply(u, s.zeta)
	return logDet + c.Zeta.LogDet()
}

// Prepare writes what the flow is trained on for one pair (θ, y): the
// standardised parameters u [D] and the condition before standardisation
// [ConditionSize].
func (s *Session) Prepare(u, condition, theta []float64, data []complex128) {
	s.summarize(data)
	s.standardize(u, theta)
	copy(condition, s.raw)
}

// condition returns the standardised condition, one for all rows.
func (s *Session) condition() []float64 {
	s.model.Condition.Apply(s.cond, s.raw)
	return s.cond
}

// LogDensity sets dst[i] to ln q(θ_i | y) for the rows of theta, -Inf outside
// the prior.
func (s *Session) LogDensity(dst, theta []float64, data []complex128) error {
	d := s.model.Prior.Dim()
	if len(theta) != len(dst)*d {
		panic(fmt.Sprintf("amortized: %d densities of %d values", len(dst), len(theta)))
	}
	s.summarize(data)
	cond := s.condition()
	for lo := 0; lo < len(dst); lo += batch {
		rows := min(batch, len(dst)-lo)
		u := s.u[:rows*d]
		for i := range rows {
			t := theta[(lo+i)*d : (lo+i+1)*d]
			if !s.model.Prior.Inside(t) {
				dst[lo+i] = math.Inf(-1)
				clear(u[i*d : (i+1)*d])
				continue
			}
			dst[lo+i] = s.standardize(u[i*d:(i+1)*d], t)
		}
		z, logDet, err := s.pass.Forward(u, cond)
		if err != nil {
			return err
		}
		for i := range rows {
			dst[lo+i] += logDet[i] + logNormal(z[i*d:(i+1)*d])
		}
	}
	return nil
}

// Misfit is ln(1 + χ²/N) of the best replica for the observation that was
// sampled or evaluated last: about ln 2 for an observation the table fits, and
// larger for one out of distribution. It is NaN for a model without a table.
func (s *Session) Misfit() float64 {
	if s.summary == nil {
		return math.NaN()
	}
	return s.raw[len(s.raw)-1]
}

// logNormal is the log density of the standard normal at z.
func logNormal(z []float64) float64 {
	sum := 0.0
	for _, v := range z {
		sum += v * v
	}
	return -sum/2 - float64(len(z))/2*math.Log(2*math.Pi)
}

package amortized

import (
	"math/rand/v2"

	"oceaninv/inversion"
)

// Estimator is a trained network that draws from an approximate posterior. It is
// read-only: each goroutine takes a [Sampler] of its own.
type Estimator interface {
	// NewSampler returns a sampler with its own workspace. Up to so many cores share
	// the draws of one observation, which do not depend on their number.
	NewSampler(cores int) Sampler
}

// Sampler draws from the approximate posterior of one observation after another.
type Sampler interface {
	// Sample draws n times for an observation in the data layout
	// [receiver][tone]. Draws carry log densities where the network has one.
	Sample(n int, data []complex128, rng *rand.Rand) (*inversion.Draws, error)
	// Misfit tells how badly the last observation fits anything the network has
	// seen, see [Session.Misfit]; NaN where that is not known.
	Misfit() float64
}

// NewSampler returns a new session.
func (c *Conditional) NewSampler(cores int) Sampler { return c.newSession(cores) }

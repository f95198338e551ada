package reference

import (
	"math"
	"math/rand/v2"

	"oceaninv/inversion"
)

// ensemble is a population of walkers at one temperature: its target is
// prior·likelihood^β.
type ensemble struct {
	d        int
	beta     float64
	theta    [][]float64 // walkers
	prior    []float64   // log prior of each
	like     []float64   // log likelihood of each
	proposal []float64
	accepted int
	proposed int
}

// tempered is prior·likelihood^β, in parts.
func tempered(prior, like, beta float64) float64 {
	if math.IsInf(prior, -1) {
		return prior
	}
	if beta == 0 { // 0·(-Inf) is the prior's business alone
		return prior
	}
	return prior + beta*like
}

// step moves every walker once, first one half against the other, then the other
// way round, so that each update leaves the joint distribution of all walkers as
// it is. Most moves are differential evolution (ter Braak, Stat. Comput. 16, 239
// (2006)), some the affine-invariant stretch (Goodman & Weare, Commun. Appl. Math.
// Comput. Sci. 5, 65 (2010)).
func (e *ensemble) step(target inversion.Tempered, rng *rand.Rand) {
	n := len(e.theta)
	for half := range 2 {
		first, others := half*(n/2), e.theta[(1-half)*(n/2):]
		count := n / 2
		if half == 1 {
			count, others = n-n/2, e.theta[:n/2]
		}
		for i := first; i < first+count; i++ {
			logJacobian := e.propose(e.theta[i], others, rng)
			e.accept(i, logJacobian, target, rng)
		}
	}
}

// propose sets e.proposal and returns the log of the Hastings factor.
func (e *ensemble) propose(x []float64, others [][]float64, rng *rand.Rand) float64 {
	if rng.Float64() < 0.3 {
		const a = 2.0
		z := math.Pow(1+(a-1)*rng.Float64(), 2) / a // density ∝ 1/√z on [1/a, a]
		y := others[rng.IntN(len(others))]
		for j := range e.proposal {
			e.proposal[j] = y[j] + z*(x[j]-y[j])
		}
		return float64(e.d-1) * math.Log(z)
	}
	a := rng.IntN(len(others))
	b := rng.IntN(len(others) - 1)
	if b >= a {
		b++
	}
	gamma := 2.38 / math.Sqrt(2*float64(e.d))
	if rng.Float64() < 0.1 { // a full difference leaps between modes
		gamma = 1
	}
	gamma *= 1 + 0.1*(rng.Float64()-0.5)
	for j := range e.proposal {
		e.proposal[j] = x[j] + gamma*(others[a][j]-others[b][j])*(1+1e-4*rng.NormFloat64())
	}
	return 0
}

func (e *ensemble) accept(i int, logJacobian float64, target inversion.Tempered, rng *rand.Rand) {
	e.proposed++
	u := math.Log(rng.Float64())
	prior := target.LogPrior(e.proposal)
	if math.IsInf(prior, -1) {
		return
	}
	like := target.LogLikelihood(e.proposal)
	if math.IsNaN(like) {
		return
	}
	if u < logJacobian+tempered(prior, like, e.beta)-tempered(e.prior[i], e.like[i], e.beta) {
		copy(e.theta[i], e.proposal)
		e.prior[i], e.like[i] = prior, like
		e.accepted++
	}
}

package calibration

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"oceaninv/inversion"
)

// OutOfDistribution scores how far an observation's summary lies from those of the
// training data: the squared Mahalanobis distance, and the share of training
// summaries farther out.
type OutOfDistribution struct {
	mean  []float64
	chol  mat.Cholesky
	train []float64 // sorted squared distances
}

// NewOutOfDistribution learns mean, covariance and distances of summaries (rows).
func NewOutOfDistribution(summaries [][]float64) (*OutOfDistribution, error) {
	d := len(summaries[0])
	if len(summaries) < 2*d+2 {
		return nil, fmt.Errorf("calibration: %d summaries of %d values; at least %d", len(summaries), d, 2*d+2)
	}
	o := &OutOfDistribution{mean: make([]float64, d)}
	for _, s := range summaries {
		for j, v := range s {
			o.mean[j] += v / float64(len(summaries))
		}
	}
	cov := mat.NewSymDense(d, nil)
	for _, s := range summaries {
		e := mat.NewVecDense(d, nil)
		for j, v := range s {
			e.SetVec(j, v-o.mean[j])
		}
		cov.SymRankOne(cov, 1/float64(len(summaries)-1), e)
	}
	var trace float64
	for j := range d {
		trace += cov.At(j, j) / float64(d)
	}
	for j := range d {
		cov.SetSym(j, j, cov.At(j, j)+1e-9*trace)
	}
	if !o.chol.Factorize(cov) {
		return nil, fmt.Errorf("calibration: the covariance of the summaries is singular")
	}
	for _, s := range summaries {
		o.train = append(o.train, o.Distance(s))
	}
	slices.Sort(o.train)
	return o, nil
}

// Distance is the squared Mahalanobis distance of a summary.
func (o *OutOfDistribution) Distance(summary []float64) float64 {
	e := mat.NewVecDense(len(o.mean), nil)
	for j, v := range summary {
		e.SetVec(j, v-o.mean[j])
	}
	var solved mat.VecDense
	if err := o.chol.SolveVecTo(&solved, e); err != nil {
		return math.Inf(1)
	}
	return mat.Dot(e, &solved)
}

// PValue is the share of training summaries at least as far out.
func (o *OutOfDistribution) PValue(summary []float64) float64 {
	d := o.Distance(summary)
	if math.IsNaN(d) {
		return 0
	}
	below, _ := slices.BinarySearch(o.train, d)
	return (float64(len(o.train)-below) + 1) / float64(len(o.train)+1)
}

// EnsembleSpread is the disagreement of an ensemble's posteriors at one
// observation: the largest, over parameters, of the standard deviation of the
// members' means over the mean of their standard deviations. Well above what it is
// on held-out data, the observation is unlike the training data.
func EnsembleSpread(members []*inversion.Draws) float64 {
	if len(members) < 2 {
		panic("calibration: the spread of an ensemble needs two members")
	}
	var worst float64
	for j := range members[0].D {
		var sd float64
		means := make([]float64, len(members))
		for i, m := range members {
			s := m.Summarize(j)
			means[i] = s.Mean
			sd += s.SD / float64(len(members))
		}
		spread := Mean(means).StdError * math.Sqrt(float64(len(members)))
		worst = math.Max(worst, spread/sd)
	}
	return worst
}

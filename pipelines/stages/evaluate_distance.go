package stages

import (
	"context"
	"math"
	"slices"

	"oceaninv/inversion"
	"oceaninv/inversion/calibration"
)

// distances are those of a posterior to the exact one.
type distances struct {
	wasserstein [][]float64 // [parameter][observation], in the parameter's unit
	relative    [][]float64 // the same over the exact standard deviation
	// floor is the distance over the exact standard deviation that draws of the
	// exact posterior itself, as many as these are worth, would be expected to have.
	floor    [][]float64
	sliced   []float64 // [observation], in exact standard deviations
	mmd      []float64 // [observation], squared, in exact standard deviations
	accuracy []float64 // [observation], of the classifier two-sample test
}

// slicedDirections is the number of projections of the sliced Wasserstein distance.
const slicedDirections = 64

// distances measures every observation.
func (c *comparison) distances(ctx context.Context, cores int, seed uint64, classifierDraws int) (*distances, error) {
	d := len(c.parameters)
	s := &distances{wasserstein: table(d, c.n), relative: table(d, c.n), floor: table(d, c.n),
		sliced: make([]float64, c.n), mmd: make([]float64, c.n), accuracy: make([]float64, c.n)}
	return s, forEach(ctx, cores, c.n, func() (func(context.Context, int) error, error) {
		return func(_ context.Context, i int) error {
			a, b := c.approx[i], c.exact[i]
			for j := range d {
				exact := b.Column(j)
				w := calibration.Wasserstein1(a.Column(j), a.Weights(), exact, nil)
				s.wasserstein[j][i], s.relative[j][i] = w, w/c.exactSD[i][j]
				s.floor[j][i] = expectedWasserstein(exact, c.worth(i, j)) / c.exactSD[i][j]
			}
			s.sliced[i] = calibration.SlicedWasserstein(a, b, c.exactSD[i], 2, slicedDirections, seed).Value
			s.mmd[i] = discrepancy(a, b, c.exactSD[i], itemSeed(seed, i))
			s.accuracy[i] = accuracy(a, b, classifierDraws, itemSeed(seed, i))
			return nil
		}, nil
	})
}

// worth is the number of independent draws that observation i's draws of
// parameter j are worth.
func (c *comparison) worth(i, j int) float64 {
	if j < len(c.effective) {
		return c.effective[j][i]
	}
	sum := 0.0
	for _, w := range c.approx[i].Weights() {
		sum += w * w
	}
	return 1 / sum
}

// expectedWasserstein is the Wasserstein-1 distance expected between a sample of a
// distribution and another one worth n draws: both empirical distribution
// functions scatter about the same one.
func expectedWasserstein(sample []float64, n float64) float64 {
	x := slices.Sorted(slices.Values(sample))
	cdf := make([]float64, len(x))
	for i := range cdf {
		cdf[i] = (float64(i) + 0.5) / float64(len(x))
	}
	m := float64(len(x))
	return calibration.WassersteinNoise(x, cdf, 1) * math.Sqrt(1/n+1/m)
}

// accuracy is that of the classifier two-sample test of as many draws of each, at
// most so many.
func accuracy(a, b *inversion.Draws, most int, seed uint64) float64 {
	rng := inversion.Rand(seed, inversion.DrawStream, 0)
	n := min(most, a.N(), b.N())
	options := calibration.DefaultC2STOptions()
	options.Seed = seed
	if n < 4*options.Folds {
		return math.NaN()
	}
	if a.LogWeight != nil {
		a = a.Resample(n, rng)
	}
	return calibration.C2ST(subset(a, n, rng.Perm(a.N())), subset(b, n, rng.Perm(b.N())), options).Accuracy.Value
}

// discrepancyDraws of each posterior, at most, enter the maximum mean discrepancy.
const discrepancyDraws = 300

// discrepancy is the squared maximum mean discrepancy of a few draws of each.
func discrepancy(a, b *inversion.Draws, scale []float64, seed uint64) float64 {
	rng := inversion.Rand(seed, inversion.DrawStream, 3)
	n := min(discrepancyDraws, a.N(), b.N())
	if a.LogWeight != nil {
		a = a.Resample(n, rng)
	}
	return calibration.MMD(subset(a, n, rng.Perm(a.N())), subset(b, n, rng.Perm(b.N())), scale, calibration.InverseMultiquadric, 0, seed).Squared.Value
}

// subset is the first n draws of an order.
func subset(s *inversion.Draws, n int, order []int) *inversion.Draws {
	out := inversion.NewDraws(n, s.D)
	for i := range n {
		copy(out.Row(i), s.Row(order[i]))
	}
	return out
}

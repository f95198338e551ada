package stages

import (
	"math"
	"slices"

	"oceaninv/inversion"
	"oceaninv/io/figure"
)

const (
	// cutPoints of a parameter's range, and as many near the draw that fits best.
	cutPoints = 241
	// cutReach is how far the near part goes to either side, in posterior standard
	// deviations.
	cutReach = 4.0
)

// sensitivity cuts the objective along each parameter with the others held at best: the
// Bartlett mismatch over the prior, where distant ambiguities show, and the likelihood near
// its maximum, whose curvature is what the data resolve.
func (s *portrait) sensitivity(o *observed, draws *inversion.Draws, best, truth []float64) (figure.Panels, error) {
	target, err := o.target(s.Number)
	if err != nil {
		return figure.Panels{}, err
	}
	out := figure.Panels{Height: 2 + 5.2*float64(len(best))}
	for j := range s.Problem.Parameters {
		p := &s.Problem.Parameters[j]
		low, high := p.Prior.Extent()
		reach := cutReach * draws.Summarize(j).SD
		near := even(max(low, best[j]-reach), min(high, best[j]+reach), cutPoints)
		wide := slices.Concat(even(low, high, cutPoints), near, best[j:j+1])
		slices.Sort(wide)
		axis := figure.Axis{Label: p.Label(), Unit: p.Unit(&s.Problem.Environment)}
		references := []figure.Reference{{Label: "best of the draws", X: figure.At(best[j])}}
		if truth != nil {
			references = append(references, figure.Reference{Label: "truth", X: figure.At(truth[j]), Truth: true})
		}
		far := target.Cut(best, j, wide)
		left := figure.Chart{X: axis, Y: figure.Axis{Label: "Bartlett mismatch"}, References: references,
			Series: []figure.Series{{X: far.At, Y: far.Mismatch, Hue: 1}}}
		left.X.Min, left.X.Max = low, high
		cut := target.Cut(best, j, near)
		top := math.Inf(-1)
		for _, l := range slices.Concat(cut.LogLikelihood, far.LogLikelihood) {
			top = max(top, l)
		}
		for i := range cut.LogLikelihood {
			cut.LogLikelihood[i] -= top
		}
		right := figure.Chart{X: axis, Y: figure.Axis{Label: "ln L less its maximum", Unit: "nat"}, References: within(references, near),
			Series: []figure.Series{{X: cut.At, Y: cut.LogLikelihood, Hue: 1}}}
		out.Charts = append(out.Charts, []figure.Chart{left, right})
	}
	return out, nil
}

// within keeps the vertical lines that lie in the range of sorted values.
func within(lines []figure.Reference, values []float64) []figure.Reference {
	return slices.DeleteFunc(slices.Clone(lines), func(r figure.Reference) bool {
		return *r.X < values[0] || *r.X > values[len(values)-1]
	})
}

package reference

import (
	"context"
	"fmt"
	"math"
	"slices"

	"oceaninv/inversion"
)

// spare is the share of draws beyond those asked for that [RefineThrough] refines,
// for its rejection step to choose from.
const spare = 0.25

// RefineThrough refines draws as [Refine] does, to a cheap target such as one of an
// interpolated field, and carries them over to the exact target behind it: a quarter
// more draws than asked for are refined, each is evaluated with the exact target, once,
// and kept with a probability in proportion to the ratio of the two densities. Where
// too few are left to choose from (targets further apart than a few tenths of a nat), the
// rest are resampled by weight, which makes copies.
//
// Last.LogEvidence is that of the exact target, and a warning is added where the
// weights say that the cheap target is too far off. Both targets must have the same
// normalisation.
func RefineThrough(ctx context.Context, draws *inversion.Draws, newCheap, newExact func() (inversion.Target, error), opt RefineOptions) (*Refined, error) {
	wider := opt
	wider.Draws = int(math.Ceil((1 + spare) * float64(opt.Draws)))
	out, err := Refine(ctx, draws, newCheap, wider)
	if err != nil {
		return nil, err
	}
	r := &refiner{ctx: ctx, opt: opt, d: out.Draws.D, rng: inversion.Rand(opt.Seed, inversion.DrawStream, 1)}
	for range workers(opt.Workers) {
		t, err := newExact()
		if err != nil {
			return nil, err
		}
		r.targets = append(r.targets, t)
	}
	exact, err := r.evaluate(out.Draws.Theta)
	if err != nil {
		return nil, err
	}
	out.Evaluations += r.evaluations
	r.correct(out, exact)
	return out, nil
}

// correct turns the refined draws of the cheap target, whose log densities they carry,
// into draws of the exact one, whose log densities at them are given.
func (r *refiner) correct(out *Refined, exact []float64) {
	weighted := &inversion.Draws{D: r.d, Theta: out.Draws.Theta, LogProb: exact, LogWeight: make([]float64, len(exact))}
	for i, l := range exact {
		weighted.LogWeight[i] = l - out.Draws.LogProb[i]
	}
	raw := slices.Clone(weighted.LogWeight)
	summary := Smooth(weighted.LogWeight)
	out.Correction = summary.Efficiency
	out.Last.LogEvidence += summary.LogEvidence
	out.Last.LogEvidenceError = math.Hypot(out.Last.LogEvidenceError, summary.LogEvidenceError)
	if !(summary.Efficiency >= r.opt.Efficiency) || (summary.KHat >= KHatLimit && summary.Efficiency < 0.9) {
		out.warn(fmt.Sprintf("the interpolated field is too far from the forward model (k-hat %.2f, efficiency %.3f of the correction)",
			summary.KHat, summary.Efficiency))
	}
	kept := r.reject(weighted, raw)
	if missing := r.opt.Draws - kept.N(); missing > 0 {
		more := weighted.Resample(missing, r.rng)
		kept.Theta, kept.LogProb = append(kept.Theta, more.Theta...), append(kept.LogProb, more.LogProb...)
	}
	out.Draws = kept
}

// reject keeps each draw with a probability of its weight over the largest, up to as
// many as are asked for.
func (r *refiner) reject(s *inversion.Draws, logWeight []float64) *inversion.Draws {
	top := slices.Max(logWeight)
	kept := &inversion.Draws{D: r.d}
	for i, l := range logWeight {
		if kept.N() == r.opt.Draws {
			break
		}
		if math.Log(r.rng.Float64()) < l-top {
			kept.Theta, kept.LogProb = append(kept.Theta, s.Row(i)...), append(kept.LogProb, s.LogProb[i])
		}
	}
	return kept
}

// warn adds to the warning.
func (out *Refined) warn(text string) {
	if out.Warning != "" {
		text = out.Warning + "; " + text
	}
	out.Warning = text
}

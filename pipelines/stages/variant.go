package stages

import (
	"oceaninv/inversion/amortized"
	"oceaninv/surrogate"
	"oceaninv/surrogate/train"
	"oceaninv/workflow/stage"
)

// variant is a training as it should be, or as the authors' code has it. This file
// alone knows what the two do otherwise; pipelines/RELEASED.md lists it.
type variant string

const (
	variantCorrected variant = "corrected"
	variantReleased  variant = "released"
)

// check reports a variant that is none; path is the argument's.
func (v variant) check(d *stage.Decoder, path string) {
	if v != variantCorrected && v != variantReleased {
		d.Errorf(path, "Unknown variant", "%q is not a variant; choose %q or %q.", v, variantCorrected, variantReleased)
	}
}

// vary sets what the released code does otherwise than it should, over the
// defaults of a loss, which are the authors' weights and optimisers.
//
// Released: permutations are numpy's, seeded by the number of the block; an i-ResNet
// is not spectrally normalised, its log-determinant is cut after 20 terms and its
// inverse takes 50 steps, and one whose gradient is taken, whatever they lead to; the weights under a divergence begin
// as N(0, 0.02²), and the critic's scores of data alone are clamped.
//
// Corrected: no term pulls draws towards the truth paired with them, which narrows
// the posterior, and the critic's scores of data and model alike are kept finite. Where
// a divergence is used in the forward direction, the supervised error of the paper's
// objective is part of it, with the weight the authors give it beside a Wasserstein
// loss, and the padding is noise: T of [x, 0…0] fills no more dimensions than x has, so
// that its law could never be that of (z, y). The
// loss nll is the paper's own objective, which nll_exact puts right: it keeps its terms.
func (v variant) vary(loss train.Loss, flow *surrogate.FlowSpec, o *train.Options) {
	_, divergence := loss.Divergence()
	if v == variantReleased {
		flow.Permutation = "numpy"
		flow.SpectralNorm, flow.LogDet, flow.LogDetTerms = false, "truncated", 20
		flow.ReleasedInverse, flow.InverseSteps = true, 51
		if divergence {
			flow.Init, flow.InitStd = "normal", 0.02
		}
		return
	}
	if loss != train.LossNLL {
		o.ReverseWeight = 0
	}
	if divergence {
		o.Clamp, o.FitWeight, o.PadNoise = "corrected", 10, 0.05
	}
}

// varyStudy sets, after vary, what the authors' scripts of anything but the ocean
// do otherwise than those of the ocean. None of them clips gradients; the robot arm's
// y has noise in inverse passes; where x alone is generated, nothing is paired with a
// draw, so that no term compares the two, and while the critic learns its scores of
// draws are clamped as well.
func (v variant) varyStudy(m train.Mode, loss train.Loss, o *train.Options) {
	if v != variantReleased {
		return
	}
	o.ClipNorm = 0
	if m == train.ModeNF {
		o.ReverseWeight = 0
	}
	_, divergence := loss.Divergence()
	switch {
	case divergence && m == train.ModeNF:
		o.Clamp = "hard"
	case !divergence && m == train.ModeINN:
		o.ReverseNoise = 0.1
	}
}

// samplingSlips are those of the released geoacoustic sampling: a network trained on
// (z, y), all but those of a divergence, is given (y, z), and one trained by a
// divergence an observation that is not standardised.
func (v variant) samplingSlips(loss train.Loss) amortized.SamplingSlips {
	if v != variantReleased {
		return amortized.SamplingSlips{}
	}
	_, divergence := loss.Divergence()
	return amortized.SamplingSlips{ReleasedOrder: !divergence, RawObservation: divergence}
}

// bounded reports whether parameters are taken in coordinates that no draw leaves
// the prior in; the released code standardises them as they are.
func (v variant) bounded() bool { return v == variantCorrected }

// testOnTraining reports whether the targets are among the positions trained on, and
// how many configurations share one of them; none if all are from the prior.
func (v variant) testOnTraining() (yes bool, inverses int) {
	if v == variantReleased {
		return true, 1000
	}
	return false, 0
}

// watches reports whether a training chooses its best epoch on held-out samples; if
// not it keeps its last weights. The released code looks at no held-out samples, and a
// loss against a critic that itself moves does not tell the best epoch.
func (v variant) watches(loss train.Loss) bool {
	_, divergence := loss.Divergence()
	return !divergence && v != variantReleased
}

// watch returns the held-out data of a training that watches them, else nil.
func (v variant) watch(loss train.Loss, held train.Dataset[float32]) train.Dataset[float32] {
	if !v.watches(loss) {
		return nil
	}
	return held
}

// checkPatience reports a patience that has no held-out samples to look at.
func (v variant) checkPatience(d *stage.Decoder, o train.Options) {
	if o.Patience > 0 && !v.watches(o.Loss) {
		d.Errorf(optionPath(d, "patience"), "Nothing to be patient about",
			"patience stops by the held-out loss, and a training with loss = %q and variant = %q looks at none: leave patience out.", o.Loss, v)
	}
}

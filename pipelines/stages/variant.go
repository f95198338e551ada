package stages

import (
	"oceaninv/surrogate"
	"oceaninv/surrogate/train"
)

// The variants of a training: as it should be, and as the authors' code has it.
const (
	variantCorrected = "corrected"
	variantReleased  = "released"
)

// vary sets what the released code does otherwise than it should, over the
// defaults of a loss, which are the authors' weights and optimisers.
//
// Released: permutations are numpy's, seeded by the number of the block; an i-ResNet
// is not spectrally normalised, its log-determinant is cut after 20 terms and its
// inverse takes 50 steps whatever they lead to; the weights under a divergence begin
// as N(0, 0.02²), and the critic's scores of data alone are clamped.
//
// Corrected: no term pulls draws towards the truth paired with them, which narrows
// the posterior, and the critic's scores of data and model alike are kept finite. Where
// a divergence is used in the forward direction, the supervised error of the paper's
// objective is part of it, with the weight the authors give it beside a Wasserstein
// loss, and the padding is noise: T of [x, 0…0] fills no more dimensions than x has, so
// that its law could never be that of (z, y). The
// loss nll is the paper's own objective, which nll_exact puts right: it keeps its terms.
func vary(variant string, loss train.Loss, flow *surrogate.FlowSpec, o *train.Options) {
	_, divergence := loss.Divergence()
	if variant == variantReleased {
		flow.Permutation = "numpy"
		flow.SpectralNorm, flow.LogDet, flow.LogDetTerms = false, "truncated", 20
		flow.ReleasedInverse, flow.InverseSteps = true, 50
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

// Package calibration judges posteriors: how far a sample is from the exact
// posterior ([Wasserstein1], [SlicedWasserstein], [MMD], [C2ST]), whether the
// probabilities of a posterior mean what they say over many observations ([SBC],
// [ExpectedCoverage], [TARP]), and whether the data it predicts are the data seen
// ([Predictive]).
//
// Every metric comes with its Monte-Carlo error, as an [Estimate] or a band, and
// none depends on the number of workers: random numbers come from a seed.
//
// # Limitations
//
// Classifier tests see only what their classifier can learn: 0.5 means that this
// classifier, with these draws, finds no difference. SBC and coverage are averages
// over observations drawn from the prior: an error that cancels over observations
// is invisible to them. They need draws that are independent within an
// observation; thin chains first.
package calibration

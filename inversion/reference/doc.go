// Package reference finds the posterior that an approximate one is judged by and
// refined to.
//
// For up to [MaxDim] parameters [NewGrid] solves it on adaptive cells: as exact as
// the likelihood. A grid needs tens of thousands of likelihoods for each
// observation; [NewInterpolant] makes them cheap by replacing the forward model,
// once for all observations, with expansions whose error it measures. For more
// parameters there are samplers ([Temper], [HMC]) with their diagnostics ([RHat],
// [EffectiveSize]), and for an approximate posterior with a density, importance
// refinement ([Refine]).
//
// # Limitations
//
// A grid can miss a mode that is narrower than the spacing of its first nodes and
// leaves no slope on them; its first division must follow the scale of the field
// (Interpolant.Cells does). Expansions converge slowly across a discontinuity of
// the field, such as a mode that appears at a cut-off: the measured error shows
// it.
package reference

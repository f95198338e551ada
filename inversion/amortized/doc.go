// Package amortized holds networks that answer an inverse problem for any
// observation: [Conditional], a flow q(θ | y) with a density, which is what we
// recommend, and the preparation of its training data.
//
// # Coordinates
//
// Parameters θ are mapped to unbounded coordinates ζ by their prior, so that no
// draw can leave it, and ζ is standardised to u before the flow sees it: by the
// moments of the observation's matched-field summary where there is one (package
// matchedfield), else by the mean and deviation over the training set. The flow
// T maps u to the base, z = T(u; s) with z ~ N(0, I), conditioned on the
// standardised summary s(y), or on the standardised features of y themselves:
//
//	ln q(θ|y) = ln N(z; 0, I) + ln|det ∂z/∂u| + ln|det ∂u/∂ζ| + ln|det ∂ζ/∂θ|
//
// # Rounds around one observation
//
// A [Region] is where a flow has its mass at one observation. Draws of the prior within it
// are what a further round trains on; that round's flow has the restricted prior of the
// region's box, on which its density is normalised, and holds for that observation alone.
//
// # Limitations
//
// The density is only as good as the training: check it (package calibration) or
// refine it before relying on it. Matched-field summaries presume a known source.
package amortized

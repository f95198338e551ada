// Package analytic finds the normal modes of any stack of fluid and elastic
// layers as the zeros of an analytic function in the complex plane of the squared
// horizontal wavenumber, with proof that none is missing: the domain of KRAKENC.
//
// # Method
//
// Fluid layers carry pressure and its scaled derivative, elastic layers the six
// 2×2 minors of their stress-displacement solutions (the compound or delta
// matrix), which stay independent through thick evanescent layers. Homogeneous
// fluid layers are crossed exactly, gradients by a fourth-order Magnus method
// with Richardson extrapolation over the number of cells. Integration starts from
// both ends; the characteristic function is the mismatch of admittance at a depth
// in between, and as a product with the pressures there it is analytic but for the
// branch cuts of half-spaces.
//
// Branch cuts are Pekeris cuts: below the branch point k², parallel to the
// imaginary axis. Right of a cut a mode decays into the half-space, left of it
// the mode leaks: it radiates into the half-space and grows with depth there.
//
// The strips between the cuts are searched by the argument principle: the winding
// number of the function around a box counts its zeros, boxes are halved until
// each holds one, and Muller's method polishes it. The number of modes returned
// is the winding number; where the two cannot be brought to agree the result is
// an [*UncertifiedError].
package analytic

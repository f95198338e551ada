// Package modes computes the normal modes of layered fluid oceans and the pressure
// they carry: wavenumbers, shapes, group speeds, attenuation, fields.
//
// # Model
//
// In each medium p″ + (ω²/c² - kr²) p = 0; p and p'/ρ are continuous; a medium has one
// density. Above and below lie a free surface, a rigid one or a half-space. Absorption and scattering at rough interfaces
// (Kuperman & Ingenito, 1977) enter by first-order perturbation. This is the model
// of KRAKEN (Porter, The KRAKEN Normal Mode Program, SACLANTCEN SM-245, 1992), and
// the answers agree with it to its own accuracy.
//
// # Method
//
// The ocean is cut into cells whose thickness follows the roughness of the profile
// and at most half a vertical wavelength; homogeneous layers are one cell. Across a
// cell the solution is carried by a piecewise-perturbation propagator (Ixaru, De
// Meyer & Vanden Berghe, 1997) with the exact Legendre moments of k0². Solutions
// are shot from above and from below to a matching depth; the zeros counted on the
// way and the Prüfer angles at the match make a phase that falls with kr² and is a
// whole number at each mode. Two of its values count the modes between them, so the
// list is complete: no mode is missed, and none is spurious. The phase is sampled,
// interpolated, and each mode finished by Newton steps inside its bracket. Eight
// modes go through the cells together.
//
// Where a barrier parts two ducts, each mode is matched in the duct it lives in. Modes that
// have a neighbour within 1e-5 in kr² are found again: by inverse iteration with the cells'
// resolvent, together where they agree to 1e-8 (Rayleigh and Ritz), so that they are
// orthonormal however alike the ducts.
//
// [Solver.Jacobian] differentiates the discrete problem itself: the derivatives agree
// with differences of whole solves to 1e-6 or better. [Directions] are compared with their
// case once and serve all tones. It goes backwards, from the pressure to
// what the cells are made of, so that one pass serves any number of parameters: those that
// some direction changes. Of a parameter that changes knots of a straight-lined profile only the cells beside
// them are looked at. Cells end where a parameter bends the profile: inside a cell the
// moments do not resolve a kink.
//
// # Where KRAKEN differs
//
// KRAKEN takes group speeds from its first mesh; for modes far steeper than the
// water's sound speed they carry that mesh's error, 1e-3 for the last mode between
// rigid walls at 2000 points. [Modes.DispersionSpeed] agrees with differences in
// frequency to 2e-6. For a lossy half-space KRAKEN's definition, which
// [Modes.GroupSpeed] follows, is not dω/dkr; see there.
//
// # Limitations
//
// Modes of ducts so alike that their kr agree beyond double precision are as good as any
// rotation of them: orthonormal to 1e-6, kr right to 1e-10. Should they not come apart,
// that is [ErrDegenerate]. The derivative of the pressure is the sum of such modes' own,
// which cancel: where two that a thin barrier joins agree in kr to 5e-7, and where the
// sweeps do not make the modes' pressure to 1e-6, [Solver.Jacobian] returns
// [ErrNoDerivative].
//
// In a build without cgo, derivatives are taken forwards, mode by mode and direction by
// direction: along eight parameters they cost about six solves. Each knot of a PCHIP or
// spline profile costs a tenth of a solve more.
//
// A solve keeps 32 bytes for every mode and cell, twice as many where there are several
// ducts, and 4 GB at most: 5 kHz in 5 km of water is beyond that, an [ErrTooManyCells];
// bound the phase speed.
//
// Fluids only; no density gradient inside a layer, which is an [ErrUnsupported]; no
// leaky modes: kr stays above the half-spaces' wavenumbers.
package modes

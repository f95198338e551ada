// Package modes computes the normal modes of layered fluid oceans and the pressure
// they carry: wavenumbers, shapes, group speeds, attenuation, fields.
//
// # Model
//
// In each medium p″ + (ω²/c² - kr²) p = 0; p and p'/ρ are continuous; the density of
// a medium is that at its top, as in KRAKEN. Above and below lie a free surface, a
// rigid one or a half-space. Absorption and scattering at rough interfaces
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
// # Limitations
//
// Fluids only; no density gradient inside a layer; no leaky modes: kr stays above
// the half-spaces' wavenumbers.
package modes

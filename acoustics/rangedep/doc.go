// Package rangedep computes pressure fields from normal modes, in oceans that are
// the same at every range or change with it: adiabatic modes and one-way coupled
// modes.
//
// # Conventions
//
// A section is an ocean with its modes at one frequency. Time factor exp(+iωt),
// outgoing wave exp(-ikr), pressure relative to 1 m from the source (Jensen,
// Kuperman, Porter & Schmidt, Computational Ocean Acoustics, 2011, "COA").
//
// # Limitations
//
// Coupling is one-way: what steps in the sea floor send back is neglected. Both
// forms of range dependence assume cylindrical symmetry about the source, which
// must lie in a fluid. A source's beam pattern weights each mode by the mean of
// its two grazing angles at the source.
package rangedep

// Package inversion states an inverse problem of ocean acoustics and the
// statistics it needs: which parameters are unknown ([Parameter], [Prior]), what
// the noise is ([NoiseModel]), how probable an observation is ([Likelihood]), and
// how a data set is drawn from all of it ([Simulator]). Its subpackages find the
// exact posterior (reference) and judge an approximate one (calibration).
//
// # Data layout
//
// An observation is the complex pressure on every phone at every tone, flattened
// as [receiver][frequency]: phone r, tone f is element r*F+f. Everything in this
// package and in its subpackages keeps that order. Parameters keep the order in
// which the problem declares them, in physical units.
//
// # Noise
//
// Noise is circular complex Gaussian: variance ν means E|n|² = ν, half of it in
// the real part and half in the imaginary part.
//
// # Limitations
//
// Data are narrow-band tones on one vertical array from one source. Noise is
// independent from tone to tone. Correlated priors are Gaussian copulas: exactly
// the multivariate normal when the marginals are normal, but not the truncated
// multivariate normal when they are truncated. Range-dependent environments and a
// variable number of layers are not parameterised.
package inversion

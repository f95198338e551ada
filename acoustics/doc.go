// Package acoustics holds the nouns of ocean acoustics: the [Environment] (water
// column, layers, boundaries), the [Source], the [ReceiverArray] and the
// pressure [Field]. The solvers live in its subpackages.
//
// # Conventions
//
// Depth is positive down from the sea surface, all quantities are SI (m, m/s,
// kg/m³), frequency is in Hz. The time factor is exp(+iωt), so an outgoing wave
// is exp(-i kr r) and a decaying one has Im kr ≤ 0. Pressure is relative to its
// free-field magnitude 1 m from the source.
//
// # Limitations
//
// An Environment is a stack of horizontal layers; range dependence is a sequence
// of environments (see the subpackage rangedep). There is no flow.
package acoustics

// Package surrogate holds invertible networks: normalizing flows and the coupling flows that serve as invertible
// neural networks for inverse problems, each conditional or not, for any dimension from 1.
//
// A [Flow] T is a composition of invertible blocks described by a [FlowSpec]. Forward is the direction from data
// to the base (latent) space, z = T(x); Inverse generates, x = T⁻¹(z). Both return the logarithm of the absolute
// Jacobian determinant of the map they computed, and a [Pass] differentiates through either direction.
//
// All trainable numbers of a flow lie in one slice, [Flow.Params]; [Flow.Tensors] names its parts. Numbers that
// are fixed or follow from data (permutations, rotations, spectral vectors) lie in a second slice, [Flow.State].
// After the parameters change, by an optimiser or by loading them, call [Flow.Refresh]. A Pass reads the flow and
// writes only to itself and the gradient slice it is given, so passes over different chunks of a batch may run at
// once; nothing here starts a goroutine and no number depends on how many run.
//
// A batch is row-major, [rows][dim]. Networks are generic over float32, for training, and float64, for checks.
//
// go test -v -run Gradients ./surrogate prints the worst relative error of every layer's gradients by dimension;
// GRADIENTS.md keeps the table.
//
// # Limitations
//
// An invertible map of R^D with bounded log-scales (the clamp of affine couplings) cannot change the topology of
// the base's support: well separated modes stay joined by thin bridges of density. In float32, a round trip
// through many affine blocks loses about eps·exp(clamp·blocks) in the worst case. Affine and additive couplings
// with D = 1 act on one coordinate with coefficients that depend on the condition only; use the spline for D = 1.
package surrogate

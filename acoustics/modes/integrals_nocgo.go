//go:build !cgo

package modes

func integrate(sum *lane, weights []weight, b *batch, t *join) { integratePlain(sum, weights, b, t) }

func shape(u []float64, parts []part, b *batch, t *join) { shapePlain(u, parts, b, t) }

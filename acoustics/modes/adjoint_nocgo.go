//go:build !cgo

package modes

const haveAdjoint = false

func adjointScratch(cells, phones int) int { return 0 }

func (a *adjoint) run(b *batch, ranges []float64) { panic("modes: no adjoint without cgo") }

func (a *adjoint) reduce() {}

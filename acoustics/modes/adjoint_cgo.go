//go:build cgo

package modes

// #include "adjoint.h"
import "C"

import "unsafe"

// haveAdjoint says that the derivative is taken backwards.
const haveAdjoint = true

// adjointScratch is the size of the memory that run works in.
func adjointScratch(cells, phones int) int {
	return lanes * (40*(cells+1) + 16*(phones+1) + 20*phones)
}

// run adds one batch to the sums, eight modes side by side.
func (a *adjoint) run(b *batch, ranges []float64) {
	if len(ranges) == 0 {
		return
	}
	number := func(x *float64) *C.double { return (*C.double)(x) }
	C.modes_adjoint(
		(*C.adjoint_batch)(unsafe.Pointer(&a.batch)), (*C.adjoint_cell)(unsafe.Pointer(&a.cells[0])),
		(*C.adjoint_part)(unsafe.Pointer(&a.parts[0])), (*C.adjoint_boundary)(unsafe.Pointer(&a.boundaries[0])),
		number(&b.e[0]), number(&b.states[0].u[0]), number(&b.down.u[0]), number(&b.up.u[0]),
		number(&a.weights[0]), number(&ranges[0]), number(&a.scratch[0]), number(&a.cellSums[0]), number(&a.placeSums[0]),
		number(&a.boundarySums[0]), number(&a.rangeSums[0]), number(&etaCoef5[0]), number(&etaCoef6[0]))
}

// reduce adds up the lanes, in place.
func (a *adjoint) reduce(_ *Modes, phones int) {
	for _, sums := range [4][]float64{a.cellSums, a.placeSums, a.boundarySums, a.rangeSums} {
		if phones > 0 {
			C.modes_reduce((*C.double)(&sums[0]), C.longlong(len(sums)/lanes))
		}
	}
}

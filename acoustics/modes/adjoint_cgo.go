//go:build cgo

package modes

// #include "adjoint.h"
import "C"

import "unsafe"

// haveAdjoint says that the derivative is taken backwards.
const haveAdjoint = true

// adjointScratch is the size of the memory that run works in.
func adjointScratch(cells, phones int) int {
	return lanes * (44*(cells+1) + 16*(phones+1) + 22*phones)
}

// run adds one batch to the sums, eight modes side by side.
func (a *adjoint) run(b *batch, ranges []float64) {
	if len(ranges) == 0 {
		return
	}
	number := func(x []float64) *C.double { return (*C.double)(unsafe.SliceData(x)) }
	C.modes_adjoint(
		(*C.adjoint_batch)(unsafe.Pointer(&a.batch)), (*C.adjoint_cell)(unsafe.Pointer(&a.cells[0])),
		(*C.adjoint_part)(unsafe.Pointer(&a.parts[0])), (*C.adjoint_boundary)(unsafe.Pointer(&a.boundaries[0])),
		(*C.adjoint_rough)(unsafe.Pointer(unsafe.SliceData(a.rough))), number(b.states[0].u[:]), number(a.weights), number(ranges),
		number(a.scratch), number(a.cellSums), number(a.placeSums), number(a.boundarySums), number(a.rangeSums),
		number(etaCoef5[:]), number(etaCoef6[:]))
}

// reduce adds up the parts of the sums, in place.
func (a *adjoint) reduce() {
	for _, sums := range [4][]float64{a.cellSums, a.placeSums, a.boundarySums, a.rangeSums} {
		if len(sums) > 0 {
			C.modes_reduce((*C.double)(&sums[0]), C.longlong(len(sums)/adjointSum))
		}
	}
}

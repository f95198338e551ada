//go:build cgo

package modes

// #include "integrals.h"
import "C"

import "unsafe"

// integrate is [integratePlain] in C, eight modes side by side.
func integrate(sum *lane, weights []weight, b *batch, t *join) {
	if len(weights) == 0 {
		return
	}
	C.modes_integrate((*C.modes_weight)(unsafe.Pointer(&weights[0])), C.longlong(len(weights)),
		C.longlong(b.first), C.longlong(b.match), C.longlong(b.last), (*C.double)(&b.e[0]), (*C.double)(&b.states[0].u[0]),
		(*C.double)(&t.above[0]), (*C.double)(&t.below[0]), (*C.double)(&sum[0]), (*C.double)(&etaCoef5[0]), (*C.double)(&etaCoef6[0]))
}

// shape is [shapePlain] in C, eight modes side by side.
func shape(u []float64, parts []part, b *batch, t *join) {
	if len(parts) == 0 {
		return
	}
	C.modes_shape((*C.modes_part)(unsafe.Pointer(&parts[0])), C.longlong(len(parts)), C.longlong(b.first), C.longlong(b.last),
		(*C.double)(&b.e[0]), (*C.double)(&t.step[0]), (*C.double)(&b.states[0].u[0]), (*C.double)(&u[0]),
		(*C.double)(&etaCoef5[0]), (*C.double)(&etaCoef6[0]))
}

//go:build cgo && !purego

package nn

/*
#cgo pkg-config: openblas
#cgo noescape cblas_sgemm
#cgo nocallback cblas_sgemm
#cgo noescape cblas_dgemm
#cgo nocallback cblas_dgemm
#cgo noescape oi_sgemm
#cgo nocallback oi_sgemm
#include <cblas.h>
#include "gemm.h"
*/
import "C"

// Backend names the BLAS that does what the kernels of this package do not: "openblas", or "gonum" with the build tag
// purego.
const Backend = "openblas"

// BLASCore is the processor OpenBLAS takes this machine for, which decides its speed. A release older than the
// processor may be far off; the environment variable OPENBLAS_CORETYPE overrides it.
func BLASCore() string { return C.GoString(C.openblas_get_corename()) }

// Parallelism is over chunks of the batch, above this package; a second layer of threads inside OpenBLAS would
// fight it for the cores and make the order of sums depend on their number.
var _ = func() struct{} { C.openblas_set_num_threads(1); return struct{}{} }()

func transpose(t bool) C.enum_CBLAS_TRANSPOSE {
	if t {
		return C.CblasTrans
	}
	return C.CblasNoTrans
}

// sgemm multiplies with kernels of our own where the machine has AVX2 or AVX-512. They beat OpenBLAS at the shapes of
// a chunk, do not depend on OpenBLAS knowing the processor (a release older than the processor may take it for one
// of 2004, at a fifth of the speed), and add in an order that does not depend on the number of rows.
func sgemm(transA, transB bool, m, n, k int, alpha float32, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	shape := [6]C.long{C.long(m), C.long(n), C.long(k), C.long(lda), C.long(ldb), C.long(ldc)}
	if C.oi_sgemm(flag(transA), flag(transB), &shape[0], C.float(alpha), ptr(a), ptr(b), C.float(beta), ptr(c)) == 0 {
		blasSgemm(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
	}
}

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

// blasSgemm is OpenBLAS's product.
func blasSgemm(transA, transB bool, m, n, k int, alpha float32, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	C.cblas_sgemm(C.CblasRowMajor, transpose(transA), transpose(transB), C.blasint(m), C.blasint(n), C.blasint(k),
		C.float(alpha), (*C.float)(&a[0]), C.blasint(lda), (*C.float)(&b[0]), C.blasint(ldb),
		C.float(beta), (*C.float)(&c[0]), C.blasint(ldc))
}

func dgemm(transA, transB bool, m, n, k int, alpha float64, a []float64, lda int, b []float64, ldb int, beta float64, c []float64, ldc int) {
	C.cblas_dgemm(C.CblasRowMajor, transpose(transA), transpose(transB), C.blasint(m), C.blasint(n), C.blasint(k),
		C.double(alpha), (*C.double)(&a[0]), C.blasint(lda), (*C.double)(&b[0]), C.blasint(ldb),
		C.double(beta), (*C.double)(&c[0]), C.blasint(ldc))
}

package nn

import "unsafe"

// Float is the element type of networks: float32 for training, float64 for checks.
type Float interface{ float32 | float64 }

// isSingle reports whether T is float32; the compiler folds it per instantiation.
func isSingle[T Float]() bool { return unsafe.Sizeof(T(0)) == 4 }

// single and double view a slice of T as the type it is known to be. They do not copy.
func single[T Float](s []T) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(s))), len(s))
}

func double[T Float](s []T) []float64 {
	return unsafe.Slice((*float64)(unsafe.Pointer(unsafe.SliceData(s))), len(s))
}

// Gemm computes C = alpha op(A) op(B) + beta C for row-major matrices, where op(A) is m×k, op(B) is k×n, C is
// m×n and op(X) is X or, if the flag is set, its transpose. lda, ldb, ldc are the row strides of A, B and C as
// stored. With beta = 0, C is overwritten and may hold anything, NaN included. It runs on the calling thread.
//
// Gemm panics if a stride is shorter than a row or a slice shorter than its matrix.
func Gemm[T Float](transA, transB bool, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) {
	checkProduct(transA, transB, m, n, k, lda, len(a), ldb, len(b), ldc, len(c))
	if m == 0 || n == 0 {
		return
	}
	if k == 0 {
		scaleMatrix(beta, c, m, n, ldc)
		return
	}
	if isSingle[T]() {
		sgemm(transA, transB, m, n, k, float32(alpha), single(a), lda, single(b), ldb, float32(beta), single(c), ldc)
		return
	}
	dgemm(transA, transB, m, n, k, float64(alpha), double(a), lda, double(b), ldb, float64(beta), double(c), ldc)
}

// BLASGemm is [Gemm] in single precision by the BLAS named by [Backend], whatever this package's own kernels can do:
// the yardstick of benchmarks. No dimension may be zero.
func BLASGemm(transA, transB bool, m, n, k int, alpha float32, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	checkProduct(transA, transB, m, n, k, lda, len(a), ldb, len(b), ldc, len(c))
	if m == 0 || n == 0 || k == 0 {
		panic("nn: empty product")
	}
	blasSgemm(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}

func checkProduct(transA, transB bool, m, n, k, lda, lenA, ldb, lenB, ldc, lenC int) {
	ra, ca, rb, cb := m, k, k, n
	if transA {
		ra, ca = k, m
	}
	if transB {
		rb, cb = n, k
	}
	checkMatrix("A", ra, ca, lda, lenA)
	checkMatrix("B", rb, cb, ldb, lenB)
	checkMatrix("C", m, n, ldc, lenC)
}

func checkMatrix(name string, rows, cols, stride, length int) {
	if rows < 0 || cols < 0 {
		panic("nn: negative dimension of matrix " + name)
	}
	if stride < cols || stride < 1 {
		panic("nn: row stride of matrix " + name + " shorter than a row")
	}
	if rows > 0 && cols > 0 && length < (rows-1)*stride+cols {
		panic("nn: slice of matrix " + name + " too short")
	}
}

func scaleMatrix[T Float](beta T, c []T, m, n, ldc int) {
	for i := range m {
		row := c[i*ldc : i*ldc+n]
		if beta == 0 {
			clear(row)
			continue
		}
		for j := range row {
			row[j] *= beta
		}
	}
}

package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// gemmNaive is the definition.
func gemmNaive[T Float](transA, transB bool, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) {
	at := func(x []T, ld int, trans bool, i, j int) float64 {
		if trans {
			i, j = j, i
		}
		return float64(x[i*ld+j])
	}
	for i := range m {
		for j := range n {
			s := 0.0
			for l := range k {
				s += at(a, lda, transA, i, l) * at(b, ldb, transB, l, j)
			}
			v := float64(alpha) * s
			if beta != 0 {
				v += float64(beta) * float64(c[i*ldc+j])
			}
			c[i*ldc+j] = T(v)
		}
	}
}

func testGemm[T Float](t *testing.T, tol float64) {
	rng := rand.New(rand.NewPCG(1, 1))
	fill := func(n int) []T {
		x := make([]T, n)
		for i := range x {
			x[i] = T(rng.NormFloat64())
		}
		return x
	}
	for _, s := range [][3]int{{1, 1, 1}, {3, 5, 2}, {64, 44, 64}, {17, 1, 33}, {1, 40, 7}, {64, 403, 36}, {5, 4, 0},
		{14, 32, 16}, {15, 33, 17}, {6, 16, 8}, {13, 31, 513}, {29, 48, 256}, {2, 97, 257}} {
		for mask := range 8 {
			m, n, k := s[0], s[1], s[2]
			ta, tb := mask&1 != 0, mask&2 != 0
			pad := 0
			if mask&4 != 0 {
				pad = 3
			}
			ra, ca, rb, cb := m, k, k, n
			if ta {
				ra, ca = k, m
			}
			if tb {
				rb, cb = n, k
			}
			lda, ldb, ldc := max(ca, 1)+pad, max(cb, 1)+pad, n+pad
			a, b, c := fill(ra*lda), fill(rb*ldb), fill(m*ldc)
			for _, beta := range []T{0, 1, -0.5} {
				if beta == 0 {
					c[0] = T(math.NaN())
				}
				want := append([]T(nil), c...)
				gemmNaive(ta, tb, m, n, k, 1.25, a, lda, b, ldb, beta, want, ldc)
				Gemm(ta, tb, m, n, k, 1.25, a, lda, b, ldb, beta, c, ldc)
				for i := range want {
					if d := math.Abs(float64(c[i] - want[i])); !(d <= tol*max(math.Sqrt(float64(k+1)), float64(k)/8)) /* rounding grows as k·eps */ {
						t.Fatalf("%v transA=%v transB=%v beta=%v: c[%d] = %v, want %v", s, ta, tb, beta, i, c[i], want[i])
					}
				}
			}
		}
	}
}

func TestGemm(t *testing.T) {
	t.Run("float32", func(t *testing.T) {
		instructionSets(t, func(t *testing.T) { testGemm[float32](t, 1e-5) })
	})
	t.Run("float64", func(t *testing.T) { testGemm[float64](t, 1e-14) })
}

// TestGemmRowsStandAlone: a row of a product has the same bits whether it is computed alone or among others, at
// whatever place, so that results do not depend on how a batch is cut.
func TestGemmRowsStandAlone(t *testing.T) {
	if useInstructionSet(-1) < 1 {
		t.Skip("a BLAS chooses its own blocks")
	}
	rng := rand.New(rand.NewPCG(3, 1))
	const m, n, k = 61, 71, 300
	a, b := make([]float32, m*k), make([]float32, k*n)
	for _, v := range [][]float32{a, b} {
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
	}
	whole, part := make([]float32, m*n), make([]float32, m*n)
	Gemm(false, false, m, n, k, 1, a, k, b, n, 0, whole, n)
	for _, rows := range []int{1, 5, 14, 20} {
		for from := 0; from < m; from += rows {
			c := min(rows, m-from)
			Gemm(false, false, c, n, k, 1, a[from*k:], k, b, n, 0, part[from*n:], n)
		}
		for i := range whole {
			if part[i] != whole[i] {
				t.Fatalf("blocks of %d rows: element %d is %v, in the whole product %v", rows, i, part[i], whole[i])
			}
		}
	}
}

// TestGemmLeavesTheRestAlone: nothing outside C's n columns is written.
func TestGemmLeavesTheRestAlone(t *testing.T) {
	const m, n, k, ldc = 17, 35, 40, 50
	a, b, c := make([]float32, m*k), make([]float32, k*n), make([]float32, m*ldc+64)
	for i := range c {
		c[i] = 7
	}
	Gemm(false, false, m, n, k, 1, a, k, b, n, 0, c[:(m-1)*ldc+n], ldc)
	for i, v := range c {
		if inside := i/ldc < m && i%ldc < n; (v == 0) != inside {
			t.Fatalf("element %d of row %d is %v", i%ldc, i/ldc, v)
		}
	}
}

func TestGemmPanicsOnShortSlices(t *testing.T) {
	ok := make([]float32, 6)
	for name, f := range map[string]func(){
		"A":      func() { Gemm(false, false, 2, 2, 3, 1, ok[:5], 3, ok, 2, 0, ok, 2) },
		"B":      func() { Gemm(false, true, 2, 2, 3, 1, ok, 3, ok[:5], 3, 0, ok, 2) },
		"C":      func() { Gemm(false, false, 2, 2, 3, 1, ok, 3, ok, 2, 0, ok[:3], 2) },
		"stride": func() { Gemm(false, false, 2, 2, 3, 1, ok, 2, ok, 2, 0, ok, 2) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func TestKernelsDoNotAllocate(t *testing.T) {
	x := make([]float32, 64*64)
	y, d := make([]float32, len(x)), make([]float32, len(x))
	if n := testing.AllocsPerRun(20, func() {
		Gemm(false, false, 64, 64, 64, 1, x, 64, x, 64, 0, y, 64)
		GELU(y, d, x)
		AddBiasActivate(ActGELU, y, d, x[:64], 64, 64)
		MulColSum(y, d, x[:64], 64, 64)
		Adam(y, d, x, x, AdamStep{Keep: 1, Eps: 1})
		LogSumExpRows(x[:64], y, d[:64], 1, 64, 64)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkGemm(b *testing.B) {
	for _, s := range [][3]int{{64, 64, 44}, {64, 64, 64}, {64, 403, 403}, {128, 403, 403}, {256, 403, 403}, {512, 403, 403}, {403, 403, 64}, {403, 403, 128}, {403, 403, 256}} {
		m, n, k := s[0], s[1], s[2]
		b.Run(fmt.Sprintf("%dx%dx%d", m, n, k), func(b *testing.B) {
			x, y, z := make([]float32, m*k), make([]float32, k*n), make([]float32, m*n)
			for b.Loop() {
				Gemm(false, false, m, n, k, 1, x, k, y, n, 0, z, n)
			}
			b.ReportMetric(2*float64(m*n*k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

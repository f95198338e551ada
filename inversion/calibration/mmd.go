package calibration

import (
	"math"

	"oceaninv/inversion"
)

// Kernel is a characteristic kernel of the squared distance of two scaled
// parameter vectors.
type Kernel func(squared float64) float64

// InverseMultiquadric is the multiscale kernel of VINA's experiments,
// Σ C^a ((C + d²)/a)^{-a} over (C, a) = (0.2, 0.1), (0.2, 0.5), (0.2, 2).
func InverseMultiquadric(squared float64) float64 {
	r := 0.2 / (0.2 + squared) // each term is (a r)^a
	return math.Pow(0.1*r, 0.1) + math.Sqrt(0.5*r) + 4*r*r
}

// Gaussian is exp(-d²/(2h²)).
func Gaussian(bandwidth float64) Kernel {
	return func(squared float64) float64 { return math.Exp(-squared / (2 * bandwidth * bandwidth)) }
}

// MMDResult is a squared maximum mean discrepancy.
type MMDResult struct {
	// Squared is the unbiased estimate of MMD²; it may be negative. Its standard
	// error is that of the linear statistic over draws (a jackknife of one sample
	// after the other).
	Squared Estimate
	// PValue of the two samples having one distribution, by permutation.
	PValue float64
}

// MMD is the maximum mean discrepancy of two equally weighted samples, parameters
// divided by scale (Gretton et al., J. Mach. Learn. Res. 13, 723 (2012), eq 3):
// mean of k within a plus mean within b minus twice the mean across. The p value is
// from permutations of the pooled sample; 0 of them leave it out (NaN). Memory
// grows as the square of the number of draws.
func MMD(a, b *inversion.Draws, scale []float64, kernel Kernel, permutations int, seed uint64) MMDResult {
	checkPair(a, b, scale)
	n, m := a.N(), b.N()
	k := gram(a, b, scale, kernel)
	label := make([]bool, n+m) // true for b
	for i := n; i < n+m; i++ {
		label[i] = true
	}
	res := MMDResult{PValue: math.NaN()}
	res.Squared = mmdWithError(k, label, n, m)
	if permutations == 0 {
		return res
	}
	rng := inversion.Rand(seed, inversion.DrawStream, 2)
	above := 1
	for range permutations {
		rng.Shuffle(len(label), func(i, j int) { label[i], label[j] = label[j], label[i] })
		if mmdValue(k, label, n, m) >= res.Squared.Value {
			above++
		}
	}
	res.PValue = float64(above) / float64(permutations+1)
	return res
}

// gram is the kernel matrix of the pooled sample.
func gram(a, b *inversion.Draws, scale []float64, kernel Kernel) []float64 {
	size := a.N() + b.N()
	row := func(i int) []float64 {
		if i < a.N() {
			return a.Row(i)
		}
		return b.Row(i - a.N())
	}
	k := make([]float64, size*size)
	for i := range size {
		for j := range i {
			var d float64
			for q, s := range scale {
				e := (row(i)[q] - row(j)[q]) / s
				d += e * e
			}
			k[i*size+j] = kernel(d)
			k[j*size+i] = k[i*size+j]
		}
	}
	return k
}

func mmdValue(k []float64, label []bool, n, m int) float64 {
	var aa, bb, ab float64
	size := n + m
	for i := range size {
		row := k[i*size : i*size+i]
		for j, v := range row {
			switch {
			case label[i] != label[j]:
				ab += v
			case label[i]:
				bb += v
			default:
				aa += v
			}
		}
	}
	return 2*aa/float64(n*(n-1)) + 2*bb/float64(m*(m-1)) - 2*ab/float64(n*m)
}

// mmdWithError adds the standard error of the first-order projections of the
// U-statistic.
func mmdWithError(k []float64, label []bool, n, m int) Estimate {
	size := n + m
	value := mmdValue(k, label, n, m)
	var va, vb []float64
	for i := range size {
		var same, other float64
		for j := range size {
			if j == i {
				continue
			}
			if label[j] == label[i] {
				same += k[i*size+j]
			} else {
				other += k[i*size+j]
			}
		}
		if label[i] {
			vb = append(vb, 2*(same/float64(m-1)-other/float64(n)))
		} else {
			va = append(va, 2*(same/float64(n-1)-other/float64(m)))
		}
	}
	a, b := Mean(va), Mean(vb)
	return Estimate{value, math.Hypot(a.StdError, b.StdError)}
}

package surrogate

import (
	"fmt"
	"math"
)

// evalRows is how many rows a convenience method runs at once: large enough for the matrix products, small enough
// for the caches. Results do not depend on it.
const evalRows = 256

const lnSqrt2Pi = 0.91893853320467274178032973640562

// LogProb computes the log-density ln p(x|c) = ln N(T(x; c); 0, I) + ln|det ∂T/∂x| of each of the rows×D matrix x
// under the rows×CondDim conditions and stores it in out. Errors and panics are those of [Pass.Forward].
func (p *Pass[T]) LogProb(x, cond, out []T) error {
	z, logdet, err := p.Forward(x, cond)
	if err != nil {
		return err
	}
	if len(out) != len(logdet) {
		panic("surrogate: room for log-densities does not fit the batch")
	}
	d := p.flow.spec.Dim
	for i := range out {
		out[i] = T(float64(logdet[i]) + LogBase(z[i*d:(i+1)*d]))
	}
	return nil
}

// LogBase returns the log-density of the standard normal law at z.
func LogBase[T Float](z []T) float64 {
	s := 0.0
	for _, v := range z {
		s += float64(v) * float64(v)
	}
	return -0.5*s - float64(len(z))*lnSqrt2Pi
}

// Sample draws x = T⁻¹(z; c), z ~ N(0, I), one row of x per row of conditions. Row i uses the random stream
// (seed, first+i), so that draws do not depend on how they are divided into passes. len(x) sets the number of rows.
// Errors and panics are those of [Pass.Inverse].
func (p *Pass[T]) Sample(seed, first uint64, cond, x []T) error {
	d := p.flow.spec.Dim
	if len(x) > len(p.gradient[0]) {
		panic("surrogate: more draws than the pass has room for")
	}
	z := p.gradient[0][:len(x)]
	rng := newStream(seed, 0)
	for i := 0; i*d < len(z); i++ {
		rng.seek(seed, first+uint64(i))
		for j := range d {
			z[i*d+j] = T(rng.NormFloat64())
		}
	}
	y, _, err := p.Inverse(z, cond)
	if err != nil {
		return err
	}
	copy(x, y)
	return nil
}

// LogProb is [Pass.LogProb] for any number of rows. cond holds one condition per row or, if it has length CondDim,
// one for all. It fails if x or cond is not finite, or their lengths do not fit.
func (f *Flow[T]) LogProb(x, cond []T) ([]T, error) {
	rows, err := f.rowsOf(x, cond)
	if err != nil {
		return nil, err
	}
	out := make([]T, rows)
	err = f.inChunks(rows, cond, func(p *Pass[T], from, to int, c []T) error {
		return p.LogProb(x[from*f.spec.Dim:to*f.spec.Dim], c, out[from:to])
	})
	return out, err
}

// Sample draws n rows. cond is as in [Flow.LogProb]; draw i uses the random stream (seed, i).
func (f *Flow[T]) Sample(n int, cond []T, seed uint64) ([]T, error) {
	if n < 1 {
		return nil, fmt.Errorf("surrogate: %d draws asked for, want at least 1", n)
	}
	x := make([]T, n*f.spec.Dim)
	if _, err := f.rowsOf(x, cond); err != nil {
		return nil, err
	}
	err := f.inChunks(n, cond, func(p *Pass[T], from, to int, c []T) error {
		return p.Sample(seed, uint64(from), c, x[from*f.spec.Dim:to*f.spec.Dim])
	})
	return x, err
}

// Transform computes T(x; cond) and its log-determinants for any number of rows; cond is as in [Flow.LogProb].
func (f *Flow[T]) Transform(x, cond []T) (z, logdet []T, err error) {
	return f.transform(x, cond, (*Pass[T]).Forward)
}

// InverseTransform computes T⁻¹(z; cond) and its log-determinants for any number of rows.
func (f *Flow[T]) InverseTransform(z, cond []T) (x, logdet []T, err error) {
	return f.transform(z, cond, (*Pass[T]).Inverse)
}

func (f *Flow[T]) transform(in, cond []T, run func(p *Pass[T], in, cond []T) (out, logdet []T, err error)) ([]T, []T, error) {
	rows, err := f.rowsOf(in, cond)
	if err != nil {
		return nil, nil, err
	}
	d := f.spec.Dim
	out, logdet := make([]T, len(in)), make([]T, rows)
	err = f.inChunks(rows, cond, func(p *Pass[T], from, to int, c []T) error {
		y, l, err := run(p, in[from*d:to*d], c)
		copy(out[from*d:to*d], y)
		copy(logdet[from:to], l)
		return err
	})
	return out, logdet, err
}

// rowsOf checks the lengths of a batch that comes from outside.
func (f *Flow[T]) rowsOf(x, cond []T) (int, error) {
	d, c := f.spec.Dim, f.spec.CondDim
	rows := len(x) / d
	if rows < 1 || len(x) != rows*d {
		return 0, fmt.Errorf("surrogate: %d numbers are not rows of dimension %d", len(x), d)
	}
	if len(cond) != c && len(cond) != rows*c {
		return 0, fmt.Errorf("surrogate: %d condition numbers are neither one condition of %d nor %d of them", len(cond), c, rows)
	}
	return rows, nil
}

// inChunks calls run for successive ranges of rows with their conditions, or the one for all.
func (f *Flow[T]) inChunks(rows int, cond []T, run func(p *Pass[T], from, to int, cond []T) error) error {
	c := f.spec.CondDim
	size := min(rows, evalRows)
	p := f.NewEvaluation(size)
	shared := len(cond) == c && rows > 1 && c > 0
	for from := 0; from < rows; from += size {
		to := min(rows, from+size)
		part := cond
		if !shared {
			part = cond[from*c : to*c]
		}
		p.SetStream(f.spec.Seed, streamDraws+uint64(from))
		if err := run(p, from, to, part); err != nil {
			return fmt.Errorf("rows %d to %d: %w", from, to-1, err)
		}
	}
	return nil
}

// finite reports whether v is neither infinite nor NaN.
func finite(v float64) bool { return !math.IsInf(v, 0) && !math.IsNaN(v) }

// EstimateLogDet runs T over the rows of x (cond is as in [Flow.LogProb]) probes times with independent random
// numbers and returns the mean log-determinant of each row and its standard error: how exact the log-determinants of
// an i-ResNet are. Other flows have none to estimate; their error is zero up to rounding. It needs two probes.
func (f *Flow[T]) EstimateLogDet(x, cond []T, probes int, seed uint64) (mean, stderr []float64, err error) {
	rows, err := f.rowsOf(x, cond)
	if err != nil {
		return nil, nil, err
	}
	if probes < 2 {
		return nil, nil, fmt.Errorf("surrogate: a standard error needs at least two probes, got %d", probes)
	}
	mean, stderr = make([]float64, rows), make([]float64, rows)
	err = f.inChunks(rows, cond, func(p *Pass[T], from, to int, c []T) error {
		for k := range probes {
			p.SetStream(seed, uint64(from)*uint64(probes)+uint64(k))
			_, l, err := p.Forward(x[from*f.spec.Dim:to*f.spec.Dim], c)
			if err != nil {
				return err
			}
			for i, v := range l {
				delta := float64(v) - mean[from+i]
				mean[from+i] += delta / float64(k+1)
				stderr[from+i] += delta * (float64(v) - mean[from+i])
			}
		}
		return nil
	})
	n := float64(probes)
	for i, s := range stderr {
		stderr[i] = math.Sqrt(s / (n - 1) / n)
	}
	return mean, stderr, err
}

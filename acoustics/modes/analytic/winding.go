package analytic

import (
	"errors"
	"math"
	"math/cmplx"
)

// box is a closed rectangle in the plane of x.
type box struct{ left, right, low, high float64 }

func (b box) holds(x complex128) bool {
	return real(x) >= b.left && real(x) <= b.right && imag(x) >= b.low && imag(x) <= b.high
}

// counter counts zeros of an analytic function by its winding number.
type counter struct {
	f func(x complex128) (complex128, float64)
	// rate bounds how fast the phase of the function's waves turns, in rad per unit
	// of x; only zeros turn it faster. It keeps whole turns between samples from
	// going unseen.
	rate  func(x complex128) float64
	cache map[complex128]sample
	left  int // evaluations allowed
}

// sample is the function at a point: its phase as a unit number, the logarithm of
// its magnitude.
type sample struct {
	x     complex128
	phase complex128
	log   float64
}

var (
	errZeroOnContour = errors.New("a zero lies on the contour")
	errBudget        = errors.New("too many evaluations")
)

// maxPhase is the largest change of phase (rad) between neighbouring samples, and
// maxLog of the logarithm's magnitude: small enough that no turn goes unseen.
const (
	maxPhase = 0.8
	maxLog   = 2.0
	stride   = 1.2 // rad, by the bound on the rate, between the first samples
)

func (c *counter) at(x complex128) (sample, error) {
	if s, ok := c.cache[x]; ok {
		return s, nil
	}
	if c.left--; c.left < 0 {
		return sample{}, errBudget
	}
	m, scale := c.f(x)
	size := cmplx.Abs(m)
	if size == 0 || math.IsNaN(size) || math.IsInf(size, 0) {
		return sample{}, errZeroOnContour
	}
	s := sample{x, m / complex(size, 0), math.Log(size) + scale}
	c.cache[x] = s
	return s, nil
}

// zeros is the number of zeros inside the box.
func (c *counter) zeros(b box) (int, error) {
	corners := [5]complex128{
		complex(b.left, b.low), complex(b.right, b.low), complex(b.right, b.high), complex(b.left, b.high), complex(b.left, b.low),
	}
	total := 0.0
	for i := range 4 {
		turn, err := c.along(corners[i], corners[i+1])
		if err != nil {
			return 0, err
		}
		total += turn
	}
	n := total / (2 * math.Pi)
	if math.Abs(n-math.Round(n)) > 1e-3 {
		return 0, errZeroOnContour
	}
	return int(math.Round(n)), nil
}

// along is the change of phase along an edge, always walked from the smaller end.
func (c *counter) along(a, b complex128) (float64, error) {
	if real(a) > real(b) || imag(a) > imag(b) {
		turn, err := c.along(b, a)
		return -turn, err
	}
	last, err := c.at(a)
	if err != nil {
		return 0, err
	}
	length := cmplx.Abs(b - a)
	total, here := 0.0, 0.0
	for here < length {
		here += min(stride/c.rate(last.x), length/4)
		x := b
		if here < length {
			x = a + (b-a)*complex(here/length, 0)
		}
		next, err := c.at(x)
		if err != nil {
			return 0, err
		}
		turn, err := c.between(last, next, 0)
		if err != nil {
			return 0, err
		}
		total += turn
		last = next
	}
	return total, nil
}

// between is the change of phase between two samples, halving the distance until
// the function changes little on both halves.
func (c *counter) between(a, b sample, depth int) (float64, error) {
	if depth > 40 {
		return 0, errZeroOnContour
	}
	mid, err := c.at((a.x + b.x) / 2)
	if err != nil {
		return 0, err
	}
	first, second := cmplx.Phase(mid.phase*cmplx.Conj(a.phase)), cmplx.Phase(b.phase*cmplx.Conj(mid.phase))
	smooth := math.Abs(first) < maxPhase && math.Abs(second) < maxPhase && math.Abs(first-second) < maxPhase/2 &&
		math.Abs(mid.log-a.log) < maxLog && math.Abs(b.log-mid.log) < maxLog && math.Abs(a.log+b.log-2*mid.log) < maxLog/4
	if smooth {
		return first + second, nil
	}
	left, err := c.between(a, mid, depth+1)
	if err != nil {
		return 0, err
	}
	right, err := c.between(mid, b, depth+1)
	return left + right, err
}

// find halves the box until each part holds one zero and polishes it. known is
// the winding number of the box.
func (c *counter) find(b box, known int, polish func(box) (complex128, bool)) ([]complex128, error) {
	if known == 0 {
		return nil, nil
	}
	if known == 1 {
		if x, ok := polish(b); ok {
			return []complex128{x}, nil
		}
	}
	width, height := b.right-b.left, b.high-b.low
	size := max(math.Abs(b.left), math.Abs(b.right))
	if max(width, height) < 1e-14*size {
		return nil, errors.New("zeros too close to tell apart")
	}
	for _, share := range []float64{0.5, 0.4376, 0.5619, 0.3791, 0.6237, 0.2913, 0.7091} {
		parts := [2]box{b, b}
		if width >= height {
			parts[0].right = b.left + share*width
			parts[1].left = parts[0].right
		} else {
			parts[0].high = b.low + share*height
			parts[1].low = parts[0].high
		}
		zeros, err := c.findParts(parts, known, polish)
		if !errors.Is(err, errZeroOnContour) {
			return zeros, err
		}
	}
	return nil, errZeroOnContour
}

func (c *counter) findParts(parts [2]box, known int, polish func(box) (complex128, bool)) ([]complex128, error) {
	first, err := c.zeros(parts[0])
	if err != nil {
		return nil, err
	}
	second, err := c.zeros(parts[1])
	if err != nil {
		return nil, err
	}
	if first+second != known {
		return nil, errZeroOnContour
	}
	zeros, err := c.find(parts[0], first, polish)
	if err != nil {
		return nil, err
	}
	more, err := c.find(parts[1], second, polish)
	return append(zeros, more...), err
}

// value is a function's value as mantissa and exponent.
type value struct {
	m     complex128
	scale float64
}

// relative are values divided by a common exponential.
func relative(v [3]value) (y [3]complex128) {
	top := max(v[0].scale, v[1].scale, v[2].scale)
	for i := range v {
		y[i] = v[i].m * complex(math.Exp(v[i].scale-top), 0)
	}
	return y
}

// muller polishes a zero of f from the middle of a box; it fails where the
// iteration leaves the box or ends where f does not vanish.
func muller(f func(x complex128) (complex128, float64), b box) (complex128, bool) {
	mid := complex((b.left+b.right)/2, (b.low+b.high)/2)
	reach := max(b.right-b.left, b.high-b.low)
	wide := box{b.left - reach, b.right + reach, b.low - reach, b.high + reach}
	d := complex(0.05*(b.right-b.left), 0)
	at := func(x complex128) value {
		m, scale := f(x)
		return value{m, scale}
	}
	x := [3]complex128{mid - d, mid + d, mid}
	v := [3]value{at(x[0]), at(x[1]), at(x[2])}
	for range 60 {
		next, ok := mullerStep(x, relative(v))
		if !ok || !wide.holds(next) {
			return 0, false
		}
		step := cmplx.Abs(next - x[2])
		x = [3]complex128{x[1], x[2], next}
		v = [3]value{v[1], v[2], at(next)}
		y := relative(v)
		if step <= 1e-15*cmplx.Abs(next) || y[2] == 0 || step <= 4e-14*cmplx.Abs(next) && cmplx.Abs(y[2]) >= cmplx.Abs(y[1]) {
			return next, b.holds(next) && vanishes(at, next, v[2])
		}
	}
	return 0, false
}

// vanishes says that f is far smaller at a point than a little beside it.
func vanishes(at func(complex128) value, x complex128, v value) bool {
	beside := at(x * (1 + 1e-7))
	return cmplx.Abs(v.m)*math.Exp(v.scale-beside.scale) <= 1e-3*cmplx.Abs(beside.m)
}

// mullerStep is the zero, nearest to x[2], of the parabola through three points.
func mullerStep(x, y [3]complex128) (complex128, bool) {
	h1, h2 := x[1]-x[0], x[2]-x[1]
	if h1 == 0 || h2 == 0 || h1+h2 == 0 {
		return 0, false
	}
	d1, d2 := (y[1]-y[0])/h1, (y[2]-y[1])/h2
	a := (d2 - d1) / (h2 + h1)
	b := a*h2 + d2
	root := cmplx.Sqrt(b*b - 4*y[2]*a)
	den := b + root
	if cmplx.Abs(b-root) > cmplx.Abs(den) {
		den = b - root
	}
	if den == 0 {
		return 0, false
	}
	next := x[2] - 2*y[2]/den
	return next, !cmplx.IsNaN(next) && !cmplx.IsInf(next)
}

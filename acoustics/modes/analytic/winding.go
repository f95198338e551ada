package analytic

import (
	"errors"
	"math"
	"math/cmplx"
	"slices"
)

// box is a closed rectangle in the plane of x.
type box struct{ left, right, low, high float64 }

func (b box) holds(x complex128) bool {
	return real(x) >= b.left && real(x) <= b.right && imag(x) >= b.low && imag(x) <= b.high
}

func (b box) middle() complex128 { return complex((b.left+b.right)/2, (b.low+b.high)/2) }

func (b box) size() float64 { return max(b.right-b.left, b.high-b.low) }

// counter counts and finds zeros of an analytic function by its winding number.
type counter struct {
	f func(x complex128) (complex128, float64)
	// rate bounds how fast the phase of the function's waves turns, in rad per unit
	// of x; only zeros turn it faster. It keeps whole turns between samples from
	// going unseen.
	rate func(x complex128) float64
	left int // evaluations allowed
}

// sample is the function at a point: its phase as a unit number, the logarithm of
// its magnitude.
type sample struct {
	x     complex128
	phase complex128
	log   float64
}

// turn is the change of phase (rad) from one sample to the next.
func turn(a, b *sample) float64 { return cmplx.Phase(b.phase * cmplx.Conj(a.phase)) }

var (
	errZeroOnContour = errors.New("a zero lies on the contour")
	errBudget        = errors.New("too many evaluations")
	errTooClose      = errors.New("zeros too close to tell apart")
)

// maxPhase is the largest change of phase (rad) between neighbouring samples, and
// maxLog of the logarithm's magnitude: small enough that no turn goes unseen.
const (
	maxPhase = 0.8
	maxLog   = 2.0
	stride   = 1.2 // rad, by the bound on the rate, between the first samples
)

func (c *counter) at(x complex128) (sample, error) {
	if c.left--; c.left < 0 {
		return sample{}, errBudget
	}
	m, scale := c.f(x)
	size := cmplx.Abs(m)
	if size == 0 || math.IsNaN(size) || math.IsInf(size, 0) {
		return sample{}, errZeroOnContour
	}
	return sample{x, m / complex(size, 0), math.Log(size) + scale}, nil
}

// walk samples the function from a to b, both included, so closely that it changes
// little from each sample to the next.
func (c *counter) walk(a, b complex128) ([]sample, error) {
	first, err := c.at(a)
	if err != nil {
		return nil, err
	}
	path := []sample{first}
	length, here := cmplx.Abs(b-a), 0.0
	for here < length {
		here += min(stride/c.rate(path[len(path)-1].x), length/2)
		x := b
		if here < length {
			x = a + (b-a)*complex(here/length, 0)
		}
		next, err := c.at(x)
		if err != nil {
			return nil, err
		}
		if path, err = c.extend(path, next, 0); err != nil {
			return nil, err
		}
	}
	return path, nil
}

// extend appends a sample to a path, and before it as many as the function's changes
// ask for: halfway, until it changes little on both halves.
func (c *counter) extend(path []sample, b sample, depth int) ([]sample, error) {
	if depth > 40 {
		return nil, errZeroOnContour
	}
	a := path[len(path)-1]
	mid, err := c.at((a.x + b.x) / 2)
	if err != nil {
		return nil, err
	}
	if smooth(&a, &mid, &b) {
		return append(path, mid, b), nil
	}
	if path, err = c.extend(path, mid, depth+1); err != nil {
		return nil, err
	}
	return c.extend(path, b, depth+1)
}

func smooth(a, mid, b *sample) bool {
	first, second := turn(a, mid), turn(mid, b)
	return math.Abs(first) < maxPhase && math.Abs(second) < maxPhase && math.Abs(first-second) < maxPhase/2 &&
		math.Abs(mid.log-a.log) < maxLog && math.Abs(b.log-mid.log) < maxLog && math.Abs(a.log+b.log-2*mid.log) < maxLog/4
}

// divide parts a path at a point on it.
func (c *counter) divide(path []sample, at complex128) (first, second []sample, err error) {
	i, _ := slices.BinarySearchFunc(path, at, func(s sample, x complex128) int {
		if d := real(s.x-x) + imag(s.x-x); d < 0 {
			return -1
		}
		return 1
	})
	if i == 0 || i == len(path) {
		return nil, nil, errZeroOnContour
	}
	mid, err := c.at(at)
	if err != nil {
		return nil, nil, err
	}
	if smooth(&path[i-1], &mid, &path[i]) {
		first = append(slices.Clone(path[:i]), mid)
		return first, append([]sample{mid}, path[i:]...), nil
	}
	if first, err = c.extend(slices.Clone(path[:i]), mid, 0); err != nil {
		return nil, nil, err
	}
	if second, err = c.extend([]sample{mid}, path[i], 0); err != nil {
		return nil, nil, err
	}
	return first, append(second, path[i+1:]...), nil
}

// contour is a box with the function sampled along its sides, from left to right
// and from low to high.
type contour struct {
	box
	bottom, top, west, east []sample
}

// around walks the sides of a box.
func (c *counter) around(b box) (*contour, error) {
	k := &contour{box: b}
	sides := []struct {
		path     *[]sample
		from, to complex128
	}{
		{&k.bottom, complex(b.left, b.low), complex(b.right, b.low)},
		{&k.top, complex(b.left, b.high), complex(b.right, b.high)},
		{&k.west, complex(b.left, b.low), complex(b.left, b.high)},
		{&k.east, complex(b.right, b.low), complex(b.right, b.high)},
	}
	for _, side := range sides {
		path, err := c.walk(side.from, side.to)
		if err != nil {
			return nil, err
		}
		*side.path = path
	}
	return k, nil
}

// each visits the samples' neighbours counterclockwise.
func (k *contour) each(visit func(a, b *sample)) {
	for _, path := range [][]sample{k.bottom, k.east} {
		for i := 1; i < len(path); i++ {
			visit(&path[i-1], &path[i])
		}
	}
	for _, path := range [][]sample{k.top, k.west} {
		for i := len(path) - 1; i > 0; i-- {
			visit(&path[i], &path[i-1])
		}
	}
}

// zeros is the number of zeros inside: the winding number.
func (k *contour) zeros() (int, error) {
	total := 0.0
	k.each(func(a, b *sample) { total += turn(a, b) })
	n := total / (2 * math.Pi)
	if math.Abs(n-math.Round(n)) > 1e-3 || n < -0.5 {
		return 0, errZeroOnContour
	}
	return int(math.Round(n)), nil
}

// halve cuts a box across its longer side.
func (c *counter) halve(k *contour, share float64) (parts [2]*contour, err error) {
	a, b := &contour{box: k.box}, &contour{box: k.box}
	if k.right-k.left >= k.high-k.low {
		at := k.left + share*(k.right-k.left)
		a.right, b.left, a.west, b.east = at, at, k.west, k.east
		if a.bottom, b.bottom, err = c.divide(k.bottom, complex(at, k.low)); err != nil {
			return parts, err
		}
		if a.top, b.top, err = c.divide(k.top, complex(at, k.high)); err != nil {
			return parts, err
		}
		a.east, err = c.walk(complex(at, k.low), complex(at, k.high))
		b.west = a.east
	} else {
		at := k.low + share*(k.high-k.low)
		a.high, b.low, a.bottom, b.top = at, at, k.bottom, k.top
		if a.west, b.west, err = c.divide(k.west, complex(k.left, at)); err != nil {
			return parts, err
		}
		if a.east, b.east, err = c.divide(k.east, complex(k.right, at)); err != nil {
			return parts, err
		}
		a.top, err = c.walk(complex(k.left, at), complex(k.right, at))
		b.bottom = a.top
	}
	return [2]*contour{a, b}, err
}

// find returns the zeros inside, known of them by the winding number: few are taken
// from the contour's moments, more from halves of the box.
func (c *counter) find(k *contour, known int) ([]complex128, error) {
	if known == 0 {
		return nil, nil
	}
	if known <= maxTogether {
		if zeros, ok := c.together(k, known); ok {
			return zeros, nil
		}
	}
	if k.size() < 1e-14*max(math.Abs(k.left), math.Abs(k.right)) {
		return nil, errTooClose
	}
	for _, share := range []float64{0.5, 0.4376, 0.5619, 0.3791, 0.6237, 0.2913, 0.7091} {
		zeros, err := c.findParts(k, share, known)
		if !errors.Is(err, errZeroOnContour) {
			return zeros, err
		}
	}
	return nil, errZeroOnContour
}

func (c *counter) findParts(k *contour, share float64, known int) ([]complex128, error) {
	parts, err := c.halve(k, share)
	if err != nil {
		return nil, err
	}
	first, err := parts[0].zeros()
	if err != nil {
		return nil, err
	}
	second, err := parts[1].zeros()
	if err != nil {
		return nil, err
	}
	if first+second != known {
		return nil, errZeroOnContour
	}
	zeros, err := c.find(parts[0], first)
	if err != nil {
		return nil, err
	}
	more, err := c.find(parts[1], second)
	return append(zeros, more...), err
}

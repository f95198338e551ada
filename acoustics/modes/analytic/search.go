package analytic

import (
	"errors"
	"fmt"
	"math"
	"math/cmplx"
	"slices"

	"oceaninv/acoustics"
)

// UncertifiedError tells that the modes of a frequency could not be proved
// complete; no list is returned then.
type UncertifiedError struct {
	Frequency float64 // Hz
	Expected  int     // the winding number, or -1 where it was not obtained
	Found     int
	Reason    error
}

func (e *UncertifiedError) Error() string {
	if e.Expected < 0 {
		return fmt.Sprintf("modes: %.6g Hz: the number of modes could not be proved: %v", e.Frequency, e.Reason)
	}
	return fmt.Sprintf("modes: %.6g Hz: the argument principle counts %d modes, %d were found: %v", e.Frequency, e.Expected, e.Found, e.Reason)
}

func (e *UncertifiedError) Unwrap() error { return e.Reason }

// zero is a zero of the characteristic function and its sheet.
type zero struct {
	x  complex128
	sh sheet
}

// limits bound the wavenumbers wanted: Re k between low and high, -Im k up to
// loss (rad/m) and to ratio of Re k.
type limits struct{ low, high, loss, ratio float64 }

// maxEvaluations bounds the work of one frequency.
const maxEvaluations = 4_000_000

// search finds every zero within the limits.
func (s *stack) search(l limits) ([]zero, error) {
	region := box{left: l.low*l.low - l.loss*l.loss, right: l.high * l.high, low: -2 * l.high * l.loss}
	region.high = s.margin()
	var zeros []zero
	for _, strip := range s.strips(region) {
		for _, slice := range strip.slices(l) {
			found, err := s.searchStrip(slice)
			if err != nil {
				return nil, err
			}
			zeros = append(zeros, found...)
		}
	}
	return zeros, nil
}

// margin is how far above the real axis the search begins (rad²/m²): a passive
// ocean has no mode there, and the contour keeps clear of those on the axis.
func (s *stack) margin() float64 {
	return math.Pow(math.Pi/s.depth(), 2) / 2
}

// strip is a box between two branch cuts, with the sheet that holds there.
type strip struct {
	box
	sh sheet
}

// strips cuts the region along the branch cuts.
func (s *stack) strips(region box) []strip {
	type branch struct {
		re    float64
		leaky *bool
	}
	sh := sheet{}
	var branches []branch
	add := func(e *end, p, shear *bool) {
		if e.table != nil {
			branches = append(branches, branch{real(e.table.k2), p})
		}
		if e.kind != acoustics.Halfspace {
			return
		}
		branches = append(branches, branch{real(e.wave.kp2), p})
		if e.elastic {
			branches = append(branches, branch{real(e.wave.ks2), shear})
		}
	}
	add(&s.bottom, &sh.bottomP, &sh.bottomS)
	add(&s.top, &sh.topP, &sh.topS)
	// From right to left, branch after branch becomes leaky.
	slices.SortFunc(branches, func(a, b branch) int {
		if a.re > b.re {
			return -1
		}
		return 1
	})
	var strips []strip
	right := region.right
	for _, b := range branches {
		if b.re < right && b.re > region.left {
			strips = append(strips, strip{box{b.re, right, region.low, region.high}, sh})
			right = b.re
		}
		if b.re > region.left {
			*b.leaky = true
		}
	}
	return append(strips, strip{box{region.left, right, region.low, region.high}, sh})
}

// slices cuts a strip where Re x falls by a factor, and lowers each slice to the
// largest loss of its own wavenumbers: the wedge of losses per wavelength.
func (st strip) slices(l limits) []strip {
	const factor = 1.6
	var list []strip
	for right := st.right; right > st.left; {
		piece := st
		piece.right = right
		if right > 0 && right/factor > st.left && st.left >= 0 {
			piece.left = right / factor
		}
		// Re x = (1-η²) (Re k)², Im x = -2η (Re k)² on the wedge's edge.
		if edge := -2 * l.ratio / (1 - l.ratio*l.ratio) * right * 1.02; l.ratio < 1 && right > 0 {
			piece.low = max(st.low, edge)
		}
		list = append(list, piece)
		right = piece.left
	}
	return list
}

// rims are factors that move the outer sides of a box on which a zero lies.
var rims = []float64{1, 1.0371, 1.0911, 1.1513}

// searchStrip counts and finds the zeros of one strip.
func (s *stack) searchStrip(st strip) (zeros []zero, err error) {
	for _, rim := range rims {
		moved := st
		moved.low, moved.high = st.low*rim, st.high*rim
		zeros, err = s.searchBox(moved)
		if !errors.Is(err, errZeroOnContour) {
			break
		}
	}
	return zeros, err
}

func (s *stack) searchBox(st strip) ([]zero, error) {
	grown := s.evanescent(st.left)
	c := &counter{left: maxEvaluations}
	c.f = func(x complex128) (complex128, float64) {
		m, scale := s.value(x, st.sh)
		turn := grown.exponent(x)
		return m * cmplx.Rect(1, -imag(turn)), scale - real(turn)
	}
	c.rate = func(x complex128) float64 { return s.rate(x, st.left) }
	frequency := s.omega / (2 * math.Pi)
	n := -1
	k, err := c.around(st.box)
	if err == nil {
		n, err = k.zeros()
	}
	if err != nil {
		return nil, &UncertifiedError{Frequency: frequency, Expected: -1, Reason: err}
	}
	xs, err := c.find(k, n)
	if err != nil || len(xs) != n {
		return nil, &UncertifiedError{Frequency: frequency, Expected: n, Found: len(xs), Reason: err}
	}
	zeros := make([]zero, n)
	for i, x := range xs {
		zeros[i] = zero{x, st.sh}
	}
	return zeros, nil
}

// wavefront is a kind of wave that crosses a thickness of a medium.
type wavefront struct {
	thickness float64
	k2        complex128
}

// wavefronts are waves that decay with depth throughout a box.
type wavefronts []wavefront

// evanescent are the waves whose k² lies left of a line. Right of it γ = √(x-k²) is
// analytic, and so is exp(-Σ γh): it takes the growth of the solutions through these
// media off the characteristic function and leaves its zeros.
func (s *stack) evanescent(left float64) (list wavefronts) {
	s.eachWave(func(seg *segment, i int) {
		if seg.span[i][1] < left {
			list = append(list, wavefront{seg.thickness, seg.k2[i]})
		}
	})
	return list
}

// exponent is Σ γh.
func (w wavefronts) exponent(x complex128) (sum complex128) {
	for i := range w {
		sum += by(w[i].thickness, cmplx.Sqrt(x-w[i].k2))
	}
	return sum
}

// eachWave visits the kinds of waves of every segment: P, and S in solids.
func (s *stack) eachWave(visit func(seg *segment, i int)) {
	for l := range s.layers {
		b := &s.layers[l]
		for j := range b.segments {
			visit(&b.segments[j], 0)
			if b.elastic {
				visit(&b.segments[j], 1)
			}
		}
	}
}

// rate bounds how fast the exponents of waves through the stack turn with x:
// Σ h |dγ/dx| = Σ h/2|γ|, γ² = x - k². Of waves that are evanescent right of the
// line what is left is the difference over the span of a gradient. To that comes
// what interfaces add, which are algebraic functions of x.
func (s *stack) rate(x complex128, left float64) float64 {
	rate := 6 / max(cmplx.Abs(x), s.kappa*s.kappa)
	s.eachWave(func(seg *segment, i int) {
		h := seg.thickness
		if seg.span[i][1] >= left {
			rate += h / 2 / max(math.Sqrt(cmplx.Abs(x-seg.k2[i])), 1/h)
			return
		}
		slow := math.Sqrt(cmplx.Abs(x - complex(seg.span[i][1], 0)))
		fast := math.Sqrt(cmplx.Abs(x - complex(seg.span[i][0], 0)))
		rate += h / 2 * max(0, 1/max(slow, 1/h)-1/max(fast, 1/h))
	})
	return rate
}

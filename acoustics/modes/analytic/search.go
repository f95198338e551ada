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
	c := &counter{rate: s.rate, left: maxEvaluations, f: func(x complex128) (complex128, float64) { return s.value(x, st.sh) }}
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

// rate is Σ h |dγ/dx| = Σ h/2|γ| over the layers, γ² = x - k² of each kind of
// wave: the exponents of all waves up and down the stack turn no faster.
func (s *stack) rate(x complex128) float64 {
	rate := 1 / (s.kappa * s.kappa)
	for i := range s.layers {
		for j := range s.layers[i].segments {
			seg := &s.layers[i].segments[j]
			for _, k2 := range seg.k2 {
				gamma := math.Sqrt(cmplx.Abs(x - k2))
				rate += seg.thickness / 2 / max(gamma, 1/seg.thickness)
				if !s.layers[i].elastic {
					break
				}
			}
		}
	}
	return rate
}

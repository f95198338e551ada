package rangedep

import (
	"fmt"
	"math"
	"math/cmplx"
)

// Spreading says how the field falls with range.
type Spreading string

// Point is a point source; Line an infinite line source across the plane; Scaled
// a point source with the cylindrical spreading 1/√r taken out.
const (
	Point  Spreading = "point"
	Line   Spreading = "line"
	Scaled Spreading = "scaled"
)

// Options say what kind of field is wanted.
type Options struct {
	Spreading Spreading `json:"spreading" hcl:"spreading,optional"`
	// Coupled takes one-way coupled modes where the ocean changes with range, else
	// adiabatic ones.
	Coupled bool `json:"coupled" hcl:"coupled,optional"`
	// Incoherent adds the modes' intensities; the field is then real and positive.
	Incoherent bool `json:"incoherent" hcl:"incoherent,optional"`
	// MaxModes bounds the number of modes summed; 0 is all.
	MaxModes int `json:"max_modes" hcl:"max_modes,optional"`
	// Beam is the source's pattern by declination angle; nil is omnidirectional.
	Beam []BeamLevel `json:"beam,omitempty"`
}

// DefaultOptions are a point source and adiabatic, coherent modes.
func DefaultOptions() Options { return Options{Spreading: Point} }

// BeamLevel is a source's level (dB) at a declination angle (degrees).
type BeamLevel struct {
	Angle float64 `json:"angle"`
	Level float64 `json:"level"`
}

// Positions are where sources stand and pressure is wanted.
type Positions struct {
	SourceDepths   []float64 // m
	ReceiverDepths []float64 // m
	// ReceiverOffsets (m) are added to the ranges, per receiver: the tilt of an
	// array. nil is a vertical array.
	ReceiverOffsets []float64
	Ranges          []float64 // m
}

// Track is an ocean along range: sections at rising ranges, the first at 0. One
// section is an ocean that does not change.
type Track struct {
	Ranges   []float64 // m
	Sections []*Section
}

// Field is the pressure [source][receiver][range], flattened row-major.
func (t Track) Field(at Positions, o Options) ([]complex128, error) {
	if err := t.check(at); err != nil {
		return nil, err
	}
	f := &summation{Track: t, at: at, o: o}
	f.excite()
	f.p = make([]complex128, len(at.SourceDepths)*len(at.ReceiverDepths)*len(at.Ranges))
	switch {
	case len(t.Sections) == 1:
		f.still()
	case o.Coupled:
		f.coupled()
	default:
		f.adiabatic()
	}
	return f.p, nil
}

func (t Track) check(at Positions) error {
	if len(t.Sections) == 0 || len(t.Sections) != len(t.Ranges) {
		panic(fmt.Sprintf("rangedep: %d sections at %d ranges", len(t.Sections), len(t.Ranges)))
	}
	if at.ReceiverOffsets != nil && len(at.ReceiverOffsets) != len(at.ReceiverDepths) {
		panic(fmt.Sprintf("rangedep: %d offsets for %d receivers", len(at.ReceiverOffsets), len(at.ReceiverDepths)))
	}
	for i := 1; i < len(t.Ranges); i++ {
		if t.Ranges[i] <= t.Ranges[i-1] {
			return fmt.Errorf("rangedep: section %d lies at %v m, the one before at %v m", i+1, t.Ranges[i], t.Ranges[i-1])
		}
	}
	return nil
}

// summation is a field under way.
type summation struct {
	Track
	at     Positions
	o      Options
	source [][]complex128 // [source][mode], φ(zs)/ρ(zs) times the beam's level
	p      []complex128
}

// modes is the number of modes of a section that are summed.
func (f *summation) modes(section int) int {
	n := len(f.Sections[section].K)
	if f.o.MaxModes > 0 {
		n = min(n, f.o.MaxModes)
	}
	return n
}

// excite computes how strongly each source excites each mode.
func (f *summation) excite() {
	first := f.Sections[0]
	phi := first.Shapes(f.at.SourceDepths)
	f.source = make([][]complex128, len(f.at.SourceDepths))
	for s, z := range f.at.SourceDepths {
		rho := complex(first.densityAt(z), 0)
		for m := range f.modes(0) {
			f.source[s] = append(f.source[s], phi[m][s]/rho*complex(f.beam(m, z), 0))
		}
	}
}

// beam is the amplitude of the source's pattern for a mode: the mean of its two
// grazing angles at the source.
func (f *summation) beam(mode int, z float64) float64 {
	if len(f.o.Beam) == 0 {
		return 1
	}
	env := f.Sections[0].Environment
	c := env.Water.Profile.SoundSpeedAt(z - env.Top())
	angle := math.Acos(min(1, c/f.Sections[0].PhaseSpeed(mode))) * 180 / math.Pi
	return (level(f.o.Beam, angle) + level(f.o.Beam, -angle)) / 2
}

// level is a pattern's amplitude at an angle, linear between its angles as in the
// Toolbox.
func level(beam []BeamLevel, angle float64) float64 {
	amplitude := func(i int) float64 { return math.Pow(10, beam[i].Level/20) }
	if angle <= beam[0].Angle {
		return amplitude(0)
	}
	for i := 1; i < len(beam); i++ {
		if a, b := beam[i-1].Angle, beam[i].Angle; angle <= b {
			u := (angle - a) / (b - a)
			return (1-u)*amplitude(i-1) + u*amplitude(i)
		}
	}
	return amplitude(len(beam) - 1)
}

// pressure is where the pressure of a source, receiver and range goes.
func (f *summation) pressure(s, z, r int) *complex128 {
	return &f.p[(s*len(f.at.ReceiverDepths)+z)*len(f.at.Ranges)+r]
}

// rangeOf is the range of a receiver at a range of the array.
func (f *summation) rangeOf(z, r int) float64 {
	if f.at.ReceiverOffsets == nil {
		return f.at.Ranges[r]
	}
	return f.at.Ranges[r] + f.at.ReceiverOffsets[z]
}

// spread is the factor before the sum over φ(zs) φ(z) exp(-ikr)/√k or, for a line
// source, φ(zs) φ(z) exp(-ikr)/k.
//
// Point: √(2π/r) exp(i3π/4), COA eq. 5.14 times 4π, conjugated, with the sign of
// KRAKEN's FIELD, which is the opposite. Line: the same without 1/√r, as in FIELD.
func (o Options) spread(r float64) complex128 {
	switch o.Spreading {
	case Line, Scaled:
		return cmplx.Rect(math.Sqrt(2*math.Pi), 3*math.Pi/4)
	}
	if r <= 0 {
		return 0
	}
	return cmplx.Rect(math.Sqrt(2*math.Pi/r), 3*math.Pi/4)
}

// root is √k for point sources, k for line sources.
func (o Options) root(k complex128) complex128 {
	if o.Spreading == Line {
		return k
	}
	return cmplx.Sqrt(k)
}

// sum adds terms, or their intensities.
func (o Options) sum(terms []complex128) complex128 {
	if !o.Incoherent {
		var sum complex128
		for _, t := range terms {
			sum += t
		}
		return sum
	}
	power := 0.0
	for _, t := range terms {
		power += real(t)*real(t) + imag(t)*imag(t)
	}
	return complex(math.Sqrt(power), 0)
}

// finish applies the spreading to a sum.
func (f *summation) finish(sum complex128, r float64) complex128 {
	factor := f.o.spread(r)
	if f.o.Incoherent {
		factor = complex(cmplx.Abs(factor), 0)
	}
	return factor * sum
}

// still is the field of an ocean that is the same at every range.
func (f *summation) still() {
	n := f.modes(0)
	k := f.Sections[0].K
	phi := f.Sections[0].Shapes(f.at.ReceiverDepths)
	terms, waves := make([]complex128, n), make([]complex128, n)
	for z := range f.at.ReceiverDepths {
		for r := range f.at.Ranges {
			x := f.rangeOf(z, r)
			for m := range n {
				waves[m] = phi[m][z] * cmplx.Exp(-1i*k[m]*complex(x, 0)) / f.o.root(k[m])
			}
			for s := range f.source {
				for m := range n {
					terms[m] = f.source[s][m] * waves[m]
				}
				*f.pressure(s, z, r) = f.finish(f.o.sum(terms), x)
			}
		}
	}
}

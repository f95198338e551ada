package envfile

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// SourceGeometry says how the field spreads.
type SourceGeometry string

// The first option of a .flp file: a point source in cylindrical coordinates (R),
// a line source in the plane (X), a point source with the spreading 1/√r taken
// out (S).
const (
	PointSource  SourceGeometry = "point"
	LineSource   SourceGeometry = "line"
	ScaledSource SourceGeometry = "scaled"
)

var geometries = map[byte]SourceGeometry{'R': PointSource, 'X': LineSource, 'S': ScaledSource}

// FieldCase is what a .flp file asks of FIELD.
type FieldCase struct {
	Title      string         `json:"title"` // empty: that of the modes
	Source     SourceGeometry `json:"source"`
	Coupled    bool           `json:"coupled"` // coupled, else adiabatic, modes
	Incoherent bool           `json:"incoherent"`
	// Beam is the source's beam pattern; nil is omnidirectional.
	Beam []BeamLevel `json:"beam,omitempty"`
	// MaxModes bounds the number of modes summed.
	MaxModes      int       `json:"max_modes"`
	ProfileRanges []float64 `json:"profile_ranges"` // m, the first 0
	Ranges        []float64 `json:"ranges"`         // m
	SourceDepths  []float64 `json:"source_depths"`
	// ReceiverDepths (m) and the horizontal offset (m) of each.
	ReceiverDepths  []float64 `json:"receiver_depths"`
	ReceiverOffsets []float64 `json:"receiver_offsets"`

	profiles Error // where the file gives ProfileRanges; no problem
}

// CheckProfiles compares the profile ranges with the number of profiles of an
// environmental file; a difference is an [*Error] at the line of the ranges.
func (c *FieldCase) CheckProfiles(n int, env string) error {
	given := len(c.ProfileRanges)
	if given == n {
		return nil
	}
	e := c.profiles
	e.Problem = fmt.Sprintf("%d profile ranges, where %s has %d profiles", given, env, n)
	e.Remedy = "give one range per profile"
	return &e
}

// BeamLevel is a source's level (dB) at one declination angle (degrees).
type BeamLevel struct {
	Angle float64 `json:"angle"`
	Level float64 `json:"level"`
}

// ReadFieldFile reads a .flp file, and the beam pattern beside it where asked for.
func ReadFieldFile(path string) (*FieldCase, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadField(f, path, Beside(path))
}

// ReadField reads a .flp file from r; open may be nil where no beam pattern can
// be asked for.
func ReadField(r io.Reader, name string, open Opener) (*FieldCase, error) {
	l, err := newList(r, name)
	if err != nil {
		return nil, err
	}
	c := &FieldCase{}
	l.begin()
	title, err := l.text("the title")
	if err != nil {
		return nil, err
	}
	c.Title = strings.TrimRight(title, " ")
	if err := c.readOptions(l, open); err != nil {
		return nil, err
	}
	l.begin()
	if c.MaxModes, err = l.needInt("the number of modes", 1, 1<<31-1); err != nil {
		return nil, err
	}
	if err := c.readRanges(l); err != nil {
		return nil, err
	}
	return c, c.readPositions(l)
}

// readOptions takes the four option letters apart.
func (c *FieldCase) readOptions(l *list, open Opener) error {
	l.begin()
	text, err := l.text("the options")
	if err != nil {
		return err
	}
	padded := (text + "    ")[:max(4, len(text))]
	bad := func(i int, remedy string) error {
		e := l.wrong(fmt.Sprintf("field option %d is %q, which means nothing", i+1, padded[i:i+1]), remedy)
		e.Column += i + 1
		return e
	}
	var ok bool
	if c.Source, ok = geometries[padded[0]]; !ok {
		return bad(0, "use R (point source), X (line source) or S (point source, spreading removed)")
	}
	switch padded[1] {
	case 'A', ' ':
	case 'C':
		c.Coupled = true
	default:
		return bad(1, "use A (adiabatic) or C (coupled)")
	}
	switch padded[3] {
	case 'C', ' ':
	case 'I':
		c.Incoherent = true
	default:
		return bad(3, "use C (coherent) or I (incoherent)")
	}
	switch padded[2] {
	case 'O', ' ':
		return nil
	case '*':
		return c.readBeamBeside(l, open)
	}
	return bad(2, "use O (omnidirectional) or * (beam pattern in a .sbp file)")
}

func (c *FieldCase) readBeamBeside(l *list, open Opener) error {
	err := fmt.Errorf("no file can be opened here")
	if open != nil {
		var f io.ReadCloser
		if f, err = open(".sbp"); err == nil {
			defer f.Close()
			c.Beam, err = ReadBeam(f, strings.TrimSuffix(l.name, ".flp")+".sbp")
			return err
		}
	}
	return l.wrong(fmt.Sprintf("option * asks for a .sbp file of the source's beam pattern: %v", err), "put it beside the .flp file")
}

// readRanges reads the ranges of profiles and receivers.
func (c *FieldCase) readRanges(l *list) (err error) {
	risingProfiles := rising("profile range", "km", 0)
	c.ProfileRanges, err = l.vector("profile ranges", 1000, func(x []float64, i int) (string, string) {
		if x[0] != 0 {
			return fmt.Sprintf("the first profile lies at %v km", x[0]), "it must lie at range 0"
		}
		return risingProfiles(x, i)
	})
	if err == nil {
		c.profiles = *l.wrong("", "")
		c.profiles.Column = 0
		c.Ranges, err = l.vector("receiver ranges", 1000, rising("receiver range", "km", 0))
	}
	return err
}

// readPositions reads depths of sources and receivers, and the receivers' offsets.
func (c *FieldCase) readPositions(l *list) (err error) {
	if c.SourceDepths, err = l.vector("source depths", 1, anyValue); err != nil {
		return err
	}
	if c.ReceiverDepths, err = l.vector("receiver depths", 1, anyValue); err != nil {
		return err
	}
	if !l.more() {
		c.ReceiverOffsets = make([]float64, len(c.ReceiverDepths))
		return nil
	}
	if c.ReceiverOffsets, err = l.vector("receiver offsets", 1, anyValue); err != nil {
		return err
	}
	if n := len(c.ReceiverDepths); len(c.ReceiverOffsets) != n {
		if x := c.ReceiverOffsets; slices.Min(x) == slices.Max(x) {
			c.ReceiverOffsets = slices.Repeat(x[:1], n)
			return nil
		}
		return l.wrong(fmt.Sprintf("%d receiver offsets for %d receiver depths", len(c.ReceiverOffsets), len(c.ReceiverDepths)), "give one offset per receiver depth")
	}
	return nil
}

// ReadBeam reads a source beam pattern (.sbp): a count, then angle (degrees,
// rising) and level (dB).
func ReadBeam(r io.Reader, name string) ([]BeamLevel, error) {
	l, err := newList(r, name)
	if err != nil {
		return nil, err
	}
	l.begin()
	n, err := l.needInt("the number of angles", 1, maxVector)
	if err != nil {
		return nil, err
	}
	var beam []BeamLevel
	for len(beam) < n {
		var b BeamLevel
		l.begin()
		if b.Angle, err = l.needFloat("the angle"); err != nil {
			return nil, err
		}
		if k := len(beam); k > 0 && b.Angle <= beam[k-1].Angle {
			return nil, l.wrong(fmt.Sprintf("angle %v° follows %v°", b.Angle, beam[k-1].Angle), "give angles in rising order")
		}
		if b.Level, err = l.needFloat("the level"); err != nil {
			return nil, err
		}
		beam = append(beam, b)
	}
	return beam, nil
}

// WriteField writes a .flp file.
func WriteField(w io.Writer, c *FieldCase) error {
	letter, ok := letterOf(geometries, c.Source)
	if !ok {
		return fmt.Errorf("envfile: %q is no source geometry", c.Source)
	}
	options := []byte{letter, 'A', 'O', 'C'}
	if c.Coupled {
		options[1] = 'C'
	}
	if c.Beam != nil {
		options[2] = '*'
	}
	if c.Incoherent {
		options[3] = 'I'
	}
	b := bufio.NewWriter(w)
	if c.Title == "" {
		fmt.Fprintln(b, "/ ! title, that of the modes")
	} else {
		fmt.Fprintln(b, quote(c.Title))
	}
	fmt.Fprintf(b, "%s ! source, coupling, beam, coherence\n%d ! modes\n", quote(string(options)), c.MaxModes)
	writeVector(b, c.ProfileRanges, 1000, "profile ranges (km)")
	writeVector(b, c.Ranges, 1000, "receiver ranges (km)")
	writeVector(b, c.SourceDepths, 1, "source depths (m)")
	writeVector(b, c.ReceiverDepths, 1, "receiver depths (m)")
	writeVector(b, c.ReceiverOffsets, 1, "receiver offsets (m)")
	return b.Flush()
}

// WriteBeam writes a source beam pattern.
func WriteBeam(w io.Writer, beam []BeamLevel) error {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, len(beam))
	for _, v := range beam {
		fmt.Fprintln(b, number(v.Angle), number(v.Level))
	}
	return b.Flush()
}

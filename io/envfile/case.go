package envfile

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"oceaninv/acoustics"
)

// Case is one profile of an environmental file: the ocean and what is wanted of
// its modes.
type Case struct {
	Title string `json:"title"`
	// Frequencies in Hz: the broadband vector, or the one frequency.
	Frequencies []float64 `json:"frequencies"`
	// Reference is the frequency in Hz of the file's head; attenuations of unit m
	// hold there.
	Reference   float64               `json:"reference"`
	Environment acoustics.Environment `json:"environment"`
	// Interpolation is the option letter's rule, for every medium.
	Interpolation acoustics.Interpolation `json:"interpolation"`
	PhaseSpeed    PhaseSpeedLimits        `json:"phase_speed"`
	MaxRange      float64                 `json:"max_range"` // m
	// Origin is the file's depth of the surface in m, the first of the first medium;
	// that of the .flp file too.
	Origin float64 `json:"origin,omitempty"`
	// SourceDepths and ReceiverDepths in m below the surface.
	SourceDepths   []float64 `json:"source_depths"`
	ReceiverDepths []float64 `json:"receiver_depths"`
	// Mesh holds the file's mesh count per medium, top first; 0 is automatic. It
	// is a hint: no result here depends on it.
	Mesh []int `json:"mesh"`
	// Robust is the option '.': the Toolbox's slow, careful root finder.
	Robust bool `json:"robust,omitempty"`
	// Warnings tell where the file says something that is not taken literally.
	Warnings []string `json:"warnings,omitempty"`
}

// InFile are depths below the surface in the file's own coordinate, which is that of the
// Toolbox's other files of the case (.flp, .shd) too: Origin deeper.
func (c *Case) InFile(depths []float64) []float64 {
	z := slices.Clone(depths)
	for i := range z {
		z[i] += c.Origin
	}
	return z
}

// PhaseSpeedLimits bounds the modes wanted, in m/s. Low 0 is no lower limit.
type PhaseSpeedLimits struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Opener opens the file beside the environmental file that has this extension
// (".brc", ".trc", ".sbp").
type Opener func(extension string) (io.ReadCloser, error)

// ReadFile reads every profile of an environmental file, and the reflection
// coefficients beside it where an option asks for them.
func ReadFile(path string) ([]Case, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Read(f, path, Beside(path))
}

// Beside opens the files that share path's name up to the extension, in small
// letters or capitals.
func Beside(path string) Opener {
	stem := strings.TrimSuffix(path, filepath.Ext(path))
	return func(extension string) (io.ReadCloser, error) {
		f, err := os.Open(stem + extension)
		if os.IsNotExist(err) {
			if g, upper := os.Open(stem + strings.ToUpper(extension)); upper == nil {
				return g, nil
			}
		}
		return f, err
	}
}

// maxProfiles bounds the profiles of one file.
const maxProfiles = 10_000

// Read reads every profile from r. name is the file's name in diagnostics; open
// may be nil where no reflection coefficients can be asked for.
func Read(r io.Reader, name string, open Opener) ([]Case, error) {
	l, err := newList(r, name)
	if err != nil {
		return nil, err
	}
	var cases []Case
	for len(cases) == 0 || l.more() {
		if len(cases) == maxProfiles {
			l.begin()
			return nil, l.wrong(fmt.Sprintf("more than %d profiles", maxProfiles), "split the file")
		}
		c, err := readCase(l, open, len(cases) > 0)
		if errors.Is(err, errTrailing) {
			last := &cases[len(cases)-1]
			last.Warnings = append(last.Warnings, l.name+": what follows the last profile is no profile and is left out")
			return cases, nil
		}
		if err != nil {
			return nil, err
		}
		cases = append(cases, *c)
	}
	return cases, nil
}

// errTrailing says that something else follows the last profile.
var errTrailing = errors.New("no profile")

// caseReader gathers one profile.
type caseReader struct {
	*list
	open    Opener
	later   bool // not the first profile of its file
	c       Case
	unit    acoustics.AttenuationUnit
	top     options
	media   []medium
	last    point // defaults of the next profile line
	surface acoustics.Boundary
	bottom  acoustics.Boundary
	// powers of the bottom half-space's attenuation (unit m)
	power power
}

func readCase(l *list, open Opener, later bool) (*Case, error) {
	r := &caseReader{list: l, open: open, later: later}
	r.last = point{speed: 1500, density: 1}
	r.power = power{exponent: 1, transition: math.Inf(1)}
	steps := []func() error{
		r.readHead, r.readTop, r.readMedia, r.readBottom, r.readLimits, r.readDepths, r.readFrequencies, r.build,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return &r.c, nil
}

func (r *caseReader) readHead() error {
	r.begin()
	title, err := r.value("the title")
	if err != nil {
		return err
	}
	r.c.Title = strings.TrimRight(title.text, " ")
	// SCOOTER's ranges follow the last profile: a number for a title.
	_, number := parseReal(title.text)
	if r.later && (!r.more() || number && !title.quoted) {
		return errTrailing
	}
	r.begin()
	f, err := r.needFloat("the frequency")
	if err != nil {
		return err
	}
	if f <= 0 {
		return r.wrong(fmt.Sprintf("frequency %v Hz", f), "it must be positive")
	}
	r.c.Reference, r.c.Frequencies = f, []float64{f}
	return nil
}

// readLimits reads the phase-speed limits and the maximum range.
func (r *caseReader) readLimits() error {
	r.begin()
	low, err := r.needFloat("the lower phase-speed limit")
	if err != nil {
		return err
	}
	if low < 0 {
		return r.wrong(fmt.Sprintf("lower phase-speed limit %v m/s", low), "give 0 or a positive speed")
	}
	high, err := r.needFloat("the upper phase-speed limit")
	if err != nil {
		return err
	}
	if high <= low {
		return r.wrong(fmt.Sprintf("phase-speed limits run from %v to %v m/s", low, high), "give the lower limit first")
	}
	r.c.PhaseSpeed = PhaseSpeedLimits{low, high}
	r.begin()
	km, err := r.needFloat("the maximum range")
	if err != nil {
		return err
	}
	if km < 0 {
		return r.wrong(fmt.Sprintf("maximum range %v km", km), "give 0 or a positive range")
	}
	r.c.MaxRange = km * 1000
	return nil
}

// readDepths reads the depths of sources and receivers.
func (r *caseReader) readDepths() (err error) {
	if r.c.SourceDepths, err = r.depths("source depths"); err == nil {
		r.c.ReceiverDepths, err = r.depths("receiver depths")
	}
	return err
}

func (r *caseReader) depths(what string) ([]float64, error) {
	z, err := r.vector(what, 1, func(x []float64, i int) (string, string) {
		if x[i] < r.c.Origin {
			return fmt.Sprintf("%s: %v m is above the surface, which lies at %v m", what, x[i], r.c.Origin), "give depths inside the ocean"
		}
		return "", ""
	})
	for i := range z {
		z[i] -= r.c.Origin
	}
	return z, err
}

// readFrequencies reads the broadband vector, where the option B asks for it.
func (r *caseReader) readFrequencies() error {
	if !r.top.broadband {
		return nil
	}
	f, err := r.vector("frequencies", 1, rising("frequency", "Hz", math.SmallestNonzeroFloat64))
	r.c.Frequencies = f
	return err
}

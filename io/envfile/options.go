package envfile

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"oceaninv/acoustics"
)

// options is the line of top options.
type options struct {
	interpolation acoustics.Interpolation
	boundary      byte
	volume        acoustics.VolumeAttenuation
	robust        bool
	broadband     bool
}

var interpolations = map[byte]acoustics.Interpolation{
	'N': acoustics.N2Linear, 'C': acoustics.CLinear, 'P': acoustics.PCHIP, 'S': acoustics.Spline,
}

var units = map[byte]acoustics.AttenuationUnit{
	'N': acoustics.NepersPerMetre, 'F': acoustics.DBPerMetreKHz, 'M': acoustics.DBPerMetre, 'm': acoustics.DBPerMetrePower,
	'W': acoustics.DBPerWavelength, 'Q': acoustics.QualityFactor, 'L': acoustics.LossParameter,
}

// letterOf finds the option letter of a value.
func letterOf[V comparable](letters map[byte]V, v V) (byte, bool) {
	for letter, w := range letters {
		if w == v {
			return letter, true
		}
	}
	return 0, false
}

// readTop reads the top options and the lines they ask for.
func (r *caseReader) readTop() error {
	r.begin()
	n, err := r.needInt("the number of media", 1, 500)
	if err != nil {
		return err
	}
	r.media = make([]medium, 0, n)
	r.c.Mesh = make([]int, n)
	r.begin()
	text, err := r.text("the top options")
	if err != nil {
		return err
	}
	if err := r.parseTop(text); err != nil {
		return err
	}
	if r.top.volume.Formula == acoustics.FrancoisGarrison {
		if err := r.readFrancoisGarrison(); err != nil {
			return err
		}
	}
	r.surface, err = r.readBoundary(r.top.boundary, "top", ".trc")
	return err
}

// parseTop takes the option letters apart, position by position.
func (r *caseReader) parseTop(text string) error {
	option := func(i int) byte {
		if i < len(text) {
			return text[i]
		}
		return ' '
	}
	bad := func(i int, problem, remedy string) error {
		e := r.wrong(fmt.Sprintf("top option %d is %q: %s", i+1, string(option(i)), problem), remedy)
		e.Column += i + 1
		return e
	}
	var ok bool
	if r.top.interpolation, ok = interpolations[option(0)]; !ok {
		meaning, remedy := "no interpolation of profiles", "use N (1/c² linear), C (c linear), P (PCHIP) or S (spline)"
		switch option(0) {
		case 'A':
			meaning = "an analytic profile, compiled into the Toolbox, is not supported"
		case 'Q', 'H':
			meaning = "a range-dependent profile of the ray codes is not supported"
		}
		return bad(0, meaning, remedy)
	}
	r.c.Interpolation = r.top.interpolation
	r.top.boundary = option(1)
	if !strings.ContainsRune("VRAF", rune(option(1))) {
		meaning, remedy := boundaryMeaning(option(1), "top", ".trc")
		return bad(1, meaning, remedy)
	}
	if r.unit, ok = units[option(2)]; !ok {
		return bad(2, "no unit of attenuation", "use N, F, M, m, W, Q or L")
	}
	switch option(3) {
	case ' ':
	case 'T':
		r.top.volume.Formula = acoustics.Thorp
	case 'F':
		r.top.volume.Formula = acoustics.FrancoisGarrison
	case 'B':
		return bad(3, "biological layers (fish) are not supported", "leave the option blank and add the loss to the profile")
	default:
		return bad(3, "no volume attenuation", "use T (Thorp), F (Francois-Garrison) or a blank")
	}
	switch option(4) {
	case ' ', '_':
	case '.':
		r.c.Robust = true
	case '~', '*':
		r.warn(r.wrong(fmt.Sprintf("top options %q: an altimetry file is for the ray codes; the surface is taken as flat", text), ""))
	default:
		return bad(4, "unknown option", "use '.' (careful root finder) or a blank")
	}
	switch option(5) {
	case ' ', '0':
	case 'B':
		r.top.broadband = true
	case 'I':
		r.warn(r.wrong(fmt.Sprintf("top options %q: a single beam is for the ray codes; the option is left out", text), ""))
	default:
		return bad(5, "unknown option", "use B (broadband) or a blank")
	}
	return nil
}

// boundaryMeaning says what an unsupported letter of a boundary means, and what to do.
func boundaryMeaning(letter byte, side, extension string) (meaning, remedy string) {
	remedy = "use V (vacuum), R (rigid), A (half-space) or F (reflection coefficients)"
	if side == "bottom" {
		remedy = "use V (vacuum), R (rigid), A (half-space), F (reflection coefficients) or P (BOUNCE's .irc file)"
	}
	bosses := "give the interface's rms roughness instead"
	switch letter {
	case 'P':
		return "a precalculated internal reflection coefficient (.irc) closes the bottom only", "use F with a " + extension + " file, or give what lies above"
	case 'W':
		return "writing a file of reflection coefficients is BOUNCE's task", remedy
	case 'G':
		return "a " + side + " given by its grain size is not supported", "use A and give sound speed, density and attenuation"
	case 'S':
		return "Twersky's scatter by soft bosses is not supported", bosses
	case 'H':
		return "Twersky's scatter by hard bosses is not supported", bosses
	case 'T':
		return "Twersky's scatter by soft bosses, amplitude only, is not supported", bosses
	case 'I':
		return "Twersky's scatter by hard bosses, amplitude only, is not supported", bosses
	}
	return "no " + side + " boundary", remedy
}

// readFrancoisGarrison reads temperature, salinity, acidity and depth.
func (r *caseReader) readFrancoisGarrison() error {
	r.begin()
	v := &r.top.volume
	fields := []struct {
		what      string
		x         *float64
		low, high float64
	}{
		{"the temperature (°C)", &v.Temperature, -10, 60}, {"the salinity (psu)", &v.Salinity, 0, 100},
		{"the pH", &v.PH, 0, 14}, {"the mean depth (m)", &v.MeanDepth, 0, 12000},
	}
	for _, f := range fields {
		x, err := r.needFloat(f.what + " of the Francois-Garrison line")
		if err != nil {
			return err
		}
		if x < f.low || x > f.high {
			return r.wrong(fmt.Sprintf("%s of the Francois-Garrison line is %v", f.what, x), fmt.Sprintf("it must lie between %v and %v", f.low, f.high))
		}
		*f.x = x
	}
	return nil
}

// readBoundary reads what a boundary letter asks for.
func (r *caseReader) readBoundary(letter byte, side, extension string) (acoustics.Boundary, error) {
	switch letter {
	case 'V':
		return acoustics.Boundary{Kind: acoustics.PressureRelease}, nil
	case 'R':
		return acoustics.Boundary{Kind: acoustics.Rigid}, nil
	case 'A':
		p, err := r.readPoint("the " + side + " half-space")
		if err != nil {
			return acoustics.Boundary{}, err
		}
		return acoustics.Boundary{Kind: acoustics.Halfspace, Material: r.material(p, r.power)}, nil
	}
	var out acoustics.Boundary
	err := r.beside(letter, extension, func(f io.Reader, name string) (err error) {
		if letter == 'P' {
			out.Kind = acoustics.Impedance
			out.Impedance, err = ReadImpedance(f, name)
			return err
		}
		out.Kind = acoustics.Reflection
		out.Reflections, err = ReadReflections(f, name)
		return err
	})
	if t := out.Impedance; err == nil && t != nil && math.Abs(t.Frequency-r.c.Reference) > 1e-6*r.c.Reference {
		return out, r.wrong(fmt.Sprintf("the .irc file holds at %v Hz, the ocean at %v Hz", t.Frequency, r.c.Reference), "run BOUNCE at the ocean's frequency")
	}
	return out, err
}

// beside reads the table that an option asks for from the file beside this one.
func (r *caseReader) beside(letter byte, extension string, read func(f io.Reader, name string) error) error {
	err := errors.New("no file can be opened here")
	if r.open != nil {
		var f io.ReadCloser
		if f, err = r.open(extension); err == nil {
			defer f.Close()
			return read(f, strings.TrimSuffix(r.name, ".env")+extension)
		}
	}
	return r.wrong(fmt.Sprintf("option %c asks for a %s file of reflection coefficients: %v", letter, extension, err), "put it beside the environmental file")
}

package envfile

import (
	"fmt"
	"math"
	"strings"

	"oceaninv/acoustics"
)

// point is one line of a profile, in the file's units.
type point struct {
	depth, speed, shear, density, loss, shearLoss float64
}

// power is the frequency law of an attenuation of unit m.
type power struct{ exponent, transition float64 }

// medium is one block of a profile.
type medium struct {
	roughness float64 // of its upper interface
	bottom    float64
	power     power
	points    []point
	line      int
}

const (
	maxPoints = 100_000 // of one medium
	maxMesh   = 10_000_000
	heaviest  = 30 // g/cm³; who writes more means kg/m³
	// depthTolerance is how near a profile's last depth must come to its
	// medium's (m): the Toolbox's 100 single-precision epsilons.
	depthTolerance = 1.2e-5
)

func (r *caseReader) readMedia() error {
	for i := range r.c.Mesh {
		if err := r.readMedium(i); err != nil {
			return err
		}
	}
	r.c.Origin = r.media[0].points[0].depth
	return nil
}

// readMedium reads the head of a medium and its profile down to its depth.
func (r *caseReader) readMedium(i int) (err error) {
	r.begin()
	what := fmt.Sprintf("medium %d", i+1)
	if r.c.Mesh[i], err = r.needInt("the mesh count of "+what, 0, maxMesh); err != nil {
		return err
	}
	m := medium{power: power{exponent: 1}}
	if m.roughness, err = r.readRoughness(what); err != nil {
		return err
	}
	if m.bottom, err = r.needFloat("the depth of the bottom of " + what); err != nil {
		return err
	}
	m.line = r.lastLine
	if m.power, err = r.readPower(what); err != nil {
		return err
	}
	if i > 0 && m.bottom <= r.media[i-1].bottom {
		return r.wrong(fmt.Sprintf("%s ends at %v m, where the one above ends at %v m: its thickness is not positive", what, m.bottom, r.media[i-1].bottom),
			"give each medium a greater depth than the one above")
	}
	for len(m.points) == 0 || m.points[len(m.points)-1].depth != m.bottom {
		if n := len(m.points); n > 0 && r.quoteIsNext() {
			return r.endsEarly(m.points[n-1].depth, m.bottom, what)
		}
		if err := r.readProfileLine(&m, i, what); err != nil {
			return err
		}
	}
	r.media = append(r.media, m)
	return nil
}

// endsEarly says that the boundary below a medium is given before its profile has reached it.
func (r *caseReader) endsEarly(depth, bottom float64, what string) error {
	e := r.wrong(fmt.Sprintf("the profile of %s ends at %v m, where %s ends at %v m", what, depth, what, bottom),
		"add a line that reaches that depth before this one")
	e.Line, e.Column, e.Source = r.next+1, 1, ""
	if len(r.lines[r.next]) < maxLineBytes {
		e.Source = r.lines[r.next]
	}
	return e
}

// readProfileLine reads one line of a profile and checks its depth.
func (r *caseReader) readProfileLine(m *medium, i int, what string) error {
	if len(m.points) == maxPoints {
		r.begin()
		return r.wrong(fmt.Sprintf("the profile of %s has more than %d lines", what, maxPoints), "thin it out, or end it at the medium's depth")
	}
	p, err := r.readPoint(what)
	if err != nil {
		return err
	}
	if math.Abs(p.depth-m.bottom) < depthTolerance {
		p.depth = m.bottom
	}
	at := func(problem, remedy string) error {
		e := r.wrong(problem, remedy)
		e.Column = 1
		return e
	}
	switch n := len(m.points); {
	case p.depth > m.bottom:
		return at(fmt.Sprintf("the profile of %s passes its depth of %v m with %v m", what, m.bottom, p.depth), "end it exactly at that depth")
	case n > 0 && p.depth <= m.points[n-1].depth:
		return at(fmt.Sprintf("depth %v m follows %v m in the profile of %s", p.depth, m.points[n-1].depth, what), "give depths in rising order")
	case n == 0 && p.depth == m.bottom:
		return at(fmt.Sprintf("%s begins and ends at %v m: its thickness is zero", what, p.depth), "give it a greater depth, or remove it")
	case n == 0 && i > 0 && math.Abs(p.depth-r.media[i-1].bottom) > depthTolerance:
		return at(fmt.Sprintf("%s begins at %v m, the one above ends at %v m", what, p.depth, r.media[i-1].bottom), "begin it where the one above ends")
	case n == 0 && i > 0:
		p.depth = r.media[i-1].bottom
	case n > 0 && (p.shear > 0) != (m.points[0].shear > 0):
		return at(what+" is fluid at one depth and elastic at another", "make two media of it")
	}
	m.points = append(m.points, p)
	return nil
}

// readPoint reads depth, speeds, density and losses; what is not given stays as
// on the line before.
func (r *caseReader) readPoint(what string) (point, error) {
	r.begin()
	p := r.last
	fields := []struct {
		name, remedy string
		x            *float64
		good         func(float64) bool
		wave         *float64 // the speed of the wave whose loss it is
	}{
		{"depth", "", &p.depth, func(x float64) bool { return true }, nil},
		{"sound speed", fmt.Sprintf("it must be at least %d m/s: 1.5 km/s is 1500", acoustics.SlowestSound), &p.speed, func(x float64) bool { return x >= acoustics.SlowestSound }, nil},
		{"shear speed", "it must be 0 (fluid) or positive, in m/s", &p.shear, func(x float64) bool { return x >= 0 }, nil},
		{"density", "it must be positive, in g/cm³: 1800 kg/m³ is 1.8", &p.density, func(x float64) bool { return x > 0 && x <= heaviest }, nil},
		{"attenuation", "it must not be negative", &p.loss, func(x float64) bool { return x >= 0 }, &p.speed},
		{"shear attenuation", "it must not be negative", &p.shearLoss, func(x float64) bool { return x >= 0 }, &p.shear},
	}
	for _, f := range fields {
		if _, err := r.float(f.x, fmt.Sprintf("the %s of %s", f.name, what)); err != nil {
			return p, err
		}
		if !f.good(*f.x) {
			return p, r.wrong(fmt.Sprintf("the %s of %s is %v", f.name, what, *f.x), f.remedy)
		}
		if f.wave != nil {
			if err := r.checkLoss(fmt.Sprintf("the %s of %s", f.name, what), *f.x, *f.wave); err != nil {
				return p, err
			}
		}
	}
	// Bulk modulus positive: cp² > 4/3 cs².
	if 3*p.speed*p.speed <= 4*p.shear*p.shear {
		return p, r.wrong(fmt.Sprintf("%s has sound speed %v and shear speed %v m/s: no such solid", what, p.speed, p.shear), "the shear speed must stay below √3/2 of the sound speed")
	}
	r.last = p
	return p, nil
}

// checkLoss refuses an attenuation that leaves no wave of this speed, at the head's frequency,
// where every law gives its value.
func (r *caseReader) checkLoss(what string, loss, speed float64) error {
	db := r.attenuation(loss, power{exponent: 1}).PerWavelength(r.c.Reference, speed)
	if db <= acoustics.MostPerWavelength {
		return nil
	}
	return r.wrong(fmt.Sprintf("%s, %v, is %.3g dB a wavelength", what, loss, db),
		fmt.Sprintf("above %.1f dB there is no wave left, sea beds have 0.01 to 2: check it and the letter of its unit in the top options", acoustics.MostPerWavelength))
}

func (r *caseReader) readRoughness(what string) (float64, error) {
	var sigma float64
	if _, err := r.float(&sigma, "the roughness of "+what); err != nil {
		return 0, err
	}
	if sigma < 0 {
		return 0, r.wrong(fmt.Sprintf("the roughness of %s is %v m", what, sigma), "it must not be negative")
	}
	return sigma, nil
}

// readPower reads exponent and transition frequency where the unit is m.
func (r *caseReader) readPower(what string) (power, error) {
	p := power{exponent: 1, transition: math.Inf(1)}
	if r.unit != acoustics.DBPerMetrePower || r.lineIsDone() {
		return p, nil
	}
	if _, err := r.float(&p.exponent, "the exponent of the attenuation of "+what); err != nil {
		return p, err
	}
	if r.lineIsDone() {
		return p, nil
	}
	ok, err := r.float(&p.transition, "the transition frequency of the attenuation of "+what)
	if err == nil && ok && p.transition <= 0 {
		err = r.wrong(fmt.Sprintf("transition frequency %v Hz", p.transition), "it must be positive")
	}
	return p, err
}

// lineIsDone says that the line under way holds no further value.
func (l *list) lineIsDone() bool {
	if l.ended || l.line >= len(l.lines) {
		return true
	}
	rest := strings.TrimLeft(l.lines[l.line][l.at:], " \t")
	return rest == "" || rest[0] == '!'
}

func (r *caseReader) readBottom() error {
	r.begin()
	text, err := r.text("the bottom option")
	if err != nil {
		return err
	}
	letter := byte(' ')
	if text != "" {
		letter = text[0]
	}
	if !strings.ContainsRune("VRAFP", rune(letter)) {
		meaning, remedy := boundaryMeaning(letter, "bottom", ".brc")
		return r.wrong(fmt.Sprintf("bottom option %q: %s", text, meaning), remedy)
	}
	if len(text) > 1 && (text[1] == '~' || text[1] == '*') {
		r.warn(r.wrong(fmt.Sprintf("bottom option %q: a bathymetry file is for the ray codes; the bottom is taken as flat", text), ""))
	}
	sigma, err := r.readRoughness("the bottom")
	if err != nil {
		return err
	}
	r.media = append(r.media, medium{roughness: sigma, line: r.lastLine})
	if r.power, err = r.readPower("the bottom"); err != nil {
		return err
	}
	extension := ".brc"
	if letter == 'P' {
		extension = ".irc"
	}
	r.bottom, err = r.readBoundary(letter, "bottom", extension)
	return err
}

package envfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"oceaninv/acoustics"
)

// Write writes cases as one environmental file. The table of a
// Reflection or Impedance boundary goes into a file of its own (see
// [WriteReflections], [WriteImpedance]). An ocean with several units
// of attenuation is converted to one; the notes, which the file holds as comments
// too, say how and at which frequencies that is exact. What the format cannot say,
// such as two interpolations, or profiles with different [Tables], is an error and nothing
// is written.
func Write(w io.Writer, cases []Case) (notes []string, err error) {
	if _, err := Tables(cases); err != nil {
		return nil, err
	}
	var text strings.Builder
	for i := range cases {
		e := writer{out: &text}
		if e.c, e.unit, e.note, err = oneUnit(&cases[i]); err == nil {
			err = e.write()
		}
		if err != nil {
			return nil, fmt.Errorf("envfile: profile %d: %w", i+1, err)
		}
		if e.note != "" {
			notes = append(notes, fmt.Sprintf("profile %d: %s", i+1, e.note))
		}
	}
	_, err = io.WriteString(w, text.String())
	return notes, err
}

type writer struct {
	out  *strings.Builder
	c    *Case
	unit acoustics.AttenuationUnit // of every lossy medium; empty: none is lossy
	note string                    // on a conversion of units

	interpolation acoustics.Interpolation // of all media
}

func (e *writer) printf(format string, a ...any) { fmt.Fprintf(e.out, format, a...) }

func (e *writer) write() error {
	if err := e.findInterpolation(); err != nil {
		return err
	}
	env := &e.c.Environment
	layers := len(env.Cover) + 1 + len(env.Layers)
	e.printf("%s\n%s ! frequency (Hz)\n%d ! media\n", quote(e.c.Title), number(e.c.Reference), layers)
	if err := e.writeTop(); err != nil {
		return err
	}
	z, roughness, index := e.c.Origin, env.Surface.Roughness, 0
	var err error
	for _, layer := range env.Cover {
		z, roughness, err = e.writeLayer(layer, index, z, roughness)
		if err != nil {
			return err
		}
		index++
	}
	z, roughness, err = e.writeLayer(e.waterLayer(), index, z, roughness)
	if err != nil {
		return err
	}
	for _, layer := range env.Layers {
		index++
		if z, roughness, err = e.writeLayer(layer, index, z, roughness); err != nil {
			return err
		}
	}
	return e.writeRest(z, roughness)
}

// findInterpolation finds the one rule that suits all media, the case's own first.
func (e *writer) findInterpolation() error {
	env := &e.c.Environment
	layers := append(append(slices.Clone(env.Cover), e.waterLayer()), env.Layers...)
	for _, layer := range layers {
		if len(layer.Knots) == 0 {
			return fmt.Errorf("layer %q has no material", layer.Name)
		}
	}
	for _, rule := range []acoustics.Interpolation{e.c.Interpolation, acoustics.CLinear, acoustics.N2Linear, acoustics.PCHIP, acoustics.Spline} {
		if rule != "" && !slices.ContainsFunc(layers, func(l acoustics.Layer) bool { return !suits(l, rule) }) {
			e.interpolation = rule
			return nil
		}
	}
	return errors.New("the media are interpolated by different rules: an .env file has one for all")
}

var boundaryLetters = map[byte]acoustics.BoundaryKind{
	'V': acoustics.PressureRelease, 'R': acoustics.Rigid, 'A': acoustics.Halfspace, 'F': acoustics.Reflection, 'P': acoustics.Impedance,
}

// writeTop writes the top options and the lines they ask for.
func (e *writer) writeTop() error {
	interpolation, ok := letterOf(interpolations, e.interpolation)
	if !ok {
		return fmt.Errorf("%q is no interpolation", e.interpolation)
	}
	boundary, ok := letterOf(boundaryLetters, e.c.Environment.Surface.Kind)
	if !ok || boundary == 'P' {
		return fmt.Errorf("%q is no boundary of the surface", e.c.Environment.Surface.Kind)
	}
	unit := byte('W')
	if e.unit != "" {
		if unit, ok = letterOf(units, e.unit); !ok {
			return fmt.Errorf("%q is no unit of attenuation", e.unit)
		}
	}
	options := []byte{interpolation, boundary, unit, ' ', ' ', ' '}
	volume := e.c.Environment.Water.VolumeAttenuation
	switch volume.Formula {
	case acoustics.Thorp:
		options[3] = 'T'
	case acoustics.FrancoisGarrison:
		options[3] = 'F'
	}
	if e.c.Robust {
		options[4] = '.'
	}
	if e.broadband() {
		options[5] = 'B'
	}
	e.printf("%s", quote(strings.TrimRight(string(options), " ")))
	if e.note != "" {
		e.printf(" ! %s", e.note)
	}
	e.printf("\n")
	if options[3] == 'F' {
		e.printf("%s %s %s %s ! temperature (°C), salinity (psu), pH, depth (m)\n", number(volume.Temperature), number(volume.Salinity), number(volume.PH), number(volume.MeanDepth))
	}
	if boundary == 'A' {
		e.writePoint(e.c.Origin, e.c.Environment.Surface.Material)
	}
	return nil
}

func (e *writer) broadband() bool {
	return len(e.c.Frequencies) != 1 || e.c.Frequencies[0] != e.c.Reference
}

// waterLayer is the water column in the form of a layer.
func (e *writer) waterLayer() acoustics.Layer {
	w := &e.c.Environment.Water
	layer := acoustics.Layer{Thickness: w.Depth, Interpolation: w.Profile.Interpolation, BottomRoughness: w.BottomRoughness}
	for i, z := range w.Profile.Depth {
		m := acoustics.Material{SoundSpeed: w.Profile.Speed[i], Density: w.Density, Attenuation: w.AttenuationAt(i)}
		layer.Knots = append(layer.Knots, acoustics.Knot{Depth: z, Material: m})
	}
	return layer
}

// writeLayer writes a medium that begins at depth z under an interface of this
// roughness, and returns depth and roughness of its lower end.
func (e *writer) writeLayer(layer acoustics.Layer, index int, z, roughness float64) (float64, float64, error) {
	knots := layer.Knots
	mesh := 0
	if index < len(e.c.Mesh) {
		mesh = e.c.Mesh[index]
	}
	bottom := z + layer.Thickness
	e.printf("%d %s %s", mesh, number(roughness), number(bottom))
	e.writePower(knots)
	if len(knots) == 1 {
		knots = append(knots[:1:1], acoustics.Knot{Material: knots[0].Material})
	}
	for i, k := range knots {
		depth := z + k.Depth
		if i == len(knots)-1 {
			depth = bottom
		}
		e.writePoint(depth, k.Material)
	}
	return bottom, layer.BottomRoughness, nil
}

// writePower ends a line with the law of the unit m, that of the first lossy wave.
func (e *writer) writePower(knots []acoustics.Knot) {
	if e.unit == acoustics.DBPerMetrePower {
		exponent := 1.0
		for _, k := range slices.Backward(knots) {
			for _, a := range []acoustics.Attenuation{k.ShearAttenuation, k.Attenuation} {
				if a.Value != 0 {
					exponent = a.Exponent
				}
			}
		}
		e.printf(" %s 1e9 ! mesh, roughness, depth, exponent, transition (Hz)", number(exponent))
	}
	e.printf("\n")
}

func (e *writer) writePoint(z float64, m acoustics.Material) {
	e.printf("  %s %s %s %s %s %s\n", number(z), number(m.SoundSpeed), number(m.ShearSpeed), number(m.Density/densityUnit),
		number(m.Attenuation.Value), number(m.ShearAttenuation.Value))
}

// writeRest writes what follows the media.
func (e *writer) writeRest(z, roughness float64) error {
	bottom := e.c.Environment.Bottom
	letter, ok := letterOf(boundaryLetters, bottom.Kind)
	if !ok {
		return fmt.Errorf("%q is no boundary", bottom.Kind)
	}
	e.printf("%s %s", quote(string(letter)), number(roughness))
	e.writePower([]acoustics.Knot{{Material: bottom.Material}})
	if letter == 'A' {
		e.writePoint(z, bottom.Material)
	}
	e.printf("%s %s ! phase speeds (m/s)\n%s ! maximum range (km)\n", number(e.c.PhaseSpeed.Low), number(e.c.PhaseSpeed.High), number(e.c.MaxRange/1000))
	writeVector(e.out, e.c.InFile(e.c.SourceDepths), 1, "source depths (m)")
	writeVector(e.out, e.c.InFile(e.c.ReceiverDepths), 1, "receiver depths (m)")
	if e.broadband() {
		writeVector(e.out, e.c.Frequencies, 1, "frequencies (Hz)")
	}
	return nil
}

// writeVector writes a count and that many numbers, divided by scale.
func writeVector(w io.Writer, x []float64, scale float64, what string) {
	b := bufio.NewWriter(w)
	defer b.Flush()
	fmt.Fprintf(b, "%d ! %s\n", len(x), what)
	for i, v := range x {
		if i > 0 && i%10 == 0 {
			fmt.Fprintln(b)
		}
		fmt.Fprintf(b, " %s", number(v/scale))
	}
	fmt.Fprintln(b, " /")
}

// quote is a Fortran character value.
func quote(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' {
			return ' '
		}
		return r
	}, s)
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

package envfile

import (
	"bufio"
	"fmt"
	"io"
	"strconv"

	"oceaninv/acoustics"
)

// ReadReflections reads a table of reflection coefficients (.brc, .trc): a count,
// then grazing angle (degrees, rising), magnitude and phase (degrees).
func ReadReflections(r io.Reader, name string) ([]acoustics.ReflectionCoefficient, error) {
	l, err := newList(r, name)
	if err != nil {
		return nil, err
	}
	l.begin()
	n, err := l.needInt("the number of angles", 1, maxVector)
	if err != nil {
		return nil, err
	}
	var table []acoustics.ReflectionCoefficient
	for len(table) < n {
		var c acoustics.ReflectionCoefficient
		l.begin()
		if c.GrazingAngle, err = l.needFloat("the grazing angle"); err != nil {
			return nil, err
		}
		if k := len(table); k > 0 && c.GrazingAngle <= table[k-1].GrazingAngle {
			return nil, l.wrong(fmt.Sprintf("angle %v° follows %v°", c.GrazingAngle, table[k-1].GrazingAngle), "give angles in rising order")
		}
		if c.Magnitude, err = l.needFloat("the magnitude"); err != nil {
			return nil, err
		}
		if c.Magnitude < 0 {
			return nil, l.wrong(fmt.Sprintf("magnitude %v", c.Magnitude), "it must not be negative")
		}
		if c.Phase, err = l.needFloat("the phase"); err != nil {
			return nil, err
		}
		table = append(table, c)
	}
	return table, nil
}

// WriteReflections writes a table of reflection coefficients.
func WriteReflections(w io.Writer, table []acoustics.ReflectionCoefficient) error {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, len(table))
	for _, c := range table {
		fmt.Fprintln(b, number(c.GrazingAngle), number(c.Magnitude), number(c.Phase))
	}
	return b.Flush()
}

// number is the shortest text that reads back as x.
func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

package envfile

import (
	"bufio"
	"fmt"
	"io"

	"oceaninv/acoustics"
)

// ReadImpedance reads the precalculated internal reflection coefficients (.irc) that
// BOUNCE writes: a title and the frequency, a count, then squared wavenumber, real
// and imaginary parts of f and of g, and the power of ten that scales both, which
// the ratio f/g, all that matters, does without.
func ReadImpedance(r io.Reader, name string) (*acoustics.ImpedanceTable, error) {
	l, err := newList(r, name)
	if err != nil {
		return nil, err
	}
	l.begin()
	if _, err := l.text("the title"); err != nil {
		return nil, err
	}
	t := &acoustics.ImpedanceTable{}
	if t.Frequency, err = l.needFloat("the frequency"); err != nil {
		return nil, err
	}
	if t.Frequency <= 0 {
		return nil, l.wrong(fmt.Sprintf("frequency %v Hz", t.Frequency), "it must be positive")
	}
	l.begin()
	n, err := l.needInt("the number of wavenumbers", 4, maxVector)
	if err != nil {
		return nil, err
	}
	for len(t.Rows) < n {
		row, err := l.impedanceRow()
		if err != nil {
			return nil, err
		}
		if k := len(t.Rows); k > 0 && row.Kr2 <= t.Rows[k-1].Kr2 {
			l.lastColumn = 1
			return nil, l.wrong(fmt.Sprintf("squared wavenumber %v follows %v", row.Kr2, t.Rows[k-1].Kr2), "give wavenumbers in rising order, more digits or fewer of them")
		}
		t.Rows = append(t.Rows, row)
	}
	return t, nil
}

func (l *list) impedanceRow() (row acoustics.ImpedanceRow, err error) {
	l.begin()
	var power float64
	for _, v := range []struct {
		what string
		x    *float64
	}{
		{"the squared wavenumber", &row.Kr2}, {"the real part of f", &row.FReal}, {"the imaginary part of f", &row.FImag},
		{"the real part of g", &row.GReal}, {"the imaginary part of g", &row.GImag}, {"the power of ten", &power},
	} {
		if *v.x, err = l.needFloat(v.what); err != nil {
			return row, err
		}
	}
	if row.F() == 0 && row.G() == 0 {
		return row, l.wrong("f and g are both 0", "give a boundary condition f p + (g/ρ) dp/dz = 0")
	}
	return row, nil
}

// WriteImpedance writes a table as the Toolbox reads it, in columns of 15 for eight
// digits.
func WriteImpedance(w io.Writer, t *acoustics.ImpedanceTable) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s %s\n%d\n", quote("internal reflection coefficients"), number(t.Frequency), len(t.Rows))
	for _, r := range t.Rows {
		for _, x := range []float64{r.Kr2, r.FReal, r.FImag, r.GReal, r.GImag} {
			fmt.Fprintf(b, "%15.7E", x)
		}
		fmt.Fprintf(b, "%5d\n", 0)
	}
	return b.Flush()
}

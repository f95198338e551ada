package dataset

import (
	"oceaninv/acoustics"
	"oceaninv/io/netcdf"
)

var impedanceDims = []string{"bottom_kr2"}

// impedanceColumns are the variables of a table of impedances.
var impedanceColumns = []struct {
	name, long, units string
	at                func(*acoustics.ImpedanceRow) *float64
}{
	{"bottom_kr2", "squared horizontal wavenumber", "rad2 m-2", func(r *acoustics.ImpedanceRow) *float64 { return &r.Kr2 }},
	{"bottom_impedance_f_real", "real part of f in f p + (g/rho) dp/dz = 0", "m-1", func(r *acoustics.ImpedanceRow) *float64 { return &r.FReal }},
	{"bottom_impedance_f_imag", "imaginary part of f in f p + (g/rho) dp/dz = 0", "m-1", func(r *acoustics.ImpedanceRow) *float64 { return &r.FImag }},
	{"bottom_impedance_g_real", "real part of g in f p + (g/rho) dp/dz = 0", "g cm-3", func(r *acoustics.ImpedanceRow) *float64 { return &r.GReal }},
	{"bottom_impedance_g_imag", "imaginary part of g in f p + (g/rho) dp/dz = 0", "g cm-3", func(r *acoustics.ImpedanceRow) *float64 { return &r.GImag }},
}

func (w *writer) impedance(t *acoustics.ImpedanceTable) {
	if t == nil {
		return
	}
	w.dimension(impedanceDims[0], len(t.Rows))
	for _, c := range impedanceColumns {
		w.float64s(c.name, impedanceDims, take(t.Rows, func(r acoustics.ImpedanceRow) float64 { return *c.at(&r) }), describe(c.long, c.units)...)
	}
	w.float64s("bottom_impedance_frequency", nil, []float64{t.Frequency}, append(describe("frequency at which the impedances hold", hertz),
		netcdf.Text("comment", "f and g as the Acoustics Toolbox defines them, rho in g cm-3"))...)
}

func (r *reader) impedance() *acoustics.ImpedanceTable {
	if !r.file.Has(impedanceDims[0]) {
		return nil
	}
	t := &acoustics.ImpedanceTable{Frequency: r.scalar("bottom_impedance_frequency", hertz)}
	for _, c := range impedanceColumns {
		column := r.float64s(c.name, c.units, impedanceDims...)
		if r.err != nil {
			return nil
		}
		if t.Rows == nil {
			t.Rows = make([]acoustics.ImpedanceRow, len(column))
		}
		for i, x := range column {
			*c.at(&t.Rows[i]) = x
		}
	}
	return t
}

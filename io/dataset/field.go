package dataset

import (
	"math"
	"math/cmplx"

	"oceaninv/acoustics"
	"oceaninv/io/netcdf"
)

var fieldDims = []string{"frequency", "source_depth", "receiver_depth", "range"}

// sourceLevel is the attribute of pressures in µPa: dB re 1 µPa at 1 m.
const sourceLevel = "source_level"

// pressureOf describes pressures relative to a source, or in µPa of one with a level.
func pressureOf(level float64, relative string) []netcdf.Attribute {
	if level == 0 {
		return describe("acoustic pressure, relative to "+relative, dimensionless)
	}
	return append(describe("acoustic pressure of a source with the level (dB re 1 uPa at 1 m) of "+sourceLevel, micropascal), netcdf.Number(sourceLevel, level))
}

// level is the source level of a variable of pressures, with their unit.
func (r *reader) level(name string) (level float64, unit string) {
	v, err := r.file.Variable(name)
	if err != nil {
		return 0, dimensionless
	}
	a, ok := v.Attribute(sourceLevel)
	if x := a.Float64s(); ok && len(x) == 1 {
		return x[0], micropascal
	}
	return 0, dimensionless
}

// WriteField writes a pressure field and its transmission loss, the source's level
// less 20 log10 |p| in dB (missing where the pressure is 0).
func WriteField(path string, f acoustics.Field) error {
	return write(path, SchemaField, "Acoustic pressure field", func(w *writer) {
		w.dimension("frequency", len(f.Frequencies))
		w.dimension("source_depth", len(f.SourceDepths))
		w.dimension("receiver_depth", len(f.ReceiverDepths))
		w.dimension("range", len(f.Ranges))
		w.float64s("frequency", fieldDims[:1], f.Frequencies, frequencyAxis()...)
		w.float64s("source_depth", fieldDims[1:2], f.SourceDepths, depthAxis("depth of the source")...)
		w.float64s("receiver_depth", fieldDims[2:3], f.ReceiverDepths, depthAxis("depth of the receiver")...)
		w.float64s("range", fieldDims[3:], f.Ranges, describe("horizontal distance from the source", metre)...)
		comment := netcdf.Text("comment", "time factor exp(+i 2 pi f t); an outgoing wave is exp(-i kr r)")
		w.complexes("pressure", fieldDims, f.Pressure, append(pressureOf(f.Level, "1 m from the source"), comment)...)
		loss := make([]float64, len(f.Pressure))
		for i, p := range f.Pressure {
			if loss[i] = f.Level - 20*math.Log10(cmplx.Abs(p)); p == 0 {
				loss[i] = math.NaN()
			}
		}
		w.float64s("transmission_loss", fieldDims, loss,
			append(describe("transmission loss re 1 m from the source", decibel), netcdf.Number("_FillValue", math.NaN()))...)
	})
}

// ReadField reads a field file. The transmission loss follows from the pressure.
func ReadField(path string) (acoustics.Field, error) {
	r, err := open(path, SchemaField)
	if err != nil {
		return acoustics.Field{}, err
	}
	level, unit := r.level("pressure_real")
	f := acoustics.Field{
		Level:          level,
		Frequencies:    r.float64s("frequency", hertz, "frequency"),
		SourceDepths:   r.float64s("source_depth", metre, "source_depth"),
		ReceiverDepths: r.float64s("receiver_depth", metre, "receiver_depth"),
		Ranges:         r.float64s("range", metre, "range"),
		Pressure:       r.complexes("pressure", unit, fieldDims...),
	}
	return f, r.done()
}

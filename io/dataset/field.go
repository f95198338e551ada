package dataset

import (
	"math"
	"math/cmplx"

	"oceaninv/acoustics"
	"oceaninv/io/netcdf"
)

var fieldDims = []string{"frequency", "source_depth", "receiver_depth", "range"}

// WriteField writes a pressure field and its transmission loss, -20 log10 |p| dB
// (missing where the pressure is 0).
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
		w.complexes("pressure", fieldDims, f.Pressure,
			append(describe("acoustic pressure, relative to 1 m from the source", dimensionless), comment)...)
		loss := make([]float64, len(f.Pressure))
		for i, p := range f.Pressure {
			if loss[i] = -20 * math.Log10(cmplx.Abs(p)); p == 0 {
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
	f := acoustics.Field{
		Frequencies:    r.float64s("frequency", hertz, "frequency"),
		SourceDepths:   r.float64s("source_depth", metre, "source_depth"),
		ReceiverDepths: r.float64s("receiver_depth", metre, "receiver_depth"),
		Ranges:         r.float64s("range", metre, "range"),
		Pressure:       r.complexes("pressure", dimensionless, fieldDims...),
	}
	return f, r.done()
}

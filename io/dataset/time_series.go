package dataset

import (
	"fmt"

	"oceaninv/io/netcdf"
)

// TimeSeries are signals received at places, on a time axis that begins at another
// time for each range.
type TimeSeries struct {
	SourceDepths   []float64 // m
	ReceiverDepths []float64 // m
	Ranges         []float64 // m
	// Time is seconds after Start, the time (s after the source's time 0) at which
	// the window of each range begins.
	Time, Start []float64
	// Pressure is [source][receiver][range][time], flattened row-major, relative to
	// the source's signal 1 m from it, or in µPa.
	Pressure []float64
	// Level of the source (dB re 1 µPa at 1 m) where Pressure is in µPa; 0 where it is
	// relative.
	Level float64
	// Comment says what the source played.
	Comment string
}

var timeSeriesDims = []string{"source_depth", "receiver_depth", "range", "time"}

// WriteTimeSeries writes received signals.
func WriteTimeSeries(path string, t TimeSeries) error {
	n := len(t.SourceDepths) * len(t.ReceiverDepths) * len(t.Ranges) * len(t.Time)
	if len(t.Pressure) != n || len(t.Start) != len(t.Ranges) {
		panic(fmt.Sprintf("dataset: %d pressures and %d starts for %d values at %d ranges", len(t.Pressure), len(t.Start), n, len(t.Ranges)))
	}
	return write(path, SchemaTimeSeries, "Received acoustic signals", func(w *writer) {
		for i, axis := range [][]float64{t.SourceDepths, t.ReceiverDepths, t.Ranges, t.Time} {
			w.dimension(timeSeriesDims[i], len(axis))
		}
		w.float64s("source_depth", timeSeriesDims[:1], t.SourceDepths, depthAxis("depth of the source")...)
		w.float64s("receiver_depth", timeSeriesDims[1:2], t.ReceiverDepths, depthAxis("depth of the receiver")...)
		w.float64s("range", timeSeriesDims[2:3], t.Ranges, describe("horizontal distance from the source", metre)...)
		w.float64s("time", timeSeriesDims[3:], t.Time, describe("time after start_time", second)...)
		w.float64s("start_time", timeSeriesDims[2:3], t.Start, describe("time after the source's time 0 at which the window begins", second)...)
		w.float64s("pressure", timeSeriesDims, t.Pressure,
			append(pressureOf(t.Level, "the source's signal 1 m from it"), netcdf.Text("comment", t.Comment))...)
	})
}

// ReadTimeSeries reads a file of received signals.
func ReadTimeSeries(path string) (TimeSeries, error) {
	r, err := open(path, SchemaTimeSeries)
	if err != nil {
		return TimeSeries{}, err
	}
	level, unit := r.level("pressure")
	t := TimeSeries{
		Level:          level,
		SourceDepths:   r.float64s("source_depth", metre, "source_depth"),
		ReceiverDepths: r.float64s("receiver_depth", metre, "receiver_depth"),
		Ranges:         r.float64s("range", metre, "range"),
		Time:           r.float64s("time", second, "time"),
		Start:          r.float64s("start_time", second, "range"),
		Pressure:       r.float64s("pressure", unit, timeSeriesDims...),
	}
	if v, err := r.file.Variable("pressure"); err == nil {
		comment, _ := v.Attribute("comment")
		t.Comment = comment.Text()
	}
	return t, r.done()
}

package main

import (
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/spf13/pflag"

	"oceaninv/acoustics"
	"oceaninv/acoustics/rangedep"
	"oceaninv/io/dataset"
	"oceaninv/io/envfile"
	"oceaninv/io/figure"
)

// timeSeriesFlags say which signals are wanted of field.
type timeSeriesFlags struct {
	band       []float64
	duration   float64
	sampleRate float64
	start      float64
	reduction  float64
	pulse      string

	// fastest and slowest group speed of the modes, m/s
	fastest, slowest float64
}

// Pulses: flat over the band, or vanishing at its ends.
const (
	pulseImpulse = "impulse"
	pulseHann    = "hann"
)

func (f *timeSeriesFlags) add(flags *pflag.FlagSet) {
	flags.Float64SliceVar(&f.band, "band", nil, "time series: `LOW,HIGH` ends of the source's band in Hz")
	flags.Float64Var(&f.duration, "duration", 1, "time series: length of the window in `s`")
	flags.Float64Var(&f.sampleRate, "sample-rate", 0, "time series: samples per second in `Hz` (default 4 times the band's upper end)")
	flags.Float64Var(&f.start, "start", 0, "time series: begin of the window in `s` after the source's time 0")
	flags.Float64Var(&f.reduction, "reduction-speed", 0, "time series: begin the window later by range over this speed in `m/s`")
	flags.StringVar(&f.pulse, "pulse", pulseHann, "time series: the source's spectrum, `hann` (zero at the band's ends) or impulse (flat)")
}

func (f *timeSeriesFlags) wanted() bool { return f.band != nil }

// maxFrequencies bounds the frequencies of a synthesis.
const maxFrequencies = 100_000

// apply replaces the cases' frequencies by the band's.
func (f *timeSeriesFlags) apply(cases []envfile.Case, output string) error {
	if !f.wanted() {
		return nil
	}
	positive := func(x float64) bool { return x > 0 && !math.IsInf(x, 0) }
	switch {
	case len(f.band) != 2 || !positive(f.band[0]) || !(f.band[1] > f.band[0]) || !positive(f.band[1]):
		return badInput("--band %v: give two frequencies in Hz, the lower first", f.band)
	case !positive(f.duration):
		return badInput("--duration %v: it must be positive", f.duration)
	case f.reduction < 0 || math.IsNaN(f.start+f.reduction) || math.IsInf(f.start+f.reduction, 0):
		return badInput("--start %v, --reduction-speed %v: they must be finite, the speed not negative", f.start, f.reduction)
	case f.pulse != pulseHann && f.pulse != pulseImpulse:
		return badInput("--pulse %s: use hann or impulse", f.pulse)
	case output != "" && !hasExtension(output, ".nc"):
		return badInput("-o %s: time series go into a .nc file", output)
	}
	if f.sampleRate == 0 {
		f.sampleRate = 4 * f.band[1]
	}
	if f.sampleRate < 2*f.band[1] {
		return badInput("--sample-rate %v: a band up to %v Hz needs at least %v", f.sampleRate, f.band[1], 2*f.band[1])
	}
	n := math.Floor((f.band[1] - f.band[0]) * f.duration)
	if n < 1 || n > maxFrequencies || f.duration*f.sampleRate > maxFrequencies*100 {
		return badInput("a band of %v Hz in windows of %v s takes %.0f frequencies: from 2 to %d are possible; change --band, --duration or --sample-rate", f.band[1]-f.band[0], f.duration, n+1, maxFrequencies)
	}
	band := rangedep.Band(f.band[0], f.band[0]+n/f.duration, 1/f.duration)
	for i := range cases {
		cases[i].Frequencies = band
	}
	return nil
}

// hear keeps the extremes of the modes' group speeds, for the warning.
func (f *timeSeriesFlags) hear(s *rangedep.Section) {
	for _, u := range s.GroupSpeed {
		if !(u > 0) {
			continue
		}
		if f.slowest == 0 || u < f.slowest {
			f.slowest = u
		}
		f.fastest = max(f.fastest, u)
	}
}

// begin is when the window of a range begins.
func (f *timeSeriesFlags) begin(r float64) float64 {
	if f.reduction > 0 {
		return f.start + r/f.reduction
	}
	return f.start
}

// synthesize makes the signals of a field over frequency.
func (f *timeSeriesFlags) synthesize(field *acoustics.Field) (dataset.TimeSeries, error) {
	samples := max(1, int(f.duration*f.sampleRate))
	out := dataset.TimeSeries{SourceDepths: field.SourceDepths, ReceiverDepths: field.ReceiverDepths, Ranges: field.Ranges, Level: field.Level,
		Comment: fmt.Sprintf("source: %s over %g to %g Hz", f.pulse, field.Frequencies[0], field.Frequencies[len(field.Frequencies)-1])}
	for i := range samples {
		out.Time = append(out.Time, float64(i)/f.sampleRate)
	}
	for _, r := range field.Ranges {
		out.Start = append(out.Start, f.begin(r))
	}
	places := len(field.SourceDepths) * len(field.ReceiverDepths) * len(field.Ranges)
	if float64(places)*float64(samples) > maxPressures {
		return out, badInput("time series of %d samples at %d places: at most %d samples fit; ask for fewer depths or ranges", samples, places, maxPressures)
	}
	var spectrum []complex128
	if f.pulse == pulseHann {
		spectrum = rangedep.Hann(field.Frequencies)
	}
	p := make([]complex128, len(field.Frequencies))
	for place := range places {
		for k := range p {
			p[k] = field.Pressure[k*places+place]
		}
		window := rangedep.TimeSeries{Start: out.Start[place%len(field.Ranges)], Step: 1 / f.sampleRate, Samples: samples}
		x, err := window.Synthesize(field.Frequencies, p, spectrum)
		if err != nil {
			return out, failed(err)
		}
		out.Pressure = append(out.Pressure, x...)
	}
	return out, nil
}

// save writes and draws the signals.
func (f *timeSeriesFlags) save(field *fieldFlags, first *envfile.Case, p *acoustics.Field, stdout, stderr io.Writer) error {
	series, err := f.synthesize(p)
	if err != nil {
		return err
	}
	f.warn(p.Ranges, stderr)
	if field.output != "" {
		if err := dataset.WriteTimeSeries(field.output, series); err != nil {
			return failed(err)
		}
	}
	if field.plot != "" {
		series.ReceiverDepths = first.InFile(series.ReceiverDepths)
		drawing, err := f.chart(first.Title, series).Draw()
		if err == nil {
			err = drawing.Save(field.plot)
		}
		if err != nil {
			return failed(err)
		}
	}
	_, err = fmt.Fprintf(stdout, "%d frequencies, %d sources, %d receivers, %d ranges, %d samples\n", len(p.Frequencies), len(p.SourceDepths), len(p.ReceiverDepths), len(p.Ranges), len(series.Time))
	return failed(err)
}

// warn tells when a window is too short or begins at the wrong time for its modes:
// what arrives outside wraps around.
func (f *timeSeriesFlags) warn(ranges []float64, stderr io.Writer) {
	if f.slowest == 0 {
		return
	}
	for _, r := range ranges {
		first, last, begin := r/f.fastest, r/f.slowest, f.begin(r)
		if first < begin || last > begin+f.duration {
			fmt.Fprintf(stderr, "Warning: at %g m modes arrive from %.4g to %.4g s, the window lasts from %.4g to %.4g s; what arrives outside wraps around (--start, --reduction-speed, --duration)\n",
				r, first, last, begin, begin+f.duration)
			return
		}
	}
}

// chart draws the signals of the first source, one above the other: over range for
// the first receiver, or over depth at the only range.
func (f *timeSeriesFlags) chart(title string, t dataset.TimeSeries) figure.Chart {
	const most = 40
	c := figure.Chart{Title: title, X: figure.Axis{Label: "time after the window's begin", Unit: "s"}}
	at, unit, step := t.Ranges, "km", 1
	if len(t.Ranges) == 1 {
		at, unit = t.ReceiverDepths, "m"
		c.Y = figure.Axis{Label: "depth of the receiver", Unit: unit, Inverted: true}
	} else {
		c.Y = figure.Axis{Label: "range", Unit: unit}
	}
	step = max(1, (len(at)+most-1)/most)
	height := (slices.Max(at) - slices.Min(at)) / float64(max(1, len(at)/step))
	if height == 0 {
		height = 1
	}
	for i := 0; i < len(at); i += step {
		x := t.Pressure[i*len(t.Time) : (i+1)*len(t.Time)]
		peak := max(slices.Max(x), -slices.Min(x), math.SmallestNonzeroFloat64)
		y := make([]float64, len(x))
		for k, v := range x {
			y[k] = at[i] + 0.45*height*v/peak
			if unit == "km" {
				y[k] /= 1000
			}
		}
		c.Series = append(c.Series, figure.Series{X: t.Time, Y: y, Thin: true, Hue: 1})
	}
	return c
}

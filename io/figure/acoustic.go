package figure

import (
	"fmt"
	"math"
	"math/cmplx"
	"slices"
)

// The figures of an acoustician, each a chart or map with the field's axes: depth
// runs down, losses are bright where they are small.

// depthAxis is an axis of depth.
func depthAxis(low, high float64) Axis {
	return Axis{Label: "depth", Unit: "m", Min: low, Max: high, Inverted: true}
}

// rangesOf gives ranges in km where they are long, and their axis.
func rangesOf(metres []float64) ([]float64, Axis) {
	if len(metres) == 0 || slices.Max(metres) < 2000 {
		return metres, Axis{Label: "range", Unit: "m"}
	}
	km := make([]float64, len(metres))
	for i, r := range metres {
		km[i] = r / 1000
	}
	return km, Axis{Label: "range", Unit: "km"}
}

// LossMap is transmission loss over range and depth.
type LossMap struct {
	Title  string
	Ranges []float64 // m, increasing
	Depths []float64 // m, increasing
	Loss   []float64 // dB, [depth][range] row-major; NaN for missing
	// MinLoss and MaxLoss end the colour scale; both 0 take the 2nd and 98th
	// percentile of the water column, widened to multiples of 5 dB: in the sea bed the
	// loss runs away.
	MinLoss, MaxLoss float64
	SourceDepth      *float64  // marked at the left edge; nil without
	FloorRange       []float64 // m; the sea floor, drawn over the map; nil without
	FloorDepth       []float64 // m
}

// Draw makes the figure.
func (m LossMap) Draw() (*Figure, error) {
	ranges, axis := rangesOf(m.Ranges)
	loss := Axis{Label: "transmission loss", Unit: "dB", Min: m.MinLoss, Max: m.MaxLoss, Inverted: true}
	if !loss.fixed() {
		loss.Min, loss.Max = percentiles(m.inWater())
	}
	g := Map{Title: m.Title, X: axis, Y: depthAxis(0, 0), Value: loss, XAt: ranges, YAt: m.Depths, Z: m.Loss}
	if m.SourceDepth != nil && len(ranges) > 0 {
		g.Marks = append(g.Marks, Mark{Label: "source depth", X: ranges[0], Y: *m.SourceDepth})
	}
	if m.FloorRange != nil {
		floor, _ := rangesOf(m.FloorRange)
		if axis.Unit == "m" {
			floor = m.FloorRange
		}
		g.Lines = append(g.Lines, Series{Label: "sea floor", X: floor, Y: m.FloorDepth, Hue: 7})
	}
	return g.Draw()
}

// inWater are the losses above the sea floor, or all where no floor is given.
func (m LossMap) inWater() []float64 {
	n := len(m.Ranges)
	if len(m.FloorRange) == 0 || len(m.FloorRange) != len(m.FloorDepth) || len(m.Loss) != n*len(m.Depths) {
		return m.Loss
	}
	var water []float64
	for i, r := range m.Ranges {
		floor := m.floorAt(r)
		for d, z := range m.Depths {
			if z <= floor {
				water = append(water, m.Loss[d*n+i])
			}
		}
	}
	if water == nil {
		return m.Loss
	}
	return water
}

// floorAt is the depth of the sea floor at a range, linear between those given.
func (m LossMap) floorAt(r float64) float64 {
	last := len(m.FloorRange) - 1
	i, _ := slices.BinarySearch(m.FloorRange, r)
	switch {
	case i == 0:
		return m.FloorDepth[0]
	case i > last:
		return m.FloorDepth[last]
	}
	u := (r - m.FloorRange[i-1]) / (m.FloorRange[i] - m.FloorRange[i-1])
	return m.FloorDepth[i-1] + u*(m.FloorDepth[i]-m.FloorDepth[i-1])
}

// percentiles are the 2nd and 98th, widened to multiples of 5.
func percentiles(z []float64) (low, high float64) {
	sorted := slices.DeleteFunc(slices.Clone(z), func(v float64) bool { return math.IsNaN(v) })
	if len(sorted) == 0 {
		return 0, 0
	}
	slices.Sort(sorted)
	n := len(sorted) - 1
	low, high = 5*math.Floor(sorted[n/50]/5), 5*math.Ceil(sorted[n-n/50]/5)
	if low == high {
		high += 5
	}
	return low, high
}

// LossLines is transmission loss along range, a line for each receiver or tone.
type LossLines struct {
	Title  string
	Series []Series // X in m, Y in dB
}

// Draw makes the figure: loss increases downwards.
func (m LossLines) Draw() (*Figure, error) {
	c := Chart{Title: m.Title, Y: Axis{Label: "transmission loss", Unit: "dB", Inverted: true}}
	var all []float64
	for _, s := range m.Series {
		all = append(all, s.X...)
	}
	_, c.X = rangesOf(all)
	for _, s := range m.Series {
		if c.X.Unit == "km" {
			s.X = scaled(s.X, 1e-3)
		}
		c.Series = append(c.Series, s)
	}
	return c.Draw()
}

func scaled(x []float64, by float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = v * by
	}
	return out
}

// ModeShapes draws normal modes side by side over depth.
type ModeShapes struct {
	Title   string
	Depths  []float64   // m, increasing
	Shapes  [][]float64 // one per mode
	Numbers []int       // of the modes, from 1; nil counts up
	Floor   *float64    // depth of the sea floor; nil without
}

// Draw makes the figure: each mode swings about its number.
func (m ModeShapes) Draw() (*Figure, error) {
	if len(m.Shapes) == 0 || len(m.Depths) == 0 {
		return nil, fmt.Errorf("figure: no mode shapes")
	}
	peak := 0.0
	for _, s := range m.Shapes {
		if len(s) == 0 || checked(finite("mode shape", s)) != nil {
			return nil, fmt.Errorf("figure: mode shapes: %w", checked(finite("mode shape", s), fmt.Errorf("an empty one")))
		}
		peak = max(peak, slices.Max(s), -slices.Min(s))
	}
	c := Chart{Title: m.Title, X: Axis{Label: "mode number"}, Y: depthAxis(m.Depths[0], m.Depths[len(m.Depths)-1])}
	for i, s := range m.Shapes {
		number := i + 1
		if m.Numbers != nil {
			number = m.Numbers[i]
		}
		x := make([]float64, len(s))
		for k, v := range s {
			x[k] = float64(number) + 0.45*v/max(peak, math.SmallestNonzeroFloat64)
		}
		c.X.Ticks = append(c.X.Ticks, float64(number))
		c.Series = append(c.Series, Series{X: x, Y: m.Depths, Hue: 1}, Series{X: []float64{float64(number), float64(number)}, Y: []float64{c.Y.Min, c.Y.Max}, Thin: true, Hue: 7})
	}
	c.X.Min, c.X.Max = slices.Min(c.X.Ticks)-0.6, slices.Max(c.X.Ticks)+0.6
	if len(c.X.Ticks) > 15 {
		c.X.Ticks = nil // round numbers are enough
	}
	if m.Floor != nil {
		c.References = append(c.References, Reference{Label: "sea floor", Y: m.Floor})
	}
	return c.Draw()
}

// Dispersion draws phase and group speeds of modes over frequency. Modes may start
// at different frequencies.
type Dispersion struct {
	Title string
	Modes []DispersionCurve
}

// DispersionCurve is one mode's speeds.
type DispersionCurve struct {
	Number                 int
	Frequency              []float64 // Hz
	PhaseSpeed, GroupSpeed []float64 // m/s
}

// Draw makes the figure: phase speeds solid, group speeds dashed.
func (m Dispersion) Draw() (*Figure, error) {
	c := Chart{Title: m.Title, X: Axis{Label: "frequency", Unit: "Hz"}, Y: Axis{Label: "speed", Unit: "m/s"}}
	for i, k := range m.Modes {
		h := i%len(hues) + 1
		c.Series = append(c.Series, Series{Label: fmt.Sprintf("mode %d, phase", k.Number), X: k.Frequency, Y: k.PhaseSpeed, Hue: h},
			Series{Label: fmt.Sprintf("mode %d, group", k.Number), X: k.Frequency, Y: k.GroupSpeed, Hue: h, Dash: Dashed})
	}
	return c.Draw()
}

// Ambiguity is a matched-field surface over source range and depth.
type Ambiguity struct {
	Title       string
	Ranges      []float64 // m, increasing
	Depths      []float64 // m, increasing
	Power       []float64 // Bartlett power in dB re its maximum, [depth][range]
	Floor       float64   // least power shown, dB; 0 takes -10
	TruthRange  *float64
	TruthDepth  *float64
	BestLabel   string // of the maximum; empty takes "maximum"
	ProcessorID string // in the title of the colour bar; empty takes "Bartlett power"
}

// Draw makes the figure.
func (m Ambiguity) Draw() (*Figure, error) {
	if len(m.Power) == 0 || len(m.Power) != len(m.Ranges)*len(m.Depths) {
		return nil, fmt.Errorf("figure: ambiguity surface of %d values on %d depths and %d ranges", len(m.Power), len(m.Depths), len(m.Ranges))
	}
	ranges, axis := rangesOf(m.Ranges)
	processor, best, floor := m.ProcessorID, m.BestLabel, m.Floor
	if processor == "" {
		processor = "Bartlett power"
	}
	if best == "" {
		best = "maximum"
	}
	if floor == 0 {
		floor = -10
	}
	top := 0
	for i, v := range m.Power {
		if v > m.Power[top] {
			top = i
		}
	}
	g := Map{Title: m.Title, X: axis, Y: depthAxis(0, 0), Value: Axis{Label: processor, Unit: "dB", Min: floor, Max: 0}, XAt: ranges, YAt: m.Depths, Z: m.Power,
		Marks: []Mark{{Label: best, X: ranges[top%len(ranges)], Y: m.Depths[top/len(ranges)]}}}
	if m.TruthRange != nil && m.TruthDepth != nil {
		r := *m.TruthRange
		if axis.Unit == "km" {
			r /= 1000
		}
		g.Marks = append(g.Marks, Mark{Label: "truth", X: r, Y: *m.TruthDepth, Truth: true})
	}
	return g.Draw()
}

// Replica compares the data on an array with a model's, tone by tone.
type Replica struct {
	Title string
	Tones []ReplicaTone
}

// ReplicaTone is the pressure on the array at one frequency.
type ReplicaTone struct {
	Frequency float64   // Hz
	Depths    []float64 // m, of the phones, increasing
	Data      []complex128
	Replica   []complex128
	// Lower and Upper bound the replica's level (dB) over posterior draws; nil
	// without.
	Lower, Upper []float64
}

// Draw makes the figure: level above, phase relative to the replica's below, a
// column for each tone.
func (m Replica) Draw() (*Figure, error) {
	if len(m.Tones) == 0 {
		return nil, fmt.Errorf("figure: no tones")
	}
	rows := [][]Chart{nil, nil}
	for i, t := range m.Tones {
		if len(t.Data) != len(t.Depths) || len(t.Replica) != len(t.Depths) || len(t.Depths) == 0 {
			return nil, fmt.Errorf("figure: tone %g Hz: %d depths, %d data, %d replica values", t.Frequency, len(t.Depths), len(t.Data), len(t.Replica))
		}
		room := 0.08 * (t.Depths[len(t.Depths)-1] - t.Depths[0])
		depth := depthAxis(t.Depths[0]-room-0.5, t.Depths[len(t.Depths)-1]+room+0.5)
		if i > 0 {
			depth.Label, depth.Unit = "", ""
		}
		level := Chart{Title: fmt.Sprintf("%g Hz", t.Frequency), X: Axis{Label: "level", Unit: "dB"}, Y: depth}
		if t.Lower != nil {
			level.Bands = []Band{{Label: "replica, 95 % of draws", At: t.Depths, Lower: t.Lower, Upper: t.Upper, Upright: true, Hue: 2}}
		}
		level.Series = []Series{{Label: "replica", X: levels(t.Replica), Y: t.Depths, Hue: 2}, {Label: "data", X: levels(t.Data), Y: t.Depths, Points: true, Hue: 1}}
		difference := make([]float64, len(t.Data))
		for k := range t.Data {
			difference[k] = 180 / math.Pi * cmplx.Phase(t.Data[k]*cmplx.Conj(t.Replica[k]))
		}
		phase := Chart{X: Axis{Label: "phase offset", Unit: "°", Min: -180, Max: 180, Ticks: []float64{-180, 0, 180}}, Y: depth,
			Series:     []Series{{Label: "data", X: difference, Y: t.Depths, Points: true, Hue: 1}},
			References: []Reference{{X: At(0)}}}
		rows[0], rows[1] = append(rows[0], level), append(rows[1], phase)
	}
	return Panels{Title: m.Title, Charts: rows, Width: max(12, min(24, 1.5+3.2*float64(len(m.Tones)))), Height: 13}.Draw()
}

// levels are the magnitudes in dB.
func levels(p []complex128) []float64 {
	out := make([]float64, len(p))
	for i, v := range p {
		out[i] = 20 * math.Log10(cmplx.Abs(v))
	}
	return out
}

package report

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// maxSpans is how many tasks a timeline shows; of more, the longest.
const maxSpans = 200

// drawTimeline draws when tasks waited and ran.
func drawTimeline(spans []Span) string {
	if len(spans) == 0 {
		return ""
	}
	const left, width, row = 210.0, 690.0, 20.0
	end := 0.0
	for _, s := range spans {
		end = max(end, s.End)
	}
	end = max(end, 1e-3)
	step := timeStep(end / 6)
	height := float64(len(spans))*row + 26
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="timeline" viewBox="0 0 %.0f %.0f" style="max-width:%.0fpx" role="img" aria-label="Tasks in time">`,
		left+width+60, height, left+width+60)
	for t := 0.0; t <= end*1.0001; t += step {
		x := left + t/end*width
		fmt.Fprintf(&b, `<line x1="%.1f" x2="%.1f" y1="0" y2="%.0f"/><text class="small" x="%.1f" y="%.0f" text-anchor="middle">%s</text>`,
			x, x, height-22, x, height-6, seconds(t))
	}
	for i, s := range spans {
		y := float64(i) * row
		class := "bar"
		if s.Failed {
			class = "bar failed"
		}
		name := shortName(s.Action)
		if s.Task != "run" {
			name += " " + s.Task
		}
		fmt.Fprintf(&b, `<text class="small" x="%.0f" y="%.1f" text-anchor="end">%s</text>`, left-8, y+14, html.EscapeString(clip(name, 32)))
		fmt.Fprintf(&b, `<rect class="wait" x="%.1f" y="%.1f" width="%.1f" height="3"/>`, left+s.Queued/end*width, y+8.5,
			max(0, (s.Start-s.Queued)/end*width))
		fmt.Fprintf(&b, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="14" rx="2"><title>%s: %s</title></rect>`, class,
			left+s.Start/end*width, y+3, max(1.5, (s.End-s.Start)/end*width), html.EscapeString(name), seconds(s.End-s.Start))
	}
	b.WriteString("</svg>")
	return b.String()
}

// timeStep is niceStep in seconds, minutes or hours.
func timeStep(x float64) float64 {
	for _, s := range []float64{60, 120, 300, 600, 1200, 1800, 3600} {
		if x > 50 && x <= s {
			return s
		}
	}
	if x > 3600 {
		return 3600 * niceStep(x/3600)
	}
	return niceStep(x)
}

// niceStep is the smallest of 1, 2, 5 times a power of ten that is not below x.
func niceStep(x float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{1, 2, 5} {
		if m*p >= x*(1-1e-9) {
			return m * p
		}
	}
	return 10 * p
}

// seconds writes a time for people.
func seconds(s float64) string {
	switch {
	case s == 0:
		return "0"
	case s < 1:
		return fmt.Sprintf("%.0f ms", s*1000)
	case s < 10:
		return fmt.Sprintf("%.2g s", s)
	case s < 100:
		return fmt.Sprintf("%.0f s", s)
	case s < 3600:
		return fmt.Sprintf("%d min %02d s", int(s)/60, int(s)%60)
	}
	return fmt.Sprintf("%d h %02d min", int(s)/3600, int(s)%3600/60)
}

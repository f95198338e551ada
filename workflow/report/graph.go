package report

import (
	"cmp"
	"fmt"
	"html"
	"slices"
	"strings"
)

// Measures of the drawing, in pixels.
const (
	boxWidth, boxHeight = 170.0, 46.0
	gapX, gapY          = 56.0, 18.0
)

// box is a stage in the drawing.
type box struct {
	stage *Stage
	layer int
	row   int
	order float64
	x, y  float64
}

// drawGraph draws the stages from left to right, each right of all it needs.
func drawGraph(stages []Stage) string {
	boxes := placeBoxes(stages)
	var width, height float64
	for _, b := range boxes {
		width, height = max(width, b.x+boxWidth), max(height, b.y+boxHeight)
	}
	var s strings.Builder
	fmt.Fprintf(&s, `<svg class="graph" viewBox="-2 -2 %.0f %.0f" style="max-width:%.0fpx" role="img" aria-label="Stages and what they need">`,
		width+4, height+4, width+4)
	for i := range stages {
		to := boxes[stages[i].Name]
		for _, d := range stages[i].DependsOn {
			from, ok := boxes[d]
			if !ok {
				continue
			}
			x1, y1, x2, y2 := from.x+boxWidth, from.y+boxHeight/2, to.x, to.y+boxHeight/2
			bend := max((x2-x1)/2, 20)
			fmt.Fprintf(&s, `<path d="M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f"/>`, x1, y1, x1+bend, y1, x2-bend, y2, x2, y2)
		}
	}
	for i := range stages {
		b := boxes[stages[i].Name]
		fmt.Fprintf(&s, `<g class="%s" transform="translate(%.1f %.1f)"><title>%s</title><rect width="%.0f" height="%.0f" rx="7"/>`+
			`<text x="12" y="19">%s</text><text class="small" x="12" y="36">%s</text></g>`,
			stageClass(stages[i]), b.x, b.y, html.EscapeString(stages[i].Doc), boxWidth, boxHeight,
			html.EscapeString(clip(shortName(stages[i].Name), 21)), html.EscapeString(boxText(stages[i])))
	}
	s.WriteString("</svg>")
	return s.String()
}

func stageClass(s Stage) string {
	switch {
	case s.Failed > 0:
		return "failed"
	case s.Done > 0:
		return "done"
	case s.Cached > 0:
		return "cached"
	}
	return "pending"
}

func boxText(s Stage) string {
	text := s.Kind
	if s.Actions > 1 {
		text += fmt.Sprintf(" × %d", s.Actions)
	}
	if s.Done+s.Cached > 0 {
		text += " · " + seconds(s.Seconds)
	}
	return clip(text, 27)
}

func shortName(address string) string {
	return strings.ReplaceAll(strings.ReplaceAll(address, "stage.", ""), "module.", "")
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// placeBoxes gives each stage a layer, by the longest path to it, and a row near those of what it needs.
func placeBoxes(stages []Stage) map[string]*box {
	boxes := make(map[string]*box, len(stages))
	var layers [][]*box
	for i := range stages { // they come after what they need
		b := &box{stage: &stages[i]}
		for _, d := range stages[i].DependsOn {
			if from, ok := boxes[d]; ok {
				b.layer = max(b.layer, from.layer+1)
			}
		}
		boxes[stages[i].Name] = b
		for len(layers) <= b.layer {
			layers = append(layers, nil)
		}
		b.row = len(layers[b.layer])
		layers[b.layer] = append(layers[b.layer], b)
	}
	tallest := 0
	for _, l := range layers {
		tallest = max(tallest, len(l))
	}
	for range 4 {
		for _, l := range layers[min(1, len(layers)):] {
			arrange(l, boxes)
		}
	}
	for _, l := range layers {
		offset := float64(tallest-len(l)) * (boxHeight + gapY) / 2
		for _, b := range l {
			b.x, b.y = float64(b.layer)*(boxWidth+gapX), offset+float64(b.row)*(boxHeight+gapY)
		}
	}
	return boxes
}

// arrange orders a layer by the mean row of what its boxes need.
func arrange(layer []*box, boxes map[string]*box) {
	for _, b := range layer {
		sum, n := 0.0, 0.0
		for _, d := range b.stage.DependsOn {
			if from, ok := boxes[d]; ok {
				sum, n = sum+float64(from.row), n+1
			}
		}
		b.order = float64(b.row)
		if n > 0 {
			b.order = sum / n
		}
	}
	slices.SortStableFunc(layer, func(a, b *box) int { return cmp.Compare(a.order, b.order) })
	for row, b := range layer {
		b.row = row
	}
}

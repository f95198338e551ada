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
	laneHeight          = 6.0
)

// box is a stage in the drawing or, without a stage, the lane that the lines of one stage take past a layer.
type box struct {
	stage *Stage
	from  []*box // of the layer before, each once
	layer int
	row   int
	order float64
	x, y  float64
}

func (b *box) height() float64 {
	if b.stage == nil {
		return laneHeight
	}
	return boxHeight
}

// drawGraph draws the stages from left to right, each right of all it needs. Lines run between the layers, and past a
// layer in lanes of their own, so that none crosses a box.
func drawGraph(stages []Stage) string {
	boxes, layers := placeBoxes(stages)
	var width, height float64
	for _, b := range boxes {
		width = max(width, b.x+boxWidth)
	}
	for _, l := range layers {
		if len(l) > 0 {
			last := l[len(l)-1]
			height = max(height, last.y+last.height())
		}
	}
	var s strings.Builder
	fmt.Fprintf(&s, `<svg class="graph" viewBox="-2 -2 %.0f %.0f" style="max-width:%.0fpx" role="img" aria-label="Stages and what they need">`,
		width+4, height+4, width+4)
	for _, l := range layers {
		for _, b := range l {
			drawLines(&s, b)
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

// drawLines draws what leads to a box from the layer before, and through it if it is a lane.
func drawLines(s *strings.Builder, b *box) {
	y2 := b.y + b.height()/2
	for _, from := range b.from {
		x1, y1 := from.x+boxWidth, from.y+from.height()/2
		bend := (b.x - x1) / 2
		fmt.Fprintf(s, `<path d="M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f"/>`, x1, y1, x1+bend, y1, b.x-bend, y2, b.x, y2)
	}
	if b.stage == nil {
		fmt.Fprintf(s, `<path d="M%.1f %.1fH%.1f"/>`, b.x, y2, b.x+boxWidth)
	}
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

// placeBoxes gives each stage a layer, by the longest path to it, and a row near those of what it needs. The layers hold
// boxes and lanes, from the top down.
func placeBoxes(stages []Stage) (map[string]*box, [][]*box) {
	boxes := make(map[string]*box, len(stages))
	var layers [][]*box
	add := func(b *box) {
		for len(layers) <= b.layer {
			layers = append(layers, nil)
		}
		b.row = len(layers[b.layer])
		layers[b.layer] = append(layers[b.layer], b)
	}
	lanes := make(map[*box][]*box) // of a stage, one for each layer after its own
	for i := range stages {        // they come after what they need
		b := &box{stage: &stages[i]}
		for _, d := range stages[i].DependsOn {
			if from, ok := boxes[d]; ok {
				b.layer = max(b.layer, from.layer+1)
			}
		}
		boxes[stages[i].Name] = b
		for _, d := range stages[i].DependsOn {
			from, ok := boxes[d]
			if !ok || from == b {
				continue
			}
			before := from
			for layer := from.layer + 1; layer < b.layer; layer++ {
				if n := layer - from.layer; n > len(lanes[from]) {
					lane := &box{from: []*box{before}, layer: layer}
					add(lane)
					lanes[from] = append(lanes[from], lane)
				}
				before = lanes[from][layer-from.layer-1]
			}
			if !slices.Contains(b.from, before) {
				b.from = append(b.from, before)
			}
		}
		add(b)
	}
	for range 4 {
		for _, l := range layers[min(1, len(layers)):] {
			arrange(l)
		}
	}
	stack(layers)
	return boxes, layers
}

// stack gives boxes and lanes their places, each layer in the middle of the drawing's height.
func stack(layers [][]*box) {
	heights, tallest := make([]float64, len(layers)), 0.0
	for i, l := range layers {
		heights[i] = gapY * float64(len(l)-1)
		for _, b := range l {
			heights[i] += b.height()
		}
		tallest = max(tallest, heights[i])
	}
	for i, l := range layers {
		y := (tallest - heights[i]) / 2
		for _, b := range l {
			b.x, b.y = float64(i)*(boxWidth+gapX), y
			y += b.height() + gapY
		}
	}
}

// arrange orders a layer by the mean row of what its boxes need.
func arrange(layer []*box) {
	for _, b := range layer {
		b.order = float64(b.row)
		if len(b.from) > 0 {
			sum := 0.0
			for _, from := range b.from {
				sum += float64(from.row)
			}
			b.order = sum / float64(len(b.from))
		}
	}
	slices.SortStableFunc(layer, func(a, b *box) int { return cmp.Compare(a.order, b.order) })
	for row, b := range layer {
		b.row = row
	}
}

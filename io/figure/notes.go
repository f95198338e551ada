package figure

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// notes are texts that keep clear of each other, of the points of series and of the
// edge of the panel: each takes the free place nearest to its point, and a leader
// where that is not beside it. Earlier notes choose first.
type notes struct {
	all   []Note
	clear []Series
}

const (
	noteGap        = vg.Length(3)
	noteRings      = 120 // places tried outwards, a quarter of a line apart
	noteDirections = 16
	dot            = vg.Length(3.5) // half of what a point keeps clear
)

// Plot implements plot.Plotter.
func (n notes) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	style := sans(tickSize)
	var taken []vg.Rectangle
	for _, s := range n.clear {
		if s.Points {
			for i := range s.X {
				taken = append(taken, around(vg.Point{X: x(s.X[i]), Y: y(s.Y[i])}, 2*dot, 2*dot))
			}
		}
	}
	for _, t := range n.all {
		at := vg.Point{X: x(t.X), Y: y(t.Y)}
		box, ring := settle(at, style.Width(t.Text), style.Height(t.Text), c.Rectangle, taken)
		taken = append(taken, box)
		if ring > 1 {
			c.StrokeLine2(draw.LineStyle{Color: translucent(ink, 0.4), Width: vg.Points(0.4)}, at.X, at.Y, within(at.X, box.Min.X, box.Max.X), within(at.Y, box.Min.Y, box.Max.Y))
		}
		c.FillText(style, box.Min, t.Text)
	}
}

// settle finds the box of a text beside a point, and how far out it is; where all
// places are taken it is the first.
func settle(at vg.Point, width, height vg.Length, panel vg.Rectangle, taken []vg.Rectangle) (vg.Rectangle, int) {
	var first vg.Rectangle
	for ring := range noteRings {
		out := noteGap + vg.Length(ring)*height/4
		for k := range noteDirections {
			// From the upper right, where one looks first, to both sides in turn.
			turn := float64((k+1)/2) * 2 * math.Pi / noteDirections * float64(1-2*(k%2))
			sin, cos := math.Sincos(math.Pi/4 + turn)
			edge := math.Max(math.Abs(sin), math.Abs(cos)) // round a square, not a circle
			box := around(vg.Point{X: at.X + vg.Length(cos/edge)*(out+width/2), Y: at.Y + vg.Length(sin/edge)*(out+height/2)}, width, height)
			if ring == 0 && k == 0 {
				first = box
			}
			if inside(box, panel) && free(box, taken) {
				return box, ring
			}
		}
	}
	return first, 0
}

func around(c vg.Point, width, height vg.Length) vg.Rectangle {
	return vg.Rectangle{Min: vg.Point{X: c.X - width/2, Y: c.Y - height/2}, Max: vg.Point{X: c.X + width/2, Y: c.Y + height/2}}
}

func inside(a, b vg.Rectangle) bool {
	return a.Min.X >= b.Min.X && a.Max.X <= b.Max.X && a.Min.Y >= b.Min.Y && a.Max.Y <= b.Max.Y
}

func free(a vg.Rectangle, taken []vg.Rectangle) bool {
	for _, b := range taken {
		if a.Min.X < b.Max.X && b.Min.X < a.Max.X && a.Min.Y < b.Max.Y && b.Min.Y < a.Max.Y {
			return false
		}
	}
	return true
}

func within(v, low, high vg.Length) vg.Length { return max(low, min(high, v)) }

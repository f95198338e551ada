package figure

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// contours draws the lines on which a surface has given heights. The same surface
// gives the same lines in the same order, which gonum's contours, kept in maps, do
// not: figures are compared byte by byte.
type contours struct {
	surface
	levels []float64
	style  draw.LineStyle
}

// Plot implements plot.Plotter.
func (k contours) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, level := range k.levels {
		for _, line := range k.lines(level) {
			path := make([]vg.Point, len(line))
			for i, q := range line {
				path[i] = vg.Point{X: x(q[0]), Y: y(q[1])}
			}
			c.StrokeLines(k.style, c.ClipLinesXY(path)...)
		}
	}
}

// DataRange implements plot.DataRanger.
func (k contours) DataRange() (xmin, xmax, ymin, ymax float64) {
	return k.x[0], k.x[len(k.x)-1], k.y[0], k.y[len(k.y)-1]
}

// Sides of a cell of the grid, in the order of its corners: lower left, lower
// right, upper right, upper left.
const (
	lower = iota
	right
	upper
	left
)

// crossing is where lines meet: the side of a cell that they pass, known by the
// index of the grid point it starts from and its direction (0 along x, 1 along y).
type crossing struct{ start, direction int }

// side names a side of the cell whose lower left corner is a grid point.
func (s surface) side(corner, side int) crossing {
	switch side {
	case right:
		return crossing{corner + 1, 1}
	case upper:
		return crossing{corner + len(s.x), 0}
	case left:
		return crossing{corner, 1}
	}
	return crossing{corner, 0}
}

// lines are the polygons on which the surface has the given height, by marching
// squares: straight through each cell between the sides that the height lies on. At
// a saddle the mean of the cell's corners says which corners belong together. Lines
// that end at the border, or at missing values, come first, in the order of their
// ends; then the closed ones, whose first point is also the last.
func (s surface) lines(level float64) [][][2]float64 {
	neighbours := map[crossing][]crossing{}
	var order []crossing
	join := func(a, b crossing) {
		for _, c := range [...]crossing{a, b} {
			if _, met := neighbours[c]; !met {
				order = append(order, c)
			}
		}
		neighbours[a], neighbours[b] = append(neighbours[a], b), append(neighbours[b], a)
	}
	for r := range len(s.y) - 1 {
		for c := range len(s.x) - 1 {
			corner := r*len(s.x) + c
			for _, pair := range s.segments(corner, level) {
				join(s.side(corner, pair[0]), s.side(corner, pair[1]))
			}
		}
	}
	var out [][][2]float64
	done := map[crossing]bool{}
	for _, ends := range []int{1, 2} {
		for _, c := range order {
			if len(neighbours[c]) == ends && !done[c] {
				out = append(out, s.follow(c, level, neighbours, done))
			}
		}
	}
	return out
}

// follow walks along one line until it ends or closes.
func (s surface) follow(from crossing, level float64, neighbours map[crossing][]crossing, done map[crossing]bool) [][2]float64 {
	var line [][2]float64
	closed := len(neighbours[from]) == 2
	for at, more := from, true; more; {
		done[at] = true
		line = append(line, s.cross(at, level))
		more = false
		for _, next := range neighbours[at] {
			if !done[next] {
				at, more = next, true
				break
			}
		}
	}
	if closed {
		line = append(line, line[0])
	}
	return line
}

// segments are the pairs of sides that a line of the given height joins in a cell.
func (s surface) segments(corner int, level float64) [][2]int {
	z := [4]float64{s.z[corner], s.z[corner+1], s.z[corner+1+len(s.x)], s.z[corner+len(s.x)]}
	var crossed []int
	for side := range 4 {
		a, b := z[side], z[(side+1)%4]
		if math.IsNaN(a) {
			return nil
		}
		if (a >= level) != (b >= level) {
			crossed = append(crossed, side)
		}
	}
	switch len(crossed) {
	case 2:
		return [][2]int{{crossed[0], crossed[1]}}
	case 4:
		if centre := (z[0] + z[1] + z[2] + z[3]) / 4; (centre >= level) == (z[0] >= level) {
			return [][2]int{{lower, right}, {upper, left}}
		}
		return [][2]int{{lower, left}, {right, upper}}
	}
	return nil
}

// cross is the point of a side that has the given height.
func (s surface) cross(c crossing, level float64) [2]float64 {
	end := c.start + 1
	if c.direction == 1 {
		end = c.start + len(s.x)
	}
	a, b := s.z[c.start], s.z[end]
	t := (level - a) / (b - a)
	column, row := c.start%len(s.x), c.start/len(s.x)
	if c.direction == 1 {
		return [2]float64{s.x[column], s.y[row] + t*(s.y[row+1]-s.y[row])}
	}
	return [2]float64{s.x[column] + t*(s.x[column+1]-s.x[column]), s.y[row]}
}

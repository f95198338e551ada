package figure

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// manyNamed is a corner of n parameters whose names are long.
func manyNamed(n int) Corner {
	rng := rand.New(rand.NewPCG(3, 4))
	k := Corner{Title: "crowded", Detail: true}
	for j := range n {
		m := Marginal{Label: fmt.Sprintf("sediment sound-speed gradient %d", j), Unit: "dB/(m kHz)", Min: 0, Max: 4000, Truth: At(3000)}
		for range 400 {
			m.Draws = append(m.Draws, 3000+rng.NormFloat64()*math.Pow(10, float64(j-3)))
		}
		k.Parameters = append(k.Parameters, m)
	}
	return k
}

// TestCrowdedCorner: long names in narrow panels once left no room between the
// labels, coordinates that were not numbers, and a rasteriser that never ended.
func TestCrowdedCorner(t *testing.T) {
	for n := 2; n <= 7; n++ {
		f, err := manyNamed(n).Draw()
		if err != nil {
			t.Fatal(err)
		}
		var svg bytes.Buffer
		if err := f.Write(&svg, "svg"); err != nil {
			t.Fatalf("%d parameters: %v", n, err)
		}
		if regexp.MustCompile(`[",LM ]NaN[",LZ ]`).MatchString(svg.String()) {
			t.Errorf("%d parameters: coordinates that are not numbers", n)
		}
		aligned(t, f)
	}
}

// aligned holds the axes of each column and row of panels to one rectangle.
func aligned(t *testing.T, f *Figure) {
	t.Helper()
	tiles := draw.Tiles{Rows: len(f.panels), Cols: len(f.panels[0]), PadX: 10, PadY: 10}
	canvases := f.layout(tiles, draw.New(vgsvg.New(f.width, f.height)))
	for i, row := range f.panels {
		for j, p := range row {
			if p == nil {
				continue
			}
			a, b := p.DataCanvas(canvases[i][j]), f.panels[len(f.panels)-1][j].DataCanvas(canvases[len(f.panels)-1][j])
			for _, d := range []vg.Length{a.Min.X - b.Min.X, a.Max.X - b.Max.X} {
				if math.Abs(float64(d)) > 0.5 { // points: half a line's width
					t.Errorf("%d parameters: panel %d, %d is off its column by %.2g points", len(f.panels), i, j, float64(d))
				}
			}
		}
	}
}

// TestNoRoom: a figure too small for its panels grows until they have room, in either
// format.
func TestNoRoom(t *testing.T) {
	for _, format := range []string{"svg", "png"} {
		f, err := manyNamed(7).Draw()
		if err != nil {
			t.Fatal(err)
		}
		f.width, f.height = 3*vg.Centimeter, 3*vg.Centimeter
		if err := f.Write(&bytes.Buffer{}, format); err != nil || f.width < 6*vg.Centimeter {
			t.Errorf("%s: %g cm wide, %v", format, f.width/vg.Centimeter, err)
		}
	}
}

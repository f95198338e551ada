package figure

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Two peaks give two closed lines; the same figure is the same bytes, every time.
func TestContoursAreDeterministic(t *testing.T) {
	x, y := gaussians(3000, 216.4, 0.03, 1570, 1.5, 0.5)
	u, v := gaussians(3000, 216.7, 0.02, 1578, 1, -0.5)
	joint := Joint{X: Marginal{Label: "water depth", Unit: "m", Min: 200.5, Max: 236.5, Draws: slices.Concat(x, u), Truth: At(216.5)},
		Y: Marginal{Label: "sediment sound speed", Unit: "m/s", Min: 1532, Max: 1592, Draws: slices.Concat(y, v), Truth: At(1572.0)}, Detail: true}
	first := render(t, joint, "svg")
	for range 19 {
		if !bytes.Equal(first, render(t, joint, "svg")) {
			t.Fatal("two drawings differ")
		}
	}
	both := smoothed(joint.X.Draws, joint.Y.Draws, nil, Axis{Min: 216.2, Max: 216.9}, Axis{Min: 1560, Max: 1585})
	for _, line := range both.lines(both.levels()[0]) {
		if line[0] != line[len(line)-1] {
			t.Error("a region's line inside the figure is not closed")
		}
	}
	if n := len(both.lines(both.levels()[0])); n != 2 {
		t.Errorf("%d lines around two peaks", n)
	}
}

// The line of a cone is a circle, of the cone's radius at that height.
func TestContourOfACone(t *testing.T) {
	at := span(-1, 1, 201)
	s := surface{x: at, y: at}
	for _, y := range at {
		for _, x := range at {
			s.z = append(s.z, -math.Hypot(x, y))
		}
	}
	lines := s.lines(-0.6)
	if len(lines) != 1 || lines[0][0] != lines[0][len(lines[0])-1] {
		t.Fatalf("%d lines", len(lines))
	}
	length := 0.0
	for i, p := range lines[0] {
		if r := math.Hypot(p[0], p[1]); math.Abs(r-0.6) > 1e-4 {
			t.Fatalf("the point %v lies at radius %g", p, r)
		}
		if i > 0 {
			length += math.Hypot(p[0]-lines[0][i-1][0], p[1]-lines[0][i-1][1])
		}
	}
	if math.Abs(length-2*math.Pi*0.6) > 1e-3 {
		t.Errorf("length %g", length)
	}
}

// On any surface, missing values included, every point of a line has the line's
// height, and every side of a cell with one end above and one below is passed once.
func TestContoursFollowTheHeight(t *testing.T) {
	// No height so near the line's that two of its points round to one.
	height := rapid.OneOf(rapid.Float64Range(-1, -0.01), rapid.Float64Range(0.01, 1))
	rapid.Check(t, func(t *rapid.T) {
		columns, rows := rapid.IntRange(2, 6).Draw(t, "columns"), rapid.IntRange(2, 6).Draw(t, "rows")
		s := surface{span(0, 1, columns), span(0, 2, rows), rapid.SliceOfN(height, columns*rows, columns*rows).Draw(t, "z")}
		passed := 0
		for _, line := range s.lines(0) {
			if line[0] == line[len(line)-1] {
				line = line[1:]
			}
			for _, p := range line {
				passed++
				if z := s.at(p[0], p[1]); math.Abs(z) > 1e-9 {
					t.Fatalf("height %g at %v", z, p)
				}
			}
		}
		crossed := 0
		for i, z := range s.z {
			if c := i % columns; c+1 < columns && (z >= 0) != (s.z[i+1] >= 0) {
				crossed++
			}
			if i+columns < len(s.z) && (z >= 0) != (s.z[i+columns] >= 0) {
				crossed++
			}
		}
		if passed != crossed {
			t.Fatalf("%d points for %d crossed sides", passed, crossed)
		}
	})
	gap := surface{span(0, 1, 3), span(0, 1, 3), []float64{-1, -1, -1, 1, math.NaN(), 1, 1, 1, 1}}
	if lines := gap.lines(0); len(lines) != 0 {
		t.Errorf("%d lines next to a missing value", len(lines))
	}
}

package figure

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/plot/vg"
)

// TestNotesKeepClear puts labels at points crowded in a corner: none covers
// another, a point or the edge.
func TestNotesKeepClear(t *testing.T) {
	panel := vg.Rectangle{Max: vg.Point{X: 400, Y: 200}}
	rng := rand.New(rand.NewPCG(1, 2))
	var taken []vg.Rectangle
	at := make([]vg.Point, 20)
	for i := range at {
		at[i] = vg.Point{X: 400 - vg.Length(40*rng.Float64()), Y: 200 - vg.Length(60*rng.Float64())}
		taken = append(taken, around(at[i], 2*dot, 2*dot))
	}
	for i, p := range at {
		box, _ := settle(p, 50, 8, panel, taken)
		if !inside(box, panel) {
			t.Errorf("label %d leaves the panel: %v", i, box)
		}
		if !free(box, taken) {
			t.Errorf("label %d covers something", i)
		}
		taken = append(taken, box)
	}
}

// TestLoneNote is above and to the right of its point, where one looks first.
func TestLoneNote(t *testing.T) {
	p := vg.Point{X: 100, Y: 100}
	box, ring := settle(p, 50, 8, vg.Rectangle{Max: vg.Point{X: 400, Y: 200}}, nil)
	want := vg.Rectangle{Min: vg.Point{X: 103, Y: 103}, Max: vg.Point{X: 153, Y: 111}}
	if fmt.Sprintf("%.6f", box) != fmt.Sprintf("%.6f", want) || ring != 0 {
		t.Errorf("box %v in ring %d, expected %v", box, ring, want)
	}
}

package stages

import (
	"testing"

	"oceaninv/workflow/stage"
)

// What a stage shows of several phases rises from nothing to all, whatever each of them counts.
func TestPhasesNeverFallBack(t *testing.T) {
	last := int64(-1)
	var whole int64
	w := &phases{shares: []float64{0.1, 0.3, 0.6}, ws: stage.NewWorkspace(stage.Layout{Progress: func(p stage.Progress) {
		if p.Done < last || p.Done > p.Total {
			t.Errorf("%d of %d (%s) after %d", p.Done, p.Total, p.Message, last)
		}
		last, whole = p.Done, p.Total
	}}, nil)}
	for k, n := range []int{7, 1000, 3} {
		if k > 0 {
			w.next()
		}
		for i := range n + 1 {
			w.report(i, n, "")
		}
	}
	if last != whole || whole == 0 {
		t.Errorf("the end is %d of %d", last, whole)
	}
	w.report(0, 0, "") // nothing to do is no division by zero
}

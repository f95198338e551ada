package bench

import (
	"runtime"
	"strings"
	"testing"
)

// The default tolerance keeps kr within 1e-7 and pressure within 0.1 % of a
// converged solution, on oceans spread over the prior.
func TestForwardIsAccurate(t *testing.T) {
	o := DefaultOptions()
	o.Samples, o.Checked, o.Workers = 20, 20, 2
	r, err := Forward(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", *r)
	if !(r.WorstRelativeErrorKr <= o.Tolerance) {
		t.Errorf("worst relative error of kr %.1e exceeds the tolerance %.1e", r.WorstRelativeErrorKr, o.Tolerance)
	}
	if !(r.WorstPressureError <= 1e-3) {
		t.Errorf("worst error of pressure %.1e", r.WorstPressureError)
	}
}

// Where nothing propagates or memory ends, the reason is told; elsewhere the cost.
func TestCostsTellWhy(t *testing.T) {
	s, err := costSolver(1e-9)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		hz, depth float64
		reason    string
	}{{10, 30, "no mode propagates at 10 Hz"}, {100, 100, ""}, {5000, 5000, "at 5000 Hz the environment needs more than"}} {
		env := Ocean(c.depth)
		got, err := costOrReason(s, s, &env, c.hz)
		if err != nil || !strings.HasPrefix(got.Reason, c.reason) || (got.Reason == "") != (got.Modes > 0) || got.Hz != c.hz || got.Depth != c.depth {
			t.Errorf("%g Hz in %g m: %+v, %v", c.hz, c.depth, got, err)
		}
	}
}

// A solve keeps 32 bytes per mode and cell, and little else: what bounds modes times cells
// bounds its memory.
func TestMemoryIsModesTimesCells(t *testing.T) {
	s, err := costSolver(1e-9)
	if err != nil {
		t.Fatal(err)
	}
	env := Ocean(1000)
	before := heap()
	m, err := s.Solve(&env, 2000)
	if err != nil {
		t.Fatal(err)
	}
	states := 32 * uint64(m.Len()) * uint64(m.Cells())
	grown := heap() - before
	t.Logf("%d modes, %d cells: %d MB, of which states %d MB", m.Len(), m.Cells(), grown>>20, states>>20)
	if states < 32<<20 || grown > states+states/8+8<<20 {
		t.Errorf("%d modes in %d cells take %d MB, their states %d MB", m.Len(), m.Cells(), grown>>20, states>>20)
	}
	runtime.KeepAlive(s)
}

// heap is what is in use after a collection.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

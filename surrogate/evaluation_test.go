package surrogate

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestEvaluationIsThePass: a pass for evaluation gives what one that can be differentiated gives, with one condition for
// all rows or one for each, in every layer, precision and direction, and allocates nothing.
func TestEvaluationIsThePass(t *testing.T) {
	for _, l := range layers {
		f := testFlow(t, 5, 3, l.edit)
		agree(t, l.name, f, 1e-11)
		agree(t, l.name, Convert[float32](f), 2e-4)
	}
}

func agree[T Float](t *testing.T, name string, f *Flow[T], tolerance float64) {
	t.Helper()
	const rows = 6
	rng := rand.New(rand.NewPCG(7, 7))
	draw := func(n int) []T {
		v := make([]T, n)
		for i := range v {
			v[i] = T(rng.NormFloat64())
		}
		return v
	}
	x, one := draw(rows*f.spec.Dim), draw(f.spec.CondDim)
	all := slices.Repeat(one, rows)
	full, lean := f.NewPass(rows), f.NewEvaluation(rows)
	for way, runs := range [][2]func(x, cond []T) ([]T, []T, error){{full.Forward, lean.Forward}, {full.Inverse, lean.Inverse}} {
		want, wantLog, err := runs[0](x, all)
		if err != nil {
			t.Fatal(err)
		}
		for _, cond := range [][]T{all, one} {
			got, gotLog, err := runs[1](x, cond)
			if err != nil {
				t.Fatal(err)
			}
			if d := max(farthest(got, want), farthest(gotLog, wantLog)); !(d < tolerance) {
				t.Errorf("%s, direction %d, %d condition numbers: off by %g", name, way, len(cond), d)
			}
		}
		if n := testing.AllocsPerRun(3, func() { _, _, _ = runs[1](x, one) }); n != 0 {
			t.Errorf("%s, direction %d: %g allocations", name, way, n)
		}
	}
}

func farthest[T Float](a, b []T) float64 {
	far := 0.0
	for i := range a {
		far = math.Max(far, math.Abs(float64(a[i]-b[i]))/(1+math.Abs(float64(b[i]))))
	}
	return far
}

func TestEvaluationHasNoGradients(t *testing.T) {
	f := testFlow(t, 5, 3, func(*FlowSpec) {})
	p := f.NewEvaluation(1)
	y, _, err := p.Forward(make([]float64, 5), make([]float64, 3))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("Backward of a pass for evaluation did not panic")
		}
	}()
	p.Backward(y, nil, nil)
}

package reference

import (
	"context"
	"slices"
	"testing"

	"oceaninv/inversion"
)

func TestExpansionIsTheInterpolant(t *testing.T) {
	box := &inversion.Prior{Marginals: []inversion.Marginal{{Kind: inversion.Uniform, Low: -1, High: 2}, {Kind: inversion.Uniform, Low: 3, High: 5}}}
	it, err := NewInterpolant(context.Background(), func() (inversion.Forward, error) { return wave{}, nil }, box,
		[]float64{0.01, 0.02}, InterpolantOptions{Tolerance: 0.05, Nodes: 6, MaxSolves: 4000, Checks: 20})
	if err != nil {
		t.Fatal(err)
	}
	e := it.Expansion()
	if slices.Max(e.Axis) < 0 {
		t.Fatal("no panel was bisected: the test would not see children")
	}
	back, err := e.Interpolant()
	if err != nil {
		t.Fatal(err)
	}
	if back.Error != it.Error || back.Solves != it.Solves || !slices.Equal(back.Cells(), it.Cells()) {
		t.Error("figures of the interpolant were lost")
	}
	a, b := make([]complex128, 2), make([]complex128, 2)
	for i := range 500 {
		theta := []float64{-1 + 3*float64(i)/499, 3 + 2*float64(i*37%500)/499}
		if err := it.NewForward().Predict(a, theta); err != nil {
			t.Fatal(err)
		}
		if err := back.NewForward().Predict(b, theta); err != nil || !slices.Equal(a, b) {
			t.Fatalf("at %v: %v, want %v (%v)", theta, b, a, err)
		}
	}
	for name, spoil := range map[string]func(e *Expansion){
		"missing coefficients": func(e *Expansion) { e.Coefficients = e.Coefficients[1:] },
		"a panel that is its own child": func(e *Expansion) {
			e.Child = slices.Clone(e.Child)
			i := slices.IndexFunc(e.Axis, func(a int) bool { return a >= 0 })
			e.Child[i] = i
		},
		"no parts":    func(e *Expansion) { e.Parts = []int{0, 1} },
		"fewer edges": func(e *Expansion) { e.High = e.High[:1] },
	} {
		broken := e
		spoil(&broken)
		if _, err := broken.Interpolant(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// wave oscillates ever faster along its first parameter, so that panels are bisected.
type wave struct{}

func (wave) Predict(dst []complex128, theta []float64) error {
	x := theta[0] * theta[0] * theta[0]
	dst[0], dst[1] = complex(x, theta[1]), complex(1/(1.2+theta[0]), x*theta[1])
	return nil
}

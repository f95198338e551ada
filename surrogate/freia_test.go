package surrogate

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"
)

// freiaCase is a flow of ours and what FrEIA's module with the same weights makes of the same input;
// testdata/README.md tells how it came about.
type freiaCase struct {
	Name   string   `json:"name"`
	Spec   FlowSpec `json:"spec"`
	Arrays []struct {
		Name  string    `json:"name"`
		Shape []int     `json:"shape"`
		Data  []float64 `json:"data"`
	} `json:"arrays"`
	X             []float64 `json:"x"` // rows × dim
	Cond          []float64 `json:"cond"`
	Forward       []float64 `json:"forward"`
	ForwardLogDet []float64 `json:"forward_log_det"`
	Inverse       []float64 `json:"inverse"` // of x
	InverseLogDet []float64 `json:"inverse_log_det"`
}

// Couplings, splines and permutations are FrEIA's to rounding: forward, inverse and log-determinant.
func TestAgreesWithFrEIA(t *testing.T) {
	text, err := os.ReadFile("testdata/freia.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []freiaCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) != 28 {
		t.Fatalf("%d cases, want 28", len(cases))
	}
	for _, c := range cases {
		t.Run(fmt.Sprintf("%s, D=%d", c.Name, c.Spec.Dim), func(t *testing.T) { c.check(t) })
	}
}

func (c *freiaCase) check(t *testing.T) {
	var stored []NamedTensor[float64]
	for _, a := range c.Arrays {
		stored = append(stored, NamedTensor[float64]{Name: a.Name, Shape: a.Shape, Data: a.Data})
	}
	f, err := FromNamed(c.Spec, stored)
	if err != nil {
		t.Fatal(err)
	}
	p := f.NewPass(len(c.X) / c.Spec.Dim)
	y, l, err := p.Forward(c.X, c.Cond)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "forward", y, c.Forward)
	near(t, "log-determinant", l, c.ForwardLogDet)
	if y, l, err = p.Inverse(c.X, c.Cond); err != nil {
		t.Fatal(err)
	}
	near(t, "inverse", y, c.Inverse)
	near(t, "log-determinant of the inverse", l, c.InverseLogDet)
}

// near holds got to want within 1e-11, relative where values exceed 1.
func near(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i, w := range want {
		if !(math.Abs(got[i]-w) <= 1e-11*math.Max(1, math.Abs(w))) {
			t.Errorf("%s: element %d is %.17g, FrEIA has %.17g", what, i, got[i], w)
		}
	}
}

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
	Name   string          `json:"name"`
	Spec   json.RawMessage `json:"spec"` // what differs from DefaultFlow
	Arrays []struct {
		Name  string    `json:"name"`
		Shape []int     `json:"shape"`
		Data  []float64 `json:"data"`
	} `json:"arrays"`
	X       []float64 `json:"x"` // rows × dim
	Cond    []float64 `json:"cond"`
	Forward []float64 `json:"forward"`
	Inverse []float64 `json:"inverse"` // of x
	// One list over the rows; for an estimate with a random vector one for each vector that there is, of which a row
	// has any.
	ForwardLogDet [][]float64 `json:"forward_log_det"`
	InverseLogDet [][]float64 `json:"inverse_log_det"`
}

// Couplings, splines, permutations, ActNorm and i-ResNets are FrEIA's to rounding: forward, inverse and log-determinant.
func TestAgreesWithFrEIA(t *testing.T) {
	text, err := os.ReadFile("testdata/freia.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []freiaCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) != 37 {
		t.Fatalf("%d cases, want 37", len(cases))
	}
	for _, c := range cases {
		spec := DefaultFlow()
		if err := json.Unmarshal(c.Spec, &spec); err != nil {
			t.Fatal(err)
		}
		t.Run(fmt.Sprintf("%s, D=%d", c.Name, spec.Dim), func(t *testing.T) { c.check(t, spec) })
	}
}

func (c *freiaCase) flow(t *testing.T, spec FlowSpec) *Flow[float64] {
	var stored []NamedTensor[float64]
	for _, a := range c.Arrays {
		stored = append(stored, NamedTensor[float64]{Name: a.Name, Shape: a.Shape, Data: a.Data})
	}
	f, err := FromNamed(spec, stored)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (c *freiaCase) check(t *testing.T, spec FlowSpec) {
	// The released i-ResNet has a gradient that is not its own: conditions are taken of the exact one.
	exact := spec
	exact.ReleasedInverse = false
	if spec.Coupling == "iresnet" {
		exact.LogDet, exact.InverseSteps = "exact", 5000
	}
	p, q := c.flow(t, spec).NewPass(len(c.X)/spec.Dim), c.flow(t, exact)
	y, l, err := p.Forward(c.X, c.Cond)
	if err != nil {
		t.Fatal(err)
	}
	k := conditionsOf(t, q, c.X, c.Cond, false)
	near(t, "forward", y, [][]float64{c.Forward}, k.values)
	near(t, "log-determinant", l, c.ForwardLogDet, k.logdets)
	if y, l, err = p.Inverse(c.X, c.Cond); err != nil {
		t.Fatal(err)
	}
	k = conditionsOf(t, q, c.X, c.Cond, true)
	near(t, "inverse", y, [][]float64{c.Inverse}, k.values)
	near(t, "log-determinant of the inverse", l, c.InverseLogDet, k.logdets)
}

// conditions say by how many units in the last place of 1 each number of a result moves when every number that it is
// computed from moves by one of its own: Σ |∂y/∂p| |p| over the parameters, the input and the condition.
type conditions struct{ values, logdets []float64 }

func conditionsOf(t *testing.T, f *Flow[float64], x, cond []float64, inverse bool) (k conditions) {
	t.Helper()
	rows := len(x) / f.Dim()
	p := f.NewPass(rows)
	if f.CondDim() > 0 {
		p.WantConditionGradient()
	}
	run := p.Forward
	if inverse {
		run = p.Inverse
	}
	one := func(dy, dlogdet []float64) float64 {
		if _, _, err := run(x, cond); err != nil {
			t.Fatal(err)
		}
		grad := make([]float64, len(f.Params()))
		dx, dcond := p.Backward(dy, dlogdet, grad)
		sum := 0.0
		for _, part := range [][2][]float64{{grad, f.Params()}, {dx, x}, {dcond, cond}} {
			for i, v := range part[0] {
				sum += math.Abs(v * part[1][i])
			}
		}
		return sum
	}
	for i := range x {
		dy := make([]float64, len(x))
		dy[i] = 1
		k.values = append(k.values, one(dy, make([]float64, rows)))
	}
	for i := range rows {
		dlogdet := make([]float64, rows)
		dlogdet[i] = 1
		k.logdets = append(k.logdets, one(make([]float64, len(x)), dlogdet))
	}
	return k
}

// roundings is how often, at most, a number is rounded on its way through one of these flows: sums of up to 16 products
// in two or three layers, of 10 bins in a spline, and the functions between, on either side.
const roundings = 64

// near holds each number to any of those that are wanted, within what rounding can do to a computation of its condition.
func near(t *testing.T, what string, got []float64, want [][]float64, condition []float64) {
	t.Helper()
	if len(got) != len(want[0]) || len(got) != len(condition) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want[0]))
	}
	for i, v := range got {
		tolerance, off, nearest := roundings*0x1p-53*max(1, condition[i]), math.Inf(1), math.NaN()
		for _, w := range want {
			if d := math.Abs(v - w[i]); d < off {
				off, nearest = d, w[i]
			}
		}
		if !(off <= tolerance) {
			t.Errorf("%s: element %d is %.17g, FrEIA has %.17g: %.2g apart, %.2g expected of a condition of %.3g",
				what, i, v, nearest, off, tolerance, condition[i])
		}
	}
}

package config

import (
	"slices"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"
)

// TestRange gives the numbers HCL's users know from range, and more of them.
func TestRange(t *testing.T) {
	numbers := func(all ...float64) []cty.Value {
		var out []cty.Value
		for _, n := range all {
			out = append(out, cty.NumberFloatVal(n))
		}
		return out
	}
	for _, c := range []struct{ args, want []float64 }{
		{[]float64{3}, []float64{0, 1, 2}}, {[]float64{0}, nil}, {[]float64{-2}, []float64{0, -1}}, {[]float64{2, 4}, []float64{2, 3}},
		{[]float64{4, 2}, []float64{4, 3}}, {[]float64{1, 4, 2}, []float64{1, 3}}, {[]float64{4, 1, -2}, []float64{4, 2}},
		{[]float64{0, 1, 0.25}, []float64{0, 0.25, 0.5, 0.75}}, {[]float64{5, 5, 1}, nil},
	} {
		got, err := rangeFunc.Call(numbers(c.args...))
		if err != nil {
			t.Errorf("range%v: %v", c.args, err)
			continue
		}
		if want := numbers(c.want...); !slices.EqualFunc(got.AsValueSlice(), want, cty.Value.RawEquals) {
			t.Errorf("range%v is %#v, want %v", c.args, got, c.want)
		}
	}
	if got, err := rangeFunc.Call(numbers(20000)); err != nil || got.LengthInt() != 20000 {
		t.Errorf("20,000 numbers: %v", err)
	}
	for _, c := range []struct {
		args []float64
		want string
	}{{nil, "takes a limit"}, {[]float64{1, 2, 3, 4}, "takes a limit"}, {[]float64{1, 5, -1}, "the step must lead"}, {[]float64{1, 5, 0}, "the step must lead"},
		{[]float64{2e6}, "more than 1000000 numbers"}} {
		if _, err := rangeFunc.Call(numbers(c.args...)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("range%v: %v, want %q", c.args, err, c.want)
		}
	}
}

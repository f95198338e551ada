package report

import (
	"testing"

	"oceaninv/workflow/stage"
)

// TestMetricText: a value ends where its error does.
func TestMetricText(t *testing.T) {
	for _, c := range []struct {
		value, err float64
		want       string
	}{
		{0.003923, 0.0012, "0.0039 ± 0.0012"}, {424.9, 400, "425 ± 400"}, {0.5475, 0.00035, "0.54750 ± 0.00035"},
		{1.983, 0, "1.983"}, {22060, 0, "22060"}, {2206.5, 0, "2206"}, {2.2e9, 0, "2.2e+09"}, {1e9, 2e8, "1e+09 ± 2e+08"}, {3e-9, 1e-9, "3e-09 ± 1e-09"}, {12, 1.96, "12.0 ± 2.0"},
	} {
		if got := metricText(stage.Metric{Value: c.value, Error: c.err}); got != c.want {
			t.Errorf("%g, %g: %q, want %q", c.value, c.err, got, c.want)
		}
	}
}

// TestUnitText: squares are written as people write them.
func TestUnitText(t *testing.T) {
	for unit, want := range map[string]string{"": "", "m": "m", "(m)^2": "m²", "(m/s)^2": "(m/s)²", "m^2": "m²"} {
		if got := unitText(unit); got != want {
			t.Errorf("%q: %q, want %q", unit, got, want)
		}
	}
}

// TestTimeStep: ticks of a time axis are round in the unit that they are read in.
func TestTimeStep(t *testing.T) {
	for x, want := range map[float64]float64{0.03: 0.05, 7: 10, 55: 60, 64: 120, 700: 1200, 3000: 3600, 9000: 5 * 3600} {
		if got := timeStep(x); got != want {
			t.Errorf("%g: %g, want %g", x, got, want)
		}
	}
}

package stages

import (
	"math"
	"strings"
	"testing"

	"oceaninv/io/dataset"
)

// elastic is pekeris with a solid below the water and leaky modes wanted.
var elastic = strings.Replace(strings.Replace(pekeris,
	`attenuation = "0.5 dB/wavelength"`, `attenuation = "0.5 dB/wavelength"
    shear_speed       = 400
    shear_attenuation = "1 dB/wavelength"`, 1),
	`noise {`, `modes {
    max_phase_speed = 2000
    max_loss        = 2
  }
  noise {`, 1)

// Oceans that real modes do not know go through simulation, observation, the exact
// posterior and the field by complex modes.
func TestElasticOcean(t *testing.T) {
	c := newChain(t)
	if d := c.decode(elastic + `
stage "simulate" "data" {
  problem = problem.depth_and_speed
  samples = 8
}
stage "observe" "recording" {
  problem = problem.depth_and_speed
  truth   = [{ water_depth = 100, bottom_speed = 1700 }]
}
stage "field" "range" {
  environment  = environment.pekeris
  frequencies  = [50]
  source_depth = 36
  max_range    = 5000
  ranges       = 40
  depths       = 20
  modes {
    solver          = "complex"
    max_phase_speed = 2000
  }
}`); d.HasErrors() {
		t.Fatal(d)
	}
	for _, s := range [][2]string{{"simulate", "data"}, {"observe", "recording"}, {"field", "range"}} {
		if err := c.run(s[0], s[1]); err != nil {
			t.Fatalf("%v: %v", s, err)
		}
	}
	f, err := dataset.ReadField(c.path("stage.range.field"))
	if err != nil {
		t.Fatal(err)
	}
	power := 0.0
	for _, p := range f.Pressure {
		power += real(p)*real(p) + imag(p)*imag(p)
	}
	if !(power > 0) || math.IsInf(power, 0) {
		t.Errorf("the field's power is %v", power)
	}
}

// What modes cannot be is said at the block.
func TestSolverMistakes(t *testing.T) {
	for name, v := range map[string][3]string{
		"name":  {"max_phase_speed = 2000", `solver = "fast"`, "solver must be auto, real or complex"},
		"real":  {"max_phase_speed = 2000", `solver = "real"`, "Real modes know fluids only"},
		"loss":  {"max_loss        = 2", "max_loss = -2", "max_loss must be 0 or positive"},
		"speed": {"max_phase_speed = 2000", "max_phase_speed = 1000\n    min_phase_speed = 1100", "must exceed min_phase_speed"},
	} {
		t.Run(name, func(t *testing.T) {
			diags := newChain(t).decode(strings.Replace(elastic, v[0], v[1], 1))
			if !diags.HasErrors() || !strings.Contains(diags[0].Detail, v[2]) {
				t.Errorf("diagnostics %v, want %q", diags, v[2])
			}
		})
	}
}

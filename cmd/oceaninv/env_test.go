package main

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oceaninv/acoustics"
	"oceaninv/io/dataset"
	"oceaninv/io/envfile"
	"oceaninv/pipelines/stages"
)

// everyFeature is an ocean with all that an environment block can say.
func everyFeature() acoustics.Environment {
	power := acoustics.Attenuation{Value: 0.2, Unit: acoustics.DBPerMetrePower, Reference: 1000, Exponent: 1.8}
	loss := func(x float64) acoustics.Attenuation {
		return acoustics.Attenuation{Value: x, Unit: acoustics.DBPerWavelength}
	}
	return acoustics.Environment{
		Name: "everything",
		Surface: acoustics.Boundary{Kind: acoustics.Halfspace, Roughness: 0.3,
			Material: acoustics.Material{SoundSpeed: 1700, ShearSpeed: 300, Density: 1100, Attenuation: loss(0.1), ShearAttenuation: loss(0.2)}},
		Cover: []acoustics.Layer{{Name: "ice", Thickness: 3, Interpolation: acoustics.CLinear, BottomRoughness: 0.1, Knots: []acoustics.Knot{
			{Material: acoustics.Material{SoundSpeed: 3000, ShearSpeed: 1400, Density: 900, Attenuation: loss(0.1)}},
			{Depth: 3, Material: acoustics.Material{SoundSpeed: 3100, ShearSpeed: 1500, Density: 910, Attenuation: loss(0.3)}}}}},
		Water: acoustics.Water{Depth: 100, Density: 1025.5, BottomRoughness: 0.7,
			Profile:           acoustics.SoundSpeedProfile{Depth: []float64{0, 1.0 / 3, 100}, Speed: []float64{1500, 1499.9, 1480.1}, Interpolation: acoustics.PCHIP},
			VolumeAttenuation: acoustics.VolumeAttenuation{Formula: acoustics.FrancoisGarrison, Temperature: 4, Salinity: 35, PH: 8, MeanDepth: 50}},
		Layers: []acoustics.Layer{{Name: "mud", Thickness: 20, Interpolation: acoustics.Spline, Knots: []acoustics.Knot{
			{Material: acoustics.Material{SoundSpeed: 1490, Density: 1400, Attenuation: power}},
			{Depth: 7, Material: acoustics.Material{SoundSpeed: 1520, Density: 1500, Attenuation: power}},
			{Depth: 20, Material: acoustics.Material{SoundSpeed: 1600, Density: 1600}}}}},
		Bottom: acoustics.Boundary{Kind: acoustics.Reflection, Reflections: []acoustics.ReflectionCoefficient{{Magnitude: 1, Phase: 180}, {GrazingAngle: 90, Magnitude: 0.5}}},
	}
}

// An ocean goes from NetCDF to a pipeline and back unchanged.
func TestEnvironmentThroughHCL(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	want := everyFeature()
	if err := dataset.WriteEnvironment(file("a.nc"), want); err != nil {
		t.Fatal(err)
	}
	for _, step := range [][]string{{"a.nc", "b.hcl"}, {"b.hcl", "c.nc"}} {
		if _, err := invoke(newEnvCommand(stages.All()), file(step[0]), file(step[1])); err != nil {
			t.Fatalf("%v: %v", step, err)
		}
	}
	got, err := dataset.ReadEnvironment(file("c.nc"))
	if err != nil {
		t.Fatal(err)
	}
	a, _ := json.Marshal(want)
	b, _ := json.Marshal(got)
	if string(a) != string(b) {
		t.Errorf("%s became\n%s", a, b)
	}
}

// The Toolbox's oceans go through HCL and give the same modes.
func TestToolboxThroughHCL(t *testing.T) {
	for _, name := range []string{"ice_cover_10hz", "interp_S_100m_150hz", "elastic_sediment_100m_150hz"} {
		dir := t.TempDir()
		hcl, env := filepath.Join(dir, "ocean.hcl"), filepath.Join(dir, "ocean.env")
		if _, err := invoke(newEnvCommand(stages.All()), toolboxFile(name, ".env"), hcl); err != nil {
			t.Fatal(err)
		}
		if _, err := invoke(newEnvCommand(stages.All()), hcl, env, "--frequency=40", "--min-phase-speed=1400", "--max-phase-speed=1600",
			"--source-depth=10", "--receiver-depth=20", "--max-range=5000"); err != nil {
			t.Fatal(err)
		}
		limits := []string{"--json", "--frequency=40", "--min-phase-speed=1400", "--max-phase-speed=1600"}
		var answers []modesOutput
		for _, path := range []string{toolboxFile(name, ".env"), hcl, env} {
			text, err := invoke(newModesCommand(stages.All()), append([]string{path}, limits...)...)
			if err != nil {
				t.Fatal(err)
			}
			var out modesOutput
			if err := json.Unmarshal([]byte(text), &out); err != nil {
				t.Fatal(err)
			}
			answers = append(answers, out)
		}
		for _, other := range answers[1:] {
			a, b := answers[0].Frequencies[0], other.Frequencies[0]
			if len(a.KReal) == 0 || len(a.KReal) != len(b.KReal) {
				t.Fatalf("%s: %d modes became %d", name, len(a.KReal), len(b.KReal))
			}
			for i := range a.KReal {
				if math.Abs(a.KReal[i]-b.KReal[i]) > 1e-12*a.KReal[i] || math.Abs(a.KImag[i]-b.KImag[i]) > 1e-9*a.KReal[i] {
					t.Errorf("%s: mode %d: %v %v became %v %v", name, i+1, a.KReal[i], a.KImag[i], b.KReal[i], b.KImag[i])
				}
			}
		}
	}
}

// All profiles of an .env file share the tables beside it: profiles that differ are refused,
// and may be written one by one; where a later one alone has a table it is written.
func TestProfilesShareTables(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	profile := func(magnitude float64) envfile.Case {
		env := acoustics.Environment{
			Surface: acoustics.Boundary{Kind: acoustics.PressureRelease},
			Water: acoustics.Water{Depth: 100, Density: 1000,
				Profile: acoustics.SoundSpeedProfile{Depth: []float64{0, 100}, Speed: []float64{1500, 1500}, Interpolation: acoustics.CLinear}},
			Bottom: acoustics.Boundary{Kind: acoustics.Rigid},
		}
		if magnitude > 0 {
			env.Bottom = acoustics.Boundary{Kind: acoustics.Reflection,
				Reflections: []acoustics.ReflectionCoefficient{{Magnitude: 1, Phase: 180}, {GrazingAngle: 90, Magnitude: magnitude}}}
		}
		return envfile.Case{Environment: env, Reference: 50, Frequencies: []float64{50}, PhaseSpeed: envfile.PhaseSpeedLimits{Low: 1400, High: 1600},
			SourceDepths: []float64{10}, ReceiverDepths: []float64{20}, Mesh: []int{0}}
	}
	convert := func(to string, args []string, magnitudes ...float64) error {
		var cases []envfile.Case
		for _, m := range magnitudes {
			cases = append(cases, profile(m))
		}
		text, err := json.Marshal(cases)
		if err != nil {
			t.Fatal(err)
		}
		write(t, file("o.json"), string(text))
		_, err = invoke(newEnvCommand(stages.All()), append([]string{file("o.json"), file(to)}, args...)...)
		return err
	}
	read := func(name string, want ...float64) {
		t.Helper()
		cases, err := envfile.ReadFile(file(name))
		if err != nil || len(cases) != len(want) {
			t.Fatalf("%s: %d profiles, %v", name, len(cases), err)
		}
		for i, c := range cases {
			got := 0.0
			if r := c.Environment.Bottom.Reflections; len(r) > 0 {
				got = r[len(r)-1].Magnitude
			}
			if got != want[i] {
				t.Errorf("%s: profile %d reflects %v, want %v", name, i+1, got, want[i])
			}
		}
	}
	var bad *exitError
	if err := convert("none.env", nil); !errors.As(err, &bad) || bad.code != exitBadInput || !strings.Contains(err.Error(), "has no profile") {
		t.Errorf("no profile: %v", err)
	}
	err := convert("two.env", nil, 0.5, 0.5, 0.7)
	if !errors.As(err, &bad) || bad.code != exitBadInput || !strings.Contains(err.Error(), "profiles 1 and 3 have different tables") || !strings.Contains(err.Error(), "--profile") {
		t.Errorf("two tables: %v", err)
	}
	for _, name := range []string{"two.env", "two.brc"} {
		if _, err := os.Stat(file(name)); err == nil {
			t.Errorf("%s was written all the same", name)
		}
	}
	for _, c := range []struct {
		to   string
		args []string
		in   []float64
		want []float64
	}{
		{"third.env", []string{"--profile=3"}, []float64{0.5, 0.5, 0.7}, []float64{0.7}},
		{"same.env", nil, []float64{0.5, 0.5}, []float64{0.5, 0.5}},
		{"later.env", nil, []float64{0, 0.6}, []float64{0, 0.6}},
	} {
		if err := convert(c.to, c.args, c.in...); err != nil {
			t.Fatal(err)
		}
		read(c.to, c.want...)
	}
}

// Environment blocks are chosen by name, and evaluated with the pipeline's
// variables.
func TestEnvironmentOfPipeline(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.hcl")
	const text = `
variable "speed" {
  type    = number
  default = 1700
}
environment "shelf" {
  for_each = { shallow = 50, deep = 200 }
  water {
    depth       = each.value
    sound_speed = 1500
  }
  bottom {
    sound_speed = var.speed
    density     = 1800
  }
}
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := invoke(newEnvCommand(stages.All()), path, `--environment=shelf["deep"]`, "--var=speed=1650")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct{ Environment acoustics.Environment }
	if err := json.Unmarshal([]byte(out), &cases); err != nil {
		t.Fatal(err)
	}
	if e := cases[0].Environment; e.Water.Depth != 200 || e.Bottom.Material.SoundSpeed != 1650 {
		t.Errorf("%+v", e)
	}
	for _, wrong := range []struct {
		args []string
		want string
	}{
		{[]string{path}, `has the environments shelf["deep"], shelf["shallow"]: choose one with --environment`},
		{[]string{path, "--environment=reef"}, `has no environment "reef", but shelf`},
		{[]string{toolboxFile("munk_50hz", ".env"), "--environment=x"}, "are for pipelines"},
	} {
		if _, err := invoke(newEnvCommand(stages.All()), wrong.args...); err == nil || !strings.Contains(err.Error(), wrong.want) {
			t.Errorf("%q: %v", wrong.args, err)
		}
	}
}

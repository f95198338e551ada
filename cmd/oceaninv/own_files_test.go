package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"oceaninv/io/netcdf"
)

// ownVariable is a variable of a file that a user brings.
type ownVariable struct {
	name, unit string
	dims       []string
}

func ownObservation() []ownVariable {
	all := []string{"observation", "receiver", "frequency"}
	return []ownVariable{{"receiver_depth", "m", all[1:2]}, {"frequency", "Hz", all[2:]}, {"pressure_real", "1", all}, {"pressure_imag", "1", all}}
}

// writeOwn writes the variables; depths begin at first.
func writeOwn(t *testing.T, path string, first float64, variables []ownVariable) {
	t.Helper()
	sizes := map[string]int{"observation": 1, "receiver": 2, "frequency": 2}
	err := netcdf.Write(path, func(f *netcdf.File) error {
		var all error
		for _, name := range []string{"observation", "receiver", "frequency"} {
			all = errors.Join(all, f.AddDimension(name, sizes[name]))
		}
		for _, v := range variables {
			n := 1
			for _, d := range v.dims {
				n *= sizes[d]
			}
			values := make([]float64, n)
			for i := range values {
				values[i] = map[string]float64{"receiver_depth": first + 50*float64(i), "frequency": 50 + 30*float64(i)}[v.name]
			}
			variable, err := f.AddVariable(netcdf.Definition{Name: v.name, Type: netcdf.Double, Dimensions: v.dims,
				Attributes: []netcdf.Attribute{netcdf.Text("units", v.unit)}})
			if err == nil {
				err = netcdf.WriteAll(variable, values)
			}
			all = errors.Join(all, err)
		}
		return all
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestFilesOfYourOwn: what is wrong with a file that a pipeline names is told by plan and by run before anything runs, with
// the file, the variable and what was expected, at the line that names it.
func TestFilesOfYourOwn(t *testing.T) {
	for _, c := range []struct {
		name   string
		first  float64
		change func(all []ownVariable) []ownVariable
		want   []string
	}{
		{"as it should be", 25, func(all []ownVariable) []ownVariable { return all }, nil},
		{"a variable is missing", 25, func(all []ownVariable) []ownVariable { return all[:3] }, []string{"mine.nc", "pressure_imag", "missing"}},
		{"kilometres", 25, func(all []ownVariable) []ownVariable { all[0].unit = "km"; return all }, []string{"mine.nc", "receiver_depth", `"km"`, `"m"`}},
		{"dimensions in another order", 25, func(all []ownVariable) []ownVariable {
			all[2].dims = []string{"observation", "frequency", "receiver"}
			return all
		}, []string{"mine.nc", "pressure_real", "observation, receiver, frequency"}},
		{"other phones", 30, func(all []ownVariable) []ownVariable { return all }, []string{"mine.nc", "[25 75]", "[30 80]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			text := soundPipeline[:strings.Index(soundPipeline, `stage "simulate"`)] + `
stage "reference" "exact" {
  problem     = problem.depth
  observation = "mine.nc"
}
`
			write(t, filepath.Join(dir, "p.hcl"), text)
			writeOwn(t, filepath.Join(dir, "mine.nc"), c.first, c.change(ownObservation()))
			if c.want == nil {
				if said, err := planned(dir, "plan"); err != nil {
					t.Fatalf("%v\n%s", err, said)
				}
				return
			}
			for _, verb := range []string{"plan", "run"} {
				said, err := planned(dir, verb)
				var exit *exec.ExitError
				if !errors.As(err, &exit) || exit.ExitCode() != exitBadInput {
					t.Errorf("%s: %v", verb, err)
				}
				line := 1 + strings.Count(text[:strings.Index(text, `"mine.nc"`)], "\n")
				for _, want := range append(c.want, fmt.Sprintf("on p.hcl line %d, in stage", line)) {
					if !strings.Contains(said, want) {
						t.Errorf("%s does not say %q:\n%s", verb, want, said)
					}
				}
			}
			if left, err := filepath.Glob(filepath.Join(dir, "results*")); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// planned is what a verb of the program says of p.hcl.
func planned(dir, verb string) (string, error) {
	cmd := exec.Command("oceaninv", verb, "p.hcl")
	var words bytes.Buffer
	cmd.Dir, cmd.Stderr, cmd.Env = dir, &words, append(os.Environ(), "STAGES=all")
	err := cmd.Run()
	return strings.Join(strings.Fields(words.String()), " "), err
}

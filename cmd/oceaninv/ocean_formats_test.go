package main

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"oceaninv/io/netcdf"
)

// oceanNetCDF is an ocean as another program would write it: text and numbers by
// variable, each over one dimension or none.
type oceanNetCDF struct {
	numbers map[string][]float64
	units   map[string]string
	roles   []string
	kinds   []string
	schema  string
}

func plainOceanNetCDF() oceanNetCDF {
	return oceanNetCDF{
		numbers: map[string][]float64{
			"water_depth": {100}, "water_density": {1000}, "depth": {0, 50, 100}, "sound_speed": {1500, 1490, 1495},
			"medium_thickness": {0, 0}, "medium_knots": {1, 1}, "knot_depth": {0, 0}, "knot_sound_speed": {340, 1700}, "knot_density": {1.2, 1800},
		},
		units: map[string]string{
			"water_depth": "m", "water_density": "kg m-3", "depth": "m", "sound_speed": "m s-1", "medium_thickness": "m", "medium_knots": "1",
			"knot_depth": "m", "knot_sound_speed": "m s-1", "knot_density": "kg m-3",
		},
		roles: []string{"surface", "bottom"}, kinds: []string{"pressure_release", "halfspace"}, schema: "environment 1",
	}
}

func (o *oceanNetCDF) write(path string) error {
	dims := map[string][]string{"depth": {"depth"}, "sound_speed": {"depth"}}
	return netcdf.Write(path, func(f *netcdf.File) error {
		all := errors.Join(f.SetAttribute(netcdf.Text("oceaninv_schema", o.schema)), f.AddDimension("depth", len(o.numbers["depth"])),
			f.AddDimension("medium", len(o.roles)), f.AddDimension("knot", len(o.numbers["knot_depth"])))
		for _, name := range []string{"water_depth", "water_density", "depth", "sound_speed", "medium_thickness", "medium_knots", "knot_depth", "knot_sound_speed", "knot_density"} {
			values, ok := o.numbers[name]
			if !ok {
				continue
			}
			over := dims[name]
			if kind, _, _ := strings.Cut(name, "_"); kind == "medium" || kind == "knot" {
				over = []string{kind}
			}
			v, err := f.AddVariable(netcdf.Definition{Name: name, Type: netcdf.Double, Dimensions: over, Attributes: []netcdf.Attribute{netcdf.Text("units", o.units[name])}})
			if err == nil {
				err = netcdf.WriteAll(v, values)
			}
			all = errors.Join(all, err)
		}
		for _, text := range []struct {
			name   string
			values []string
		}{{"medium_role", o.roles}, {"medium_kind", o.kinds}} { // in this order, for messages list a file's variables
			v, err := f.AddVariable(netcdf.Definition{Name: text.name, Type: netcdf.String, Dimensions: []string{"medium"}})
			if err == nil {
				err = v.WriteStrings(text.values)
			}
			all = errors.Join(all, err)
		}
		return all
	})
}

const oceanHCL = `environment "shelf" {
  water {
    depth = 100
    profile {
      depth = [0, 50, 100]
      speed = [1500, 1490, 1495]
    }
  }
  layer "mud" {
    thickness   = 10
    sound_speed = [1600, 1620]
    density     = 1500
    attenuation = "0.2 dB/wavelength"
  }
  bottom {
    sound_speed = 1700
    density     = 1800
    attenuation = "0.5 dB/wavelength"
  }
}
`

// modesSaid runs modes in a directory and returns what it says and its exit code.
func modesSaid(dir, file string) (said string, code int) {
	cmd := exec.Command("oceaninv", "modes", file, "--frequency=100")
	var words bytes.Buffer
	cmd.Dir, cmd.Stderr, cmd.Env = dir, &words, append(os.Environ(), "STAGES=all")
	if err := cmd.Run(); err != nil {
		code = cmd.ProcessState.ExitCode()
	}
	return words.String(), code
}

// TestOceanMistakesInOtherFormats: what is wrong with an ocean in NetCDF, HCL or JSON is
// bad input, told with the variable or line, what is there and what to do.
func TestOceanMistakesInOtherFormats(t *testing.T) {
	dir := t.TempDir()
	var all strings.Builder
	refuse := func(name, file string) {
		said, code := modesSaid(dir, file)
		if code != exitBadInput {
			t.Errorf("%s: exit code %d\n%s", name, code, said)
		}
		fmt.Fprintf(&all, "# %s\n%s\n\n", name, strings.TrimSpace(said))
	}
	for _, c := range []struct {
		name   string
		change func(o *oceanNetCDF)
	}{
		{"density in g/cm³", func(o *oceanNetCDF) { o.numbers["knot_density"][1] = 1.8 }},
		{"density in another unit", func(o *oceanNetCDF) { o.units["knot_density"] = "g cm-3" }},
		{"water in g/cm³", func(o *oceanNetCDF) { o.numbers["water_density"][0] = 1.03 }},
		{"missing variable", func(o *oceanNetCDF) { delete(o.numbers, "sound_speed") }},
		{"NaN in the profile", func(o *oceanNetCDF) { o.numbers["sound_speed"][1] = math.NaN() }},
		{"decreasing depths", func(o *oceanNetCDF) { o.numbers["depth"][1] = 100; o.numbers["depth"][2] = 50 }},
		{"profile that ends early", func(o *oceanNetCDF) { o.numbers["depth"][2] = 90 }},
		{"sound speed 0", func(o *oceanNetCDF) { o.numbers["knot_sound_speed"][1] = 0 }},
		{"depth 0", func(o *oceanNetCDF) { o.numbers["water_depth"][0] = 0 }},
		{"unknown role", func(o *oceanNetCDF) { o.roles[1] = "botom" }},
		{"unknown kind", func(o *oceanNetCDF) { o.kinds[1] = "soft" }},
		{"no bottom", func(o *oceanNetCDF) { o.roles[1] = "surface" }},
		{"too many knots", func(o *oceanNetCDF) { o.numbers["medium_knots"][1] = 5 }},
		{"another kind of file", func(o *oceanNetCDF) { o.schema = "posterior 1" }},
	} {
		o := plainOceanNetCDF()
		path := filepath.Join(dir, "ocean.nc")
		if err := o.write(path); err != nil {
			t.Fatal(err)
		}
		if said, code := modesSaid(dir, "ocean.nc"); code != 0 {
			t.Fatalf("a sound ocean: %s", said)
		}
		o = plainOceanNetCDF()
		c.change(&o)
		if err := o.write(path); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		refuse("NetCDF: "+c.name, "ocean.nc")
	}
	write(t, filepath.Join(dir, "text.nc"), "CDF? no\n")
	refuse("NetCDF: text", "text.nc")
	for _, c := range []struct{ name, old, new string }{
		{"density in g/cm³", "density     = 1800", "density     = 1.8"},
		{"layer in g/cm³", "density     = 1500", "density     = 1.5"},
		{"depth 0", "depth = 100\n", "depth = 0\n"},
		{"unequal lists", "[1500, 1490, 1495]", "[1500, 1490]"},
		{"negative thickness", "thickness   = 10", "thickness   = -10"},
		{"unknown unit", "0.5 dB/wavelength", "0.5 dB/lambda"},
		{"no unit", "\"0.5 dB/wavelength\"", "0.5"},
		{"misspelt argument", "thickness   = 10", "thickness   = 10\n    roughnes = 1"},
		{"no environment", oceanHCL, "variable \"x\" {\n  default = 1\n}\n"},
		{"no bottom", oceanHCL[strings.Index(oceanHCL, "  bottom"):], "}\n"},
	} {
		if !strings.Contains(oceanHCL, c.old) {
			t.Fatalf("%s: nothing to replace", c.name)
		}
		write(t, filepath.Join(dir, "ocean.hcl"), strings.Replace(oceanHCL, c.old, c.new, 1))
		refuse("HCL: "+c.name, "ocean.hcl")
	}
	golden(t, "testdata/ocean_mistakes.golden", all.String())
}

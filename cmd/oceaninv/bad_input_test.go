package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files of testdata anew")

// soundPipeline is the pipeline whose mistakes are told.
const soundPipeline = `environment "ocean" {
  water {
    depth = 100
    profile {
      depth = [0, 40, 100]
      speed = [1520, 1490, 1488]
    }
  }
  bottom {
    sound_speed = 1700
    density     = 1800
    attenuation = "0.5 dB/wavelength"
  }
}

problem "depth" {
  environment = environment.ocean
  frequencies = [50, 80]
  source {
    depth = 36
  }
  receivers {
    depths = [25, 75]
    range  = 1000
  }
  parameter "water_depth" {
    prior "uniform" {
      low  = 95
      high = 105
    }
  }
  noise {
    snr = 15
  }
}

stage "simulate" "data" {
  problem = problem.depth
  samples = 10
}

stage "train" "flow" {
  dataset = stage.data.dataset
  conditional {}
}
`

// notANumber is an ocean in a file whose profile has a NaN.
const notANumber = `'NaN in the profile'
50.0
1
'CVW'
0 0.0 100.0
0.0 1500.0 0.0 1.0 0.0 0.0
50.0 NaN /
100.0 1500.0 /
'A' 0.0
100.0 1700.0 0.0 1.8 0.5 0.0
`

// TestBadInput: each mistake is a diagnostic with the file, the line, what is there and what to do; the exit code is 2 and
// nothing is written, whether the pipeline is validated or run.
func TestBadInput(t *testing.T) {
	var said strings.Builder
	for _, c := range []struct{ name, old, new string }{
		{"unknown attribute", "samples = 10", "sampels = 10"},
		{"unknown kind of stage", `"simulate" "data"`, `"simulat" "data"`},
		{"reference to a missing stage", "dataset = stage.data.dataset", "dataset = stage.date.dataset"},
		{"cycle", "samples = 10", "samples = 10\n  depends_on = [stage.flow]"},
		{"wrong type", "samples = 10", `samples = "many"`},
		{"two oceans in one block", "  water {\n    depth = 100", "  file = \"ocean.nc\"\n  water {\n    depth = 100"},
		{"missing data file", soundPipeline[:strings.Index(soundPipeline, "problem")], "environment \"ocean\" {\n  file = \"ocean.nc\"\n}\n\n"},
		{"receiver below the sea floor", "[25, 75]", "[25, 175]"},
		{"non-positive depth", "depth = 100\n", "depth = 0\n"},
		{"negative density", "density     = 1800", "density     = -1800"},
		{"density in g/cm³", "density     = 1800", "density     = 1.8"},
		{"speed in km/s", "sound_speed = 1700", "sound_speed = 1.7"},
		{"attenuation without measure", "0.5 dB/wavelength", "1e6 dB/wavelength"},
		{"attenuation without measure at a tone", "0.5 dB/wavelength", "30 dB/m"},
		{"attenuation without measure in the prior", "    prior \"uniform\" {\n      low  = 95\n      high = 105\n    }\n  }\n", "    prior \"uniform\" {\n      low  = 95\n      high = 105\n    }\n  }\n  parameter \"attenuation\" {\n    layer = \"bottom\"\n    prior \"uniform\" {\n      low  = 0.1\n      high = 1e6\n    }\n  }\n"},
		{"roughness without measure", "depth = 100\n", "depth = 100\n    bottom_roughness = 1e6\n"},
		{"blocks without measure", "conditional {}", "conditional {}\n  flow {\n    blocks = 1e9\n  }"},
		{"two phones in one place", "[25, 75]", "[25, 75, 25]"},
		{"a tone twice", "[50, 80]", "[50, 80, 50]"},
		{"non-positive sound speed", "1490, 1488", "-1490, 1488"},
		{"NaN in a profile", soundPipeline[:strings.Index(soundPipeline, "problem")], "environment \"ocean\" {\n  env_file = \"nan.env\"\n}\n\n"},
		{"profile that ends above the sea floor", "[0, 40, 100]", "[0, 40, 90]"},
		{"no samples", "samples = 10", "samples = 0"},
		{"frequency without a mode", "[50, 80]", "[2, 80]"},
		{"fraction of a seed", "samples = 10", "samples = 10\n  seed    = 1.5"},
		{"one quantity under two names", "  noise {", "  parameter \"depth\" {\n    quantity = \"water_depth\"\n    prior \"uniform\" {\n      low  = 95\n      high = 105\n    }\n  }\n  noise {"},
		{"phones where nothing is heard", "range  = 1000", "range  = 1e30"},
		{"noise beyond measure", "snr = 15", "snr = 1e6"},
	} {
		text := strings.Replace(soundPipeline, c.old, c.new, 1)
		if text == soundPipeline {
			t.Fatalf("%s: nothing to replace", c.name)
		}
		dir := t.TempDir()
		write(t, filepath.Join(dir, "p.hcl"), text)
		write(t, filepath.Join(dir, "nan.env"), notANumber)
		valid := refused(t, dir, "validate")
		if again := refused(t, dir, "run"); again != valid {
			t.Errorf("%s: run says\n%s\nand validate\n%s", c.name, again, valid)
		}
		fmt.Fprintf(&said, "# %s\n%s\n", c.name, strings.TrimSpace(valid)+"\n")
	}
	golden(t, "testdata/bad_input.golden", said.String())
}

// golden holds text to a file, or writes the file with -update.
func golden(t *testing.T, path, text string) {
	t.Helper()
	if *update {
		write(t, path, text)
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("diagnostics differ from %s (go test ./cmd/oceaninv -run '^%s$' -update writes it anew):\n%s", path, t.Name(), text)
	}
}

// refused runs a verb of the program on p.hcl, which has to end with exit code 2 and leave the directory as it was.
func refused(t *testing.T, dir, verb string) string {
	t.Helper()
	cmd := exec.Command("oceaninv", verb, "p.hcl")
	var words bytes.Buffer
	cmd.Dir, cmd.Stderr, cmd.Env = dir, &words, append(os.Environ(), "STAGES=all")
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitBadInput {
		t.Errorf("%s: %v, want exit code %d\n%s", verb, err, exitBadInput, &words)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 {
		t.Errorf("%s leaves %v, %v", verb, left, err)
	}
	return words.String()
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

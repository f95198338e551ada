package stages

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"oceaninv/inversion"
	"oceaninv/io/dataset"
	"oceaninv/io/netcdf"
)

// krakenObservations are pressures that KRAKEN computed, of known truths.
type krakenObservations struct {
	Phones       []float64 `json:"phones_m"`
	Tones        []float64 `json:"tones_hz"`
	Observations []struct {
		Depth float64     `json:"water_depth"`
		Speed float64     `json:"sediment_speed"`
		Real  [][]float64 `json:"p_real"`
		Imag  [][]float64 `json:"p_imag"`
	} `json:"observations"`
}

const swellex = `
environment "swellex96" {
  file = "../../notebooks-data/swellex96/environment.nc"
}
problem "sea_bed" {
  environment = environment.swellex96
  frequencies = [49, 79, 112, 148, 201, 283, 388]
  source {
    depth = 60
  }
  receivers {
    depths = [94.125, 99.755, 105.38, 111.00, 116.62]
    range  = 3000
  }
  parameter "water_depth" {
    prior "uniform" {
      low  = 200.5
      high = 236.5
    }
  }
  parameter "sediment_speed" {
    quantity = "sound_speed_top"
    layer    = "sediment"
    prior "uniform" {
      low  = 1532
      high = 1592
    }
  }
  noise {
    snr   = 15
    draws = 256
  }
  modes {
    tolerance       = 1e-8
    max_phase_speed = 1800
  }
}
stage "simulate" "data" {
  problem = problem.sea_bed
  samples = 1500
  design  = "sobol"
}
stage "train" "flow" {
  dataset = stage.data.dataset
  conditional {
    matched_field {
      points = [480, 16]
    }
  }
  training {
    epochs     = 8
    batch_size = 256
  }
}
`

// TestKRAKENsObservations inverts observations that another program computed,
// written as somebody else would write them: the recommended flow must cover the
// truths as it covers those of its own forward model. Over n independent truths the
// sum of squared z-scores is about chi-square of n degrees of freedom, of mean n and
// standard deviation √2n; four of them leave room for the flow's short training.
func TestKRAKENsObservations(t *testing.T) {
	if testing.Short() {
		t.Skip("trains a flow, a minute under the race detector; run without -short")
	}
	raw, err := os.ReadFile("testdata/kraken_observations.json")
	if err != nil {
		t.Fatal(err)
	}
	var k krakenObservations
	if err := json.Unmarshal(raw, &k); err != nil {
		t.Fatal(err)
	}
	c := newChain(t)
	if d := c.decode(swellex); d.HasErrors() {
		t.Fatal(d)
	}
	for _, s := range [][2]string{{"simulate", "data"}, {"train", "flow"}} {
		if err := c.run(s[0], s[1]); err != nil {
			t.Fatalf("%s %s: %v", s[0], s[1], err)
		}
	}
	path := filepath.Join(c.dir, "kraken.nc")
	writeForeign(t, path, &k, noiseOf(t, c.path("stage.data.dataset")))
	var warnings []string
	p, err := Infer(t.Context(), Inference{Model: c.path("stage.flow.model"), Observation: path, Draws: 1000, Seed: 1, Cores: 2,
		Warn: func(s string) { warnings = append(warnings, s) }})
	if err != nil {
		t.Fatal(err)
	}
	if len(warnings) > 0 {
		t.Errorf("observations of the same ocean are said to be foreign: %q", warnings)
	}
	n := float64(len(k.Observations))
	for j, q := range p.Parameters {
		sum := 0.0
		for i := range k.Observations {
			s := drawsOf(p, i).Summarize(j)
			z := (s.Mean - p.Truth[i*len(p.Parameters)+j]) / s.SD
			sum += z * z
			if math.Abs(z) > 5 {
				t.Errorf("%s of observation %d: %.2f ± %.2f, the truth is %.2f", q.Name, i, s.Mean, s.SD, p.Truth[i*len(p.Parameters)+j])
			}
		}
		t.Logf("%s: sum of %.0f squared z-scores %.1f", q.Name, n, sum)
		if sum > n+4*math.Sqrt(2*n) || sum < n-4*math.Sqrt(2*n) {
			t.Errorf("%s: the sum of %.0f squared z-scores is %.1f", q.Name, n, sum)
		}
	}
}

// noiseOf is the noise variance of a data set, per tone.
func noiseOf(t *testing.T, path string) []float64 {
	f, err := dataset.OpenDataset(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return f.Layout().NoiseVariance
}

// writeForeign adds noise to the pressures and writes them as a plain NetCDF file,
// without a word of what made it.
func writeForeign(t *testing.T, path string, k *krakenObservations, variance []float64) {
	n, r, f := len(k.Observations), len(k.Phones), len(k.Tones)
	re, im := make([]float64, 0, n*r*f), make([]float64, 0, n*r*f)
	var depth, speed []float64
	for i, o := range k.Observations {
		rng := inversion.Rand(5, inversion.ObservationStream, i)
		for a := range r {
			for b := range f {
				s := math.Sqrt(variance[b] / 2)
				re, im = append(re, o.Real[a][b]+s*rng.NormFloat64()), append(im, o.Imag[a][b]+s*rng.NormFloat64())
			}
		}
		depth, speed = append(depth, o.Depth), append(speed, o.Speed)
	}
	w, err := netcdf.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(w.AddDimension("observation", n))
	must(w.AddDimension("receiver", r))
	must(w.AddDimension("frequency", f))
	for _, v := range []struct {
		name, unit string
		dims       []string
		values     []float64
	}{
		{"receiver_depth", "m", []string{"receiver"}, k.Phones},
		{"frequency", "Hz", []string{"frequency"}, k.Tones},
		{"pressure_real", "1", []string{"observation", "receiver", "frequency"}, re},
		{"pressure_imag", "1", []string{"observation", "receiver", "frequency"}, im},
		{"truth_water_depth", "m", []string{"observation"}, depth},
		{"truth_sediment_speed", "m/s", []string{"observation"}, speed},
	} {
		variable, err := w.AddVariable(netcdf.Definition{Name: v.name, Type: netcdf.Double, Dimensions: v.dims, Attributes: []netcdf.Attribute{netcdf.Text("units", v.unit)}})
		must(err)
		must(netcdf.WriteAll(variable, v.values))
	}
	must(w.Commit())
}

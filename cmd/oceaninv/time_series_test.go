package main

import (
	"math"
	"math/cmplx"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"oceaninv/io/dataset"
	"oceaninv/pipelines/stages"
)

const twoRanges = "/\n'RA'\n9999\n1\n0.0\n2\n1.0 4.0 /\n1\n36.0 /\n2\n10.0 50.0 /\n2\n0.0 /\n"

// A pulse through a Pekeris ocean: its energy is that of its spectrum (Parseval),
// and it arrives at the modes' speeds.
func TestTimeSeriesOfField(t *testing.T) {
	dir := t.TempDir()
	flp, series, field, plot := filepath.Join(dir, "f.flp"), filepath.Join(dir, "s.nc"), filepath.Join(dir, "f.nc"), filepath.Join(dir, "s.svg")
	if err := os.WriteFile(flp, []byte(twoRanges), 0o600); err != nil {
		t.Fatal(err)
	}
	env := toolboxFile("pekeris_lossy_100m_150hz", ".env")
	// The band begins below the first mode's cutoff at 8 Hz.
	if _, err := invoke(newFieldCommand(stages.All()), env, flp, "--band=4,44", "--duration=2", "--sample-rate=128", "--reduction-speed=1550", "--start=-0.1", "-o", series, "--plot", plot); err != nil {
		t.Fatal(err)
	}
	frequencies := make([]string, 0, 81)
	for i := range 81 {
		frequencies = append(frequencies, strconv.FormatFloat(4+0.5*float64(i), 'g', -1, 64))
	}
	x, err := dataset.ReadTimeSeries(series)
	if err != nil {
		t.Fatal(err)
	}
	if len(x.Time) != 256 || math.Abs(x.Start[1]-(4000/1550.0-0.1)) > 1e-12 || !strings.Contains(x.Comment, "hann over 4 to 44 Hz") {
		t.Fatalf("%d samples from %v s, %q", len(x.Time), x.Start, x.Comment)
	}
	if _, err := os.Stat(plot); err != nil {
		t.Error(err)
	}
	if _, err := invoke(newFieldCommand(stages.All()), env, flp, "--frequency="+strings.Join(frequencies[9:], ","), "-o", field); err != nil {
		t.Fatal(err)
	}
	p, err := dataset.ReadField(field)
	if err != nil {
		t.Fatal(err)
	}
	const places = 4
	for place := range places {
		// Up to 8 Hz nothing propagates.
		energy, spectral, early := 0.0, 0.0, 0.0
		for i, v := range x.Pressure[place*256 : (place+1)*256] {
			energy += v * v / 128
			if x.Time[i]+x.Start[place%2] < float64(1000+3000*(place%2))/1700-0.05 {
				early += v * v / 128
			}
		}
		for k := range p.Frequencies {
			s := math.Pow(math.Sin(math.Pi*float64(k+9)/80), 2)
			spectral += 2 * 0.5 * math.Pow(s*cmplx.Abs(p.Pressure[k*places+place]), 2)
		}
		if math.Abs(energy/spectral-1) > 1e-9 || early > 0.02*energy {
			t.Errorf("place %d: energy %v, of the spectrum %v, too early %v", place, energy, spectral, early)
		}
	}
	for _, wrong := range []struct{ flag, want string }{
		{"--band=40", "the lower first"}, {"--sample-rate=10", "needs at least 88"}, {"--pulse=square", "hann or impulse"}, {"--duration=1e9", "from 2 to 100000 are possible"},
	} {
		if _, err := invoke(newFieldCommand(stages.All()), env, flp, "--band=4,44", wrong.flag, "-o", series); err == nil || !strings.Contains(err.Error(), wrong.want) {
			t.Errorf("%s: %v", wrong.flag, err)
		}
	}
}

// Several frequencies make dispersion curves.
func TestModesDrawsDispersion(t *testing.T) {
	plot := filepath.Join(t.TempDir(), "d.svg")
	if _, err := invoke(newModesCommand(stages.All()), toolboxFile("pekeris_lossy_100m_150hz", ".env"), "--frequency=60,30,15", "--plot", plot); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(plot)
	if err != nil || !strings.Contains(string(text), "speed (m/s)") {
		t.Errorf("%v, %d bytes", err, len(text))
	}
}

package main

import (
	"encoding/json"
	"errors"
	"math"
	"math/cmplx"
	"path/filepath"
	"testing"

	"oceaninv/pipelines/stages"
)

// krakencOverTable are the wavenumbers that KRAKENC of the Acoustics Toolbox finds in
// testdata/impedance/table.env, whose table BOUNCE made of bounce.env. It joins the
// table's points by parabolas in real kr². With tables 2 and 4 times as dense, modes 1
// to 5 come 8 times nearer to the layers' each time; the eleventh, which loses 1.3 dB per
// wavelength, stays 4e-5 away.
var krakencOverTable = []complex128{
	0.417643801698313 - 0.162292564938939e-04i, 0.414384613877853 - 0.303534884856166e-04i,
	0.409368335492857 - 0.590956784157709e-04i, 0.402211997646850 - 0.105978901066514e-03i,
	0.392940211262923 - 0.212978527763551e-03i, 0.382426368371404 - 0.679975729452140e-03i,
	0.374438464729220 - 0.116005003016360e-02i, 0.363141061156341 - 0.452848767527428e-03i,
	0.347093379215414 - 0.934192914861576e-03i, 0.328185058370946 - 0.412166243224609e-02i,
	0.310969405865439 - 0.746656024314986e-02i, 0.287916858002751 - 0.541347773145817e-02i,
}

func wavenumbersOf(t *testing.T, arguments ...string) []complex128 {
	t.Helper()
	text, err := invoke(newModesCommand(stages.All()), append(arguments, "--json")...)
	if err != nil {
		t.Fatal(err)
	}
	var out modesOutput
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	k := make([]complex128, len(out.Frequencies[0].KReal))
	for i := range k {
		k[i] = complex(out.Frequencies[0].KReal[i], out.Frequencies[0].KImag[i])
	}
	return k
}

// distance is the relative distance to the nearest of a list.
func distance(k complex128, list []complex128) float64 {
	near := math.Inf(1)
	for _, v := range list {
		near = min(near, cmplx.Abs(v-k)/cmplx.Abs(k))
	}
	return near
}

// Modes over BOUNCE's table of the layers below are the modes of the layers, to the
// table's digits and BOUNCE's mesh, and those that KRAKENC finds with it.
// What else there is lies along the branch cut of the table's half-space.
func TestPrecalculatedImpedance(t *testing.T) {
	file := func(name string) string { return filepath.Join("testdata", "impedance", name) }
	got := wavenumbersOf(t, file("table.env"))
	layers := wavenumbersOf(t, file("layers.env"))
	for i, k := range layers {
		if d := distance(k, got); d > 1e-7 {
			t.Errorf("mode %d of the layers, %v, is %.1e from any over the table", i+1, k, d)
		}
	}
	for i, k := range krakencOverTable {
		bound := 3e-5
		if -imag(k)/real(k)*40*math.Pi*math.Log10E > 1 { // dB per wavelength
			bound = 1e-4
		}
		if d := distance(k, got); d > bound {
			t.Errorf("mode %d of KRAKENC, %v, is %.1e from any of ours", i+1, k, d)
		}
	}
	cut := 2 * math.Pi * 100 / 1800
	for _, k := range got {
		if distance(k, layers) > 1e-7 && math.Abs(real(k)/cut-1) > 0.002 {
			t.Errorf("%v is no mode of the layers and not near the branch cut at %v", k, cut)
		}
	}
}

// A table of impedances goes through NetCDF, HCL and .env unchanged but for the
// eight digits of an .irc file.
func TestImpedanceThroughFormats(t *testing.T) {
	dir := t.TempDir()
	source := filepath.Join("testdata", "impedance", "table.env")
	limits := []string{"--frequency=100", "--min-phase-speed=1400", "--max-phase-speed=2400"}
	want := wavenumbersOf(t, source)
	from := source
	for _, name := range []string{"a.nc", "b.hcl", "c.json", "d.env"} {
		to := filepath.Join(dir, name)
		arguments := []string{from, to}
		if name == "d.env" {
			arguments = append([]string{filepath.Join(dir, "b.hcl"), to, "--source-depth=30", "--receiver-depth=70", "--max-range=5000"}, limits...)
		}
		if _, err := invoke(newEnvCommand(stages.All()), arguments...); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if name == "c.json" {
			continue
		}
		got := wavenumbersOf(t, append([]string{to}, limits...)...)
		if len(got) != len(want) {
			t.Fatalf("%s: %d modes became %d", name, len(want), len(got))
		}
		for i := range want {
			if d := cmplx.Abs(got[i]/want[i] - 1); d > 1e-12 {
				t.Errorf("%s: mode %d moved by %.1e", name, i+1, d)
			}
		}
		from = to
	}
	// At another frequency the table says nothing.
	var exit *exitError
	if _, err := invoke(newModesCommand(stages.All()), source, "--frequency=101"); !errors.As(err, &exit) || exit.code != exitBadInput {
		t.Errorf("another frequency: %v", err)
	}
}

package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oceaninv/pipelines/stages"
)

// trip is an .env file made of the options under test.
func trip(top, extra, water, sediment, bottom string) string {
	return fmt.Sprintf("'trip' ! a title\n80 /\n2\n'%s'  ! options\n%s0 0.1 100 /\n%s0 0.2 120 %s", top, extra, water, sediment) +
		"'A' 0.05\n" + bottom + "1400 1790\n5 /\n1\n20 /\n3\n10 90 / evenly spaced\n"
}

const (
	plainWater = "0 1500 0 1.02 /\n50 1495 /\n100 1490 /\n"
	lossyWater = "0 1500 0 1.02 0.02 0\n50 1495 0 1.02 0.01 0\n100 1490 0 1.02 0 0\n"
	sediment   = "\n100 1600 0 1.6 0.1 0\n120 1650 0 1.6 0.2 0\n"
	solidBed   = "\n100 1700 300 1.7 0.2 0.5\n120 1750 350 1.7 0.2 0.5\n"
	halfspace  = "120 1800 0 1.9 0.3 0\n"
)

// Every option of an environmental file that concerns modes survives the ways
// between .env, .hcl, .nc and .json: the modes stay the same.
func TestRoundTrips(t *testing.T) {
	cases := map[string]string{
		"n2":           trip("NVW", "", plainWater, sediment, halfspace),
		"c":            trip("CVW", "", plainWater, sediment, halfspace),
		"pchip":        trip("PVW", "", plainWater, sediment, halfspace),
		"spline":       trip("SVW", "", plainWater, sediment, halfspace),
		"nepers":       trip("NVN", "", plainWater, strings.ReplaceAll(sediment, "0.", "0.00"), "120 1800 0 1.9 0.003 0\n"),
		"dB/m kHz":     trip("NVF", "", plainWater, sediment, halfspace),
		"dB/m":         trip("NVM", "", plainWater, strings.ReplaceAll(sediment, "0.", "0.0"), "120 1800 0 1.9 0.02 0\n"),
		"power":        trip("NVm", "", plainWater, "1.8 1e4"+strings.ReplaceAll(sediment, "0.", "0.0"), "120 1800 0 1.9 0.02 0\n"),
		"quality":      trip("NVQ", "", plainWater, "\n100 1600 0 1.6 80 0\n120 1650 0 1.6 60 0\n", "120 1800 0 1.9 90 0\n"),
		"loss tangent": trip("NVL", "", plainWater, strings.ReplaceAll(sediment, "0.", "0.0"), "120 1800 0 1.9 0.02 0\n"),
		"thorp":        trip("NVWT", "", plainWater, sediment, halfspace),
		"francois":     trip("NVWF", "10 35 8 50\n", plainWater, sediment, halfspace),
		"rigid top":    trip("NRW", "", plainWater, sediment, halfspace),
		"above":        trip("NAW", "0 1700 0 1.5 0.4 0\n", plainWater, sediment, halfspace),
		"robust":       trip("NVW .", "", plainWater, sediment, halfspace),
		"losses":       trip("NVW", "", lossyWater, sediment, halfspace),
		"solid":        trip("NVW", "", plainWater, solidBed, "120 2000 900 2.1 0.2 0.4\n"),
	}
	limits := []string{"--min-phase-speed=1400", "--max-phase-speed=1790"}
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := func(extension string) string { return filepath.Join(dir, "ocean"+extension) }
			if err := os.WriteFile(path(".env"), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			want := modesOf(t, path(".env"))
			if len(want.KReal) == 0 {
				t.Fatal("no mode to compare")
			}
			for _, extension := range []string{".hcl", ".nc", ".json"} {
				if _, err := invoke(newEnvCommand(stages.All()), path(".env"), path(extension)); err != nil {
					t.Fatalf("%s: %v", extension, err)
				}
				back := filepath.Join(dir, "back"+extension+".env")
				args := append([]string{path(extension), back, "--frequency=80", "--source-depth=20", "--receiver-depth=10", "--max-range=5000"}, limits...)
				if extension == ".json" {
					args = args[:2]
				}
				if _, err := invoke(newEnvCommand(stages.All()), args...); err != nil {
					t.Fatalf("%s: %v", extension, err)
				}
				sameModes(t, extension, modesOf(t, back), want)
			}
		})
	}
}

func modesOf(t *testing.T, path string) modesAtFrequency {
	t.Helper()
	text, err := invoke(newModesCommand(stages.All()), path, "--json")
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	var out modesOutput
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out.Frequencies[0]
}

// sameModes allows what rounding of decimals changes.
func sameModes(t *testing.T, name string, got, want modesAtFrequency) {
	t.Helper()
	if len(got.KReal) != len(want.KReal) || got.Solver != want.Solver {
		t.Fatalf("%s: %d %s modes, were %d %s", name, len(got.KReal), got.Solver, len(want.KReal), want.Solver)
	}
	for i := range want.KReal {
		if d := math.Abs(got.KReal[i]/want.KReal[i] - 1); d > 1e-12 {
			t.Errorf("%s: mode %d: Re k moves by %.1e", name, i+1, d)
		}
		if d := math.Abs(got.KImag[i]-want.KImag[i]) / math.Max(math.Abs(want.KImag[i]), 1e-9); d > 1e-8 {
			t.Errorf("%s: mode %d: Im k moves by %.1e", name, i+1, d)
		}
	}
}

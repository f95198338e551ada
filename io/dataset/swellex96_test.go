package dataset

import (
	"encoding/csv"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"testing"

	"oceaninv/acoustics"
	"oceaninv/io/netcdf"
)

// The case study's ocean lies in notebooks-data/swellex96. This test writes it with
//
//	go test ./io/dataset -run SWellEx96 -update
//
// and otherwise checks that the file there says what is written here.

var update = flag.Bool("update", false, "write notebooks-data/swellex96/environment.nc")

const swellex96 = "../../notebooks-data/swellex96"

// swellexProfile reads the knots of the measured profile, and carries the last
// speed down to the sea floor.
func swellexProfile(t *testing.T, floor float64) acoustics.SoundSpeedProfile {
	t.Helper()
	f, err := os.Open(filepath.Join(swellex96, "sound_speed_profile.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	p := acoustics.SoundSpeedProfile{Interpolation: acoustics.CLinear}
	for _, line := range lines[1:] {
		depth, err1 := strconv.ParseFloat(line[0], 64)
		speed, err2 := strconv.ParseFloat(line[1], 64)
		if err1 != nil || err2 != nil {
			t.Fatalf("line %v", line)
		}
		p.Depth, p.Speed = append(p.Depth, depth), append(p.Speed, speed)
	}
	p.Depth, p.Speed = append(p.Depth, floor), append(p.Speed, p.Speed[len(p.Speed)-1])
	return p
}

// swellexEnvironment is the nominal environment.
func swellexEnvironment(t *testing.T) acoustics.Environment {
	material := func(speed, density, attenuation float64) acoustics.Material {
		return acoustics.Material{SoundSpeed: speed, Density: density, Attenuation: acoustics.Attenuation{Value: attenuation, Unit: acoustics.DBPerMetreKHz}}
	}
	layer := func(name string, thickness, top, bottom, density, attenuation float64) acoustics.Layer {
		return acoustics.Layer{Name: name, Thickness: thickness, Interpolation: acoustics.CLinear, Knots: []acoustics.Knot{
			{Depth: 0, Material: material(top, density, attenuation)}, {Depth: thickness, Material: material(bottom, density, attenuation)}}}
	}
	return acoustics.Environment{
		Name:    "SWellEx-96",
		Surface: acoustics.Boundary{Kind: acoustics.PressureRelease},
		Water:   acoustics.Water{Depth: 216.5, Density: 1000, Profile: swellexProfile(t, 216.5)},
		Layers: []acoustics.Layer{
			layer("sediment", 23.5, 1572.368, 1593.016, 1760, 0.2),
			layer("mudstone", 800, 1881, 3245.8, 2060, 0.06),
		},
		Bottom: acoustics.Boundary{Kind: acoustics.Halfspace, Material: material(5200, 2660, 0.02)},
	}
}

func TestSWellEx96(t *testing.T) {
	want := swellexEnvironment(t)
	write := func(path string) {
		err := WriteEnvironment(path, want,
			netcdf.Text("source", "SWellEx-96 experiment, May 1996, Marine Physical Laboratory, Scripps Institution of Oceanography (swellex96.ucsd.edu)"),
			netcdf.Text("comment", "Profile: CTD cast i9605 (0.5 m bins, 0-164 m) reduced to 29 knots, piecewise linear, within 0.14 m/s of the cast; "+
				"below 164 m the last speed holds down to the sea floor. Sea bed: the experiment's nominal values."))
		if err != nil {
			t.Fatal(err)
		}
	}
	kept := filepath.Join(swellex96, "environment.nc")
	if *update {
		write(kept)
	}
	fresh := filepath.Join(t.TempDir(), "environment.nc")
	write(fresh)
	a, err := netcdf.Digest(fresh)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := netcdf.Digest(kept); err != nil || a != b {
		t.Errorf("%s does not say what this test writes (%v): run it with -update", kept, err)
	}
	if got, err := ReadEnvironment(kept); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v, %v", got, err)
	}
}

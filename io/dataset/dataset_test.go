package dataset

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"oceaninv/acoustics"
	"oceaninv/io/netcdf"
)

var twoParameters = []Parameter{
	{Name: "water_depth", LongName: "water depth", Unit: "m", Prior: "uniform", Lower: 200.5, Upper: 236.5},
	{Name: "sediment_speed", LongName: "speed at the top of the sediment", Unit: "m s-1", Prior: "uniform", Lower: 1532, Upper: 1592},
}

func smallLayout() Layout {
	return Layout{Parameters: twoParameters, ReceiverDepths: []float64{94.125, 99.755, 105.38}, Frequencies: []float64{49, 112},
		NoiseVariance: []float64{1e-7, 2e-7}, Noise: true, Problem: json.RawMessage(`{"source_depth":60}`)}
}

// rows makes n rows whose values follow from their numbers.
func rows(l Layout, first, n int) Samples {
	var s Samples
	for i := first; i < first+n; i++ {
		for j := range l.Parameters {
			s.Parameters = append(s.Parameters, float64(i)+float64(j)/10)
		}
		for j := range l.values() {
			s.Pressure = append(s.Pressure, complex(float64(i), -float64(j)))
			s.Noise = append(s.Noise, complex(-float64(j), float64(i)))
		}
	}
	return s
}

func writeShard(t testing.TB, path string, l Layout, first, n int) {
	t.Helper()
	w, err := CreateDataset(path, l, first, n)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	for at := 0; at < n; at += 3 {
		if err := w.Append(rows(l, first+at, min(3, n-at))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
}

func readAll(t testing.TB, paths ...string) (Layout, Samples) {
	t.Helper()
	d, err := OpenDataset(paths...)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var s Samples
	if err := d.Read(0, d.Len(), &s); err != nil {
		t.Fatal(err)
	}
	return d.Layout(), s
}

func TestDatasetRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d.nc")
	l := smallLayout()
	writeShard(t, path, l, 0, 10)
	gotLayout, got := readAll(t, path)
	if !reflect.DeepEqual(gotLayout, l) {
		t.Errorf("layout %+v, want %+v", gotLayout, l)
	}
	if want := rows(l, 0, 10); !reflect.DeepEqual(got, want) {
		t.Errorf("rows differ")
	}
}

// Shards of any sizes, read together or merged, are the whole dataset.
func TestShardsAreTheWhole(t *testing.T) {
	dir := t.TempDir()
	l := smallLayout()
	whole := filepath.Join(dir, "whole.nc")
	writeShard(t, whole, l, 0, 11)
	want, err := netcdf.Digest(whole)
	if err != nil {
		t.Fatal(err)
	}
	var shards []string
	for first, n := 0, 1; first < 11; first, n = first+n, n+2 {
		path := filepath.Join(dir, fmt.Sprint(first, ".nc"))
		writeShard(t, path, l, first, min(n, 11-first))
		shards = append([]string{path}, shards...) // out of order
	}
	if _, got := readAll(t, shards...); !reflect.DeepEqual(got, rows(l, 0, 11)) {
		t.Error("reading across shards differs from the whole")
	}
	d, err := OpenDataset(shards...)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for start := 0; start <= 11; start++ {
		for count := 0; start+count <= 11; count++ {
			var s Samples
			if err := d.Read(start, count, &s); err != nil {
				t.Fatal(err)
			}
			want := rows(l, start, count)
			if len(s.Parameters) != len(want.Parameters) || (count > 0 && !reflect.DeepEqual(s, want)) {
				t.Fatalf("rows %d+%d differ", start, count)
			}
		}
	}
	merged := filepath.Join(dir, "merged.nc")
	if err := Merge(merged, shards...); err != nil {
		t.Fatal(err)
	}
	if got, _ := netcdf.Digest(merged); got != want {
		t.Error("merged shards have another digest than the whole")
	}
}

func TestShardsThatDoNotFit(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.nc"), filepath.Join(dir, "b.nc")
	l := smallLayout()
	writeShard(t, a, l, 0, 4)
	writeShard(t, b, l, 5, 4)
	if _, err := OpenDataset(a, b); err == nil || !strings.Contains(err.Error(), "starts at sample 5, where 4 is next") {
		t.Errorf("gap: %v", err)
	}
	l.Frequencies = []float64{49, 113}
	writeShard(t, b, l, 4, 4)
	if _, err := OpenDataset(a, b); err == nil || !strings.Contains(err.Error(), "frequencies differ") {
		t.Errorf("layout: %v", err)
	}
}

func TestObservationsRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "o.nc")
	l := smallLayout()
	l.Noise = false
	want := Observations{Layout: l, Pressure: rows(l, 0, 2).Pressure, Truth: []float64{216.5, 1572.368, 210, 1550}}
	if err := WriteObservations(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := ReadObservations(path)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	want.Truth, want.Parameters = nil, nil
	if err := WriteObservations(path, want); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadObservations(path); err != nil || got.Truth != nil || got.Len() != 2 {
		t.Errorf("without truth: %+v, %v", got, err)
	}
}

func TestPosteriorRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.nc")
	want := Posterior{Parameters: twoParameters, Draws: 3, Values: []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
		LogProb: []float64{-1, -2, -3, -4, -5, -6}, LogWeight: []float64{0, 0, math.Inf(-1), 0, 0, 0}, Truth: []float64{1, 2, 3, 4},
		Diagnostics: []Column{{Name: "effective_sample_size", LongName: "effective sample size", Unit: "1", Values: []float64{2.5, math.Inf(1)}}},
		Method:      "conditional flow", Problem: json.RawMessage(`{}`)}
	if err := WritePosterior(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := ReadPosterior(path)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestModelRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.nc")
	l := smallLayout()
	l.Noise = false
	want := Model{Attributes: []netcdf.Attribute{netcdf.Text("architecture", `{"blocks":4}`), {Name: "seed", Value: []int64{7}}}, Layout: l,
		Tensors: []Tensor{{Name: "block_0.weight", Shape: []int{2, 3}, Float32: []float32{1, 2, 3, 4, 5, 6}},
			{Name: "mean", Shape: []int{2}, Float64: []float64{math.Pi, math.E}}, {Name: "scale", Shape: []int{}, Float64: []float64{1}}}}
	if err := WriteModel(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := ReadModel(path)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
}

func TestFieldRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.nc")
	want := acoustics.Field{Frequencies: []float64{49}, SourceDepths: []float64{9, 54}, ReceiverDepths: []float64{10, 20, 30}, Ranges: []float64{1000, 2000}}
	for i := range 12 {
		want.Pressure = append(want.Pressure, complex(float64(i)*1e-3, 1e-3))
	}
	want.Pressure[3] = 0
	want.Pressure[4] = 1e-3
	if err := WriteField(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := ReadField(path)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	f, err := netcdf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	v, err := f.Variable("transmission_loss")
	if err != nil {
		t.Fatal(err)
	}
	loss, err := v.Float64s()
	if err != nil || !math.IsNaN(loss[3]) || math.Abs(loss[4]-60) > 1e-12 || v.Units() != "dB" {
		t.Errorf("transmission loss %v, %v", loss, err)
	}
	if v, err = f.Variable("pressure_real"); err != nil || v.Units() != "1" {
		t.Errorf("pressure in %q, %v", v.Units(), err)
	}
}

// A source with a level makes pressures in µPa, and the loss is the same.
func TestFieldInMicropascal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.nc")
	want := acoustics.Field{Frequencies: []float64{49}, SourceDepths: []float64{9}, ReceiverDepths: []float64{10}, Ranges: []float64{1000}, Pressure: []complex128{1e5i}, Level: 160}
	if err := WriteField(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := ReadField(path)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	f, err := netcdf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, _ := f.Variable("pressure_real")
	v, _ := f.Variable("transmission_loss")
	if loss, err := v.Float64s(); err != nil || math.Abs(loss[0]-60) > 1e-12 || p.Units() != "uPa" {
		t.Errorf("transmission loss %v, pressure in %q, %v", loss, p.Units(), err)
	}
}

func TestModesRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.nc")
	want := Modes{Depths: []float64{0, 50}, Sets: []ModeSet{
		{Frequency: 49, Wavenumber: []complex128{0.2 - 1e-5i, 0.19}, PhaseSpeed: []float64{1500, 1520}, GroupSpeed: []float64{1480, 1470}, Shape: []complex128{0, 1, 0, 2}},
		{Frequency: 20, Wavenumber: []complex128{0.08}, PhaseSpeed: []float64{1510}, GroupSpeed: []float64{1490}, Shape: []complex128{0, 3}},
	}}
	for _, c := range []complex128{2, 2 + 1i} {
		want.Sets[0].Shape[3] = c
		if err := WriteModes(path, want); err != nil {
			t.Fatal(err)
		}
		got, err := ReadModes(path)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v", got, err)
		}
	}
}

func TestSnapshotsRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "o.nc")
	o := Observations{Layout: Layout{ReceiverDepths: []float64{25, 75}, Frequencies: []float64{40, 60, 80}}, Snapshots: 4}
	for i := range 3 * o.Size() {
		o.Pressure = append(o.Pressure, complex(float64(i), 1))
	}
	if err := WriteObservations(path, o); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadObservations(path); err != nil || !reflect.DeepEqual(got, o) || got.Len() != 3 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestInterpolationRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "i.nc")
	x := Interpolation{Parameters: twoParameters, Problem: []byte(`{"name":"p"}`), Nodes: 2, Scale: []float64{0.1, 0.2, 0.3}, Parts: []int{1, 1},
		PanelLow: []float64{200.5, 1532, 200.5, 1532, 210, 1532}, PanelHigh: []float64{236.5, 1592, 210, 1592, 236.5, 1592},
		Axis: []int{0, -1, -1}, Child: []int{1, 0, 0}, Cut: []float64{210, 0, 0}, Coefficients: make([]complex128, 2*4*3),
		Solves: 12, Unresolved: 1, Rough: 2, Error: 0.5, RMSError: 0.25}
	for _, p := range twoParameters {
		x.Low, x.High = append(x.Low, p.Lower), append(x.High, p.Upper)
	}
	for i := range x.Coefficients {
		x.Coefficients[i] = complex(float64(i), -1)
	}
	if err := WriteInterpolation(path, x); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadInterpolation(path); err != nil || !reflect.DeepEqual(got, x) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestDesignRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d.nc")
	want := Design{Parameters: twoParameters, Problem: []byte(`{"name":"p"}`), Frequencies: []float64{49, 79, 112},
		At: []float64{216.5, 1572}, PriorSD: []float64{10, 17}, CramerRao: []float64{0.5, math.Inf(1)}, Posterior: []float64{0.4, 16},
		ByTone: []float64{1, 2, 3, 4, 5, 6}, Fisher: []float64{4, 1, 1, 0.25}, Correlation: []float64{1, 0.5, 0.5, 1}}
	if err := WriteDesign(path, want); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadDesign(path); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestTableAndDensityRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.nc")
	table := Table{Title: "Training", Index: Column{"epoch", "epoch", "1", []float64{1, 2}},
		Columns:    []Column{{"loss", "training loss", "1", []float64{3, 2}}, {"held_out_loss", "held-out loss", "1", []float64{math.Inf(1), 3}}},
		Attributes: []netcdf.Attribute{netcdf.Text("comment", "x")}}
	if err := WriteTable(path, table); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadTable(path); err != nil || !reflect.DeepEqual(got, table) {
		t.Errorf("got %+v, %v", got, err)
	}
	density := Density{Parameters: twoParameters, Axes: [][]float64{{201, 202}, {1540, 1550, 1560}},
		LogDensity: []float64{0, -1, -2, -3, math.Inf(-1), -5}, LogEvidence: -12, Truth: []float64{216.5, 1572}}
	if err := WriteDensity(path, density); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadDensity(path); err != nil || !reflect.DeepEqual(got, density) {
		t.Errorf("got %+v, %v", got, err)
	}
}

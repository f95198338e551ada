package envfile

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"oceaninv/acoustics"
)

func goldenFiles(t testing.TB, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "kraken", pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no %s: %v", pattern, err)
	}
	return files
}

// What is written and read again is the same case.
func TestRoundTripEnvironments(t *testing.T) {
	for _, path := range goldenFiles(t, "*.env") {
		cases, err := ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		assertRoundTrip(t, path, cases)
	}
}

func assertRoundTrip(t testing.TB, name string, cases []Case) {
	t.Helper()
	var text bytes.Buffer
	if _, err := Write(&text, cases); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	again, err := Read(bytes.NewReader(text.Bytes()), "written.env", nil)
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, text.String())
	}
	if len(again) != len(cases) {
		t.Fatalf("%s: %d profiles became %d", name, len(cases), len(again))
	}
	for i := range cases {
		a, b := cases[i], again[i]
		a.Warnings, b.Warnings = nil, nil
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("%s: profile %d changed:\n%+v\n%+v", name, i+1, a, b)
		}
	}
}

func TestRoundTripFields(t *testing.T) {
	for _, path := range goldenFiles(t, "*.flp") {
		c, err := ReadFieldFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if err := WriteField(&text, c); err != nil {
			t.Fatal(err)
		}
		again, err := ReadField(&text, "written.flp", nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range c.Ranges {
			// Kilometres and back may cost the last bit.
			if math.Abs(again.Ranges[i]-x) > 1e-15*x {
				t.Fatalf("%s: range %v became %v", path, x, again.Ranges[i])
			}
		}
		again.Ranges, again.ProfileRanges, again.profiles = c.Ranges, c.ProfileRanges, c.profiles
		if !reflect.DeepEqual(c, again) {
			t.Fatalf("%s changed:\n%+v\n%+v", path, c, again)
		}
	}
}

// everything uses every rule of list-directed input and many options.
const everything = `'It''s all here'  ! title
1.5D2, ! a frequency
3 /
'NAmF.B' ! options
 10.0 35.0 8.0 100.0 ! temperature, salinity, pH, depth
 0.0 330. 0.0 0.0013 /
300 0.1 30.0
 0.0 3000.0 1400.0 0.9 0.3 1.0
 30 /
2*0 130, 1.5 1D6 / ! repeat counts, power law
30 1450 0 1 2*0
   80.0,,, /   ! null values

130 1470 /
100 0.2 150.0 1.2 5e5
130.0 1600.0 200.0 1.7 0.01 0.02
150.0 1700.0 300.0 1.8 .02 .04
'A' 0.3 1.1 4e5
150 2000 500 2.1 1-2 2+0
1400 2000
50
3
50.0 70.0 /
11
30 130 /
3
50 100 /
`

func TestListDirectedInput(t *testing.T) {
	cases, err := Read(strings.NewReader(everything), "all.env", nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) != 1 {
		t.Fatalf("%d profiles", len(cases))
	}
	c := cases[0]
	if c.Title != "It's all here" || c.Reference != 150 {
		t.Errorf("title %q, frequency %v", c.Title, c.Reference)
	}
	if want := []float64{50, 75, 100}; !reflect.DeepEqual(c.Frequencies, want) {
		t.Errorf("frequencies %v, want %v", c.Frequencies, want)
	}
	if want := []float64{50, 60, 70}; !reflect.DeepEqual(c.SourceDepths, want) {
		t.Errorf("source depths %v, want %v", c.SourceDepths, want)
	}
	env := c.Environment
	if len(env.Cover) != 1 || len(env.Layers) != 1 || env.Surface.Kind != acoustics.Halfspace || env.Surface.Material.Density != 1.3 {
		t.Fatalf("cover %v, layers %v, surface %v", env.Cover, env.Layers, env.Surface)
	}
	if got := env.Cover[0].Knots; len(got) != 1 || got[0].ShearSpeed != 1400 || got[0].Density != 900 {
		t.Errorf("ice %+v", got)
	}
	w := env.Water
	if want := []float64{1450, 1450, 1470}; !reflect.DeepEqual(w.Profile.Speed, want) || w.Depth != 100 {
		t.Errorf("water speeds %v, depth %v", w.Profile.Speed, w.Depth)
	}
	if v := w.VolumeAttenuation; v.Formula != acoustics.FrancoisGarrison || v.Salinity != 35 {
		t.Errorf("volume attenuation %+v", v)
	}
	if env.Surface.Roughness != 0.1 || env.Cover[0].BottomRoughness != 0 || w.BottomRoughness != 0.2 || env.Layers[0].BottomRoughness != 0.3 {
		t.Errorf("roughness %v %v %v %v", env.Surface.Roughness, env.Cover[0].BottomRoughness, w.BottomRoughness, env.Layers[0].BottomRoughness)
	}
	want := acoustics.Attenuation{Value: 0.01, Unit: acoustics.DBPerMetrePower, Exponent: 1.1, Reference: 150}
	if m := env.Bottom.Material; m.Attenuation != want || m.ShearAttenuation.Value != 2*1e0*100/100 {
		t.Errorf("bottom attenuation %+v, shear %+v", m.Attenuation, m.ShearAttenuation)
	}
	assertRoundTrip(t, "everything", cases)
}

// Ranges that another program wants after the last profile are left out, with a warning.
func TestTrailingRanges(t *testing.T) {
	for _, text := range []string{"501 ! NR\n0 100 / 80.0\n", "end of file\n", "'end'\n"} {
		cases, err := Read(strings.NewReader(pekeris+text), "p.env", nil)
		if err != nil || len(cases) != 1 || len(cases[0].Warnings) != 1 {
			t.Errorf("%q: %d profiles, %v", text, len(cases), err)
		}
	}
	if cases, err := Read(strings.NewReader(pekeris+pekeris), "p.env", nil); err != nil || len(cases) != 2 {
		t.Errorf("%d profiles, %v", len(cases), err)
	}
}

// Depths of sources and receivers count from the surface, wherever the file has it, and
// go back into a file where they were.
func TestOrigin(t *testing.T) {
	shifted := strings.NewReplacer("2000 0.0 100.0\n0.0 ", "2000 0.0 120.0\n20.0 ", "\n100.0 ", "\n120.0 ", "36.0 /", "56.0 /", "10.0 25.0 50.0 75.0 95.0", "30.0 45.0 70.0 95.0 115.0").Replace(pekeris)
	cases, err := Read(strings.NewReader(shifted), "p.env", nil)
	if err != nil {
		t.Fatal(err)
	}
	c := cases[0]
	if c.Origin != 20 || c.Environment.Water.Depth != 100 || c.SourceDepths[0] != 36 || c.ReceiverDepths[4] != 95 {
		t.Errorf("origin %v, depth %v, sources %v, receivers %v", c.Origin, c.Environment.Water.Depth, c.SourceDepths, c.ReceiverDepths)
	}
	assertRoundTrip(t, "shifted", cases)
}

func TestReflectionTables(t *testing.T) {
	text := strings.Replace(pekeris, "'A' 0.0\n100.0 1700.0 0.0 1.8 0.5 0.0", "'F' 0.0", 1)
	table := "3\n0.0 1.0 180.0\n45.0 0.95 175.0\n90.0 0.9 170.0\n"
	open := func(extension string) (io.ReadCloser, error) {
		if extension != ".brc" {
			return nil, os.ErrNotExist
		}
		return io.NopCloser(strings.NewReader(table)), nil
	}
	cases, err := Read(strings.NewReader(text), "f.env", open)
	if err != nil {
		t.Fatal(err)
	}
	got := cases[0].Environment.Bottom
	if got.Kind != acoustics.Reflection || len(got.Reflections) != 3 || got.Reflections[1] != (acoustics.ReflectionCoefficient{GrazingAngle: 45, Magnitude: 0.95, Phase: 175}) {
		t.Errorf("bottom %+v", got)
	}
	var written bytes.Buffer
	if err := WriteReflections(&written, got.Reflections); err != nil {
		t.Fatal(err)
	}
	again, err := ReadReflections(&written, "again.brc")
	if err != nil || !reflect.DeepEqual(again, got.Reflections) {
		t.Errorf("table became %v, %v", again, err)
	}
}

func TestImpedanceTables(t *testing.T) {
	text := strings.Replace(pekeris, "'A' 0.0\n100.0 1700.0 0.0 1.8 0.5 0.0", "'P' 0.0", 1)
	cases, err := Read(strings.NewReader(text), "p.env", reflectionsBeside)
	if err != nil {
		t.Fatal(err)
	}
	got := cases[0].Environment.Bottom
	if got.Kind != acoustics.Impedance || got.Impedance.Frequency != 150 || len(got.Impedance.Rows) != 4 ||
		got.Impedance.Rows[1] != (acoustics.ImpedanceRow{Kr2: 0.2, FReal: 0.9, FImag: -0.1, GReal: 1}) {
		t.Errorf("bottom %+v", got)
	}
	var written bytes.Buffer
	if err := WriteImpedance(&written, got.Impedance); err != nil {
		t.Fatal(err)
	}
	again, err := ReadImpedance(&written, "again.irc")
	if err != nil || !reflect.DeepEqual(again, got.Impedance) {
		t.Errorf("table became %v, %v", again, err)
	}
}

func TestImpedanceDiagnostics(t *testing.T) {
	for _, test := range []struct{ old, new, want string }{
		{"150\n", "-1\n", "t.irc:1:10: frequency -1 Hz; it must be positive"},
		{"150\n4", "150\n5", "t.irc:6: the file ends where the squared wavenumber is expected; complete the file"},
		{".2 .9", ".1 .9", "t.irc:4:1: squared wavenumber 0.1 follows 0.1"},
		{"\n4\n", "\n1000000000\n", "t.irc:2:1: the number of wavenumbers is 1000000000"},
		{".3 .8 0 1 0", ".3 0 0 0 0", "t.irc:5:12: f and g are both 0"},
		{".4 .7", ".4 NaN", "t.irc:6:4: the real part of f is not finite"},
	} {
		_, err := ReadImpedance(strings.NewReader(strings.Replace(fourImpedances, test.old, test.new, 1)), "t.irc")
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got  %v\nwant %v", err, test.want)
		}
	}
	text := strings.Replace(pekeris, "'A' 0.0\n100.0 1700.0 0.0 1.8 0.5 0.0", "'P' 0.0", 1)
	_, err := Read(strings.NewReader(strings.Replace(text, "150.0\n", "151.0\n", 1)), "p.env", reflectionsBeside)
	if err == nil || !strings.Contains(err.Error(), "the .irc file holds at 150 Hz, the ocean at 151 Hz; run BOUNCE at the ocean's frequency") {
		t.Errorf("another frequency: %v", err)
	}
}

// Several units of attenuation become one that says the same at every frequency
// of the case.
func TestWriteConvertsUnits(t *testing.T) {
	attenuation := func(x float64, unit acoustics.AttenuationUnit) acoustics.Attenuation {
		return acoustics.Attenuation{Value: x, Unit: unit}
	}
	power := acoustics.Attenuation{Value: 0.1, Unit: acoustics.DBPerMetrePower, Reference: 400, Exponent: 1.8}
	tests := []struct {
		name                 string
		water, layer, bottom acoustics.Attenuation
		speeds               []float64 // of the water
		frequencies          []float64
		want                 string // in the note, or the error
	}{
		{"proportional", acoustics.Attenuation{}, attenuation(0.3, acoustics.DBPerMetreKHz), attenuation(50, acoustics.QualityFactor), []float64{1500, 1480}, []float64{100, 300}, "dB/wavelength, exactly at every frequency"},
		{"water by length", attenuation(0.01, acoustics.DBPerMetreKHz), attenuation(0.5, acoustics.DBPerWavelength), attenuation(0.01, acoustics.LossParameter), []float64{1500, 1480}, []float64{100, 300}, "dB/(m kHz), exactly at every frequency"},
		{"one frequency", attenuation(1e-4, acoustics.DBPerMetre), attenuation(0.5, acoustics.DBPerWavelength), power, []float64{1500, 1480}, []float64{150}, "exact at 150 Hz only"},
		{"powers", attenuation(1e-5, acoustics.NepersPerMetre), attenuation(0.5, acoustics.DBPerWavelength), power, []float64{1500, 1480}, []float64{100, 300}, "power of frequency, exactly at every frequency"},
		{"two references", power, acoustics.Attenuation{Value: 0.2, Unit: acoustics.DBPerMetrePower, Reference: 1000, Exponent: 0.5}, power, []float64{1500, 1480}, []float64{100, 300}, "power of frequency"},
		{"impossible", attenuation(0.01, acoustics.DBPerWavelength), attenuation(0.5, acoustics.DBPerWavelength), power, []float64{1500, 1480}, []float64{100, 300}, "write one file for each frequency"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cases, err := Read(strings.NewReader(pekeris), "p.env", nil)
			if err != nil {
				t.Fatal(err)
			}
			c := &cases[0]
			c.Frequencies, c.Environment.Water.Profile.Speed = test.frequencies, test.speeds
			material := func(speed float64, a acoustics.Attenuation) acoustics.Material {
				return acoustics.Material{SoundSpeed: speed, Density: 1500, Attenuation: a}
			}
			c.Environment.Layers = []acoustics.Layer{{Thickness: 10, Interpolation: acoustics.CLinear,
				Knots: []acoustics.Knot{{Material: material(1600, test.layer)}, {Depth: 10, Material: material(1650, test.layer)}}}}
			c.Environment.Water.Attenuation, c.Environment.Bottom.Material.Attenuation = test.water, test.bottom
			before := c.Environment.Clone()
			var text bytes.Buffer
			notes, err := Write(&text, cases)
			if err != nil {
				notes = []string{err.Error()}
			}
			if len(notes) != 1 || !strings.Contains(notes[0], test.want) {
				t.Fatalf("%q", notes)
			}
			if !reflect.DeepEqual(c.Environment, before) {
				t.Error("the case was changed")
			}
			if err != nil {
				return
			}
			again, err := Read(&text, "written.env", nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range test.frequencies {
				compareLosses(t, f, before, again[0].Environment)
			}
		})
	}
}

// compareLosses compares the absorption of every medium in Np/m.
func compareLosses(t *testing.T, f float64, a, b acoustics.Environment) {
	t.Helper()
	near := func(what string, x, y acoustics.Attenuation, speed float64) {
		if p, q := x.NepersPerMetre(f, speed), y.NepersPerMetre(f, speed); math.Abs(p-q) > 1e-13*p {
			t.Errorf("%s at %v Hz: %v Np/m became %v", what, f, p, q)
		}
	}
	for _, speed := range a.Water.Profile.Speed {
		near("water", a.Water.Attenuation, b.Water.Attenuation, speed)
	}
	for i, k := range a.Layers[0].Knots {
		near("layer", k.Attenuation, b.Layers[0].Knots[i].Attenuation, k.SoundSpeed)
	}
	near("bottom", a.Bottom.Material.Attenuation, b.Bottom.Material.Attenuation, a.Bottom.Material.SoundSpeed)
}

// A layer that needs no interpolation goes with any; two that need different ones
// do not fit into one file.
func TestWriteInterpolation(t *testing.T) {
	cases, err := Read(strings.NewReader(strings.Replace(pekeris, "'CVW'", "'NVW'", 1)), "p.env", nil)
	if err != nil {
		t.Fatal(err)
	}
	env := &cases[0].Environment
	env.Water.Profile.Speed[1] = 1480
	knot := acoustics.Knot{Material: acoustics.Material{SoundSpeed: 1600, Density: 1500}}
	env.Layers = []acoustics.Layer{{Thickness: 10, Interpolation: acoustics.CLinear, Knots: []acoustics.Knot{knot, knot}}}
	env.Layers[0].Knots[1].Depth = 10
	if _, err := Write(io.Discard, cases); err != nil {
		t.Error(err)
	}
	env.Layers[0].Knots[1].SoundSpeed = 1700
	if _, err := Write(io.Discard, cases); err == nil || !strings.Contains(err.Error(), "different rules") {
		t.Errorf("got %v", err)
	}
}

func TestModeFileRoundTrip(t *testing.T) {
	phi := func(n int, x float32) []complex64 {
		v := make([]complex64, n)
		for i := range v {
			v[i] = complex(float32(i)*x, -x)
		}
		return v
	}
	end := ModeBoundary{'A', 1700 + 2i, 300 + 1i, 1.8, 100}
	set := func(modes int) ModeSet {
		s := ModeSet{Top: ModeBoundary{Letter: 'V'}, Bottom: end}
		for m := range modes {
			s.K = append(s.K, complex(float32(m), -1))
			s.Phi = append(s.Phi, phi(3, float32(m)))
		}
		return s
	}
	one := ModeFile{
		Title: "modes", Frequencies: []float64{50, 100}, Depths: []float32{1, 2, 3},
		Media: []ModeMedium{{500, false, 0, 1}, {300, true, 100, 1.5}}, Sets: []ModeSet{set(40), set(0)},
	}
	two := one
	two.Title, two.Sets = "second", []ModeSet{set(1), set(7)}
	want := []ModeFile{one, two}
	var b bytes.Buffer
	if err := WriteModes(&b, want); err != nil {
		t.Fatal(err)
	}
	got, err := ReadModes(bytes.NewReader(b.Bytes()), int64(b.Len()), "m.mod")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("modes changed:\n%v\n%v", got, want)
	}
	for n := range b.Len() / 2 {
		if _, err := ReadModes(bytes.NewReader(b.Bytes()[:n]), int64(n), "m.mod"); err == nil {
			t.Fatalf("cut to %d of %d bytes it is still read", n, b.Len())
		}
	}
}

func TestShadeRoundTrip(t *testing.T) {
	want := &Shade{
		Title: "field", PlotType: "rectilin", Frequencies: []float64{50, 60}, Frequency: 50, Bearings: []float64{0},
		SourceX: []float64{0}, SourceY: []float64{0}, SourceDepths: []float32{10, 20}, ReceiverDepths: []float32{1, 2, 3}, Ranges: []float64{1000, 2000},
	}
	for i := range 2 * 2 * 3 * 2 {
		want.Pressure = append(want.Pressure, complex(float32(i), 0.5))
	}
	var b bytes.Buffer
	if err := WriteShade(&b, want); err != nil {
		t.Fatal(err)
	}
	got, err := ReadShade(bytes.NewReader(b.Bytes()), int64(b.Len()), "f.shd")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("field changed:\n%v\n%v", got, want)
	}
	for n := range b.Len() - 85 {
		if _, err := ReadShade(bytes.NewReader(b.Bytes()[:n]), int64(n), "f.shd"); err == nil {
			t.Fatalf("cut to %d of %d bytes it is still read", n, b.Len())
		}
	}
}

func asError(t testing.TB, err error) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("not a diagnostic: %v", err)
	}
	return e
}

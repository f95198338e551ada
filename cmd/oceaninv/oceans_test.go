package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/cmplx"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"oceaninv/acoustics"
	"oceaninv/acoustics/modes"
	"oceaninv/acoustics/rangedep"
	"oceaninv/io/dataset"
	"oceaninv/io/envfile"
	"oceaninv/pipelines/stages"
)

// oceanAnswer is what the Toolbox answers about an ocean of testdata/oceans; make.py
// there says how. Pressure is [frequency][source][receiver][range], flattened; Phi has
// real and imaginary parts of a few shapes, by mode, at the depths of sources and
// receivers; Sets are the frequencies of each profile.
type oceanAnswer struct {
	Program string
	Solid   bool
	Sets    []struct {
		KReal      []float64 `json:"k_real"`
		KImag      []float64 `json:"k_imag"`
		GroupSpeed []float64 `json:"group_speed"`
	}
	Phi            map[string][]float64
	ReceiverDepths []float64 `json:"receiver_depths"`
	Ranges         []float64
	PReal          []float64 `json:"p_real"`
	PImag          []float64 `json:"p_imag"`
}

func oceanFile(name string) string { return filepath.Join("testdata", "oceans", name) }

func oceanAnswers(t *testing.T) map[string]oceanAnswer {
	t.Helper()
	var answers map[string]oceanAnswer
	readAnswers(t, oceanFile("answers.json.gz"), &answers)
	return answers
}

// TestOceansAgainstKRAKEN solves oceans made to be difficult, with the solver that
// corresponds to the Toolbox's program, and prints a table of the worst errors.
func TestOceansAgainstKRAKEN(t *testing.T) {
	answers := oceanAnswers(t)
	names := make([]string, 0, len(answers))
	for name := range answers {
		names = append(names, name)
	}
	slices.Sort(names)
	t.Logf("%-24s %5s %8s %8s %8s %8s %8s", "", "modes", "Re k", "Im k", "group", "shape", "field")
	for _, name := range names {
		a := answers[name]
		sections := oceanSections(t, name, a)
		bound := oceanBounds(name, a)
		var got oceanErrors
		count := 0
		for i, s := range sections {
			count += len(s.K)
			got.compare(t, name, a, i, s)
		}
		if a.Phi != nil {
			got.shape = compareShapes(t, name, a, sections[0])
		}
		got.field = compareOceanField(t, name, a)
		t.Logf("%-24s %5d %8.1e %8.1e %8.1e %8.1e %8.1e", name, count, got.kReal, got.kImag, got.group, got.shape, got.field)
		for _, q := range []struct {
			what       string
			got, bound float64
		}{{"Re k", got.kReal, bound.kReal}, {"Im k", got.kImag, bound.kImag}, {"group speed", got.group, bound.group}, {"shape", got.shape, bound.shape}, {"field", got.field, bound.field}} {
			if !(q.got <= q.bound) {
				t.Errorf("%s: %s off by %.1e, bound %.0e", name, q.what, q.got, q.bound)
			}
		}
	}
}

type oceanErrors struct{ kReal, kImag, group, shape, field float64 }

// oceanBounds are relative, but dB rms for the field of a slope. KRAKENC's norm takes
// solids' impedances by differences.
func oceanBounds(name string, a oceanAnswer) oceanErrors {
	b := oceanErrors{kReal: 1e-8, kImag: 1e-2, group: 1e-4, shape: 5e-3, field: 5e-3}
	if a.Program == "krakenc" {
		b.kImag = 1e-3
	}
	if a.Solid || name == leakyOcean {
		b.kReal = 1e-7
	}
	if a.Solid {
		b.shape = 2e-2
	}
	if a.Phi == nil {
		b.field = 0.3
	}
	return b
}

// leakyOcean has modes that leak strongly, whose group speeds KRAKENC has 1 % wrong.
const leakyOcean = "leaky_soft"

func oceanSections(t *testing.T, name string, a oceanAnswer) []*rangedep.Section {
	t.Helper()
	cases, err := envfile.ReadFile(oceanFile(name + ".env"))
	if err != nil {
		t.Fatal(err)
	}
	o := rangedep.DefaultSolverOptions()
	o.Method = rangedep.Real
	if a.Program == "krakenc" {
		o.Method = rangedep.Complex
	}
	var sections []*rangedep.Section
	for i := range cases {
		o.MinPhaseSpeed, o.MaxPhaseSpeed = cases[i].PhaseSpeed.Low, cases[i].PhaseSpeed.High
		for _, hz := range cases[i].Frequencies {
			s, err := rangedep.Solve(&cases[i].Environment, hz, o)
			var none modes.ErrNoModes
			if errors.As(err, &none) {
				s, err = rangedep.Silent(&cases[i].Environment, hz), nil
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			sections = append(sections, s)
		}
	}
	return sections
}

func (e *oceanErrors) compare(t *testing.T, name string, a oceanAnswer, set int, s *rangedep.Section) {
	t.Helper()
	want := a.Sets[set]
	if len(s.K) != len(want.KReal) {
		t.Fatalf("%s, set %d: %d modes, %s has %d", name, set+1, len(s.K), a.Program, len(want.KReal))
	}
	for i, k := range s.K {
		e.kReal = max(e.kReal, math.Abs(real(k)/want.KReal[i]-1))
		if want.KImag[i] < -1e-7 {
			e.kImag = max(e.kImag, math.Abs(imag(k)/want.KImag[i]-1))
		}
		if !a.Solid && name != leakyOcean {
			e.group = max(e.group, math.Abs(s.GroupSpeed[i]/want.GroupSpeed[i]-1))
		}
	}
	if a.Solid || name == leakyOcean {
		e.group = max(e.group, slopeError(t, s))
	}
}

// slopeError compares group speeds with the slope of the dispersion curves between two
// frequencies: KRAKENC leaves solids out of its own.
func slopeError(t *testing.T, s *rangedep.Section) (worst float64) {
	t.Helper()
	const step = 1e-5
	o := rangedep.DefaultSolverOptions()
	o.Method, o.MinPhaseSpeed, o.MaxPhaseSpeed = rangedep.Complex, 0.9*s.PhaseSpeed(0), 1.01*s.PhaseSpeed(len(s.K)-1)
	at := func(hz float64) []complex128 {
		x, err := rangedep.Solve(s.Environment, hz, o)
		if err != nil {
			t.Fatal(err)
		}
		return x.K
	}
	below, above := at(s.Frequency*(1-step)), at(s.Frequency*(1+step))
	near := func(list []complex128, k complex128) complex128 {
		return slices.MinFunc(list, func(a, b complex128) int { return cmp.Compare(cmplx.Abs(a-k), cmplx.Abs(b-k)) })
	}
	for i, k := range s.K {
		// The guess moves with frequency, so that the nearest is the same mode.
		shift := complex(2*math.Pi*s.Frequency*step/s.GroupSpeed[i], 0)
		slope := real(complex(4*math.Pi*s.Frequency*step, 0) / (near(above, k+shift) - near(below, k-shift)))
		worst = max(worst, math.Abs(s.GroupSpeed[i]/slope-1))
	}
	return worst
}

// compareShapes is the largest difference over the largest value, signs aside.
func compareShapes(t *testing.T, name string, a oceanAnswer, s *rangedep.Section) (worst float64) {
	t.Helper()
	cases, err := envfile.ReadFile(oceanFile(name + ".env"))
	if err != nil {
		t.Fatal(err)
	}
	depths := slices.Concat(cases[0].SourceDepths, cases[0].ReceiverDepths)
	slices.Sort(depths)
	depths = slices.Compact(depths)
	phi := s.Shapes(depths)
	for key, want := range a.Phi {
		m, err := strconv.Atoi(key)
		if err != nil || len(want) != 2*len(depths) {
			t.Fatalf("%s: shape %s of %d numbers at %d depths, %v", name, key, len(want), len(depths), err)
		}
		peak, same, turned := 0.0, 0.0, 0.0
		for i, v := range phi[m] {
			w := complex(want[2*i], want[2*i+1])
			peak, same, turned = max(peak, cmplx.Abs(w)), max(same, cmplx.Abs(v-w)), max(turned, cmplx.Abs(v+w))
		}
		worst = max(worst, min(same, turned)/peak)
	}
	return worst
}

// compareOceanField runs field with FIELD's input and compares pressures.
func compareOceanField(t *testing.T, name string, a oceanAnswer) float64 {
	t.Helper()
	output := filepath.Join(t.TempDir(), "field.nc")
	solver := "--solver=real"
	if a.Program == "krakenc" {
		solver = "--solver=complex"
	}
	if _, err := invoke(newFieldCommand(stages.All()), oceanFile(name+".env"), oceanFile(name+".flp"), "-o", output, solver); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	f, err := dataset.ReadField(output)
	if err != nil {
		t.Fatal(err)
	}
	want := make([]complex128, len(a.PReal))
	for i := range want {
		want[i] = complex(a.PReal[i], a.PImag[i])
	}
	if len(f.Pressure) != len(want) {
		t.Fatalf("%s: %d pressures, FIELD gives %d", name, len(f.Pressure), len(want))
	}
	if a.Phi == nil {
		return lossDifference(f.Pressure, want)
	}
	difference, size := 0.0, 0.0
	for i, v := range f.Pressure {
		w := want[i]
		if strings.HasPrefix(name, "incoherent") {
			v, w = complex(cmplx.Abs(v), 0), complex(cmplx.Abs(w), 0)
		}
		difference, size = difference+math.Pow(cmplx.Abs(v-w), 2), size+math.Pow(cmplx.Abs(w), 2)
	}
	return math.Sqrt(difference / size)
}

// surfaces are names of an ocean and of the same one with its surface at 20 m of depth.
var surfaces = []string{"plain", "deeper"}

// writeSurfaces writes the .env and .flp files of both.
func writeSurfaces(t *testing.T) (dir string) {
	t.Helper()
	deeper := strings.NewReplacer("2000 0.0 100.0\n0.0 ", "2000 0.0 120.0\n20.0 ", "\n100.0 ", "\n120.0 ", "36.0 /", "56.0 /",
		"10.0 25.0 50.0 75.0 95.0", "30.0 45.0 70.0 95.0 115.0", "10.0 50.0 /\n2\n0.0 /", "30.0 70.0 /\n2\n0.0 /")
	dir = t.TempDir()
	for file, text := range map[string]string{
		"plain.env": soundOcean, "plain.flp": soundField, "deeper.env": deeper.Replace(soundOcean), "deeper.flp": deeper.Replace(soundField),
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Depths of a .flp file count as in the .env file: the pressure is that of the same ocean
// from 0, NetCDF has depths below the surface, and the .shd file and figures, as FIELD's,
// those of the .flp file.
func TestFieldOfAShiftedSurface(t *testing.T) {
	dir := writeSurfaces(t)
	fields := make(map[string]acoustics.Field)
	depths := map[string][]float32{"plain": {36, 10, 50}, "deeper": {56, 30, 70}}
	for _, name := range surfaces {
		stem := filepath.Join(dir, name)
		for _, output := range [][]string{{"-o", stem + ".nc"}, {"-o", stem + ".shd"}, {"--plot", stem + ".svg"}} {
			if _, err := invoke(newFieldCommand(stages.All()), append([]string{stem + ".env", stem + ".flp"}, output...)...); err != nil {
				t.Fatal(err)
			}
		}
		var err error
		if fields[name], err = dataset.ReadField(stem + ".nc"); err != nil {
			t.Fatal(err)
		}
		shade, drawn := contents(t, stem+".shd"), string(contents(t, stem+".svg"))
		s, err := envfile.ReadShade(bytes.NewReader(shade), int64(len(shade)), "f.shd")
		if err != nil {
			t.Fatal(err)
		}
		want := depths[name]
		if got := slices.Concat(s.SourceDepths, s.ReceiverDepths); !slices.Equal(got, want) {
			t.Errorf("%s.shd: source and receivers at %v, want %v", name, got, want)
		}
		for _, text := range []string{fmt.Sprintf("source at %g m", want[0]), fmt.Sprintf("receiver at %g m", want[1]), fmt.Sprintf("receiver at %g m", want[2])} {
			if !strings.Contains(drawn, text) {
				t.Errorf("%s.svg does not say %q", name, text)
			}
		}
	}
	plain, deeper := fields["plain"], fields["deeper"]
	if !slices.Equal(plain.SourceDepths, deeper.SourceDepths) || !slices.Equal(plain.ReceiverDepths, deeper.ReceiverDepths) {
		t.Errorf("NetCDF: sources at %v, receivers at %v", deeper.SourceDepths, deeper.ReceiverDepths)
	}
	for i, p := range plain.Pressure {
		if cmplx.Abs(deeper.Pressure[i]-p) > 1e-9*cmplx.Abs(p) {
			t.Fatalf("pressure %d is %v, from 0 it is %v", i, deeper.Pressure[i], p)
		}
	}
}

// A .mod file goes with its .flp file: every depth in it counts as in the .env file.
func TestModeFileOfAShiftedSurface(t *testing.T) {
	dir := writeSurfaces(t)
	var files []envfile.ModeFile
	for _, name := range surfaces {
		mod := filepath.Join(dir, name+".mod")
		if _, err := invoke(newModesCommand(stages.All()), filepath.Join(dir, name+".env"), "-o", mod); err != nil {
			t.Fatal(err)
		}
		text := contents(t, mod)
		m, err := envfile.ReadModes(bytes.NewReader(text), int64(len(text)), mod)
		if err != nil || len(m) != 1 {
			t.Fatalf("%d profiles, %v", len(m), err)
		}
		files = append(files, m[0])
	}
	depths := func(m envfile.ModeFile) []float32 {
		return append(slices.Clone(m.Depths), m.Media[0].Depth, m.Sets[0].Top.Depth, m.Sets[0].Bottom.Depth)
	}
	plain, deeper := depths(files[0]), depths(files[1])
	for i, z := range plain {
		if math.Abs(float64(deeper[i]-z-20)) > 1e-4 {
			t.Errorf("depth %d of %d is %g, from 0 it is %g", i, len(plain), deeper[i], z)
		}
	}
}

func contents(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

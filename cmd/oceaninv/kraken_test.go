package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"math"
	"math/cmplx"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"oceaninv/io/dataset"
	"oceaninv/pipelines/stages"
)

// toolboxAnswer is what the Acoustics Toolbox of May 2023 answers on very fine
// meshes: testdata/kraken.json.gz, for the oceans of io/envfile/testdata/kraken.
// Pressure is [source][receiver][range], flattened.
type toolboxAnswer struct {
	Program        string
	KReal          []float64 `json:"k_real"`
	KImag          []float64 `json:"k_imag"`
	GroupSpeed     []float64 `json:"group_speed"`
	ReceiverDepths []float64 `json:"receiver_depths"`
	Ranges         []float64
	PReal          []float64 `json:"p_real"`
	PImag          []float64 `json:"p_imag"`
}

func toolboxAnswers(t *testing.T) map[string]toolboxAnswer {
	t.Helper()
	var answers map[string]toolboxAnswer
	readAnswers(t, filepath.Join("testdata", "kraken.json.gz"), &answers)
	return answers
}

// readAnswers decodes a compressed JSON file of testdata.
func readAnswers(t *testing.T, path string, answers any) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(z).Decode(answers); err != nil {
		t.Fatal(err)
	}
}

// invoke runs a command in this process and returns its standard output.
func invoke(cmd *cobra.Command, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd.SetArgs(args)
	cmd.SetOut(&stdout)
	cmd.SetErr(&stderr)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err := cmd.Execute()
	return stdout.String(), err
}

// errors of one case.
type caseErrors struct{ kReal, kImag, group, field float64 }

// TestAgainstKRAKEN runs modes and field on every ocean that KRAKEN, KRAKENC and
// FIELD answered, with the solver that corresponds, and prints a table of the
// worst errors.
func TestAgainstKRAKEN(t *testing.T) {
	answers := toolboxAnswers(t)
	names := make([]string, 0, len(answers))
	for name := range answers {
		names = append(names, name)
	}
	slices.Sort(names)
	t.Logf("%-36s %8s %8s %8s %8s", "", "Re k", "Im k", "group", "field")
	for _, name := range names {
		a := answers[name]
		got := compareModes(t, name, a)
		got.field = compareField(t, name, a)
		t.Logf("%-36s %8.1e %8.1e %8.1e %8.1e", name, got.kReal, got.kImag, got.group, got.field)
		bound := bounds(name, a)
		for _, q := range []struct {
			what        string
			got, bounds float64
		}{{"Re k", got.kReal, bound.kReal}, {"Im k", got.kImag, bound.kImag}, {"group speed", got.group, bound.group}, {"field", got.field, bound.field}} {
			if !(q.got <= q.bounds) {
				t.Errorf("%s: %s off by %.1e, bound %.0e", name, q.what, q.got, q.bounds)
			}
		}
	}
}

// bounds are relative, but dB rms for the field of a wedge. Group speeds are not
// compared where KRAKEN's are wrong: it leaves elastic media out of them, and
// takes the rigid bottom's from its coarsest mesh.
func bounds(name string, a toolboxAnswer) caseErrors {
	b := caseErrors{kReal: 1e-8, kImag: 1e-2, group: 1e-4, field: 5e-3}
	if a.Program == "krakenc" {
		b.kImag = 1e-3
	}
	for _, part := range []string{"elastic", "ice", "rigid"} {
		if strings.Contains(name, part) {
			b.group = math.Inf(1)
		}
	}
	if strings.HasPrefix(name, "wedge") {
		// KRAKEN's mesh is coarser there: 1e-7 of kr.
		b.kReal, b.group, b.field = 1e-7, 2e-4, 0.3
	}
	return b
}

// solverOf is the solver that corresponds to the Toolbox's program. An elastic
// half-space without losses, which KRAKEN treats with real modes, is the complex
// solver's.
func solverOf(name string, a toolboxAnswer) string {
	if a.Program == "krakenc" || strings.Contains(name, "elastic") {
		return "--solver=complex"
	}
	return "--solver=real"
}

func toolboxFile(name, extension string) string {
	return filepath.Join("..", "..", "io", "envfile", "testdata", "kraken", name+extension)
}

func compareModes(t *testing.T, name string, a toolboxAnswer) caseErrors {
	t.Helper()
	text, err := invoke(newModesCommand(stages.All()), toolboxFile(name, ".env"), "--json", solverOf(name, a))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var out modesOutput
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	m := out.Frequencies[0]
	if len(m.KReal) != len(a.KReal) {
		t.Fatalf("%s: %d modes, KRAKEN has %d", name, len(m.KReal), len(a.KReal))
	}
	var e caseErrors
	for i := range m.KReal {
		e.kReal = max(e.kReal, math.Abs(m.KReal[i]/a.KReal[i]-1))
		if math.Abs(a.KImag[i]) > 1e-7 {
			e.kImag = max(e.kImag, math.Abs(m.KImag[i]/a.KImag[i]-1))
		}
		e.group = max(e.group, math.Abs(m.GroupSpeed[i]/a.GroupSpeed[i]-1))
	}
	return e
}

func compareField(t *testing.T, name string, a toolboxAnswer) float64 {
	t.Helper()
	output := filepath.Join(t.TempDir(), "field.nc")
	if _, err := invoke(newFieldCommand(stages.All()), toolboxFile(name, ".env"), toolboxFile(name, ".flp"), "-o", output, solverOf(name, a)); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	f, err := dataset.ReadField(output)
	if err != nil {
		t.Fatal(err)
	}
	var got, want []complex128
	for s := range f.SourceDepths {
		for d, depth := range a.ReceiverDepths {
			row := slices.IndexFunc(f.ReceiverDepths, func(z float64) bool { return math.Abs(z-depth) < 1e-3 })
			for r := range a.Ranges {
				got = append(got, f.Pressure[(s*len(f.ReceiverDepths)+row)*len(f.Ranges)+r])
				i := (s*len(a.ReceiverDepths)+d)*len(a.Ranges) + r
				want = append(want, complex(a.PReal[i], a.PImag[i]))
			}
		}
	}
	if strings.HasPrefix(name, "wedge") {
		return lossDifference(got, want)
	}
	difference, size := 0.0, 0.0
	for i, v := range got {
		w := want[i]
		if strings.HasPrefix(name, "incoherent") {
			v, w = complex(cmplx.Abs(v), 0), complex(cmplx.Abs(w), 0)
		}
		difference += math.Pow(cmplx.Abs(v-w), 2)
		size += math.Pow(cmplx.Abs(w), 2)
	}
	return math.Sqrt(difference / size)
}

// lossDifference is the rms difference of transmission loss in dB, where it is
// within 20 dB of its median.
func lossDifference(got, want []complex128) float64 {
	level := func(p complex128) float64 { return -20 * math.Log10(cmplx.Abs(p)) }
	losses := make([]float64, len(want))
	for i, w := range want {
		losses[i] = level(w)
	}
	sorted := slices.Clone(losses)
	slices.Sort(sorted)
	sum, n := 0.0, 0
	for i, l := range losses {
		if l < sorted[len(sorted)/2]+20 {
			sum += math.Pow(level(got[i])-l, 2)
			n++
		}
	}
	return math.Sqrt(sum / float64(n))
}

package envfile

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
)

func seed(f *testing.F, pattern string) {
	for _, path := range goldenFiles(f, pattern) {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
}

const fourImpedances = "'BOUNCE' 150\n4\n.1 1 0 1 0 0\n.2 .9 -.1 1 0 0\n.3 .8 0 1 0 5\n.4 .7 0 1 0 10\n"

func reflectionsBeside(extension string) (io.ReadCloser, error) {
	if extension == ".irc" {
		return io.NopCloser(strings.NewReader(fourImpedances)), nil
	}
	return io.NopCloser(strings.NewReader("2\n0 1 180\n90 .5 0\n")), nil
}

// few is how many numbers a fuzzer writes: a count and a slash in the input make a
// million of them, and an execution should take no longer than reading.
const few = 1000

// Whatever the bytes, reading ends in a diagnostic or in cases that survive
// writing.
func FuzzRead(f *testing.F) {
	seed(f, "*.env")
	f.Add([]byte(everything))
	f.Add([]byte(strings.Replace(pekeris, "'A' 0.0\n100.0 1700.0 0.0 1.8 0.5 0.0", "'P' 0.0", 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		cases, err := Read(bytes.NewReader(data), "fuzz.env", reflectionsBeside)
		if err != nil {
			asError(t, err)
			return
		}
		numbers := 0
		for i := range cases {
			numbers += len(cases[i].SourceDepths) + len(cases[i].ReceiverDepths) + len(cases[i].Frequencies)
		}
		if numbers > few {
			return
		}
		var text bytes.Buffer
		if notes, err := Write(&text, cases); err != nil || notes != nil {
			t.Fatalf("notes %q; cannot be written: %v", notes, err)
		}
		again, err := Read(&text, "written.env", reflectionsBeside)
		if err != nil || len(again) != len(cases) {
			t.Fatalf("%d cases became %d: %v", len(cases), len(again), err)
		}
	})
}

func FuzzReadField(f *testing.F) {
	seed(f, "*.flp")
	f.Add([]byte(wedge))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ReadField(bytes.NewReader(data), "fuzz.flp", reflectionsBeside)
		if err != nil {
			asError(t, err)
			return
		}
		if len(c.ProfileRanges)+len(c.Ranges)+len(c.SourceDepths)+len(c.ReceiverDepths) > few {
			return
		}
		if err := WriteField(io.Discard, c); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzReadReflections(f *testing.F) {
	f.Add([]byte("2\n0 1 180\n90 .5 0\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := ReadReflections(bytes.NewReader(data), "fuzz.brc"); err != nil {
			asError(t, err)
		}
	})
}

func FuzzReadImpedance(f *testing.F) {
	f.Add([]byte(fourImpedances))
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := ReadImpedance(bytes.NewReader(data), "fuzz.irc")
		if err != nil {
			asError(t, err)
			return
		}
		if err := WriteImpedance(io.Discard, table); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzReadBeam(f *testing.F) {
	f.Add([]byte("2\n-90 0\n90 -3\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := ReadBeam(bytes.NewReader(data), "fuzz.sbp"); err != nil {
			asError(t, err)
		}
	})
}

func FuzzReadModes(f *testing.F) {
	var b bytes.Buffer
	m := ModeFile{
		Title: "m", Frequencies: []float64{50}, Depths: []float32{1, 2}, Media: []ModeMedium{{1, false, 0, 1}},
		Sets: []ModeSet{{K: []complex64{1, 2}, Phi: [][]complex64{{1, 2}, {3, 4}}}},
	}
	if err := WriteModes(&b, []ModeFile{m, m}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := ReadModes(bytes.NewReader(data), int64(len(data)), "fuzz.mod"); err != nil {
			asError(t, err)
		}
	})
}

func FuzzReadShade(f *testing.F) {
	var b bytes.Buffer
	s := &Shade{
		PlotType: "rectilin", Frequencies: []float64{50}, Bearings: []float64{0}, SourceX: []float64{0}, SourceY: []float64{0},
		SourceDepths: []float32{10}, ReceiverDepths: []float32{1, 2}, Ranges: []float64{1, 2}, Pressure: make([]complex64, 4),
	}
	if err := WriteShade(&b, s); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := ReadShade(bytes.NewReader(data), int64(len(data)), "fuzz.shd"); err != nil {
			asError(t, err)
		}
	})
}

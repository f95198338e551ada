package figure

import (
	"bytes"
	"encoding/binary"
	"flag"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
	"pgregory.net/rapid"
)

var save = flag.String("save", "", "directory to save the gallery in, to look at it")

// notNumber matches a coordinate that is none, not the bytes of an embedded image.
var notNumber = regexp.MustCompile(`(d|x|y)="[^"]*(NaN|Inf)`)

func render(t *testing.T, d drawer, format string) []byte {
	t.Helper()
	f, err := d.Draw()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.Write(&b, format); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Every figure draws, and the same input gives the same bytes.
func TestGallery(t *testing.T) {
	again := gallery()
	for name, d := range gallery() {
		t.Run(name, func(t *testing.T) {
			svg := render(t, d, "svg")
			if !bytes.Equal(svg, render(t, again[name], "svg")) {
				t.Error("two drawings differ")
			}
			if notNumber.Match(svg) {
				t.Error("the drawing has coordinates that are not numbers")
			}
			content := map[string][]byte{"svg": svg}
			if *save != "" { // TestPNG draws two of them in any case
				content["png"] = render(t, d, "png")
			}
			for format, b := range content {
				if *save == "" {
					break
				}
				if err := os.WriteFile(filepath.Join(*save, name+"."+format), b, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestPNG(t *testing.T) {
	for _, name := range []string{"joint", "coverage"} {
		b := render(t, gallery()[name], "png")
		if !bytes.Equal(b, render(t, gallery()[name], "png")) {
			t.Errorf("%s: two drawings differ", name)
		}
		f, err := gallery()[name].Draw()
		if err != nil {
			t.Fatal(err)
		}
		size, err := png.Decode(bytes.NewReader(b)) // checks the CRC of every chunk
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		at := bytes.Index(b, []byte("pHYs"))
		if at < 0 || at > bytes.Index(b, []byte("IDAT")) || b[at+12] != 1 {
			t.Fatalf("%s: the resolution does not stand before the pixels, per metre", name)
		}
		perInch := 0.0254 * float64(binary.BigEndian.Uint32(b[at+4:]))
		if dots := float64(size.Bounds().Dx()) / (float64(f.width) / 72); perInch < 199.9 || math.Abs(dots-perInch) > 0.2 {
			t.Errorf("%s: says %.2f dots per inch and has %.2f", name, perInch, dots)
		}
	}
}

// One drawing is written in every format, in any order, as it would be alone; of several
// files none appears if one has no format.
func TestSaveInSeveralFormats(t *testing.T) {
	for _, order := range [][]string{{"svg", "png"}, {"png", "svg"}} {
		dir := t.TempDir()
		var paths []string
		for _, format := range order {
			paths = append(paths, filepath.Join(dir, "a."+format))
		}
		f, err := gallery()["training"].Draw()
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Save(append(paths, filepath.Join(dir, "a.gif"))...); err == nil {
			t.Error("a.gif was written")
		}
		if left, _ := os.ReadDir(dir); len(left) != 0 {
			t.Errorf("%d files are left", len(left))
		}
		if err := f.Save(paths...); err != nil {
			t.Fatal(err)
		}
		for i, format := range order {
			if b, err := os.ReadFile(paths[i]); err != nil || !bytes.Equal(b, render(t, gallery()["training"], format)) {
				t.Errorf("%v: the %s differs from one drawn alone, or %v", order, format, err)
			}
		}
	}
}

// A panel is as large with logarithmic axes as with linear ones whose labels and ticks take
// the same room; its labels stand at the middle of its axes, and are there once.
func TestLogarithmicAxesUseTheirPanel(t *testing.T) {
	const horizontal, upright = "distance in depth (m)", "distance in speed (m/s)"
	x, y := []float64{1, 10, 100}, []float64{100, 1, 30}
	size := func(x, y Axis, data Series) (vg.Rectangle, []byte) {
		x.Label, y.Label = horizontal, upright
		f, err := Scatter{Title: "title", X: x, Y: y, Clouds: []Series{data}}.Draw()
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := f.Write(&b, "svg"); err != nil {
			t.Fatal(err)
		}
		p := f.panels[0][0]
		if p.X.Label.Text != horizontal || p.Y.Label.Text != upright {
			t.Errorf("the labels are %q and %q once drawn", p.X.Label.Text, p.Y.Label.Text)
		}
		_, show := f.hideLogLabels()
		defer show()
		return p.DataCanvas(draw.New(vgsvg.New(f.width, f.height))).Rectangle, b.Bytes()
	}
	linear, plain := size(Axis{Min: 1, Max: 100, Ticks: []float64{1, 100}}, Axis{Min: 1, Max: 100, Ticks: []float64{1, 100}}, Series{Label: "a", X: x, Y: y})
	log, svg := size(Axis{Min: 1, Max: 100, Log: true}, Axis{Min: 1, Max: 100, Log: true}, Series{Label: "a", X: x, Y: y})
	if log != linear {
		t.Errorf("the panel is %v, with linear axes %v", log, linear)
	}
	for _, text := range []string{horizontal, upright} {
		// The text's place, with what turns it.
		place := regexp.MustCompile(`(?s)<text x="[^"]*" y="[^"]*"[^>]*>` + regexp.QuoteMeta(text) + `</text>`)
		a, b := place.FindAll(plain, -1), place.FindAll(svg, -1)
		if len(a) != 1 || len(b) != 1 || !bytes.Equal(a[0], b[0]) {
			t.Errorf("%q is at %q, with linear axes at %q", text, b, a)
		}
	}
}

// A raster in an SVG says what it is, for viewers that believe the type, and fills its
// rectangle: else its contents would not lie where the axes say.
func TestRasterInSVG(t *testing.T) {
	svg := render(t, gallery()["joint"], "svg")
	if !bytes.Contains(svg, []byte("data:image/png;base64,iVBOR")) || bytes.Contains(svg, []byte("image/jpg")) ||
		!bytes.Contains(svg, []byte(`<image preserveAspectRatio="none"`)) {
		t.Error("the density is not embedded as a PNG that fills its rectangle")
	}
}

func TestSave(t *testing.T) {
	dir := t.TempDir()
	f, err := gallery()["coverage"].Draw()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "a.svg")
	if err := f.Save(path); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(path); err != nil || !bytes.Contains(b, []byte("nominal coverage")) {
		t.Errorf("%v: the axis is not named", err)
	}
	if err := f.Save(filepath.Join(dir, "a.gif")); err == nil || !strings.Contains(err.Error(), ".png or .svg") {
		t.Errorf("gif: %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%d files are left", len(left))
	}
}

// panel is the plot of a figure of one panel, or its first.
func panel(t *testing.T, d drawer) *plot.Plot {
	t.Helper()
	f, err := d.Draw()
	if err != nil {
		t.Fatal(err)
	}
	return f.panels[0][0]
}

func TestAxes(t *testing.T) {
	g := gallery()
	loss := panel(t, g["loss_map"])
	if loss.X.Label.Text != "range (km)" || loss.Y.Label.Text != "depth (m)" || loss.X.Max != 10 || loss.Y.Min != 0 || loss.Y.Max != 216 {
		t.Errorf("loss map: x %q to %g, y %q from %g to %g", loss.X.Label.Text, loss.X.Max, loss.Y.Label.Text, loss.Y.Min, loss.Y.Max)
	}
	if at0, at216 := loss.Y.Norm(0), loss.Y.Norm(216); at0 != 1 || at216 != 0 {
		t.Errorf("depth does not run down: the surface is at %g, the floor at %g", at0, at216)
	}
	if lines := panel(t, g["loss_lines"]); lines.Y.Norm(lines.Y.Min) != 1 {
		t.Error("loss does not increase downwards")
	}
	if p := panel(t, g["marginals"]); p.X.Min != 200.5 || p.X.Max != 236.5 || p.Y.Label.Text != "density (1/m)" {
		t.Errorf("marginal over %g to %g, %q", p.X.Min, p.X.Max, p.Y.Label.Text)
	}
	if p := panel(t, g["training"]); p.Y.Norm(math.Sqrt(p.Y.Min*p.Y.Max)) < 0.499 || p.Y.Norm(math.Sqrt(p.Y.Min*p.Y.Max)) > 0.501 {
		t.Error("the training curve's axis is not logarithmic")
	}
}

// A narrow posterior gets a second row that holds it; a wide one does not.
func TestMarginalsShowDetail(t *testing.T) {
	narrow, err := gallery()["marginals"].Draw()
	if err != nil {
		t.Fatal(err)
	}
	wide, err := gallery()["marginals_wide"].Draw()
	if err != nil {
		t.Fatal(err)
	}
	if len(narrow.panels) != 2 || len(wide.panels) != 1 {
		t.Fatalf("%d and %d rows", len(narrow.panels), len(wide.panels))
	}
	if p := narrow.panels[1][0]; p.X.Min > 216.35 || p.X.Max < 216.65 || p.X.Max-p.X.Min > 1 {
		t.Errorf("detail from %g to %g", p.X.Min, p.X.Max)
	}
}

// A histogram is a density: its integral is the weight of the draws inside.
func TestHistogramIntegral(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draws := rapid.SliceOfN(rapid.Float64Range(-2, 2), 1, 200).Draw(t, "draws")
		weights := rapid.SliceOfN(rapid.Float64Range(0.1, 3), len(draws), len(draws)).Draw(t, "weights")
		h := newHistogram(draws, weights, -1, 1)
		var inside, total, integral float64
		for i, x := range draws {
			total += weights[i]
			if x >= -1 && x <= 1 {
				inside += weights[i]
			}
		}
		for _, d := range h.density {
			integral += d * h.width
		}
		if math.Abs(integral-inside/total) > 1e-12 {
			t.Fatalf("integral %g, inside %g", integral, inside/total)
		}
	})
}

// The smoothed density of normal draws: unit integral, and regions that hold their
// share of it.
func TestSmoothedDensity(t *testing.T) {
	x, y := gaussians(20000, 0, 1, 0, 2, 0.7)
	s := smoothed(x, y, nil, Axis{Min: -5, Max: 5}, Axis{Min: -10, Max: 10})
	cell := (s.x[1] - s.x[0]) * (s.y[1] - s.y[0])
	var total float64
	for _, v := range s.z {
		total += v * cell
	}
	if math.Abs(total-1) > 1e-3 {
		t.Errorf("integral %g", total)
	}
	// A normal's region of mass p has height (1-p) of the peak 1/(2 pi 2 sqrt(1-0.49)).
	peak := 1 / (4 * math.Pi * math.Sqrt(1-0.49))
	for i, level := range s.levels() {
		if want := (1 - masses[i]) * peak; math.Abs(level/want-1) > 0.15 {
			t.Errorf("level of the %g region %g, want %g", masses[i], level, want)
		}
	}
}

func TestSurfaceIsBilinear(t *testing.T) {
	s := surface{[]float64{0, 1, 3}, []float64{0, 2}, []float64{0, 1, 3, 10, 11, 13}} // x + 5 y
	for _, p := range [][2]float64{{0, 0}, {0.5, 1}, {2, 0.5}, {3, 2}} {
		if got, want := s.at(p[0], p[1]), p[0]+5*p[1]; math.Abs(got-want) > 1e-12 {
			t.Errorf("at %v: %g, want %g", p, got, want)
		}
	}
	if !math.IsNaN(s.at(3.1, 0)) {
		t.Error("outside the grid there is no value")
	}
}

func TestScaleEnds(t *testing.T) {
	s := scale{colours: viridis, min: 40, max: 90, reversed: true}
	if s.at(40) != viridis[9] || s.at(90) != viridis[0] || s.at(30) != viridis[9] || s.at(math.NaN()) != missing {
		t.Error("small losses are not bright")
	}
}

func TestTicks(t *testing.T) {
	for want, c := range map[string]struct {
		low, high float64
		about     int
	}{
		"0 50 100 150 200":      {0, 216, 5},
		"216.4 216.5 216.6":     {216.33, 216.61, 3},
		"-65 -60 -55":           {-67, -54, 1},
		"0 0.2 0.4 0.6 0.8 1.0": {0, 1, 6},
		"1.5e-5 2e-5":           {1.2e-5, 2.4e-5, 2},
	} {
		var got []string
		for _, k := range (ticks{about: c.about}).Ticks(c.low, c.high) {
			got = append(got, k.Label)
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%g to %g: %s, want %s", c.low, c.high, s, want)
		}
	}
}

// Values that are not numbers, and lists that do not fit, are errors that name the
// culprit.
func TestBadInput(t *testing.T) {
	nan := math.NaN()
	good := Marginal{Label: "depth", Min: 0, Max: 1, Draws: []float64{0.5, 0.6}}
	with := func(change func(*Marginal)) Marginal { m := good; change(&m); return m }
	for want, d := range map[string]drawer{
		"loss: value number 2 is NaN":     Chart{Series: []Series{{Label: "loss", X: []float64{1, 2}, Y: []float64{1, nan}}}},
		"on a logarithmic axis":           Chart{Y: Axis{Log: true}, Series: []Series{{X: []float64{1}, Y: []float64{-1}}}},
		"lists of 2 and 1":                Chart{Series: []Series{{X: []float64{1, 2}, Y: []float64{1}}}},
		"nothing to draw":                 Chart{},
		"reference line \"truth\" at NaN": Chart{Series: []Series{{X: []float64{1}, Y: []float64{1}}}, References: []Reference{{Label: "truth", X: &nan}}},
		"depth: value number 1 is NaN":    Marginals{Panels: []Marginal{with(func(m *Marginal) { m.Draws = []float64{nan} })}},
		"depth: no draws":                 Joint{X: with(func(m *Marginal) { m.Draws = nil }), Y: good},
		"1 weights for 2 draws":           Corner{Parameters: []Marginal{with(func(m *Marginal) { m.Weights = []float64{1} })}},
		"the truth is NaN":                Marginals{Panels: []Marginal{with(func(m *Marginal) { m.Truth = &nan })}},
		"does not increase":               Map{XAt: []float64{1, 1}, YAt: []float64{0, 1}, Z: make([]float64, 4)},
		"map of 3 values":                 LossMap{Ranges: []float64{1, 2}, Depths: []float64{0, 1}, Loss: make([]float64, 3)},
		"has no value":                    Map{XAt: []float64{0, 1}, YAt: []float64{0, 1}, Z: []float64{nan, nan, nan, nan}},
		"no mode shapes":                  ModeShapes{},
		"ambiguity surface of 0":          Ambiguity{Ranges: []float64{1}, Depths: []float64{1}},
		"no tones":                        Replica{},
		"a profile needs at least two":    Schematic{Depth: []float64{0}, Speed: []float64{1500}},
	} {
		if _, err := d.Draw(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

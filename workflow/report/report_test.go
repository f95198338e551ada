package report

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"oceaninv/workflow/stage"
)

var example = Data{
	Title: "study", Run: "20260101T000000.000Z-abcd", Version: "v1", Command: "oceaninv run study.hcl", Status: "3 done, 1 up to date",
	Source: "stage \"make\" \"a\" {} # <script>alert(1)</script>", Finished: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Seconds: 135,
	Stages: []Stage{
		{Name: "stage.a", Kind: "make", Actions: 1, Done: 1, Seconds: 3},
		{Name: "stage.b", Kind: "make", Actions: 12, Cached: 12, DependsOn: []string{"stage.a"}},
		{Name: "stage.c", Kind: "join", Actions: 1, Failed: 1, DependsOn: []string{"stage.a"}},
		{Name: "module.m.stage.d", Kind: "measure", Actions: 1, DependsOn: []string{"stage.b", "stage.c"}},
	},
	Spans: []Span{{Action: "stage.a", Task: "run", Start: 0.1, End: 3}, {Action: "stage.c", Task: "merge", Queued: 3, Start: 3.1, End: 4, Failed: true}},
	Metrics: []Group{{Action: "stage.check", Metrics: []stage.Metric{
		{Name: "distance", Value: 0.01234, Error: 0.001, Unit: "m", Sentence: "How far <off> it is.", Headline: true},
		{Name: "coverage", Value: 0.9, Sentence: "How often the truth is inside."},
	}}},
	Figures: []Figure{{Title: "marginals", Caption: "Bars.", MediaType: "image/svg+xml", Content: []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`),
		Others: []string{"figures/m.marginals.png"}}},
	Files: []File{{Path: "a.nc", Type: "dataset", Action: "stage.a", Bytes: 1234567, SHA256: strings.Repeat("ab", 32)}},
}

// TestPageIsCompleteInItself: everything is in the page, nothing is fetched, and what users write is text.
func TestPageIsCompleteInItself(t *testing.T) {
	var b bytes.Buffer
	if err := Page(&b, example); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	if bad := regexp.MustCompile(`(src|href|url)\s*[=(]\s*["']?(https?:)?//[^"' )]*`).FindString(page); bad != "" {
		t.Errorf("the page fetches %s", bad)
	}
	for _, want := range []string{"0.0123 ± 0.0010", "How far &lt;off&gt; it is.", `src="data:image/svg&#43;xml;base64,`, `<a href="figures/m.marginals.png">PNG</a>`, "a.nc", "1.23 MB",
		"2 min 15 s", "make × 12", `class="failed"`, "&lt;script&gt;", "m.d"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "<script>") {
		t.Error("a user's text became markup")
	}
}

// TestGraphGoesFromLeftToRight: no stage is left of one it needs, and no two are on top of each other.
func TestGraphGoesFromLeftToRight(t *testing.T) {
	boxes, _ := placeBoxes(example.Stages)
	taken := make(map[[2]float64]string)
	for name, b := range boxes {
		for _, d := range b.stage.DependsOn {
			if boxes[d].x >= b.x {
				t.Errorf("%s is not right of %s", name, d)
			}
		}
		if other := taken[[2]float64{b.x, b.y}]; other != "" {
			t.Errorf("%s and %s are in one place", name, other)
		}
		taken[[2]float64{b.x, b.y}] = name
	}
}

// TestNoLineCrossesABox: lines lead from one layer to the next or along a lane, no lane touches a box, and every stage is
// reached from all that it needs.
func TestNoLineCrossesABox(t *testing.T) {
	stages := []Stage{{Name: "a"}, {Name: "b"}, {Name: "c", DependsOn: []string{"a", "b"}}, {Name: "d", DependsOn: []string{"c", "a"}},
		{Name: "e", DependsOn: []string{"a", "b", "c", "d"}}, {Name: "f", DependsOn: []string{"e", "a"}}}
	boxes, layers := placeBoxes(stages)
	for n, l := range layers {
		for i, b := range l {
			if b.layer != n || i > 0 && b.y < l[i-1].y+l[i-1].height() {
				t.Errorf("layer %d: number %d lies on the one above", n, i)
			}
			for _, from := range b.from {
				if from.layer != n-1 {
					t.Errorf("a line leads from layer %d to %d", from.layer, n)
				}
			}
		}
	}
	var reaches func(b, from *box) bool
	reaches = func(b, from *box) bool {
		return b == from || b.stage == nil && reaches(b.from[0], from)
	}
	for _, s := range stages {
		for _, d := range s.DependsOn {
			if !slices.ContainsFunc(boxes[s.Name].from, func(b *box) bool { return reaches(b, boxes[d]) }) {
				t.Errorf("no line leads from %s to %s", d, s.Name)
			}
		}
	}
}

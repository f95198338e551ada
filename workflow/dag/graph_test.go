package dag

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func graphOf(edges string) *Graph {
	g := new(Graph)
	for _, e := range strings.Fields(edges) {
		node, dependency, _ := strings.Cut(e, "<")
		if dependency == "" {
			g.Add(node)
			continue
		}
		g.Depend(node, dependency)
	}
	return g
}

func TestOrderKeepsTheOrderGivenWhereItCan(t *testing.T) {
	order, cycles := graphOf("a b c d<e e<b").Order()
	if got := strings.Join(order, " "); got != "a b c e d" || len(cycles) != 0 {
		t.Errorf("order %s, cycles %v", got, cycles)
	}
}

func TestCyclesAreListedAndWhatNeedsThemLeftOut(t *testing.T) {
	order, cycles := graphOf("a b<c c<d d<b e<b f<f g<a").Order()
	if got := strings.Join(order, " "); got != "a g" {
		t.Errorf("order %s", got)
	}
	var texts []string
	for _, c := range cycles {
		texts = append(texts, c.Error())
	}
	want := []string{"cycle: b -> c -> d -> b", "cycle: f -> f"}
	if !slices.Equal(texts, want) {
		t.Errorf("cycles %q, want %q", texts, want)
	}
}

// TestOrderRespectsEdges: in any acyclic graph, everything comes after what it needs, and nothing is lost.
func TestOrderRespectsEdges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 30).Draw(t, "nodes")
		g := new(Graph)
		for i := range n {
			g.Add(fmt.Sprint(i))
		}
		for range rapid.IntRange(0, 60).Draw(t, "edges") {
			a, b := rapid.IntRange(0, n-1).Draw(t, "a"), rapid.IntRange(0, n-1).Draw(t, "b")
			if a < b {
				g.Depend(fmt.Sprint(a), fmt.Sprint(b))
			}
		}
		order, cycles := g.Order()
		if len(order) != n || len(cycles) != 0 {
			t.Fatalf("%d of %d nodes, cycles %v", len(order), n, cycles)
		}
		for _, node := range order {
			for _, d := range g.Dependencies(node) {
				if slices.Index(order, d) > slices.Index(order, node) {
					t.Fatalf("%s comes before %s, which it needs", node, d)
				}
			}
			for _, below := range g.Descendants(node) {
				if !slices.Contains(g.Ancestors(below), node) {
					t.Fatalf("%s is above %s in one direction only", node, below)
				}
			}
		}
	})
}

func TestRemainingIsTheHeaviestPathToTheEnd(t *testing.T) {
	g := graphOf("b<a c<a d<b d<c")
	weights := map[string]float64{"a": 1, "b": 10, "c": 2, "d": 5}
	got := g.Remaining(func(n string) float64 { return weights[n] })
	for node, want := range map[string]float64{"a": 16, "b": 15, "c": 7, "d": 5} {
		if got[node] != want {
			t.Errorf("%s: %v, want %v", node, got[node], want)
		}
	}
}

func TestDrawings(t *testing.T) {
	g := graphOf("b<a c<d d<c")
	var b strings.Builder
	if err := g.DOT(&b, func(n string) Label { return Label{Text: `say "` + n + `"`} }); err != nil {
		t.Fatal(err)
	}
	want := `digraph pipeline {
	rankdir=LR;
	node [shape=box, style=rounded, fontname="Helvetica"];
	"b" [label="b\nsay \"b\""];
	"a" [label="a\nsay \"a\""];
	"c" [label="c\nsay \"c\""];
	"d" [label="d\nsay \"d\""];
	"a" -> "b";
	"d" -> "c" [color=red, penwidth=2];
	"c" -> "d" [color=red, penwidth=2];
}
`
	if b.String() != want {
		t.Errorf("DOT:\n%s\nwant:\n%s", b.String(), want)
	}
	raw, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"nodes":[{"name":"b","depends_on":["a"]},{"name":"a","depends_on":[]},{"name":"c","depends_on":["d"]},` +
		`{"name":"d","depends_on":["c"]}],"cycles":[["c","d"]]}`; string(raw) != want {
		t.Errorf("JSON %s, want %s", raw, want)
	}
}

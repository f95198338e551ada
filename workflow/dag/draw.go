package dag

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Label is how a node is drawn.
type Label struct {
	Text  string // below the name
	Color string // an X11 colour name; "" for the default
}

// DOT writes the graph in Graphviz's language, arrows pointing from a dependency to what needs it. Edges on a cycle
// are red. A nil label draws names only.
func (g *Graph) DOT(w io.Writer, label func(node string) Label) error {
	var b strings.Builder
	b.WriteString("digraph pipeline {\n\trankdir=LR;\n\tnode [shape=box, style=rounded, fontname=\"Helvetica\"];\n")
	for _, name := range g.names {
		attributes := "label=" + quoteDOT(name)
		if label != nil {
			l := label(name)
			if l.Text != "" {
				attributes = "label=" + quoteDOT(name+"\n"+l.Text)
			}
			if l.Color != "" {
				attributes += ", color=" + quoteDOT(l.Color)
			}
		}
		fmt.Fprintf(&b, "\t%s [%s];\n", quoteDOT(name), attributes)
	}
	red := g.cycleEdges()
	for i, deps := range g.deps {
		for _, d := range deps {
			style := ""
			if red[[2]int{i, d}] {
				style = " [color=red, penwidth=2]"
			}
			fmt.Fprintf(&b, "\t%s -> %s%s;\n", quoteDOT(g.names[d]), quoteDOT(g.names[i]), style)
		}
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func (g *Graph) cycleEdges() map[[2]int]bool {
	edges := make(map[[2]int]bool)
	_, cycles := g.Order()
	for _, c := range cycles {
		for k, m := range c.Members {
			next := c.Members[(k+1)%len(c.Members)]
			edges[[2]int{g.index[m], g.index[next]}] = true
		}
	}
	return edges
}

func quoteDOT(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

// jsonGraph is the graph as JSON.
type jsonGraph struct {
	Nodes  []jsonNode `json:"nodes"`
	Cycles [][]string `json:"cycles,omitempty"`
}

type jsonNode struct {
	Name      string   `json:"name"`
	DependsOn []string `json:"depends_on"`
}

// MarshalJSON encodes {"nodes": [{"name", "depends_on"}], "cycles": [[...]]}.
func (g *Graph) MarshalJSON() ([]byte, error) {
	out := jsonGraph{Nodes: []jsonNode{}}
	for _, name := range g.names {
		out.Nodes = append(out.Nodes, jsonNode{Name: name, DependsOn: g.Dependencies(name)})
	}
	_, cycles := g.Order()
	for _, c := range cycles {
		out.Cycles = append(out.Cycles, c.Members)
	}
	return json.Marshal(out)
}

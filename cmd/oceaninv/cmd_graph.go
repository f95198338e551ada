package main

import (
	"encoding/json"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"oceaninv/workflow"
	"oceaninv/workflow/config"
	"oceaninv/workflow/dag"
	"oceaninv/workflow/stage"
)

func newGraphCommand(registry *stage.Registry) *cobra.Command {
	f := pipelineFlags{registry: registry}
	blocks := false
	cmd := &cobra.Command{
		Use:     "graph PIPELINE",
		GroupID: "pipeline",
		Short:   "Write the graph of actions, for dot or as JSON",
		Long: `Writes the graph of actions in Graphviz's language, or with --json as {"nodes": [{"name", "depends_on"}]}. Where the
pipeline has a cycle, the graph of its blocks is written with the cycle in red.

  oceaninv graph pipeline.hcl | dot -Tsvg > graph.svg`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.graph(args[0], blocks, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&blocks, "blocks", false, "show every block, variables and definitions too")
	return cmd
}

func (f *pipelineFlags) graph(path string, blocks bool, stdout, stderr io.Writer) error {
	p, loaded, diags := workflow.Open(workflow.Options{
		Registry: f.registry, Path: path, Assignments: f.assignments, Workdir: f.workdir, Results: f.results,
	})
	printDiagnostics(redact(stderr, loaded.Secrets), loaded.Files, diags)
	var g *dag.Graph
	switch {
	case p == nil || blocks:
		g = blockGraph(loaded.Graph)
	default:
		g = p.Graph()
	}
	if p != nil {
		p.Close()
	}
	if err := writeGraph(stdout, g, f.json); err != nil {
		return failed(err)
	}
	if diags.HasErrors() {
		return &exitError{code: exitBadInput}
	}
	return nil
}

func blockGraph(nodes []config.Node) *dag.Graph {
	g := new(dag.Graph)
	for _, n := range nodes {
		g.Add(n.Name)
	}
	for _, n := range nodes {
		for _, d := range n.DependsOn {
			g.Depend(n.Name, d)
		}
	}
	return g
}

func writeGraph(w io.Writer, g *dag.Graph, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(g)
	}
	return g.DOT(w, func(node string) dag.Label {
		if strings.HasPrefix(node, "var.") || strings.HasPrefix(node, "local.") {
			return dag.Label{Color: "gray"}
		}
		return dag.Label{}
	})
}

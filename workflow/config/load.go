package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/zclconf/go-cty/cty"

	"oceaninv/workflow/stage"
)

// Request says which pipeline to load and with which values.
type Request struct {
	// Path is the pipeline's file, or a directory of *.hcl files.
	Path string
	// Assignments are the values of variables given by the user, later ones winning.
	Assignments []Assignment
	// Registry is what the pipeline may name.
	Registry *stage.Registry
}

// Assignment is a variable's value from the command line: either one value or a file of them.
type Assignment struct {
	Name, Text string // from --var Name=Text
	File       string // from --var-file File
}

// Loaded is the outcome of Load. Files hold the sources, for printing diagnostics, and are never nil.
type Loaded struct {
	Pipeline *Pipeline // nil if there are errors
	Files    map[string]*hcl.File
	// Graph lists what every block of the root module refers to; it exists even when there are errors.
	Graph []Node
	// Secrets are the texts of sensitive values; diagnostics may hold them, and are to be printed without.
	Secrets []string
}

// Node is a declared block and the blocks it refers to.
type Node struct {
	Name      string
	DependsOn []string
}

// loader is the state of one Load.
type loader struct {
	registry *stage.Registry
	parser   *parser
	root     string // directory of the root module
	name     string
	pipeline *Pipeline
	broken   bool     // a file has syntax errors: what else is wrong with it cannot be told
	open     []string // modules being loaded, to refuse one that contains itself
}

// Load reads and evaluates a pipeline. All mistakes found are in the diagnostics; warnings may accompany a pipeline.
func Load(req Request) (Loaded, hcl.Diagnostics) {
	l := &loader{registry: req.Registry, parser: &parser{Parser: hclparse.NewParser()}}
	path, err := filepath.Abs(req.Path)
	if err != nil {
		return Loaded{Files: l.parser.Files()}, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Cannot read pipeline", Detail: err.Error()}}
	}
	src, diags := l.parseModule(path)
	if src == nil || l.broken {
		return Loaded{Files: l.parser.Files()}, diags
	}
	l.root = src.dir
	l.name = strings.TrimSuffix(filepath.Base(path), ".hcl")
	l.pipeline = &Pipeline{Name: l.name, Path: path, Dir: src.dir, Executors: make(map[string]*Executor)}
	l.open = []string{path}

	values, more := l.rootValues(src, req.Assignments)
	diags = append(diags, more...)
	s := l.newScope(src, "")
	diags = append(diags, s.bindVariables(values)...)
	diags = append(diags, s.evaluate()...)
	s.describe(l.pipeline)
	diags = withoutUnknown(diags)
	loaded := Loaded{Files: l.parser.Files(), Graph: s.nodes(), Secrets: l.pipeline.Secrets}
	if !diags.HasErrors() {
		l.finish()
		loaded.Pipeline = l.pipeline
	}
	return loaded, diags
}

// withoutUnknown drops complaints that a value is not known: everything is known before a run, except what some other
// diagnostic is about.
func withoutUnknown(diags hcl.Diagnostics) hcl.Diagnostics {
	rest := slices.DeleteFunc(slices.Clone(diags), func(d *hcl.Diagnostic) bool {
		return d.Detail == "Unsuitable value: value must be known"
	})
	if rest.HasErrors() {
		return rest
	}
	return diags
}

// finish sorts what was gathered and puts dependencies before dependents.
func (l *loader) finish() {
	p := l.pipeline
	p.Read = append(p.Read, l.parser.files...)
	slices.Sort(p.Read)
	p.Read = slices.Compact(p.Read)
	p.Actions = sortActions(p.Actions)
}

// sortActions orders actions so that dependencies come first. They form no cycle: the blocks they stem from do not.
func sortActions(actions []*Action) []*Action {
	at := make(map[string]*Action, len(actions))
	for _, a := range actions {
		at[a.Address] = a
	}
	done := make(map[string]bool, len(actions))
	var sorted []*Action
	var visit func(a *Action)
	visit = func(a *Action) {
		if done[a.Address] {
			return
		}
		done[a.Address] = true
		for _, d := range a.DependsOn {
			visit(at[d])
		}
		sorted = append(sorted, a)
	}
	for _, a := range actions {
		visit(a)
	}
	return sorted
}

func (l *loader) read(path string) { l.pipeline.Read = append(l.pipeline.Read, path) }

// pathValue is what path.* means in a module.
func (l *loader) pathValue(dir string) cty.Value {
	cwd, err := os.Getwd()
	if err != nil {
		cwd = dir
	}
	return cty.ObjectVal(map[string]cty.Value{
		"module": cty.StringVal(dir), "root": cty.StringVal(l.root), "cwd": cty.StringVal(cwd),
	})
}

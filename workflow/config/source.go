package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"oceaninv/workflow/stage"
)

// autoSuffix ends the names of files that hold variable values and are read without being asked for.
const autoSuffix = ".auto.hcl"

// source is one module's blocks as written, by node name where they have one.
type source struct {
	dir       string
	variables []*hclsyntax.Block
	locals    []*hclsyntax.Attribute
	blocks    []*hclsyntax.Block // stages, definitions, modules, outputs, in order
	executors []*hclsyntax.Block
	at        map[string]hcl.Range // where each name was declared
}

// parser reads each file once and keeps it for diagnostics.
type parser struct {
	*hclparse.Parser
	files []string
}

func (p *parser) read(path string) (*hclsyntax.Body, hcl.Diagnostics) {
	p.files = append(p.files, path)
	file, diags := p.ParseHCLFile(path)
	if file == nil {
		return nil, diags
	}
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok {
		panic("config: native syntax expected")
	}
	return body, diags
}

// moduleFiles lists the files of the module at path: itself, or a directory's *.hcl files but the automatic values.
func moduleFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		var at *fs.PathError
		if errors.As(err, &at) {
			err = at.Err
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	files, err := filepath.Glob(filepath.Join(path, "*.hcl"))
	if err != nil {
		return nil, err
	}
	files = slices.DeleteFunc(files, func(f string) bool { return strings.HasSuffix(f, autoSuffix) })
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no .hcl file in this directory", path)
	}
	return files, nil
}

func (l *loader) parseModule(path string) (*source, hcl.Diagnostics) {
	files, err := moduleFiles(path)
	if err != nil {
		return nil, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Cannot read pipeline", Detail: err.Error() + "."}}
	}
	src := &source{dir: filepath.Dir(files[0]), at: make(map[string]hcl.Range)}
	var diags hcl.Diagnostics
	for _, f := range files {
		body, more := l.parser.read(f)
		diags = append(diags, more...)
		if body == nil || more.HasErrors() {
			l.broken = true
			continue
		}
		for _, a := range sortedAttributes(body) {
			diags = append(diags, errorAt(a.SrcRange, "Argument outside a block",
				"A pipeline consists of blocks; %q stands alone. Values with names go into a locals block.", a.Name))
		}
		for _, b := range body.Blocks {
			diags = append(diags, l.collect(src, b)...)
		}
	}
	return src, diags
}

// labels are the labels each block type has; definitions have a name.
var labels = map[string][]string{
	"variable": {"name"}, "locals": {}, "stage": {"kind", "name"}, "module": {"name"}, "output": {"name"}, "executor": {"name"},
}

func (l *loader) collect(src *source, b *hclsyntax.Block) hcl.Diagnostics {
	want, builtin := labels[b.Type]
	if _, ok := l.registry.Definition(b.Type); ok {
		want = []string{"name"}
	} else if !builtin {
		known := append([]string{"variable", "locals", "stage", "module", "output", "executor"}, l.registry.DefinitionNames()...)
		detail := fmt.Sprintf("Blocks of type %q are not expected here.%s", b.Type, stage.DidYouMean(b.Type, known))
		if slices.Contains(l.registry.KindNames(), b.Type) {
			detail = fmt.Sprintf("%q is a kind of stage: write stage %q \"name\" { ... }.", b.Type, b.Type)
		}
		return hcl.Diagnostics{errorAt(b.TypeRange, "Unsupported block type", "%s", detail)}
	}
	if len(b.Labels) != len(want) {
		return hcl.Diagnostics{errorAt(b.DefRange(), "Wrong number of labels", "%s",
			labelAdvice(b.Type, want))}
	}
	return l.declare(src, b)
}

func labelAdvice(blockType string, want []string) string {
	written := blockType
	for _, w := range want {
		written += fmt.Sprintf(" %q", w)
	}
	return fmt.Sprintf("The block is written %s { ... }.", written)
}

func (l *loader) declare(src *source, b *hclsyntax.Block) (diags hcl.Diagnostics) {
	if b.Type == "locals" {
		for _, inner := range b.Body.Blocks {
			diags = append(diags, errorAt(inner.TypeRange, "Block in locals", "A locals block holds arguments only."))
		}
		for _, a := range sortedAttributes(b.Body) {
			if d := src.name("local."+a.Name, a.NameRange); d != nil {
				diags = append(diags, d)
				continue
			}
			src.locals = append(src.locals, a)
		}
		return diags
	}
	name := b.Labels[len(b.Labels)-1]
	if !hclsyntax.ValidIdentifier(name) {
		return hcl.Diagnostics{errorAt(b.LabelRanges[len(b.LabelRanges)-1], "Invalid name",
			"%q cannot be a name: it must start with a letter and hold letters, digits, underscores and dashes.", name)}
	}
	if d := src.name(nodeName(b), b.DefRange()); d != nil {
		return hcl.Diagnostics{d}
	}
	switch b.Type {
	case "variable":
		src.variables = append(src.variables, b)
	case "executor":
		src.executors = append(src.executors, b)
	default:
		src.blocks = append(src.blocks, b)
	}
	return nil
}

// nodeName is the reference by which other blocks mean this one.
func nodeName(b *hclsyntax.Block) string {
	root := b.Type
	if root == "variable" {
		root = "var"
	}
	return root + "." + b.Labels[len(b.Labels)-1]
}

func (s *source) name(node string, at hcl.Range) *hcl.Diagnostic {
	if first, twice := s.at[node]; twice {
		return errorAt(at, "Declared twice", "%s was already declared at %s:%d.", node, filepath.Base(first.Filename), first.Start.Line)
	}
	s.at[node] = at
	return nil
}

func sortedAttributes(body *hclsyntax.Body) []*hclsyntax.Attribute {
	var attrs []*hclsyntax.Attribute
	for _, a := range body.Attributes {
		attrs = append(attrs, a)
	}
	slices.SortFunc(attrs, func(a, b *hclsyntax.Attribute) int { return a.SrcRange.Start.Byte - b.SrcRange.Start.Byte })
	return attrs
}

func errorAt(at hcl.Range, summary, format string, args ...any) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(format, args...), Subject: &at}
}

package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"oceaninv/workflow/dag"
	"oceaninv/workflow/stage"
)

// scope is one instance of a module: the names its expressions see, and their values as they become known.
type scope struct {
	loader    *loader
	src       *source
	prefix    string // "module.m." before the addresses of its stages
	functions map[string]function.Function
	values    map[string]cty.Value // by node
	poisoned  map[string]bool      // nodes whose value is unknown because they, or what they use, are faulty
	roots     map[string]bool      // first steps of references
	refs      map[string][]string  // nodes a node refers to
	variables []Variable
	outputs   []Output
	actions   map[string][]string // addresses of the actions a node stands for
}

func (l *loader) newScope(src *source, prefix string) *scope {
	s := &scope{
		loader: l, src: src, prefix: prefix, functions: functions(src.dir, l.read),
		values: make(map[string]cty.Value), poisoned: make(map[string]bool), refs: make(map[string][]string),
		actions: make(map[string][]string),
		roots:   map[string]bool{"var": true, "local": true, "stage": true, "module": true},
	}
	for _, name := range l.registry.DefinitionNames() {
		s.roots[name] = true
	}
	return s
}

func (s *scope) bind(node string, v cty.Value) { s.values[node] = v }

func (s *scope) poison(node string) {
	s.poisoned[node] = true
	s.values[node] = cty.DynamicVal
}

// evaluate evaluates every block of the module, what it refers to first.
func (s *scope) evaluate() (diags hcl.Diagnostics) {
	g := new(dag.Graph)
	locals := make(map[string]*hclsyntax.Attribute)
	blocks := make(map[string]*hclsyntax.Block)
	for _, a := range s.src.locals {
		node := "local." + a.Name
		locals[node] = a
		g.Add(node)
		s.refs[node] = s.nodesOf(hclsyntax.Variables(a.Expr))
	}
	for _, b := range s.src.blocks {
		node := nodeName(b)
		blocks[node] = b
		g.Add(node)
		s.refs[node] = s.nodesOf(references(b.Body))
	}
	for _, node := range g.Nodes() {
		for _, ref := range s.refs[node] {
			if !strings.HasPrefix(ref, "var.") && s.declared(ref) {
				g.Depend(node, ref)
			}
		}
	}
	order, cycles := g.Order()
	for _, c := range cycles {
		diags = append(diags, s.cycle(c))
	}
	for _, node := range order {
		if a, ok := locals[node]; ok {
			diags = append(diags, s.evaluateLocal(node, a)...)
			continue
		}
		diags = append(diags, s.evaluateBlock(node, blocks[node])...)
	}
	for _, b := range s.src.executors {
		diags = append(diags, s.evaluateExecutor(b)...)
	}
	return diags
}

func (s *scope) cycle(c *dag.CycleError) *hcl.Diagnostic {
	first := c.Members[0]
	detail := fmt.Sprintf("These blocks refer to each other in a circle, so none can come first: %s -> %s.",
		strings.Join(c.Members, " -> "), first)
	if len(c.Members) == 1 {
		detail = fmt.Sprintf("%s refers to itself.", first)
	}
	return errorAt(s.src.at[first], "Cycle", "%s", detail)
}

func (s *scope) declared(node string) bool {
	_, ok := s.src.at[node]
	return ok
}

// references lists the references in a body and all bodies nested in it, in source order. What dynamic blocks and for
// expressions name themselves is left out.
func references(body *hclsyntax.Body) []hcl.Traversal {
	iterators := make(map[string]bool)
	dynamicIterators(body, iterators)
	var refs []hcl.Traversal
	for _, e := range expressions(body) {
		for _, t := range hclsyntax.Variables(e) {
			if !iterators[t.RootName()] {
				refs = append(refs, t)
			}
		}
	}
	slices.SortFunc(refs, func(a, b hcl.Traversal) int { return a.SourceRange().Start.Byte - b.SourceRange().Start.Byte })
	return refs
}

func dynamicIterators(body *hclsyntax.Body, into map[string]bool) {
	for _, b := range body.Blocks {
		if b.Type == "dynamic" && len(b.Labels) == 1 {
			name := b.Labels[0]
			if it, ok := b.Body.Attributes["iterator"]; ok {
				name = hcl.ExprAsKeyword(it.Expr)
			}
			into[name] = true
		}
		dynamicIterators(b.Body, into)
	}
}

// nodesOf lists the blocks that references mean, once each.
func (s *scope) nodesOf(refs []hcl.Traversal) []string {
	var nodes []string
	for _, t := range refs {
		if node := s.nodeOf(t); node != "" && !slices.Contains(nodes, node) {
			nodes = append(nodes, node)
		}
	}
	return nodes
}

// nodeOf is the block a reference means; "" if it means none.
func (s *scope) nodeOf(t hcl.Traversal) string {
	if !s.roots[t.RootName()] || len(t) < 2 {
		return ""
	}
	if name := stepName(t[1]); name != "" {
		return t.RootName() + "." + name
	}
	return ""
}

func stepName(step hcl.Traverser) string {
	switch step := step.(type) {
	case hcl.TraverseAttr:
		return step.Name
	case hcl.TraverseIndex:
		if step.Key.Type() == cty.String {
			return step.Key.AsString()
		}
	}
	return ""
}

// context is what expressions with these references see. Only what is named is in it: contexts stay small however
// large the pipeline.
func (s *scope) context(nodes []string) *hcl.EvalContext {
	objects := make(map[string]map[string]cty.Value)
	for root := range s.roots {
		objects[root] = make(map[string]cty.Value)
	}
	for _, node := range nodes {
		root, name, _ := strings.Cut(node, ".")
		v, ok := s.values[node]
		if !ok {
			v = cty.DynamicVal
		}
		objects[root][name] = v
	}
	variables := map[string]cty.Value{
		"path":     s.loader.pathValue(s.src.dir),
		"pipeline": cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal(s.loader.name)}),
	}
	for root, object := range objects {
		variables[root] = cty.ObjectVal(object)
	}
	return &hcl.EvalContext{Variables: variables, Functions: s.functions}
}

// check reports references that lead nowhere. It also returns the ranges of all top-level expressions that cannot be
// evaluated, for that reason or because what they name is faulty: diagnostics inside them would be echoes.
func (s *scope) check(exprs []hclsyntax.Expression, iterators map[string]bool) (diags hcl.Diagnostics, faulty []hcl.Range) {
	for _, e := range exprs {
		bad := false
		for _, t := range hclsyntax.Variables(e) {
			if iterators[t.RootName()] {
				continue
			}
			d := s.checkReference(t)
			if d != nil {
				diags = append(diags, d)
			}
			bad = bad || d != nil || s.poisoned[s.nodeOf(t)]
		}
		if bad {
			faulty = append(faulty, e.Range())
		}
	}
	return diags, faulty
}

func (s *scope) checkReference(t hcl.Traversal) *hcl.Diagnostic {
	if !s.roots[t.RootName()] {
		return nil // the evaluation knows each, path, pipeline and for variables, and reports the rest
	}
	node := s.nodeOf(t)
	if node == "" {
		return errorAt(t.SourceRange(), "Incomplete reference", "%q must be followed by a name: %s.name.", t.RootName(), t.RootName())
	}
	if s.declared(node) {
		return s.checkSteps(t, node)
	}
	root, name, _ := strings.Cut(node, ".")
	var known []string
	for other := range s.src.at {
		if r, n, _ := strings.Cut(other, "."); r == root {
			known = append(known, n)
		}
	}
	slices.Sort(known)
	hint := stage.DidYouMean(name, known)
	if hint == "" {
		hint = otherRoot(name, s.src.at)
	}
	what := map[string]string{"var": "variable", "local": "local value"}[root]
	if what == "" {
		what = root
	}
	return errorAt(t.SourceRange(), "Reference to undeclared "+what, "There is no %s named %q.%s", what, name, hint)
}

// otherRoot hints at a block of that name of another type.
func otherRoot(name string, declared map[string]hcl.Range) string {
	for _, node := range slices.Sorted(maps.Keys(declared)) {
		if _, n, _ := strings.Cut(node, "."); n == name && !strings.HasPrefix(node, "output.") {
			return fmt.Sprintf(" Did you mean %s?", node)
		}
	}
	return ""
}

// checkSteps follows the rest of a reference through the value as far as that is an object, to say what is there
// instead of what is missing.
func (s *scope) checkSteps(t hcl.Traversal, node string) *hcl.Diagnostic {
	v := s.values[node]
	reached := node
	for _, step := range t[2:] {
		name := stepName(step)
		if v == cty.NilVal || !v.IsKnown() || v.IsNull() || !v.Type().IsObjectType() || name == "" {
			return nil
		}
		attributes := v.Type().AttributeTypes()
		if _, ok := attributes[name]; !ok {
			known := slices.Sorted(maps.Keys(attributes))
			at := t.SourceRange()
			hint := stage.DidYouMean(name, known)
			if hint == "" && len(known) <= 12 {
				hint = " It has: " + strings.Join(known, ", ") + "."
			}
			return errorAt(at, "Unsupported attribute", "%s has no attribute %q.%s", reached, name, hint)
		}
		v = v.GetAttr(name)
		reached += "." + name
	}
	return nil
}

// withoutEchoes drops the diagnostics inside expressions already known to be faulty.
func withoutEchoes(diags hcl.Diagnostics, faulty []hcl.Range) hcl.Diagnostics {
	return slices.DeleteFunc(diags, func(d *hcl.Diagnostic) bool {
		return d.Subject != nil && slices.ContainsFunc(faulty, func(r hcl.Range) bool {
			return r.Filename == d.Subject.Filename && d.Subject.Start.Byte >= r.Start.Byte && d.Subject.Start.Byte <= r.End.Byte
		})
	})
}

// expressions lists the arguments' expressions in a body and the bodies nested in it.
func expressions(body *hclsyntax.Body) []hclsyntax.Expression {
	var exprs []hclsyntax.Expression
	for _, a := range sortedAttributes(body) {
		exprs = append(exprs, a.Expr)
	}
	for _, b := range body.Blocks {
		exprs = append(exprs, expressions(b.Body)...)
	}
	return exprs
}

// nodes lists the module's blocks and what they refer to.
func (s *scope) nodes() []Node {
	var nodes []Node
	for _, b := range s.src.variables {
		nodes = append(nodes, Node{Name: nodeName(b)})
	}
	for _, a := range s.src.locals {
		nodes = append(nodes, Node{Name: "local." + a.Name, DependsOn: s.refs["local."+a.Name]})
	}
	for _, b := range s.src.blocks {
		nodes = append(nodes, Node{Name: nodeName(b), DependsOn: s.refs[nodeName(b)]})
	}
	return nodes
}

// describe hands the root module's variables and outputs to the pipeline.
func (s *scope) describe(p *Pipeline) { p.Variables, p.Outputs = s.variables, s.outputs }

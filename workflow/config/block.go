package config

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/dynblock"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"oceaninv/workflow/stage"
)

func (s *scope) evaluateLocal(node string, a *hclsyntax.Attribute) hcl.Diagnostics {
	diags, faulty := s.check([]hclsyntax.Expression{a.Expr}, nil)
	v, more := a.Expr.Value(s.context(s.refs[node]))
	diags = append(diags, withoutEchoes(more, faulty)...)
	if diags.HasErrors() || len(faulty) > 0 {
		s.poison(node)
		return diags
	}
	s.bind(node, v)
	return diags
}

// blockEval is a block being evaluated.
type blockEval struct {
	scope   *scope
	node    string
	block   *hclsyntax.Block
	context *hcl.EvalContext
	faulty  []hcl.Range
	diags   hcl.Diagnostics
}

func (s *scope) evaluateBlock(node string, b *hclsyntax.Block) hcl.Diagnostics {
	iterators := make(map[string]bool)
	dynamicIterators(b.Body, iterators)
	e := &blockEval{scope: s, node: node, block: b, context: s.context(s.refs[node])}
	e.diags, e.faulty = s.check(expressions(b.Body), iterators)
	e.checkEach(iterators)
	var v cty.Value
	switch b.Type {
	case "stage":
		v = e.stages()
	case "module":
		v = e.modules()
	case "output":
		v = e.output()
	default:
		v = e.definitions()
	}
	if e.diags.HasErrors() || len(e.faulty) > 0 {
		s.poison(node)
		if b.Type == "stage" && v != cty.NilVal && len(e.faulty) > 0 && !e.diags.HasErrors() {
			s.bind(node, v) // its outputs are known all the same, so that what uses them can be checked
		}
		return e.diags
	}
	s.bind(node, v)
	return e.diags
}

// checkEach reports each.key and each.value where there is no for_each.
func (e *blockEval) checkEach(iterators map[string]bool) {
	if _, ok := e.block.Body.Attributes["for_each"]; ok || iterators["each"] {
		return
	}
	for _, expr := range expressions(e.block.Body) {
		for _, t := range hclsyntax.Variables(expr) {
			if t.RootName() == "each" {
				e.report(errorAt(t.SourceRange(), "No for_each", "each.key and each.value exist in blocks with for_each only."))
				e.faulty = append(e.faulty, expr.Range())
			}
		}
	}
}

// report adds diagnostics but those that only echo what is known already.
func (e *blockEval) report(diags ...*hcl.Diagnostic) {
	e.diags = append(e.diags, withoutEchoes(slices.Clone(diags), e.faulty)...) // filtered in place
}

// instance is one element of a for_each, or the only one of a block without.
type instance struct {
	key     string
	keyed   bool
	context *hcl.EvalContext
}

// suffix is the instance's key as addresses have it.
func (i instance) suffix() string {
	if !i.keyed {
		return ""
	}
	return fmt.Sprintf("[%q]", i.key)
}

var forEachSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "for_each"}}}

// instances evaluates for_each. The result is nil after an error; the flag tells a keyed block.
func (e *blockEval) instances() (all []instance, keyed bool) {
	attr, ok := e.block.Body.Attributes["for_each"]
	if !ok {
		return []instance{{context: e.context}}, false
	}
	v, diags := attr.Expr.Value(e.context)
	if e.report(diags...); diags.HasErrors() || !v.IsKnown() {
		return nil, true
	}
	if problem := forEachProblem(v); problem != "" {
		e.report(errorAt(attr.Expr.Range(), "Unsuitable for_each", "%s", problem))
		return nil, true
	}
	all = []instance{}
	for it := v.ElementIterator(); it.Next(); { // once: iterating sorts a set, each time
		key, value := it.Element()
		if !key.IsKnown() || !value.IsWhollyKnown() {
			return nil, true
		}
		if key.IsNull() {
			e.report(errorAt(attr.Expr.Range(), "Unsuitable for_each", "The set holds a null; every element must be a string."))
			return nil, true
		}
		child := e.context.NewChild()
		child.Variables = map[string]cty.Value{"each": cty.ObjectVal(map[string]cty.Value{"key": key, "value": value})}
		all = append(all, instance{key: key.AsString(), keyed: true, context: child})
	}
	slices.SortFunc(all, func(a, b instance) int { return compareKeys(a.key, b.key) })
	return all, true
}

func forEachProblem(v cty.Value) string {
	t := v.Type()
	switch {
	case v.IsNull():
		return "for_each is null; an empty map gives no instances."
	case t.IsMapType() || t.IsObjectType():
		return ""
	case t.IsSetType() && t.ElementType() == cty.String:
		return ""
	case t.IsSetType() && v.LengthInt() == 0:
		return ""
	case t.IsTupleType() || t.IsListType():
		return "for_each takes a map or a set of strings; make a set of a list with toset([...])."
	}
	return "for_each takes a map or a set of strings, not a " + t.FriendlyName() + "."
}

// compareKeys orders keys by length first where they are numbers, so that "10" comes after "9".
func compareKeys(a, b string) int {
	if isDigits(a) && isDigits(b) && len(a) != len(b) {
		return len(a) - len(b)
	}
	if a < b {
		return -1
	}
	if a > b {
		return 1
	}
	return 0
}

func isDigits(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return s != ""
}

// each evaluates every instance and makes the value of the block of theirs: one value, or an object by key.
func (e *blockEval) each(one func(instance) cty.Value) cty.Value {
	all, keyed := e.instances()
	if all == nil {
		return cty.NilVal
	}
	if !keyed {
		return one(all[0])
	}
	values := make(map[string]cty.Value, len(all))
	for _, i := range all {
		v := one(i)
		if v == cty.NilVal {
			v = cty.DynamicVal
		}
		values[i.key] = v
	}
	return cty.ObjectVal(values)
}

func (e *blockEval) decoder(body hcl.Body, i instance) *stage.Decoder {
	return &stage.Decoder{
		Name: e.block.Labels[len(e.block.Labels)-1], Body: dynblock.Expand(body, i.context), Context: i.context,
		Dir: e.scope.src.dir, Syntax: e.block,
	}
}

func (e *blockEval) definitions() cty.Value {
	definition, _ := e.scope.loader.registry.Definition(e.block.Type)
	return e.each(func(i instance) cty.Value {
		_, body, diags := e.block.Body.PartialContent(forEachSchema)
		e.report(diags...)
		d := e.decoder(body, i)
		value := definition.Decode(d)
		e.report(d.Diagnostics()...)
		for _, f := range d.Files() {
			e.scope.loader.read(f)
		}
		if d.HasErrors() {
			return cty.NilVal
		}
		v, err := stage.EncodeValue(value)
		if err != nil {
			e.report(errorAt(e.block.DefRange(), "Not a value", "%s cannot be used: %s.", e.node, err))
			return cty.NilVal
		}
		p := e.scope.loader.pipeline
		p.Definitions = append(p.Definitions, Definition{e.block.Type, e.scope.prefix + d.Name + i.suffix(), v})
		return v
	})
}

var outputSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{
	{Name: "value", Required: true}, {Name: "description"}, {Name: "sensitive"},
}}

func (e *blockEval) output() cty.Value {
	content, diags := e.block.Body.Content(outputSchema)
	e.report(diags...)
	if content == nil || content.Attributes["value"] == nil {
		return cty.NilVal
	}
	out := Output{Name: e.block.Labels[0]}
	var diagsV hcl.Diagnostics
	out.Value, diagsV = content.Attributes["value"].Expr.Value(e.context)
	e.report(diagsV...)
	if a := content.Attributes["description"]; a != nil {
		out.Description, _ = e.stringValue(a.Expr)
	}
	if a := content.Attributes["sensitive"]; a != nil {
		v, diags := a.Expr.Value(e.context)
		e.report(diags...)
		out.Sensitive = !diags.HasErrors() && v.Type() == cty.Bool && v.IsKnown() && !v.IsNull() && v.True()
	}
	if out.Sensitive {
		e.scope.loader.hide(out.Value)
	}
	e.scope.outputs = append(e.scope.outputs, out)
	return out.Value
}

func (e *blockEval) stringValue(expr hcl.Expression) (string, bool) {
	v, diags := expr.Value(e.context)
	e.report(diags...)
	if diags.HasErrors() || !v.IsKnown() {
		return "", false
	}
	if v.IsNull() || v.Type() != cty.String {
		e.report(errorAt(expr.Range(), "Unsuitable value", "A string is required."))
		return "", false
	}
	return v.AsString(), true
}

func (s *scope) evaluateExecutor(b *hclsyntax.Block) hcl.Diagnostics {
	refs := references(b.Body)
	diags, _ := s.check(expressions(b.Body), nil)
	if s.prefix != "" {
		return append(diags, errorAt(b.DefRange(), "Executor in a module", "Executors belong to the root module."))
	}
	name := b.Labels[0]
	s.loader.pipeline.Executors[name] = &Executor{Name: name, Body: b.Body, Context: s.context(s.nodesOf(refs)), Range: b.DefRange()}
	return diags
}

// sortedKeys is the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

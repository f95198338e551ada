package config

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"oceaninv/workflow/stage"
)

var moduleSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "source", Required: true}, {Name: "for_each"}}}

// modules loads the module and evaluates it once per instance; its value is its outputs.
func (e *blockEval) modules() cty.Value {
	content, rest, diags := e.block.Body.PartialContent(moduleSchema)
	e.report(diags...)
	if content == nil || content.Attributes["source"] == nil {
		return cty.NilVal
	}
	src, path := e.moduleSource(content.Attributes["source"])
	if src == nil {
		return cty.NilVal
	}
	arguments, diags := rest.JustAttributes()
	e.report(diags...)
	for _, name := range sortedKeys(arguments) {
		if _, ok := src.at["var."+name]; !ok {
			e.report(errorAt(arguments[name].Range, "Unsupported argument", "The module has no variable %q.%s", name,
				stage.DidYouMean(name, src.variableNames())))
		}
	}
	l := e.scope.loader
	l.open = append(l.open, path)
	defer func() { l.open = l.open[:len(l.open)-1] }()
	return e.each(func(i instance) cty.Value { return e.module(src, arguments, i) })
}

func (e *blockEval) moduleSource(attr *hcl.Attribute) (*source, string) {
	text, ok := e.stringValue(attr.Expr)
	if !ok {
		return nil, ""
	}
	path := within(e.scope.src.dir, text)
	l := e.scope.loader
	if slices.Contains(l.open, path) {
		e.report(errorAt(attr.Expr.Range(), "Module contains itself", "%s is already being loaded: %s.", text, strings.Join(l.open, " -> ")))
		return nil, ""
	}
	if _, err := moduleFiles(path); err != nil {
		e.report(errorAt(attr.Expr.Range(), "Cannot read module", "%s. The path starts from %s.", err, filepath.Clean(e.scope.src.dir)))
		return nil, ""
	}
	src, diags := l.parseModule(path)
	e.report(diags...)
	return src, path
}

func (e *blockEval) module(src *source, arguments hcl.Attributes, i instance) cty.Value {
	values := make(map[string]given)
	for name, a := range arguments {
		v, diags := a.Expr.Value(i.context)
		e.report(diags...)
		values[name] = given{value: v, at: a.Expr.Range()}
	}
	if e.diags.HasErrors() || len(e.faulty) > 0 {
		return cty.NilVal
	}
	child := e.scope.loader.newScope(src, e.scope.prefix+"module."+e.block.Labels[0]+i.suffix()+".")
	e.report(child.bindVariables(values)...)
	e.report(child.evaluate()...)
	for _, addresses := range child.actions {
		e.scope.actions[e.node] = append(e.scope.actions[e.node], addresses...)
	}
	slices.Sort(e.scope.actions[e.node])
	outputs := make(map[string]cty.Value)
	for _, o := range child.outputs {
		outputs[o.Name] = o.Value
	}
	return cty.ObjectVal(outputs)
}

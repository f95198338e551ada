package config

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"oceaninv/workflow/stage"
)

// envPrefix begins the names of environment variables that give values to pipeline variables.
const envPrefix = "OCEANINV_VAR_"

// given is a value for a variable and where it came from. Text from the command line or the environment is only parsed
// once the variable's type is known.
type given struct {
	value cty.Value
	text  *string
	at    hcl.Range
	from  string // for messages, when there is no range
}

// rootValues gathers the root module's variable values: environment, then automatic files, then the command line.
func (l *loader) rootValues(src *source, assignments []Assignment) (map[string]given, hcl.Diagnostics) {
	values := make(map[string]given)
	for _, kv := range os.Environ() {
		if name, text, ok := strings.Cut(strings.TrimPrefix(kv, envPrefix), "="); ok && strings.HasPrefix(kv, envPrefix) {
			values[name] = given{text: &text, from: "environment variable " + envPrefix + name}
		}
	}
	auto, _ := filepath.Glob(filepath.Join(src.dir, "*"+autoSuffix)) // the pattern is well formed
	slices.Sort(auto)
	var diags hcl.Diagnostics
	for _, f := range auto {
		diags = append(diags, l.valuesFile(src, f, values)...)
	}
	for _, a := range assignments {
		if a.File != "" {
			diags = append(diags, l.valuesFile(src, a.File, values)...)
			continue
		}
		if _, ok := src.at["var."+a.Name]; !ok {
			diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Undeclared variable",
				Detail: "--var gives a value to " + a.Name + ", but the pipeline has no variable of that name." +
					stage.DidYouMean(a.Name, src.variableNames())})
			continue
		}
		values[a.Name] = given{text: &a.Text, from: "--var " + a.Name}
	}
	return values, diags
}

// valuesFile reads a file of name = value lines. A name that is no variable is a warning: one file may serve several
// pipelines.
func (l *loader) valuesFile(src *source, path string, into map[string]given) hcl.Diagnostics {
	body, diags := l.parser.read(path)
	if body == nil {
		return diags
	}
	for _, b := range body.Blocks {
		diags = append(diags, errorAt(b.DefRange(), "Block among values", "A file of variable values holds lines name = value only."))
	}
	for _, a := range sortedAttributes(body) {
		if _, ok := src.at["var."+a.Name]; !ok {
			d := errorAt(a.SrcRange, "Undeclared variable", "The pipeline has no variable %q; the value is not used.%s",
				a.Name, stage.DidYouMean(a.Name, src.variableNames()))
			d.Severity = hcl.DiagWarning
			diags = append(diags, d)
			continue
		}
		v, more := a.Expr.Value(&hcl.EvalContext{Functions: functions(filepath.Dir(path), l.read)})
		diags = append(diags, more...)
		if !more.HasErrors() {
			into[a.Name] = given{value: v, at: a.Expr.Range()}
		}
	}
	return diags
}

func (s *source) variableNames() []string {
	var names []string
	for _, b := range s.variables {
		names = append(names, b.Labels[0])
	}
	return names
}

// variable is a variable block as written.
type variable struct {
	Type        hcl.Expression `hcl:"type,optional"`
	Default     hcl.Expression `hcl:"default,optional"`
	Description string         `hcl:"description,optional"`
	Sensitive   bool           `hcl:"sensitive,optional"`
	Nullable    bool           `hcl:"nullable,optional"`
	Validations []validation   `hcl:"validation,block"`

	name     string
	typ      cty.Type
	defaults *typeexpr.Defaults
	fallback cty.Value // NilVal if required
}

type validation struct {
	Condition hcl.Expression `hcl:"condition"`
	Message   hcl.Expression `hcl:"error_message"`
}

// bindVariables evaluates the module's variable blocks with the given values.
func (s *scope) bindVariables(values map[string]given) (diags hcl.Diagnostics) {
	for _, b := range s.src.variables {
		node := nodeName(b)
		v, more := s.decodeVariable(b)
		diags = append(diags, more...)
		if more.HasErrors() {
			s.poison(node)
			continue
		}
		value, more := s.variableValue(v, b, values)
		diags = append(diags, more...)
		if more.HasErrors() {
			s.poison(node)
			continue
		}
		s.bind(node, value)
		if v.Sensitive {
			s.loader.hide(value)
		}
		s.variables = append(s.variables, Variable{Name: v.name, Description: v.Description, Sensitive: v.Sensitive, Value: value})
		if more := s.validate(v, value); more.HasErrors() {
			diags = append(diags, more...)
			s.poison(node)
		}
	}
	return diags
}

func (s *scope) decodeVariable(b *hclsyntax.Block) (*variable, hcl.Diagnostics) {
	v := &variable{name: b.Labels[0], Nullable: true, typ: cty.DynamicPseudoType}
	context := &hcl.EvalContext{Functions: s.functions}
	diags := gohcl.DecodeBody(b.Body, context, v)
	if diags.HasErrors() {
		return v, diags
	}
	if _, written := b.Body.Attributes["type"]; written {
		var more hcl.Diagnostics
		v.typ, v.defaults, more = typeexpr.TypeConstraintWithDefaults(v.Type)
		if diags = append(diags, more...); more.HasErrors() {
			return v, diags
		}
	}
	if _, written := b.Body.Attributes["default"]; written {
		value, more := v.Default.Value(context)
		if diags = append(diags, more...); more.HasErrors() {
			return v, diags
		}
		fallback, err := v.convert(value)
		if err != nil {
			return v, append(diags, errorAt(v.Default.Range(), "Unsuitable default", "The default is not a %s: %s.",
				typeexpr.TypeString(v.typ), err))
		}
		if fallback.IsNull() && !v.Nullable {
			return v, append(diags, errorAt(v.Default.Range(), "Unsuitable default", "The default is null, but nullable is false."))
		}
		v.fallback = fallback
	}
	return v, diags
}

// convert gives a value the variable's type.
func (v *variable) convert(value cty.Value) (cty.Value, error) {
	if v.defaults != nil && !value.IsNull() {
		value = v.defaults.Apply(value)
	}
	return convert.Convert(value, v.typ.WithoutOptionalAttributesDeep())
}

func (s *scope) variableValue(v *variable, b *hclsyntax.Block, values map[string]given) (cty.Value, hcl.Diagnostics) {
	g, ok := values[v.name]
	if !ok {
		if v.fallback == cty.NilVal {
			return cty.NilVal, hcl.Diagnostics{errorAt(b.DefRange(), "Variable without a value", "%s", s.howToGive(v.name))}
		}
		return v.fallback, nil
	}
	value, diags := g.value, hcl.Diagnostics(nil)
	if v.Sensitive {
		s.loader.hideGiven(g)
	}
	if g.text != nil {
		value, diags = parseText(*g.text, v.typ, g.from)
		if diags.HasErrors() {
			return cty.NilVal, diags
		}
	}
	converted, err := v.convert(value)
	if err == nil && converted.IsNull() && !v.Nullable {
		if v.fallback != cty.NilVal {
			return v.fallback, nil
		}
		return cty.NilVal, hcl.Diagnostics{g.problem("Unsuitable value", v.name+" must not be null.", b)}
	}
	if err != nil {
		return cty.NilVal, hcl.Diagnostics{g.problem("Unsuitable value",
			v.name+" must be a "+typeexpr.TypeString(v.typ)+": "+err.Error()+".", b)}
	}
	return converted, nil
}

func (s *scope) howToGive(name string) string {
	if s.prefix != "" {
		return "The module call must set " + name + ", which has no default."
	}
	return "The variable has no default. Give a value with --var " + name + "=..., in a --var-file, in a *" + autoSuffix +
		" file or as " + envPrefix + name + "."
}

// problem is an error at the value, or, when it came from outside any file, at the declaration.
func (g given) problem(summary, detail string, b *hclsyntax.Block) *hcl.Diagnostic {
	if g.text != nil {
		return errorAt(b.DefRange(), summary, "%s (The value comes from %s.)", detail, g.from)
	}
	return errorAt(g.at, summary, "%s", detail)
}

// parseText reads a value given outside HCL: verbatim for a string, as an expression for anything else.
func parseText(text string, typ cty.Type, from string) (cty.Value, hcl.Diagnostics) {
	if typ == cty.String {
		return cty.StringVal(text), nil
	}
	expr, diags := hclsyntax.ParseExpression([]byte(text), "<"+from+">", hcl.InitialPos)
	if !diags.HasErrors() {
		var v cty.Value
		v, diags = expr.Value(nil)
		if !diags.HasErrors() {
			return v, nil
		}
	}
	if typ == cty.DynamicPseudoType || typ.IsPrimitiveType() {
		return cty.StringVal(text), nil
	}
	return cty.NilVal, diags
}

func (s *scope) validate(v *variable, value cty.Value) (diags hcl.Diagnostics) {
	context := &hcl.EvalContext{
		Functions: s.functions,
		Variables: map[string]cty.Value{"var": cty.ObjectVal(map[string]cty.Value{v.name: value})},
	}
	for _, check := range v.Validations {
		result, more := check.Condition.Value(context)
		if diags = append(diags, more...); more.HasErrors() {
			continue
		}
		result, err := convert.Convert(result, cty.Bool)
		if err != nil || result.IsNull() {
			diags = append(diags, errorAt(check.Condition.Range(), "Condition is not true or false", "A validation's condition must be a bool."))
			continue
		}
		if result.True() {
			continue
		}
		text := "The value is not valid."
		if m, more := check.Message.Value(context); !more.HasErrors() && m.Type() == cty.String && !m.IsNull() {
			text = m.AsString()
		}
		d := errorAt(check.Condition.Range(), "Invalid value for variable "+v.name, "%s", text)
		if !v.Sensitive {
			d.Expression, d.EvalContext = check.Condition, context
		}
		diags = append(diags, d)
	}
	return diags
}

// hide remembers the texts inside a sensitive value.
func (l *loader) hide(v cty.Value) {
	_ = cty.Walk(v, func(_ cty.Path, v cty.Value) (bool, error) {
		if v.IsKnown() && !v.IsNull() && v.Type().IsPrimitiveType() {
			if text, err := convert.Convert(v, cty.String); err == nil {
				l.hideText(text.AsString())
			}
		}
		return true, nil
	})
}

// hideGiven hides a value before it is known to be one of the variable's type: what is said of it may hold it.
func (l *loader) hideGiven(g given) {
	if g.text != nil {
		l.hideText(*g.text)
	} else if g.value != cty.NilVal {
		l.hide(g.value)
	}
}

// hideText remembers a text to hide, as it is and as it stands in JSON; one or two letters would hide too much else. Longer
// texts come first, so that no part of one is left where a shorter one begins it.
func (l *loader) hideText(text string) {
	if len(text) <= 2 {
		return
	}
	all := []string{text}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(text) == nil {
		all = append(all, strings.Trim(strings.TrimSpace(b.String()), `"`))
	}
	if raw, err := json.Marshal(text); err == nil {
		all = append(all, strings.Trim(string(raw), `"`))
	}
	secrets := append(l.pipeline.Secrets, all...)
	slices.SortStableFunc(secrets, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	l.pipeline.Secrets = slices.Compact(secrets)
}

package stage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Decoder reads one block for a Kind or a Definition and gathers the diagnostics. Methods never stop at the first
// mistake, so that the user sees all of them at once.
type Decoder struct {
	// Name is the block's name: the last label.
	Name string
	// Body is what is left of the block after the engine's own arguments. Most kinds only need Decode.
	Body hcl.Body
	// Context evaluates expressions, each.key and each.value included.
	Context *hcl.EvalContext
	// Dir is the absolute path of the directory that relative paths start from: that of the file declaring the
	// block.
	Dir string
	// Syntax is the block as written, for Range.
	Syntax *hclsyntax.Block

	diags hcl.Diagnostics
	files []string
}

// Decode fills the struct that dst points to by its hcl tags. Fields of arguments that are absent keep the values
// they have: prefill defaults before the call. A field of type hcl.Expression gets the unevaluated expression, which
// is how inputs ([Decoder.Artifact]) and definitions ([Decoder.Convert]) are taken.
func (d *Decoder) Decode(dst any) {
	d.Report(gohcl.DecodeBody(d.Body, d.Context, dst)...)
	d.wholeNumbers(reflect.TypeOf(dst).Elem())
}

// wholeNumbers reports fractions given to the unsigned fields of a struct, a seed in practice. The conversion to signed
// integers refuses them, that to unsigned ones cuts them off: big.Float.Uint64 calls 1.5 exact.
func (d *Decoder) wholeNumbers(t reflect.Type) {
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("hcl"), ",")
		if k := t.Field(i).Type.Kind(); name == "" || k < reflect.Uint || k > reflect.Uint64 {
			continue
		}
		content, _, _ := d.Body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: name}}})
		attr, given := content.Attributes[name]
		if !given {
			continue
		}
		v, diags := attr.Expr.Value(d.Context)
		if diags.HasErrors() || !v.IsKnown() || v.IsNull() || v.Type() != cty.Number {
			continue // told by the decoding
		}
		if x := v.AsBigFloat(); !x.IsInt() {
			d.report(attr.Expr.Range(), "Unsuitable value", fmt.Sprintf("%s = %s: give a whole number.", name, x.Text('g', 6)))
		}
	}
}

// Convert evaluates the expression and decodes its value into dst through JSON, see [DecodeValue]. It reports
// false, leaving dst alone, when the expression is absent or null, and after an error.
func (d *Decoder) Convert(expr hcl.Expression, dst any) bool {
	v, ok := d.evaluate(expr)
	if !ok {
		return false
	}
	if err := DecodeValue(v, dst); err != nil {
		d.report(expr.Range(), "Unsuitable value", sentence(err.Error()))
		return false
	}
	return true
}

// Artifact evaluates an expression that names an input: a stage's output of one of the types, or the path of an
// external file. An absent or null expression gives an Input that is not Present, without an error: Decode has
// already reported a missing required argument.
func (d *Decoder) Artifact(name string, expr hcl.Expression, types ...Type) Input {
	v, ok := d.evaluate(expr)
	if !ok {
		return Input{}
	}
	in, _ := d.input(name, v, expr.Range(), types)
	return in
}

// Artifacts is Artifact for a list of any length: stage.fit.model, [a, b], or [for s in stage.fit : s.model]. All
// get the same name, and ws.Inputs(name) gives their paths in this order. A stage with for_each is refused with a hint.
func (d *Decoder) Artifacts(name string, expr hcl.Expression, types ...Type) []Input {
	v, ok := d.evaluate(expr)
	if !ok {
		return nil
	}
	if v.Type().Equals(HandleType) || v.Type() == cty.String {
		v = cty.TupleVal([]cty.Value{v})
	}
	if t := v.Type(); !t.IsTupleType() && !t.IsListType() && !t.IsSetType() {
		d.wrongArtifact(v, expr.Range(), types)
		return nil
	}
	var inputs []Input
	for it := v.ElementIterator(); it.Next(); {
		_, element := it.Element()
		if in, ok := d.input(name, element, expr.Range(), types); ok {
			inputs = append(inputs, in)
		}
	}
	return inputs
}

func (d *Decoder) input(name string, v cty.Value, at hcl.Range, types []Type) (Input, bool) {
	in := Input{Name: name, Range: at}
	switch {
	case v.IsNull() || !v.IsKnown():
		d.wrongArtifact(v, at, types)
		return in, false
	case v.Type() == cty.String:
		in.Path = d.file(v.AsString(), at)
		if len(types) == 1 {
			in.Type = types[0]
		}
		return in, in.Path != ""
	case v.Type().Equals(HandleType):
		in.Handle = v.EncapsulatedValue().(*Handle)
		in.Schema = in.Handle.Output.Schema
		if got := in.Handle.Output.Type; len(types) > 0 && !slices.Contains(types, got) && !slices.Contains(types, File) {
			d.report(at, "Wrong type of artifact",
				fmt.Sprintf("%s is a %s, but %s is required here.", in.Handle, got, oneOf(types)))
			return in, false
		}
		return in, true
	}
	d.wrongArtifact(v, at, types)
	return in, false
}

func (d *Decoder) wrongArtifact(v cty.Value, at hcl.Range, types []Type) {
	detail := fmt.Sprintf("%s is required here: a reference to an output such as stage.name.output, or the path of a file.",
		capitalise(oneOf(types)))
	if v.Type().IsObjectType() && v.IsKnown() && !v.IsNull() {
		if names := handlesIn(v); len(names) > 0 {
			detail += fmt.Sprintf(" A whole stage was given; name one of its outputs: %s.", strings.Join(names, ", "))
		} else {
			detail += " A stage with for_each needs its key: stage.name[\"key\"].output."
		}
	}
	d.report(at, "Not an artifact", detail)
}

// handlesIn lists the attributes of an object that are artifacts.
func handlesIn(v cty.Value) []string {
	var names []string
	for name, t := range v.Type().AttributeTypes() {
		if t.Equals(HandleType) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// File returns the absolute path of a file named in the block, and records that the pipeline reads it. A path that
// does not lead to a readable file is reported at the range.
func (d *Decoder) File(path string, at hcl.Range) (string, bool) {
	p := d.file(path, at)
	return p, p != ""
}

func (d *Decoder) file(path string, at hcl.Range) string {
	abs := path
	if !filepath.IsAbs(abs) {
		abs = filepath.Join(d.Dir, path)
	}
	f, err := os.Open(abs)
	if err == nil {
		var info fs.FileInfo
		if info, err = f.Stat(); err == nil && info.IsDir() {
			err = errors.New("is a directory")
		}
		f.Close()
	}
	if err != nil {
		var at2 *fs.PathError
		if errors.As(err, &at2) {
			err = at2.Err
		}
		d.report(at, "Cannot read file",
			fmt.Sprintf("%s: %v. Relative paths start from the directory of the file that names them.", path, err))
		return ""
	}
	d.files = append(d.files, abs)
	return abs
}

func (d *Decoder) evaluate(expr hcl.Expression) (cty.Value, bool) {
	if expr == nil {
		return cty.NilVal, false
	}
	v, diags := expr.Value(d.Context)
	d.Report(diags...)
	return v, !diags.HasErrors() && !v.IsNull()
}

// Errorf reports a mistake in what the user wrote. The path leads to the argument at fault through nested blocks:
// "training.learning_rate". A block that occurs more than once is named by its label, "layer.sediment.density", or
// counted from 0: "layer.1.density". As much of the
// path as exists is used, so "" is the whole block's header. State what is wrong and what to do, in full sentences.
func (d *Decoder) Errorf(path, summary, format string, args ...any) {
	d.report(d.Range(path), summary, fmt.Sprintf(format, args...))
}

// Report adds diagnostics.
func (d *Decoder) Report(diags ...*hcl.Diagnostic) { d.diags = append(d.diags, diags...) }

func (d *Decoder) report(at hcl.Range, summary, detail string) {
	d.Report(&hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &at})
}

// HasErrors reports whether anything was wrong so far.
func (d *Decoder) HasErrors() bool { return d.diags.HasErrors() }

// Diagnostics returns everything reported.
func (d *Decoder) Diagnostics() hcl.Diagnostics { return d.diags }

// Files returns the files that were named, in order.
func (d *Decoder) Files() []string { return d.files }

// Range is where the argument or block at path was written; see Errorf.
func (d *Decoder) Range(path string) hcl.Range {
	if d.Syntax == nil {
		return d.Body.MissingItemRange()
	}
	at, body := d.Syntax.DefRange(), d.Syntax.Body
	steps := strings.FieldsFunc(path, func(r rune) bool { return r == '.' })
	for i := range steps { // "depths[3]" was written where depths was
		steps[i], _, _ = strings.Cut(steps[i], "[")
	}
	for len(steps) > 0 {
		if attr, ok := body.Attributes[steps[0]]; ok {
			return attr.SrcRange
		}
		block, rest := blockAt(body, steps)
		if block == nil {
			return at
		}
		at, body, steps = block.DefRange(), block.Body, rest
	}
	return at
}

// blockAt finds the nested block that the first step names. Among several of that type, the next step may be an
// index, which counts them from 0, or a label.
func blockAt(body *hclsyntax.Body, steps []string) (*hclsyntax.Block, []string) {
	rest := steps[1:]
	var of []*hclsyntax.Block
	for _, b := range body.Blocks {
		if b.Type != steps[0] {
			continue
		}
		of = append(of, b)
		if len(rest) > 0 && len(b.Labels) > 0 && b.Labels[0] == rest[0] {
			return b, rest[1:]
		}
	}
	if len(rest) > 0 {
		if index, err := strconv.Atoi(rest[0]); err == nil {
			if index < 0 || index >= len(of) {
				return nil, nil
			}
			return of[index], rest[1:]
		}
	}
	if len(of) == 0 {
		return nil, nil
	}
	return of[0], rest
}

func oneOf(types []Type) string {
	if len(types) == 0 {
		return "an artifact"
	}
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = article(string(t)) + " " + string(t)
	}
	return strings.Join(names, " or ")
}

func article(noun string) string {
	if strings.ContainsAny(noun[:1], "aeiou") {
		return "an"
	}
	return "a"
}

// sentence makes a sentence of an error's text.
func sentence(s string) string {
	if strings.HasSuffix(s, "?") || strings.HasSuffix(s, ".") {
		return capitalise(s)
	}
	return capitalise(s) + "."
}

func capitalise(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"oceaninv/workflow/stage"
)

// metaSchema is what the engine takes from a stage block before the kind sees it.
var metaSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{
		{Name: "for_each"}, {Name: "depends_on"}, {Name: "timeout"}, {Name: "keep"}, {Name: "on_failure"},
	},
	Blocks: []hcl.BlockHeaderSchema{{Type: "retry"}, {Type: "resources"}},
}

// stages plans the actions of a stage block and returns the handles of their outputs.
func (e *blockEval) stages() cty.Value {
	kind, ok := e.scope.loader.registry.Kind(e.block.Labels[0])
	if !ok {
		known := e.scope.loader.registry.KindNames()
		hint := stage.DidYouMean(e.block.Labels[0], known)
		if hint == "" {
			hint = " The kinds are: " + strings.Join(known, ", ") + "."
		}
		e.report(errorAt(e.block.LabelRanges[0], "Unknown kind of stage", "There is no kind of stage %q.%s", e.block.Labels[0], hint))
		return cty.NilVal
	}
	meta, body, diags := e.block.Body.PartialContent(metaSchema)
	e.report(diags...)
	explicit := e.dependsOn(meta)
	return e.each(func(i instance) cty.Value { return e.action(kind, meta, body, explicit, i) })
}

func (e *blockEval) action(kind stage.Kind, meta *hcl.BodyContent, body hcl.Body, explicit []string, i instance) cty.Value {
	name := e.block.Labels[1]
	a := &Action{
		Kind: kind, Range: e.block.DefRange(),
		Stage: e.scope.prefix + "stage." + name, Label: label(e.scope.prefix, name, i),
	}
	a.Address = a.Stage + i.suffix()
	d := e.decoder(body, i)
	a.Spec = kind.Decode(d)
	e.report(d.Diagnostics()...)
	a.Policy = e.policy(meta, i, a.Spec)
	for _, f := range d.Files() {
		e.scope.loader.read(f)
	}
	if a.Spec == nil || d.HasErrors() && len(e.faulty) == 0 {
		return cty.NilVal
	}
	a.Outputs = a.Spec.Outputs()
	if !d.HasErrors() && !e.complete(a, explicit) {
		return cty.NilVal
	}
	if len(e.faulty) == 0 {
		e.scope.loader.pipeline.Actions = append(e.scope.loader.pipeline.Actions, a)
		e.scope.actions[e.node] = append(e.scope.actions[e.node], a.Address)
	}
	return handles(a)
}

// complete works out parameters, inputs and dependencies, and reports whether the action is sound.
func (e *blockEval) complete(a *Action, explicit []string) bool {
	if err := checkOutputs(a.Outputs); err != nil {
		panic(fmt.Sprintf("config: kind %s: %v", a.Kind.Name, err))
	}
	params, err := stage.Params(a.Spec)
	if err != nil {
		e.report(errorAt(a.Range, "Unsuitable value", "%s has a parameter that is not a finite number: %s.", a.Address, err))
		return false
	}
	a.Params = params
	seen := make(map[string]bool)
	for _, in := range a.Spec.Inputs() {
		if !in.Present() {
			continue
		}
		a.Inputs = append(a.Inputs, in)
		if in.Handle != nil && !seen[in.Handle.Address] {
			seen[in.Handle.Address] = true
			a.DependsOn = append(a.DependsOn, in.Handle.Address)
		}
	}
	for _, d := range explicit {
		if !seen[d] {
			seen[d] = true
			a.DependsOn = append(a.DependsOn, d)
		}
	}
	return true
}

func checkOutputs(outputs []stage.Output) error {
	if len(outputs) == 0 {
		return fmt.Errorf("no outputs")
	}
	seen := make(map[string]bool)
	for _, o := range outputs {
		for _, f := range o.Forms() {
			if f.Name == "" || o.Type == "" || filepath.Base(f.File) != f.File || f.File == "" || strings.HasPrefix(f.File, ".") {
				return fmt.Errorf("output %q of type %q in file %q is not well declared", f.Name, o.Type, f.File)
			}
			if seen[f.Name] || seen["/"+f.File] {
				return fmt.Errorf("output %s or its file %s is declared twice", f.Name, f.File)
			}
			seen[f.Name], seen["/"+f.File] = true, true
		}
		if o.Also != "" && filepath.Ext(o.Also) == filepath.Ext(o.File) {
			return fmt.Errorf("output %s has the format of %s twice", o.Name, o.File)
		}
	}
	return nil
}

// handles is what expressions see of an action.
func handles(a *Action) cty.Value {
	values := make(map[string]cty.Value, len(a.Outputs))
	for _, o := range a.Outputs {
		h := &stage.Handle{Address: a.Address, Output: o}
		values[o.Name] = h.Value()
	}
	return cty.ObjectVal(values)
}

// plain takes what addresses have and file names need not out of a module's prefix.
var plain = strings.NewReplacer("module.", "", `["`, ".", `"]`, "")

// label is a name for files: m.data.k. Characters that some file system refuses become underscores, and a hash then keeps
// apart what they would make equal.
func label(prefix, name string, i instance) string {
	text := plain.Replace(prefix) + name
	if i.keyed {
		text += "." + i.key
	}
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-+=", r) || r > 127 {
			return r
		}
		return '_'
	}, text)
	if clean != text {
		sum := sha256.Sum256([]byte(text))
		clean += "-" + hex.EncodeToString(sum[:3])
	}
	return clean
}

// dependsOn lists the actions that depends_on names.
func (e *blockEval) dependsOn(meta *hcl.BodyContent) []string {
	attr := meta.Attributes["depends_on"]
	if attr == nil {
		return nil
	}
	list, diags := hcl.ExprList(attr.Expr)
	e.report(diags...)
	var addresses []string
	for _, item := range list {
		t, diags := hcl.AbsTraversalForExpr(item)
		e.report(diags...)
		if diags.HasErrors() {
			continue
		}
		if root := t.RootName(); root != "stage" && root != "module" {
			e.report(errorAt(item.Range(), "Unsuitable depends_on", "depends_on takes references to stages and modules."))
			continue
		}
		all := e.scope.actions[e.scope.nodeOf(t)]
		if len(t) > 2 {
			if key, ok := t[2].(hcl.TraverseIndex); ok && key.Key.Type() == cty.String {
				suffix := fmt.Sprintf("[%q]", key.Key.AsString())
				all = slices.DeleteFunc(slices.Clone(all), func(a string) bool { return !strings.HasSuffix(a, suffix) })
			}
		}
		addresses = append(addresses, all...)
	}
	return addresses
}

package stages

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"oceaninv/workflow/stage"
)

// chain decodes the blocks of a pipeline in the order they are written and runs
// its stages in this process, without the engine: what is tested is the stages.
type chain struct {
	t        *testing.T
	dir      string
	registry *stage.Registry
	values   map[string]map[string]cty.Value // by root name: "environment", "problem", "stage"
	specs    map[string]stage.Spec
	paths    map[string]string // by handle
	cores    int
}

func newChain(t *testing.T) *chain {
	return &chain{t: t, dir: t.TempDir(), registry: All(), cores: 2,
		values: map[string]map[string]cty.Value{}, specs: map[string]stage.Spec{}, paths: map[string]string{}}
}

// context binds what has been decoded so far.
func (c *chain) context() *hcl.EvalContext {
	ctx := &hcl.EvalContext{Variables: map[string]cty.Value{}}
	for root, members := range c.values {
		ctx.Variables[root] = cty.ObjectVal(members)
	}
	return ctx
}

func (c *chain) bind(root, name string, v cty.Value) {
	if c.values[root] == nil {
		c.values[root] = map[string]cty.Value{}
	}
	c.values[root][name] = v
}

// decode reads a pipeline and returns its diagnostics.
func (c *chain) decode(source string) hcl.Diagnostics {
	c.t.Helper()
	f, diags := hclparse.NewParser().ParseHCL([]byte(source), "test.hcl")
	if diags.HasErrors() {
		c.t.Fatal(diags)
	}
	for _, b := range f.Body.(*hclsyntax.Body).Blocks {
		d := &stage.Decoder{Name: b.Labels[len(b.Labels)-1], Body: b.Body, Context: c.context(), Dir: ".", Syntax: b}
		if b.Type == "stage" {
			c.stage(b.Labels[0], d)
		} else {
			c.definition(b.Type, d)
		}
		if d.HasErrors() {
			return d.Diagnostics()
		}
	}
	return nil
}

func (c *chain) definition(name string, d *stage.Decoder) {
	def, ok := c.registry.Definition(name)
	if !ok {
		c.t.Fatalf("no definition %q", name)
	}
	v := def.Decode(d)
	if d.HasErrors() {
		return
	}
	value, err := stage.EncodeValue(v)
	if err != nil {
		c.t.Fatal(err)
	}
	c.bind(name, d.Name, value)
}

func (c *chain) stage(kind string, d *stage.Decoder) {
	k, ok := c.registry.Kind(kind)
	if !ok {
		c.t.Fatalf("no stage kind %q", kind)
	}
	spec := k.Decode(d)
	if d.HasErrors() {
		return
	}
	c.specs[d.Name] = spec
	outputs := map[string]cty.Value{}
	for _, o := range spec.Outputs() {
		h := &stage.Handle{Address: "stage." + d.Name, Output: o}
		outputs[o.Name] = h.Value()
		for _, f := range o.Forms() {
			c.paths["stage."+d.Name+"."+f.Name] = filepath.Join(c.dir, d.Name+"."+f.File)
		}
	}
	c.bind("stage", d.Name, cty.ObjectVal(outputs))
}

// run runs a stage as a task would: rebuilt from its parameters, shard by shard.
func (c *chain) run(kind, name string) error {
	c.t.Helper()
	started := time.Now()
	defer func() { c.t.Logf("%s %s: %.2fs", kind, name, time.Since(started).Seconds()) }()
	declared := c.specs[name]
	layout := stage.Layout{Inputs: map[string][]string{}, Outputs: map[string]string{}, Parts: map[string][]string{}, Checkpoint: c.t.TempDir()}
	for _, in := range declared.Inputs() {
		path := in.Path
		if in.Handle != nil {
			path = c.paths[in.Handle.String()]
		}
		layout.Inputs[in.Name] = append(layout.Inputs[in.Name], path)
	}
	params, err := stage.Params(declared)
	if err != nil {
		c.t.Fatal(err)
	}
	k, _ := c.registry.Kind(kind)
	spec, err := k.Load(params)
	if err != nil {
		c.t.Fatal(err)
	}
	sharder, ok := declared.(stage.Sharder)
	if !ok || sharder.Shards() == 1 {
		return spec.Run(context.Background(), c.workspace(layout, spec, name, 0, 1))
	}
	n := sharder.Shards()
	for i := range n {
		ws := c.workspace(layout, spec, fmt.Sprintf("%s.%d", name, i), i, n)
		for _, o := range spec.Outputs() {
			layout.Parts[o.Name] = append(layout.Parts[o.Name], ws.Output(o.Name))
		}
		if err := spec.Run(context.Background(), ws); err != nil {
			return err
		}
	}
	return spec.(stage.Sharder).Merge(context.Background(), c.workspace(layout, spec, name, 0, 1))
}

func (c *chain) workspace(layout stage.Layout, spec stage.Spec, prefix string, shard, shards int) *stage.Workspace {
	layout.Outputs, layout.Also = map[string]string{}, map[string]string{}
	for _, o := range spec.Outputs() {
		layout.Outputs[o.Name] = filepath.Join(c.dir, prefix+"."+o.File)
		if o.Also != "" {
			layout.Also[o.Name] = filepath.Join(c.dir, prefix+"."+o.Also)
		}
	}
	ws := stage.NewWorkspace(layout, nil)
	ws.Shard, ws.Shards, ws.Cores = shard, shards, c.cores
	return ws
}

func (c *chain) path(handle string) string { return c.paths[handle] }

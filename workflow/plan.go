package workflow

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/sync/errgroup"

	"oceaninv/workflow/artifact"
	"oceaninv/workflow/config"
	"oceaninv/workflow/stage"
)

// PlanOptions limit and force a plan.
type PlanOptions struct {
	// Targets are addresses of actions or stages; what they need is added. Empty for everything.
	Targets []string
	// Force are addresses to run although their results are there.
	Force []string
	// Verify reads every stored file instead of trusting its identity.
	Verify bool
}

// Status is what a plan decides for an action.
type Status string

// Statuses.
const (
	Cached Status = "cached" // its result is in the store
	ToRun  Status = "run"    // it has to run
	Maybe  Status = "maybe"  // something it needs runs first; equal content there will spare it
)

// Decision is what a plan says of an action.
type Decision struct {
	Action   *config.Action
	Status   Status
	Key      artifact.Key // "" while not known
	Reasons  []string     // why it runs
	Estimate Estimate

	preimage artifact.Preimage
	record   *artifact.Record
}

// Plan is what a run would do, in an order in which it could be done.
type Plan struct {
	Decisions []*Decision
	// Warnings are for the user; a plan with errors is not returned.
	Warnings hcl.Diagnostics

	byAddress map[string]*Decision
}

// Count is how many actions have a status.
func (p *Plan) Count(s Status) int {
	n := 0
	for _, d := range p.Decisions {
		if d.Status == s {
			n++
		}
	}
	return n
}

// planner decides.
type planner struct {
	*Project
	options PlanOptions
	ledger  *ledger
	plan    *Plan
	force   map[string]bool
	found   map[artifact.Key]found // looked up already
}

// Plan decides what has to be done, and why. Mistakes found by looking at the inputs are in the diagnostics. Nothing is
// written but the memory of digests.
func (p *Project) Plan(ctx context.Context, o PlanOptions) (*Plan, hcl.Diagnostics) {
	actions, diags := p.selected(o.Targets)
	force, more := p.selected(o.Force)
	if diags = append(diags, more...); diags.HasErrors() {
		return nil, diags
	}
	pl := &planner{
		Project: p, options: o, ledger: readLedger(ledgerPath(p.Workdir, p.Pipeline.Name)),
		plan: &Plan{byAddress: make(map[string]*Decision)}, force: make(map[string]bool),
	}
	if len(o.Force) > 0 {
		for _, a := range force {
			pl.force[a.Address] = slices.ContainsFunc(o.Force, func(t string) bool { return matches(a, t) })
		}
	}
	if diags := p.digestFiles(ctx, actions); diags.HasErrors() {
		return nil, diags
	}
	pl.lookupLast(ctx, actions)
	for _, a := range actions {
		d := pl.decide(a)
		pl.plan.Decisions = append(pl.plan.Decisions, d)
		pl.plan.byAddress[a.Address] = d
	}
	pl.revive()
	diags = append(diags, pl.preflight()...)
	for _, d := range diags {
		if d.Severity == hcl.DiagWarning {
			pl.plan.Warnings = append(pl.plan.Warnings, d)
		}
	}
	if diags.HasErrors() {
		return nil, diags
	}
	return pl.plan, diags
}

func matches(a *config.Action, target string) bool {
	return a.Address == target || a.Stage == target || strings.HasPrefix(a.Address, target+".")
}

// selected returns the actions that targets name, and what those need, in pipeline order.
func (p *Project) selected(targets []string) ([]*config.Action, hcl.Diagnostics) {
	if len(targets) == 0 {
		return p.Pipeline.Actions, nil
	}
	wanted := make(map[string]bool)
	var diags hcl.Diagnostics
	for _, t := range targets {
		found := false
		for _, a := range p.Pipeline.Actions {
			if matches(a, t) {
				found = true
				wanted[a.Address] = true
			}
		}
		if !found {
			diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "No such stage",
				Detail: fmt.Sprintf("The pipeline has no %s. Its actions are: %s.", t, p.someAddresses())})
		}
	}
	var chosen []*config.Action
	for _, a := range slices.Backward(p.Pipeline.Actions) {
		if wanted[a.Address] {
			chosen = append(chosen, a)
			for _, d := range a.DependsOn {
				wanted[d] = true
			}
		}
	}
	slices.Reverse(chosen)
	return chosen, diags
}

func (p *Project) someAddresses() string {
	var names []string
	for _, a := range p.Pipeline.Actions {
		if len(names) == 10 {
			names = append(names, "...")
			break
		}
		names = append(names, a.Address)
	}
	return strings.Join(names, ", ")
}

// digestFiles computes the digests of all external inputs, several at a time. They are remembered by the store.
func (p *Project) digestFiles(ctx context.Context, actions []*config.Action) hcl.Diagnostics {
	first := make(map[string]stage.Input)
	for _, a := range actions {
		for _, in := range a.Inputs {
			if _, seen := first[in.Path]; in.Path != "" && !seen {
				first[in.Path] = in
			}
		}
	}
	var diags hcl.Diagnostics
	var mutex sync.Mutex
	g, _ := errgroup.WithContext(ctx)
	g.SetLimit(runtime.NumCPU())
	for _, in := range first {
		g.Go(func() error {
			if _, err := p.store.SumFile(in.Path); err != nil {
				mutex.Lock()
				defer mutex.Unlock()
				diags = append(diags, in.Problem("Cannot read input file", fmt.Sprintf("%s: %v.", in.Path, err)))
			}
			return nil
		})
	}
	_ = g.Wait() // the functions return no errors
	return diags
}

// preimageOf is what determines an action's result; upstream names the dependencies whose results are not known yet.
func (p *Project) preimageOf(a *config.Action, record func(address string) *artifact.Record) (pre artifact.Preimage, upstream []string, err error) {
	pre = artifact.Preimage{
		Format: artifact.KeyFormat, Kind: a.Kind.Name, Version: a.Kind.Version, Params: a.Params,
		Inputs: make(map[string][]string),
	}
	for _, in := range a.Inputs {
		digest := ""
		if in.Path != "" {
			sum, err := p.store.SumFile(in.Path)
			if err != nil {
				return pre, nil, err
			}
			digest = sum.Content
		} else if r := record(in.Handle.Address); r != nil {
			out, ok := r.Output(in.Handle.Output.Name)
			if !ok {
				return pre, nil, fmt.Errorf("the stored result of %s lacks output %s", in.Handle.Address, in.Handle.Output.Name)
			}
			digest = out.Sum.Content
		} else if !slices.Contains(upstream, in.Handle.Address) {
			upstream = append(upstream, in.Handle.Address)
		}
		pre.Inputs[in.Name] = append(pre.Inputs[in.Name], digest)
	}
	return pre, upstream, nil
}

// found is what the store has under a key.
type found struct {
	record *artifact.Record
	err    error
}

// lookupLast looks the latest keys of all actions up, several at a time: most of them are the keys of now, and where the
// files have to be read that is what takes long.
func (pl *planner) lookupLast(ctx context.Context, actions []*config.Action) {
	var mutex sync.Mutex
	g, _ := errgroup.WithContext(ctx)
	g.SetLimit(runtime.NumCPU())
	pl.found = make(map[artifact.Key]found)
	wanted := make(map[artifact.Key]bool)
	for _, a := range actions {
		last, ok := pl.ledger.last(a.Address)
		if !ok {
			continue
		}
		if wanted[last.Key] {
			continue
		}
		wanted[last.Key] = true
		g.Go(func() error {
			record, err := pl.read(last.Key)
			mutex.Lock()
			defer mutex.Unlock()
			pl.found[last.Key] = found{record, err}
			return nil
		})
	}
	_ = g.Wait() // the functions return no errors
}

func (pl *planner) lookup(key artifact.Key) (*artifact.Record, error) {
	if f, ok := pl.found[key]; ok {
		return f.record, f.err
	}
	return pl.read(key)
}

func (pl *planner) read(key artifact.Key) (*artifact.Record, error) {
	if pl.options.Verify {
		return pl.store.Verify(key)
	}
	return pl.store.Lookup(key)
}

func (pl *planner) decide(a *config.Action) *Decision {
	d := &Decision{Action: a, Status: ToRun, Estimate: pl.estimate(a)}
	pre, upstream, err := pl.preimageOf(a, pl.recordOf)
	d.preimage = pre
	switch {
	case err != nil:
		d.Reasons = []string{err.Error()}
		return d
	case len(upstream) > 0:
		pl.waitFor(d, upstream)
		return d
	}
	if d.Key, err = pre.Key(); err != nil {
		d.Reasons = []string{err.Error()}
		return d
	}
	if pl.force[a.Address] {
		d.Reasons = []string{"forced"}
		return d
	}
	record, err := pl.lookup(d.Key)
	if err == nil {
		d.Status, d.record = Cached, record
		return d
	}
	d.Reasons = pl.reasons(d, err)
	return d
}

func (pl *planner) recordOf(address string) *artifact.Record {
	d := pl.plan.byAddress[address]
	if d == nil || d.Status != Cached {
		return nil
	}
	return d.record
}

// revive lets actions whose outputs were discarded run again where something that needs them runs.
func (pl *planner) revive() {
	needed := make(map[string]string)
	for _, d := range slices.Backward(pl.plan.Decisions) {
		if by := needed[d.Action.Address]; by != "" && d.Status == Cached && d.record.Discarded {
			d.Status, d.record = ToRun, nil
			d.Reasons = []string{"its outputs were not kept, and " + by + " needs them"}
		}
		if d.Status == Cached {
			continue
		}
		for _, in := range d.Action.Inputs {
			if in.Handle != nil {
				needed[in.Handle.Address] = d.Action.Address
			}
		}
	}
}

func (pl *planner) estimate(a *config.Action) Estimate {
	if e, ok := pl.ledger.estimate(a.Address, a.Kind.Name); ok {
		return e
	}
	if f, ok := a.Spec.(stage.Forecaster); ok {
		forecast := f.Forecast()
		return Estimate{Seconds: forecast.CoreSeconds, CoreSeconds: forecast.CoreSeconds, Memory: forecast.Memory, Disk: forecast.Disk, From: "kind"}
	}
	return Estimate{}
}

// checkHeaders looks at the external files of actions that are to run, each once, and reports what is wrong with one
// wherever it is named.
func (pl *planner) checkHeaders() (diags hcl.Diagnostics) {
	type file struct {
		stage.Type
		path string
	}
	checked := make(map[file]error)
	told := make(map[hcl.Range]bool)
	for _, d := range pl.plan.Decisions {
		if d.Status == Cached {
			continue
		}
		for _, in := range d.Action.Inputs {
			header, ok := pl.registry.Header(in.Type)
			if in.Path == "" || !ok {
				continue
			}
			f := file{in.Type, in.Path}
			err, known := checked[f]
			if !known {
				err = header.Check(in.Path)
				checked[f] = err
			}
			if err != nil && !told[in.Range] {
				told[in.Range] = true
				diags = append(diags, in.Problem("Unsuitable file", fmt.Sprintf("As a %s it will not do: %v.", in.Type, err)))
			}
		}
	}
	return diags
}

// preflight lets kinds look at the inputs that exist, for actions that are to run.
func (pl *planner) preflight() (diags hcl.Diagnostics) {
	if diags = pl.checkHeaders(); diags.HasErrors() {
		return diags
	}
	var disk int64
	for _, d := range pl.plan.Decisions {
		if d.Status == Cached {
			continue
		}
		disk += max(d.Estimate.Disk, d.Action.Policy.Resources.Disk)
		checker, ok := d.Action.Spec.(stage.Checker)
		if !ok {
			continue
		}
		var available []stage.Available
		for _, in := range d.Action.Inputs {
			if at, ok := pl.location(in, pl.recordOf); ok {
				available = append(available, stage.Available{Input: in, Location: at})
			}
		}
		diags = append(diags, checker.Check(available)...)
	}
	if free := freeBytes(pl.Workdir); free >= 0 && disk > free {
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Little disk space",
			Detail: fmt.Sprintf("The run is expected to write %d MB, but only %d MB are free at %s.", disk/1e6, free/1e6, pl.Workdir)})
	}
	return diags
}

// location is where an input can be read now.
func (p *Project) location(in stage.Input, record func(string) *artifact.Record) (string, bool) {
	if in.Path != "" {
		return in.Path, true
	}
	r := record(in.Handle.Address)
	if r == nil || r.Discarded {
		return "", false
	}
	out, ok := r.Output(in.Handle.Output.Name)
	return filepath.Join(p.store.ActionDir(r.Key), out.File), ok
}

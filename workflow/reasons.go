package workflow

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"oceaninv/workflow/artifact"
	"oceaninv/workflow/config"
)

// waitFor explains an action whose inputs are not known before something else has run.
func (pl *planner) waitFor(d *Decision, upstream []string) {
	d.Status = Maybe
	if pl.force[d.Action.Address] {
		d.Status, d.Reasons = ToRun, []string{"forced"}
	}
	last, ok := pl.ledger.last(d.Action.Address)
	if !ok {
		d.Status = ToRun
		d.Reasons = append(d.Reasons, "has not been run before")
	} else if before, err := pl.store.Preimage(last.Key); err == nil {
		for _, c := range pl.changes(before, d.preimage) {
			if !strings.HasPrefix(c.Path, "input ") {
				d.Status = ToRun
				d.Reasons = append(d.Reasons, c.String())
			}
		}
	}
	d.Reasons = append(d.Reasons, "needs "+strings.Join(upstream, ", "))
}

// reasons says why there is no result under a key.
func (pl *planner) reasons(d *Decision, err error) []string {
	if errors.Is(err, artifact.ErrDamaged) {
		return []string{"its result is " + err.Error()}
	}
	last, ok := pl.ledger.last(d.Action.Address)
	if ok && last.Key == d.Key {
		return []string{"its result has been removed"}
	}
	if _, err := os.Stat(pl.store.WorkDir(d.Key)); err == nil {
		return []string{"an earlier run did not finish it"}
	}
	if !ok {
		return []string{"has not been run before"}
	}
	before, err := pl.store.Preimage(last.Key)
	if err != nil {
		return []string{"it changed since run " + last.Run + ", whose details are gone"}
	}
	names := pl.inputNames(d.Action)
	var reasons []string
	for _, c := range pl.changes(before, d.preimage) {
		if name, ok := names[c.Path]; ok {
			c.Path += " (" + name + ")"
		}
		reasons = append(reasons, c.String())
	}
	return reasons
}

// inputNames says, by the path that a difference of preimages has, what each input is: a file, or another stage's output.
func (p *Project) inputNames(a *config.Action) map[string]string {
	count := make(map[string]int)
	for _, in := range a.Inputs {
		count[in.Name]++
	}
	names, seen := make(map[string]string), make(map[string]int)
	for _, in := range a.Inputs {
		path := artifact.InputPath(in.Name, seen[in.Name], count[in.Name])
		seen[in.Name]++
		if in.Handle != nil {
			names[path] = in.Handle.String()
			continue
		}
		names[path] = in.Path
		if rel, err := filepath.Rel(p.Pipeline.Dir, in.Path); err == nil && filepath.IsLocal(rel) {
			names[path] = rel
		}
	}
	return names
}

// changes are the differences of two preimages. Where a value holds one that is sensitive, what it was before is not said
// either: that was as sensitive then.
func (p *Project) changes(before, after artifact.Preimage) []artifact.Change {
	all := artifact.Diff(before, after)
	for i, c := range all {
		if p.redact(c.Before+c.After) == c.Before+c.After {
			continue
		}
		for _, side := range []*string{&all[i].Before, &all[i].After} {
			if *side != "" {
				*side = "(sensitive)"
			}
		}
	}
	return all
}

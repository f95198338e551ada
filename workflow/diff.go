package workflow

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"oceaninv/workflow/artifact"
	"oceaninv/workflow/stage"
)

// ActionDiff is how an action of two runs differs.
type ActionDiff struct {
	Address string   `json:"address"`
	Verdict string   `json:"verdict"`
	Lines   []string `json:"lines,omitempty"`
}

// DiffRuns compares two runs of a working directory, action by action.
func DiffRuns(registry *stage.Registry, workdir, runA, runB string, tolerance float64) ([]ActionDiff, error) {
	runs, err := runsOf(workdir)
	if err != nil {
		return nil, err
	}
	var keys [2]map[string]artifact.Key
	for i, name := range []string{runA, runB} {
		id, err := findRun(runs, name)
		if err != nil {
			return nil, err
		}
		if keys[i], err = keysOf(workdir, id); err != nil {
			return nil, err
		}
	}
	d := differ{store: OpenStore(workdir, registry), registry: registry, tolerance: tolerance}
	defer d.store.Close()
	var addresses []string
	for _, k := range keys {
		for address := range k {
			addresses = append(addresses, address)
		}
	}
	slices.Sort(addresses)
	var diffs []ActionDiff
	for _, address := range slices.Compact(addresses) {
		diffs = append(diffs, d.action(address, keys[0][address], keys[1][address]))
	}
	return diffs, nil
}

func findRun(runs []string, name string) (string, error) {
	switch {
	case name == "last" && len(runs) > 0:
		return runs[len(runs)-1], nil
	case name == "previous" && len(runs) > 1:
		return runs[len(runs)-2], nil
	}
	var found []string
	for _, r := range runs {
		if strings.HasPrefix(r, name) {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		return "", fmt.Errorf("%d runs begin with %q; there are %d runs: %s", len(found), name, len(runs),
			strings.Join(runs[max(0, len(runs)-5):], ", "))
	}
	return found[0], nil
}

// keysOf reads which keys a run's actions had.
func keysOf(workdir, run string) (map[string]artifact.Key, error) {
	events, err := readRun(workdir, run)
	keys := make(map[string]artifact.Key)
	for _, e := range events {
		if e.Event == ActionDone || e.Event == ActionCached {
			keys[e.Action] = e.Key
		}
	}
	return keys, err
}

type differ struct {
	store     *artifact.Store
	registry  *stage.Registry
	tolerance float64
}

func (d *differ) action(address string, a, b artifact.Key) ActionDiff {
	out := ActionDiff{Address: address}
	switch {
	case a == "":
		out.Verdict = "only in the second run"
		return out
	case b == "":
		out.Verdict = "only in the first run"
		return out
	case a == b:
		out.Verdict = "the same"
		return out
	}
	out.Verdict = "determined differently"
	before, errA := d.store.Preimage(a)
	after, errB := d.store.Preimage(b)
	if errA != nil || errB != nil {
		out.Lines = append(out.Lines, "the details have been removed from the store")
	} else {
		for _, c := range artifact.Diff(before, after) {
			out.Lines = append(out.Lines, c.String())
		}
	}
	recordA, errA := d.store.Lookup(a)
	recordB, errB := d.store.Lookup(b)
	if errA != nil || errB != nil {
		out.Lines = append(out.Lines, "not both results are in the store")
		return out
	}
	for _, o := range recordA.Outputs {
		out.Lines = append(out.Lines, d.output(recordA, recordB, o))
	}
	for _, o := range recordB.Outputs {
		if _, ok := recordA.Output(o.Name); !ok {
			out.Lines = append(out.Lines, fmt.Sprintf("output %s: only in the second run", o.Name))
		}
	}
	return out
}

func (d *differ) output(a, b *artifact.Record, o artifact.Stored) string {
	other, ok := b.Output(o.Name)
	if !ok {
		return fmt.Sprintf("output %s: only in the first run", o.Name)
	}
	if o.Sum.Content == other.Sum.Content {
		return fmt.Sprintf("output %s: equal", o.Name)
	}
	format, _ := d.registry.Format(o.File)
	compare := format.Compare
	if o.Type == string(stage.Metrics) {
		compare = stage.CompareMetrics
	}
	if compare == nil || a.Discarded || b.Discarded {
		return fmt.Sprintf("output %s: different", o.Name)
	}
	text, err := compare(filepath.Join(d.store.ActionDir(a.Key), o.File), filepath.Join(d.store.ActionDir(b.Key), other.File), d.tolerance)
	switch {
	case err != nil:
		return fmt.Sprintf("output %s: cannot be compared: %v", o.Name, err)
	case text == "":
		return fmt.Sprintf("output %s: equal within %g", o.Name, d.tolerance)
	}
	return fmt.Sprintf("output %s: %s", o.Name, text)
}

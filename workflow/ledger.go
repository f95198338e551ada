package workflow

import (
	"bufio"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"oceaninv/workflow/artifact"
)

// ledger remembers which keys each address of a pipeline has had, so that a plan can say what changed, and what the
// work took, so that it can say what will be.
type ledger struct {
	path    string
	entries map[string][]entry // by address, oldest first
	kinds   map[string][]entry
	file    *os.File
}

// entry is one finished action.
type entry struct {
	Address string         `json:"address"`
	Kind    string         `json:"kind"`
	Key     artifact.Key   `json:"key"`
	Run     string         `json:"run"`
	Time    time.Time      `json:"time"`
	Usage   artifact.Usage `json:"usage"`
	Bytes   int64          `json:"bytes"`
	Ran     bool           `json:"ran"` // false if the result was in the store already
}

func ledgerPath(workdir, pipeline string) string {
	return filepath.Join(workdir, "pipelines", pipeline+".ndjson")
}

// readLedger reads what there is; lines that are not whole are skipped.
func readLedger(path string) *ledger {
	l := &ledger{path: path, entries: make(map[string][]entry), kinds: make(map[string][]entry)}
	f, err := os.Open(path)
	if err != nil {
		return l
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e entry
		if artifact.Unseal(lines.Bytes(), &e) == nil {
			l.add(e)
		}
	}
	return l
}

func (l *ledger) add(e entry) {
	l.entries[e.Address] = append(l.entries[e.Address], e)
	if e.Ran {
		l.kinds[e.Kind] = append(l.kinds[e.Kind], e)
	}
}

// append remembers an entry, unless it says nothing new.
func (l *ledger) append(e entry) error {
	if last, ok := l.last(e.Address); ok && last.Key == e.Key && !e.Ran {
		return nil
	}
	l.add(e)
	line, err := artifact.Seal(e)
	if err != nil {
		return err
	}
	if l.file == nil {
		if l.file, err = os.OpenFile(l.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644); err != nil {
			l.file = nil
			return err
		}
	}
	_, err = l.file.Write(line)
	return err
}

func (l *ledger) close() {
	if l.file != nil {
		l.file.Close()
	}
}

func (l *ledger) last(address string) (entry, bool) {
	all := l.entries[address]
	if len(all) == 0 {
		return entry{}, false
	}
	return all[len(all)-1], true
}

// usage is what an action's result took, its shards included; where that is not known, what its last task took.
func (l *ledger) usage(address string, r *artifact.Record) artifact.Usage {
	for _, e := range slices.Backward(l.entries[address]) {
		if e.Key == r.Key && e.Ran {
			return e.Usage
		}
	}
	return r.Usage
}

// lastTwo returns the two latest different keys of an address, older first.
func (l *ledger) lastTwo(address string) (before, now artifact.Key, ok bool) {
	all := l.entries[address]
	if len(all) == 0 {
		return "", "", false
	}
	now = all[len(all)-1].Key
	for _, e := range slices.Backward(all) {
		if e.Key != now {
			return e.Key, now, true
		}
	}
	return "", now, false
}

// Estimate is the predicted cost of an action.
type Estimate struct {
	Seconds     float64 `json:"seconds"`      // until it is done
	CoreSeconds float64 `json:"core_seconds"` // of processor time
	Memory      int64   `json:"memory,omitempty"`
	Disk        int64   `json:"disk,omitempty"`
	From        string  `json:"from"` // "history", "kind" (forecast by the stage), or "" if unknown
}

// estimate is the median of the last five runs of an address, else of its kind.
func (l *ledger) estimate(address, kind string) (Estimate, bool) {
	var ran []entry
	for _, e := range l.entries[address] {
		if e.Ran {
			ran = append(ran, e)
		}
	}
	if len(ran) == 0 {
		ran = l.kinds[kind]
	}
	if len(ran) == 0 {
		return Estimate{}, false
	}
	ran = ran[max(0, len(ran)-5):]
	return Estimate{
		Seconds:     medianOf(ran, func(e entry) float64 { return e.Usage.Seconds() }),
		CoreSeconds: medianOf(ran, func(e entry) float64 { return e.Usage.CPU }),
		Memory:      int64(medianOf(ran, func(e entry) float64 { return float64(e.Usage.PeakRSS) })),
		Disk:        int64(medianOf(ran, func(e entry) float64 { return float64(e.Bytes) })),
		From:        "history",
	}, true
}

func medianOf(all []entry, f func(entry) float64) float64 {
	values := make([]float64, len(all))
	for i, e := range all {
		values[i] = f(e)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// snapshot is what a pipeline consists of now: the roots of garbage collection.
type snapshot struct {
	Pipeline string                  `json:"pipeline"` // path
	Keys     map[string]artifact.Key `json:"keys"`     // by address
	Run      string                  `json:"run"`
}

func snapshotPath(workdir, pipeline string) string {
	return filepath.Join(workdir, "pipelines", pipeline+".json")
}

func (s snapshot) write(path string) error {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	if old, err := os.ReadFile(path); err == nil {
		var before snapshot
		if json.Unmarshal(old, &before) == nil && before.Pipeline == s.Pipeline && maps.Equal(before.Keys, s.Keys) {
			return artifact.WriteFileSoon(path, append(raw, '\n')) // the same roots, of a later run
		}
	}
	return artifact.WriteFile(path, append(raw, '\n'))
}

package workflow

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"oceaninv/workflow/artifact"
	"oceaninv/workflow/dag"
)

// Graph is the graph of actions.
func (p *Project) Graph() *dag.Graph {
	g := new(dag.Graph)
	for _, a := range p.Pipeline.Actions {
		g.Add(a.Address)
		for _, d := range a.DependsOn {
			g.Depend(a.Address, d)
		}
	}
	return g
}

// Why is the answer to why an action runs.
type Why struct {
	Address string            `json:"address"`
	Verdict string            `json:"verdict"`
	Changes []artifact.Change `json:"changes,omitempty"`
	Reasons []string          `json:"reasons,omitempty"`
}

// Why explains an action: why it would run now or, if its result is there, what was different when it ran before.
func (p *Project) Why(ctx context.Context, address string) (*Why, error) {
	if p.byName[address] == nil {
		return nil, fmt.Errorf("the pipeline has no action %s; its actions are: %s", address, p.someAddresses())
	}
	plan, diags := p.Plan(ctx, PlanOptions{Targets: []string{address}})
	if diags.HasErrors() {
		return nil, diags
	}
	d := plan.byAddress[address]
	if d.Status != Cached {
		verdict := "has to run"
		if d.Status == Maybe {
			verdict = "runs unless what it needs comes out the same"
		}
		return &Why{Address: address, Verdict: verdict, Reasons: d.Reasons}, nil
	}
	before, now, ok := readLedger(ledgerPath(p.Workdir, p.Pipeline.Name)).lastTwo(address)
	if !ok {
		return &Why{Address: address, Verdict: "is up to date, and has been the same ever since it first ran"}, nil
	}
	old, err := p.store.Preimage(before)
	if err != nil {
		return &Why{Address: address, Verdict: "is up to date; what it was before has been removed from the store"}, nil
	}
	current, err := p.store.Preimage(now)
	if err != nil {
		return nil, err
	}
	return &Why{Address: address, Verdict: "is up to date; it last ran because of", Changes: p.changes(old, current)}, nil
}

// Died is the state of a run whose driver ended without a word.
const Died = "died; run again to go on"

// RunStatus is how far a run is.
type RunStatus struct {
	Run     string     `json:"run"`
	State   string     `json:"state"` // running, done, failed, failed: ..., stopped: ..., or Died
	Counts  Counts     `json:"counts"`
	Running []TaskTime `json:"running,omitempty"`
	Failed  []Event    `json:"failed,omitempty"`
}

// TaskTime is a running task and for how long.
type TaskTime struct {
	Action  string  `json:"action"`
	Task    string  `json:"task"`
	Seconds float64 `json:"seconds"`
}

// Status reads the journal of the pipeline's latest run.
func (p *Project) Status() (*RunStatus, error) {
	runs, err := runsOf(p.Workdir)
	if err != nil {
		return nil, err
	}
	for _, run := range slices.Backward(runs) {
		events, err := readRun(p.Workdir, run)
		if err != nil {
			return nil, err
		}
		if len(events) > 0 && events[0].Message == p.Pipeline.Path {
			return p.statusOf(run)
		}
	}
	return &RunStatus{}, nil
}

// late is how long the end of a journal that was written on another host may take to be seen here.
const late = 5 * time.Second

// account reads a run's journal and reports whether its driver has died. A driver gives up its lease after the last line
// of its journal is on disk: without the lease the journal, read again, holds the run's end. Where it does not although it
// was written a moment ago and no process can be shown to have died, a network file system may be behind.
func (p *Project) account(run string) (events []Event, died bool, err error) {
	for {
		events, err = readRun(p.Workdir, run)
		if err != nil || len(events) == 0 || hasEnded(events) || p.store.Living(run) {
			return events, false, err
		}
		released := p.store.Released(run)
		events, err = readRun(p.Workdir, run)
		if err != nil || len(events) == 0 || hasEnded(events) {
			return events, false, err
		}
		if !released || time.Since(events[len(events)-1].Time) > late {
			return events, true, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// hasEnded reports whether a journal holds the run's end.
func hasEnded(events []Event) bool {
	return slices.ContainsFunc(events, func(e Event) bool { return e.Event == RunEnded })
}

// statusOf sums up a run.
func (p *Project) statusOf(run string) (*RunStatus, error) {
	events, died, err := p.account(run)
	if err != nil {
		return nil, err
	}
	s := &RunStatus{Run: run, State: "running"}
	running := make(map[string]Event)
	for _, e := range events {
		switch e.Event {
		case ActionCached:
			s.Counts.Cached++
		case ActionDone:
			s.Counts.Done++
		case ActionFailed:
			s.Counts.Failed++
			s.Failed = append(s.Failed, e)
		case ActionSkipped:
			s.Counts.Skipped++
		case TaskStarted:
			running[e.Action+" "+e.Task] = e
		case TaskEnded:
			delete(running, e.Action+" "+e.Task)
		case RunEnded:
			s.State = e.Message
		}
	}
	s.Counts.Pending = len(p.Pipeline.Actions) - s.Counts.Cached - s.Counts.Done - s.Counts.Failed - s.Counts.Skipped
	if s.State != "running" {
		return s, nil
	}
	if died {
		s.State = Died
		return s, nil
	}
	for _, e := range running {
		s.Running = append(s.Running, TaskTime{e.Action, e.Task, time.Since(e.Time).Seconds()})
	}
	slices.SortFunc(s.Running, func(a, b TaskTime) int { return strings.Compare(a.Action+a.Task, b.Action+b.Task) })
	return s, nil
}

// runsOf lists the runs of a working directory, oldest first.
func runsOf(workdir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(workdir, "runs"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var runs []string
	for _, e := range entries {
		runs = append(runs, e.Name())
	}
	return runs, err
}

func readRun(workdir, run string) ([]Event, error) {
	f, err := os.Open(filepath.Join(RunDir(workdir, run), JournalFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadJournal(f), nil
}

// Rewrite writes the report again from what is in the store.
func (p *Project) Rewrite(ctx context.Context, version, command string) (*ReportSummary, error) {
	plan, diags := p.Plan(ctx, PlanOptions{})
	if diags.HasErrors() {
		return nil, diags
	}
	o := &Outcome{Records: make(map[string]*artifact.Record), Version: version, CommandLine: p.redact(command), Published: true, Run: "none"}
	if s, err := p.Status(); err == nil && s.Run != "" {
		o.Run = s.Run
	}
	for _, d := range plan.Decisions {
		if d.Status == Cached {
			o.Records[d.Action.Address] = d.record
			o.Counts.Cached++
		} else {
			o.Counts.Pending++
		}
	}
	if len(o.Records) == 0 {
		return nil, errors.New("nothing has been run yet")
	}
	return p.Report(o)
}

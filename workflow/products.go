package workflow

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"oceaninv/workflow/artifact"
	"oceaninv/workflow/config"
	"oceaninv/workflow/report"
	"oceaninv/workflow/stage"
)

// Names of what a run leaves among the results beside the stages' own outputs.
const (
	MetricsFile = "metrics.json"
	PageFile    = "report.html"
)

// ReportSummary is what is said at the end of a run.
type ReportSummary struct {
	Headlines []stage.Metric
	Outputs   []report.Value
	Page      string // path
}

// Report writes metrics.json, report.html and the RO-Crate among the results, from what is finished. After a run that had
// nothing to do they are left alone if they were made of the same results.
func (p *Project) Report(o *Outcome) (*ReportSummary, error) {
	groups, err := p.metrics(o.Records)
	if err != nil {
		return nil, err
	}
	page := filepath.Join(p.Results, PageFile)
	summary := &ReportSummary{Headlines: report.Headlines(groups), Outputs: p.outputs(), Page: page}
	if o.Nothing() && !o.Published && exists(filepath.Join(p.Results, MetricsFile)) && madeOf(page, p.making(o.Records)) {
		return summary, nil
	}
	if len(o.Records) == 0 {
		summary.Page = ""
		return summary, nil
	}
	if err := os.MkdirAll(p.Results, 0o755); err != nil {
		return nil, err
	}
	if err := writeMetrics(filepath.Join(p.Results, MetricsFile), groups); err != nil {
		return nil, err
	}
	data, err := p.reportData(o, groups)
	if err != nil {
		return nil, err
	}
	data.MadeOf = p.making(o.Records)
	return summary, errors.Join(p.writePage(page, data), p.writeCrate(o, data))
}

// making is a digest of the results that a report shows: of which action each is, and its key.
func (p *Project) making(records map[string]*artifact.Record) string {
	h := sha256.New()
	for _, a := range p.Pipeline.Actions {
		if r := records[a.Address]; r != nil {
			fmt.Fprintf(h, "%s %s\n", a.Address, r.Key)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// madeOf reports whether the page was made of the results with that digest: one that was made with other variables, or
// before a crash, is made again.
func madeOf(page, digest string) bool {
	raw, err := os.ReadFile(page)
	return err == nil && bytes.Contains(raw, []byte(digest))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// metrics reads the metrics of all finished actions, in pipeline order.
func (p *Project) metrics(records map[string]*artifact.Record) ([]report.Group, error) {
	var groups []report.Group
	for _, a := range p.Pipeline.Actions {
		g := report.Group{Action: a.Address}
		for _, o := range a.Outputs {
			path, _, ok := p.stored(a, o.Name, records)
			if o.Type != stage.Metrics || !ok {
				continue
			}
			m, err := stage.ReadMetrics(path)
			if err != nil {
				return nil, err
			}
			g.Metrics = append(g.Metrics, m...)
		}
		if len(g.Metrics) > 0 {
			groups = append(groups, g)
		}
	}
	return groups, nil
}

// stored is where an output of a finished action is, or its other format, by the name the store has for it.
func (p *Project) stored(a *config.Action, name string, records map[string]*artifact.Record) (string, artifact.Stored, bool) {
	r := records[a.Address]
	if r == nil || r.Discarded {
		return "", artifact.Stored{}, false
	}
	s, ok := r.Output(name)
	return filepath.Join(p.store.ActionDir(r.Key), s.File), s, ok
}

// writeMetrics merges metrics into one object. A name that several actions use is qualified by the action: check.coverage.
func writeMetrics(path string, groups []report.Group) error {
	count := make(map[string]int)
	for _, g := range groups {
		for _, m := range g.Metrics {
			count[m.Name]++
		}
	}
	var merged []stage.Metric
	for _, g := range groups {
		for _, m := range g.Metrics {
			if count[m.Name] > 1 {
				m.Name = strings.TrimPrefix(g.Action, "stage.") + "." + m.Name
			}
			merged = append(merged, m)
		}
	}
	temp, err := os.MkdirTemp(filepath.Dir(path), placing+"*") // another run may be writing the same
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	whole := filepath.Join(temp, filepath.Base(path))
	if err := stage.WriteMetrics(whole, merged); err != nil {
		return err
	}
	return os.Rename(whole, path)
}

// outputs writes the pipeline's output blocks as text: artifacts as the paths of the results.
func (p *Project) outputs() []report.Value {
	var all []report.Value
	for _, o := range p.Pipeline.Outputs {
		text := "(sensitive)"
		if !o.Sensitive {
			text = p.redact(p.text(o.Value))
		}
		all = append(all, report.Value{Name: o.Name, Text: text})
	}
	return all
}

// text writes a value for people.
func (p *Project) text(v cty.Value) string {
	if v.Type().Equals(stage.HandleType) && !v.IsNull() && v.IsKnown() {
		h := v.EncapsulatedValue().(*stage.Handle)
		for _, pub := range Publications(p.byName[h.Address]) {
			if pub.Output.Name == h.Output.Name {
				return filepath.Join(p.Results, filepath.FromSlash(pub.Path))
			}
		}
		return h.String()
	}
	if v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
		return v.AsString()
	}
	if v.IsWhollyKnown() && (v.Type().IsObjectType() || v.Type().IsTupleType()) && !v.IsNull() {
		var parts []string
		for it := v.ElementIterator(); it.Next(); {
			k, e := it.Element()
			if v.Type().IsObjectType() {
				parts = append(parts, k.AsString()+" = "+p.text(e))
			} else {
				parts = append(parts, p.text(e))
			}
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	raw, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		return v.GoString()
	}
	return string(raw)
}

func (p *Project) reportData(o *Outcome, groups []report.Group) (report.Data, error) {
	d := report.Data{
		Title: p.Pipeline.Name, Pipeline: p.Pipeline.Path, Source: p.source(), Run: o.Run, Version: o.Version,
		Command: o.CommandLine, Finished: time.Now(), Seconds: o.Seconds, Status: status(o),
		Stages: p.reportStages(o), Metrics: groups, Spans: p.spans(o.Run), Values: p.outputs(),
		Environment: []report.Value{
			{Name: "Program", Text: "oceaninv " + o.Version},
			{Name: "Built with", Text: runtime.Version()},
			{Name: "Platform", Text: fmt.Sprintf("%s/%s, %d cores", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())},
		},
	}
	if host, err := os.Hostname(); err == nil {
		d.Environment = append(d.Environment, report.Value{Name: "Host", Text: host})
	}
	for _, v := range p.Pipeline.Variables {
		text := "(sensitive)"
		if !v.Sensitive {
			text = p.text(v.Value)
		}
		d.Environment = append(d.Environment, report.Value{Name: "var." + v.Name, Text: text})
	}
	for _, a := range p.Pipeline.Actions {
		if err := p.addFiles(&d, a, o.Records); err != nil {
			return d, err
		}
	}
	return d, nil
}

func status(o *Outcome) string {
	switch {
	case len(o.Failures) > 0:
		return fmt.Sprintf("%d failed, %d done, %d up to date", len(o.Failures), o.Counts.Done, o.Counts.Cached)
	case o.Counts.Pending > 0:
		return fmt.Sprintf("stopped; %d done, %d left", o.Counts.Done+o.Counts.Cached, o.Counts.Pending)
	}
	return fmt.Sprintf("%d done, %d up to date", o.Counts.Done, o.Counts.Cached)
}

func (p *Project) source() string {
	var b strings.Builder
	for _, f := range p.pipelineFiles() {
		raw, err := os.ReadFile(f)
		if err != nil {
			continue // it was there when the pipeline was loaded; the report does without
		}
		b.Write(raw)
	}
	return p.redact(b.String())
}

// redact hides the texts of sensitive values.
func (p *Project) redact(s string) string {
	for _, secret := range p.Pipeline.Secrets {
		s = strings.ReplaceAll(s, secret, "(sensitive)")
	}
	return s
}

// pipelineFiles are the root module's files.
func (p *Project) pipelineFiles() []string {
	if p.Pipeline.Path != p.Pipeline.Dir {
		return []string{p.Pipeline.Path}
	}
	return slices.DeleteFunc(slices.Clone(p.Pipeline.Read), func(f string) bool {
		return filepath.Dir(f) != p.Pipeline.Dir || filepath.Ext(f) != ".hcl"
	})
}

// addFiles adds what an action published, figures with their content.
func (p *Project) addFiles(d *report.Data, a *config.Action, records map[string]*artifact.Record) error {
	for _, pub := range Publications(a) {
		path, s, ok := p.stored(a, pub.Form.Name, records)
		if !ok {
			continue
		}
		d.Files = append(d.Files, report.File{Path: pub.Path, Type: s.Type, Action: a.Address, Bytes: s.Identity.Size, SHA256: s.Sum.Bytes})
		if pub.Output.Type != stage.Figure {
			continue
		}
		if pub.again() { // the figure before shows it already
			f := &d.Figures[len(d.Figures)-1]
			f.Others = append(f.Others, pub.Path)
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		media := "image/png"
		if bytes.Contains(content[:min(len(content), 512)], []byte("<svg")) || strings.HasSuffix(pub.Path, ".svg") {
			media = "image/svg+xml"
		}
		d.Figures = append(d.Figures, report.Figure{Title: figureTitle(pub), Caption: pub.Output.Caption, MediaType: media, Content: content})
	}
	return nil
}

func figureTitle(pub Published) string {
	name := strings.TrimSuffix(filepath.Base(pub.Path), filepath.Ext(pub.Path))
	return strings.ReplaceAll(strings.ReplaceAll(name, ".", ": "), "_", " ")
}

// reportStages sums actions up by stage, in pipeline order.
func (p *Project) reportStages(o *Outcome) []report.Stage {
	var order []string
	all := make(map[string]*report.Stage)
	past := readLedger(ledgerPath(p.Workdir, p.Pipeline.Name))
	failed := make(map[string]bool)
	for _, f := range o.Failures {
		failed[f.Action.Address] = true
	}
	for _, a := range p.Pipeline.Actions {
		s := all[a.Stage]
		if s == nil {
			s = &report.Stage{Name: a.Stage, Kind: a.Kind.Name, Doc: a.Kind.Doc}
			all[a.Stage] = s
			order = append(order, a.Stage)
		}
		s.Actions++
		for _, d := range a.DependsOn {
			if name := p.byName[d].Stage; !slices.Contains(s.DependsOn, name) {
				s.DependsOn = append(s.DependsOn, name)
			}
		}
		r := o.Records[a.Address]
		switch {
		case failed[a.Address]:
			s.Failed++
		case r != nil && r.Run == o.Run:
			s.Done++
		case r != nil:
			s.Cached++
		}
		if r != nil {
			u := past.usage(a.Address, r)
			s.Seconds += u.Seconds()
			s.CPU += u.CPU
			s.PeakRSS = max(s.PeakRSS, u.PeakRSS)
			for _, out := range r.Outputs {
				s.Bytes += out.Identity.Size
			}
		}
	}
	stages := make([]report.Stage, len(order))
	for i, name := range order {
		stages[i] = *all[name]
	}
	return stages
}

// spans reads when a run's tasks ran from its journal.
func (p *Project) spans(run string) []report.Span {
	f, err := os.Open(filepath.Join(RunDir(p.Workdir, run), JournalFile))
	if err != nil {
		return nil
	}
	defer f.Close()
	var origin time.Time
	open := make(map[string]*report.Span)
	var spans []report.Span
	for _, e := range ReadJournal(f) {
		at := e.Time.Sub(origin).Seconds()
		id := fmt.Sprint(e.Action, " ", e.Task, " ", e.Attempt)
		switch e.Event {
		case RunStarted:
			origin = e.Time
		case TaskSubmitted:
			open[id] = &report.Span{Action: e.Action, Task: e.Task, Queued: at, Start: at}
		case TaskStarted:
			if s := open[id]; s != nil {
				s.Start = at
			}
		case TaskEnded:
			if s := open[id]; s != nil {
				s.End, s.Failed = at, e.Reason != ""
				spans = append(spans, *s)
			}
		}
	}
	return spans
}

func (p *Project) writePage(path string, d report.Data) error {
	var b bytes.Buffer
	if err := report.Page(&b, d); err != nil {
		return err
	}
	return artifact.WriteFile(path, b.Bytes())
}

// MarshalJSON writes the status, key and reasons of a decision.
func (d *Decision) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Address  string       `json:"address"`
		Kind     string       `json:"kind"`
		Status   Status       `json:"status"`
		Key      artifact.Key `json:"key,omitempty"`
		Reasons  []string     `json:"reasons,omitempty"`
		Estimate Estimate     `json:"estimate"`
		Depends  []string     `json:"depends_on,omitempty"`
	}{d.Action.Address, d.Action.Kind.Name, d.Status, d.Key, d.Reasons, d.Estimate, d.Action.DependsOn})
}

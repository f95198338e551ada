package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"oceaninv/workflow/stage"
)

type retryBlock struct {
	Attempts int      `hcl:"attempts,optional"`
	Delay    string   `hcl:"delay,optional"`
	Backoff  float64  `hcl:"backoff,optional"`
	MaxDelay string   `hcl:"max_delay,optional"`
	Jitter   float64  `hcl:"jitter,optional"`
	On       []string `hcl:"on,optional"`
}

type resourcesBlock struct {
	Cores     hcl.Expression `hcl:"cores,optional"`
	Memory    string         `hcl:"memory,optional"`
	Disk      string         `hcl:"disk,optional"`
	Time      string         `hcl:"time,optional"`
	Growth    float64        `hcl:"growth,optional"`
	MaxMemory string         `hcl:"max_memory,optional"`
	MaxTime   string         `hcl:"max_time,optional"`
	Partition string         `hcl:"partition,optional"`
	Account   string         `hcl:"account,optional"`
	QoS       string         `hcl:"qos,optional"`
	Extra     []string       `hcl:"extra,optional"`
}

// policy reads what the pipeline says about running an action.
func (e *blockEval) policy(meta *hcl.BodyContent, i instance, spec stage.Spec) Policy {
	p := Policy{Retry: Retry{Attempts: 1}, Resources: Resources{Growth: 2}}
	if r, ok := spec.(stage.Resourcer); ok && len(e.faulty) == 0 {
		p.Resources.Resources = r.Resources()
	}
	r := &policyReader{blockEval: e, context: i.context}
	for _, name := range slices.Sorted(maps.Keys(meta.Attributes)) { // diagnostics in one order
		r.attribute(&p, name, meta.Attributes[name])
	}
	for _, kind := range []string{"retry", "resources"} {
		blocks := meta.Blocks.OfType(kind)
		if len(blocks) > 1 {
			e.report(errorAt(blocks[1].DefRange, "Duplicate "+kind+" block", "Only one %s block is allowed.", kind))
		}
		if len(blocks) == 0 {
			continue
		}
		if kind == "retry" {
			r.retry(&p.Retry, blocks[0])
		} else {
			r.resources(&p.Resources, blocks[0])
		}
	}
	if p.Timeout == 0 {
		p.Timeout = p.Resources.Time
	}
	return p
}

type policyReader struct {
	*blockEval
	context *hcl.EvalContext
}

func (r *policyReader) attribute(p *Policy, name string, attr *hcl.Attribute) {
	switch name {
	case "timeout":
		p.Timeout = r.duration(r.text(attr), attr.Range)
	case "keep":
		keep := true
		r.report(gohcl.DecodeExpression(attr.Expr, r.context, &keep)...)
		p.Discard = !keep
	case "on_failure":
		switch text := r.text(attr); text {
		case "stop", "":
		case "continue":
			p.Continue = true
		default:
			r.report(errorAt(attr.Range, "Unsuitable on_failure", "on_failure is \"stop\" or \"continue\", not %q.%s", text,
				stage.DidYouMean(text, []string{"stop", "continue"})))
		}
	}
}

func (r *policyReader) text(attr *hcl.Attribute) string {
	var s string
	r.report(gohcl.DecodeExpression(attr.Expr, r.context, &s)...)
	return s
}

func (r *policyReader) retry(into *Retry, b *hcl.Block) {
	in := retryBlock{Attempts: 3, Delay: "1s", Backoff: 2, MaxDelay: "5m", Jitter: 0.1}
	diags := gohcl.DecodeBody(b.Body, r.context, &in)
	if r.report(diags...); diags.HasErrors() {
		return
	}
	at := b.DefRange
	if in.Attempts < 1 || in.Backoff < 1 || in.Jitter < 0 || in.Jitter > 1 {
		r.report(errorAt(at, "Unsuitable retry", "attempts and backoff are at least 1, and jitter is from 0 to 1."))
	}
	for _, on := range in.On {
		if _, err := strconv.Atoi(on); err != nil && !slices.Contains(RetryReasons, on) {
			r.report(errorAt(at, "Unsuitable retry", "%q is not a reason for trying again: give exit codes or %s.%s", on,
				strings.Join(RetryReasons, ", "), stage.DidYouMean(on, RetryReasons)))
		}
	}
	*into = Retry{
		Attempts: in.Attempts, Backoff: in.Backoff, Jitter: in.Jitter, On: in.On,
		Delay: r.duration(in.Delay, at), MaxDelay: r.duration(in.MaxDelay, at),
	}
}

func (r *policyReader) resources(into *Resources, b *hcl.Block) {
	in := resourcesBlock{Growth: into.Growth}
	diags := gohcl.DecodeBody(b.Body, r.context, &in)
	if r.report(diags...); diags.HasErrors() {
		return
	}
	at := b.DefRange
	if cores, ok := r.cores(in.Cores); ok {
		into.Cores, into.CoresGiven = cores, true
	}
	if in.Memory != "" {
		into.Memory, into.MemoryGiven = r.bytes(in.Memory, at), true
	}
	if in.Disk != "" {
		into.Disk = r.bytes(in.Disk, at)
	}
	if in.Time != "" {
		into.Time = r.duration(in.Time, at)
	}
	if in.Growth < 1 {
		r.report(errorAt(at, "Unsuitable resources", "growth is a factor of at least 1."))
	}
	into.Growth, into.MaxMemory, into.MaxTime = in.Growth, r.bytes(in.MaxMemory, at), r.duration(in.MaxTime, at)
	into.Partition, into.Account, into.QoS, into.Extra = in.Partition, in.Account, in.QoS, in.Extra
}

// cores reads a number of cores, or "all".
func (r *policyReader) cores(expr hcl.Expression) (int, bool) {
	v, diags := expr.Value(r.context)
	r.report(diags...)
	if diags.HasErrors() || v.IsNull() || !v.IsKnown() {
		return 0, false
	}
	if v.Type() == cty.String && v.AsString() == "all" {
		return stage.AllCores, true
	}
	if n, err := convert.Convert(v, cty.Number); err == nil {
		if cores, exact := n.AsBigFloat().Int64(); exact == 0 && cores >= 1 && cores < 1<<20 {
			return int(cores), true
		}
	}
	r.report(errorAt(expr.Range(), "Unsuitable cores", "cores is a whole number of at least 1, or \"all\"."))
	return 0, false
}

func (r *policyReader) duration(text string, at hcl.Range) time.Duration {
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		r.report(errorAt(at, "Unsuitable time", "%q is not a time: write \"90s\", \"15m\" or \"2h30m\".", text))
	}
	return d
}

func (r *policyReader) bytes(text string, at hcl.Range) int64 {
	if text == "" {
		return 0
	}
	n, err := ParseBytes(text)
	if err != nil {
		r.report(errorAt(at, "Unsuitable size", "%s.", err))
	}
	return n
}

// ParseBytes reads a size such as "512MB", "4GiB" or "100000"; decimal prefixes are powers of 1000, binary ones of 1024.
func ParseBytes(text string) (int64, error) {
	digits := strings.TrimRight(text, "BKMGTibkmgt ")
	n, err := strconv.ParseFloat(digits, 64)
	factor, ok := byteUnits[strings.ToLower(strings.TrimSpace(text[len(digits):]))]
	if err != nil || !ok || n < 0 || n*factor > 1<<62 {
		return 0, fmt.Errorf("%q is not a size: write \"512MB\" or \"4GiB\"", text)
	}
	return int64(n * factor), nil
}

var byteUnits = map[string]float64{
	"": 1, "b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12,
	"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
}

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"oceaninv/workflow"
	"oceaninv/workflow/stage"
)

// console shows a run to a person: a line per stage that moves on a terminal, lines with the time elsewhere.
type console struct {
	w      io.Writer
	stages map[string]*stageView
	bars   *mpb.Progress // nil if not on a terminal
	width  int
	cached int
	quiet  time.Time // when progress was last written, not on a terminal
}

// stageView is what is known of a stage.
type stageView struct {
	name     string
	actions  int
	done     int
	failed   int
	started  time.Time
	ended    time.Time
	tasks    map[string]int                // of the running actions
	progress map[string]map[string]float64 // fraction done, by action and task
	last     *stage.Progress
	bar      *mpb.Bar
	shown    atomic.Pointer[standing] // what the bar's own goroutine reads
}

// standing is where a stage stands at a moment.
type standing struct {
	done, failed, actions int
	fraction              float64
	started, ended        time.Time
	message               string
}

func newConsole(w io.Writer, plan *workflow.Plan) *console {
	c := &console{w: w, stages: make(map[string]*stageView)}
	for _, d := range plan.Decisions {
		c.view(d.Action.Stage).actions++
	}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		c.bars = mpb.New(mpb.WithOutput(f), mpb.WithWidth(40), mpb.WithRefreshRate(200*time.Millisecond))
	}
	return c
}

// view is that of the stage with the name; a run that is attached to may have stages that the pipeline has no more.
func (c *console) view(name string) *stageView {
	v := c.stages[name]
	if v == nil {
		v = &stageView{name: name}
		v.restart()
		c.stages[name] = v
		c.width = max(c.width, len(name))
	}
	return v
}

// restart forgets what was done: what the next run still has of it, it counts itself.
func (v *stageView) restart() {
	v.done, v.failed, v.ended = 0, 0, time.Time{}
	v.tasks, v.progress = make(map[string]int), make(map[string]map[string]float64)
}

// jsonObserver writes every event as a line of JSON.
func jsonObserver(w io.Writer) func(workflow.Event) {
	e := json.NewEncoder(w)
	return func(event workflow.Event) { _ = e.Encode(event) } // a reader that has gone does not stop the run
}

func (c *console) observe(e workflow.Event) {
	var v *stageView
	if e.Stage != "" {
		v = c.view(e.Stage)
	}
	switch e.Event {
	case workflow.RunStarted:
		for _, v := range c.stages {
			v.restart()
		}
		c.cached = 0
	case workflow.ActionCached:
		v.done++
		c.cached++
		c.move(v)
	case workflow.ActionStarted:
		c.start(v, e)
	case workflow.ActionDone:
		delete(v.progress, e.Action)
		v.done++
		c.move(v)
		c.line("%s: done in %s", e.Action, duration(e.Usage.Seconds()))
	case workflow.ActionFailed:
		v.failed++
		c.move(v)
		c.say("%s: failed: %s", e.Action, firstLine(e.Message))
	case workflow.TaskProgress:
		c.advance(v, e)
	case workflow.TaskEnded:
		if e.Reason == "" && v.progress[e.Action] != nil {
			v.progress[e.Action][e.Task] = 1
			c.move(v)
		}
	case workflow.TaskRetry:
		c.say("%s: %s failed (%s: %s); trying again in %s, attempt %d", e.Action, e.Task, e.Reason, firstLine(e.Message),
			duration(e.Delay), e.Attempt)
	case workflow.Notice:
		c.say("%s", e.Message)
	}
}

func (c *console) start(v *stageView, e workflow.Event) {
	if v.started.IsZero() {
		v.started = time.Now()
	}
	v.tasks[e.Action] = e.Tasks
	v.progress[e.Action] = make(map[string]float64)
	c.move(v)
	if c.bars != nil && v.bar == nil {
		v.bar = c.bars.New(int64(v.actions)*1000, mpb.BarStyle().Lbound("").Rbound("").Filler("━").Tip("━").Padding("─"),
			mpb.PrependDecorators(decor.Name(v.name, decor.WC{W: c.width + 1, C: decor.DindentRight})),
			mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return v.shown.Load().text() })))
	}
	c.move(v)
	text := "started"
	if e.Tasks > 1 {
		text += fmt.Sprintf(", %d tasks", e.Tasks)
	}
	if e.Reason != "" {
		text += " (" + e.Reason + ")"
	}
	c.line("%s: %s", e.Action, text)
}

func (c *console) advance(v *stageView, e workflow.Event) {
	v.last = e.Progress
	if tasks := v.progress[e.Action]; tasks != nil && e.Progress.Total > 0 {
		tasks[e.Task] = float64(e.Progress.Done) / float64(e.Progress.Total)
	}
	c.move(v)
	if c.bars == nil && time.Since(c.quiet) > 10*time.Second && time.Since(v.started) > 10*time.Second {
		c.quiet = time.Now()
		c.line("%s:%s", v.name, v.shown.Load().text())
	}
}

// fraction is how much of the stage is done, from 0 to 1.
func (v *stageView) fraction() float64 {
	sum := float64(v.done + v.failed)
	for action, tasks := range v.progress {
		of := 0.0
		for _, f := range tasks {
			of += f
		}
		sum += min(of/float64(max(1, v.tasks[action])), 1)
	}
	return sum / float64(max(1, v.actions))
}

func (c *console) move(v *stageView) {
	if v.done+v.failed == v.actions && v.ended.IsZero() {
		v.ended = time.Now()
	}
	s := &standing{done: v.done, failed: v.failed, actions: v.actions, fraction: v.fraction(), started: v.started, ended: v.ended}
	if v.last != nil {
		s.message = v.last.Message
	}
	v.shown.Store(s)
	if v.bar != nil {
		v.bar.SetCurrent(int64(s.fraction * float64(v.actions) * 1000))
	}
}

// text is what stands behind the bar.
func (s *standing) text() string {
	var b strings.Builder
	if s.actions > 1 {
		fmt.Fprintf(&b, " %d/%d", s.done, s.actions)
	}
	if s.failed > 0 {
		fmt.Fprintf(&b, " %d failed", s.failed)
	}
	if !s.ended.IsZero() {
		if s.failed == 0 {
			fmt.Fprintf(&b, " done in %s", duration(s.ended.Sub(s.started).Seconds()))
		}
		return b.String()
	}
	fmt.Fprintf(&b, " %.0f %%", 100*s.fraction)
	if elapsed := time.Since(s.started).Seconds(); s.fraction > 0.02 && elapsed > 2 {
		fmt.Fprintf(&b, ", %s left", duration(elapsed*(1-s.fraction)/s.fraction))
	}
	if s.message != "" {
		fmt.Fprintf(&b, "  %s", s.message)
	}
	return b.String()
}

// line writes a line where there are no bars.
func (c *console) line(format string, args ...any) {
	if c.bars == nil {
		c.say(format, args...)
	}
}

// say writes a line, above the bars if there are any.
func (c *console) say(format string, args ...any) {
	text := fmt.Sprintf("%s %s\n", time.Now().Format("15:04:05"), fmt.Sprintf(format, args...))
	if c.bars != nil {
		_, _ = c.bars.Write([]byte(text))
		return
	}
	fmt.Fprint(c.w, text)
}

// close leaves the bars as they are.
func (c *console) close() {
	if c.bars == nil {
		return
	}
	for _, v := range c.stages {
		if v.bar != nil && !v.bar.Completed() {
			v.bar.Abort(false)
		}
	}
	c.bars.Wait()
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// duration writes seconds for people: 0.3 s, 12 s, 3 min 20 s, 2 h 5 min.
func duration(seconds float64) string {
	switch {
	case seconds < 10:
		return fmt.Sprintf("%.1f s", seconds)
	case seconds < 60:
		return fmt.Sprintf("%.0f s", seconds)
	case seconds < 3600:
		return fmt.Sprintf("%d min %d s", int(seconds)/60, int(seconds)%60)
	}
	return fmt.Sprintf("%d h %d min", int(seconds)/3600, int(seconds)%3600/60)
}

package main

import (
	"testing"

	"oceaninv/workflow"
)

// TestForecastTotals: what is up to date costs nothing, what is not known is said.
func TestForecastTotals(t *testing.T) {
	plan := &workflow.Plan{Decisions: []*workflow.Decision{
		{Status: workflow.Cached, Estimate: workflow.Estimate{Seconds: 1e6, CoreSeconds: 1e6, From: "history"}},
		{Status: workflow.ToRun, Estimate: workflow.Estimate{Seconds: 3000, CoreSeconds: 5800, From: "history"}},
		{Status: workflow.Maybe, Estimate: workflow.Estimate{Seconds: 600, CoreSeconds: 500, From: "kind"}},
		{Status: workflow.ToRun},
	}}
	if got, want := totalText(plan), " About 1 h 0 min of work, 1.8 core-hours, and 1 not known."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	plan.Decisions = plan.Decisions[:1]
	if got := totalText(plan); got != "" {
		t.Errorf("nothing to do, but %q", got)
	}
}

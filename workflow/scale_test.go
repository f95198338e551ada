package workflow_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"oceaninv/workflow"
)

// tenThousand is 10,000 actions of empty work, the second half needing the first.
const tenThousand = `
locals {
  hundred  = [for i in range(100) : format("%02d", i)]
  seventy  = [for i in range(50) : format("%02d", i)]
  numbers  = toset([for p in setproduct(local.hundred, local.seventy) : join("", p)])
}
stage "make" "each" {
  for_each = local.numbers
  count    = 0
  seed     = parseint(each.key, 10)
}
stage "join" "each_again" {
  for_each = local.numbers
  title    = each.key
  words    = stage.each[each.key].words
}
`

// TestScalePlan plans 10,000 actions. The time is reported and only held to a bound far above what it takes.
func TestScalePlan(t *testing.T) {
	path := write(t, tenThousand)
	start := time.Now()
	p, err := open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	loaded := time.Since(start)
	plan, diags := p.Plan(context.Background(), workflow.PlanOptions{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if n := plan.Count(workflow.ToRun); n != 10000 {
		t.Fatalf("%d actions to run", n)
	}
	t.Logf("10,000 actions: loaded in %v, planned in %v", loaded, time.Since(start)-loaded)
}

func BenchmarkPlan10000(b *testing.B) {
	path := write(b, tenThousand)
	for b.Loop() {
		p, err := open(path, nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, diags := p.Plan(context.Background(), workflow.PlanOptions{}); diags.HasErrors() {
			b.Fatal(diags)
		}
		p.Close()
	}
}

// BenchmarkRun is the cost of an action with empty work, its process included.
func BenchmarkRun(b *testing.B) {
	path := write(b, `
locals { numbers = toset([for p in setproduct(range(10), range(20)) : join("x", p)]) }
stage "make" "each" {
  for_each = local.numbers
  count    = 0
  recipe   = { letters = each.key, length = 1 }
  seed     = var.seed
}
variable "seed" { default = 0 }
`)
	seed := 0
	for b.Loop() {
		seed++
		if o := mustRun(b, path, fmt.Sprintf("seed=%d", seed)); o.Counts.Done != 200 {
			b.Fatalf("%+v", o.Counts)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()*1000/float64(200*b.N), "ms/action")
}

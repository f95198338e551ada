package slurmtest_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"oceaninv/workflow/executor/slurm/slurmtest"
)

// BenchmarkOverhead compares arrays of tasks that do nothing: submitted by hand, to run `true` and, in the same cluster,
// by a run. Both wait for slurmctld's own tick; the difference is what the program adds: its process, which writes, syncs
// and reads back a result, and the time until the driver notices.
func BenchmarkOverhead(b *testing.B) {
	for _, n := range []int{1, 64, 256} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			slurmtest.Start(b, slurmtest.Options{CPUs: 64})
			var plain, ours time.Duration
			for b.Loop() {
				start := time.Now()
				plainArray(b, n)
				plain += time.Since(start)
				text := fmt.Sprintf("stage \"make\" \"data\" {\n count = %d\n shards = %d\n}", n, n)
				path := write(b, text)
				start = time.Now()
				o, w := onSLURM(b, path, quick())
				ours += time.Since(start)
				must(b, o, w)
			}
			b.ReportMetric(plain.Seconds()/float64(b.N), "s-plain")
			b.ReportMetric(ours.Seconds()/float64(b.N), "s-oceaninv")
			b.ReportMetric((ours-plain).Seconds()*1000/float64(n*b.N), "ms/task-added")
		})
	}
}

// plainArray runs n tasks of nothing by sbatch and then, as a merge would, one more.
func plainArray(b *testing.B, n int) {
	b.Helper()
	jobs := []string{fmt.Sprintf("--array=0-%d", n-1), "--nice=0"}
	if n == 1 {
		jobs = []string{"--nice=0"}
	}
	for _, option := range jobs {
		id, err := exec.Command("sbatch", "--parsable", "--output=/dev/null", option, "--wrap=true").Output()
		if err != nil {
			b.Fatal(err)
		}
		for {
			out, err := exec.Command("squeue", "-h", "-r", "-j", strings.TrimSpace(string(id))).Output()
			if err == nil && len(out) == 0 {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
}

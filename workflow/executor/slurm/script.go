package slurm

import (
	"fmt"
	"math"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"oceaninv/workflow/executor"
	"oceaninv/workflow/stage"
)

// request is what the tasks of one submission ask for, alike.
type request struct {
	group     string
	resources stage.Resources
	queue     executor.Queue
	exclude   string // nodes, comma-separated
}

// script is the batch script of a submission of n tasks, whose directories stand in the file tasks, a line each.
func (o *Options) script(name, dir string, n int, r request, command []string) string {
	var b strings.Builder
	b.WriteString("#!/bin/bash\n")
	directive := func(format string, args ...any) { fmt.Fprintf(&b, "#SBATCH "+format+"\n", args...) }
	directive("--job-name=%s", name)
	output := "slurm-%j.out"
	if n > 1 {
		output = "slurm-%A_%a.out"
		throttle := ""
		if o.Throttle > 0 {
			throttle = fmt.Sprintf("%%%d", o.Throttle)
		}
		directive("--array=0-%d%s", n-1, throttle)
	}
	directive("--output=%s", quote(strings.ReplaceAll(dir, "%", "%%")+"/"+output))
	directive("--open-mode=append")
	directive("--requeue")
	o.limits(directive, r)
	fmt.Fprintf(&b, "export HDF5_USE_FILE_LOCKING=\"${HDF5_USE_FILE_LOCKING:-FALSE}\" # files appear by renaming: no locks are needed\n")
	fmt.Fprintf(&b, "export GOMAXPROCS=%d\n", max(1, r.resources.Cores))
	if r.resources.Memory > 0 {
		fmt.Fprintf(&b, "export GOMEMLIMIT=%d\n", r.resources.Memory*9/10)
	}
	for _, line := range o.Setup {
		fmt.Fprintln(&b, line)
	}
	line := "1"
	if n > 1 {
		line = "$((SLURM_ARRAY_TASK_ID + 1))"
	}
	fmt.Fprintf(&b, "task=$(sed -n \"%sp\" %s) || exit 1\n", line, quote(filepath.Join(dir, "tasks")))
	words := make([]string, len(command))
	for i, word := range command {
		words[i] = quote(word)
	}
	fmt.Fprintf(&b, "exec %s \"$task\" >>\"$task/%s\" 2>&1\n", strings.Join(words, " "), executor.LogFile)
	return b.String()
}

// limits writes what a task asks for.
func (o *Options) limits(directive func(string, ...any), r request) {
	directive("--nodes=1 --ntasks=1 --cpus-per-task=%d", max(1, r.resources.Cores))
	if memory := r.resources.Memory; memory > 0 && o.RequestMemory {
		directive("--mem=%dM", (memory+1<<20-1)>>20)
	}
	if limit := r.resources.Time; limit > 0 {
		directive("--time=%d", minutes(limit))
	}
	for _, option := range []struct{ name, own, common string }{
		{"partition", r.queue.Partition, o.Partition}, {"account", r.queue.Account, o.Account}, {"qos", r.queue.QoS, o.QoS},
		{"exclude", r.exclude, ""},
	} {
		if v := option.own; v != "" {
			directive("--%s=%s", option.name, quote(v))
		} else if option.common != "" {
			directive("--%s=%s", option.name, quote(option.common))
		}
	}
	for _, extra := range append(append([]string(nil), o.Extra...), r.queue.Extra...) {
		directive("%s", extra)
	}
}

// minutes is a time limit as SLURM counts it.
func minutes(d time.Duration) int { return max(1, int(math.Ceil(d.Minutes()))) }

// plain is text that the shell and sbatch take as it is.
var plain = regexp.MustCompile(`^[A-Za-z0-9_./:,=@%+\[\]-]+$`)

// quote makes one word of a text, for the shell and for #SBATCH lines.
func quote(text string) string {
	if plain.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

var sizes = regexp.MustCompile(`^\s*([0-9.]+)\s*([kKMGTmgt]?)(i?)[bB]?\s*$`)

// megabytes parses a size and rounds up to SLURM's unit, 2^20 bytes; "" is none.
func megabytes(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	m := sizes.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("%q is not a size: write \"512MB\" or \"4GiB\"", text)
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a size: write \"512MB\" or \"4GiB\"", text)
	}
	base := 1000.0
	if m[3] != "" {
		base = 1024
	}
	power := strings.Index("kmgt", strings.ToLower(m[2])) + 1
	if m[2] == "" {
		power = 0
	}
	return int64(math.Ceil(n * math.Pow(base, float64(power)) / (1 << 20))), nil
}

// unsuitable are the characters that do not go into a job's name.
var unsuitable = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// label is the readable part of the names of a group's jobs: "stage.data shard" gives data.
func label(group string) string {
	stage, _, _ := strings.Cut(group, " ")
	stage = strings.TrimPrefix(stage, "stage.")
	text := strings.Trim(unsuitable.ReplaceAllString(stage, "-"), "-")
	return text[:min(len(text), 40)]
}

package slurm

import (
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"

	"oceaninv/workflow/stage"
)

// Options are the arguments of an executor "slurm" block. What a stage's resources block says comes before Partition,
// Account, QoS, Time and Memory here; Extra of both are given.
type Options struct {
	// Partition, Account and QoS are sbatch's.
	Partition string `hcl:"partition,optional"`
	Account   string `hcl:"account,optional"`
	QoS       string `hcl:"qos,optional"`
	// Extra are further options of sbatch, verbatim: "--constraint=avx2".
	Extra []string `hcl:"extra,optional"`
	// Setup are lines of shell that run before each task: "module load netcdf".
	Setup []string `hcl:"setup,optional"`
	// Cores is what a task gets that asks for all.
	Cores int `hcl:"cores,optional"`
	// Memory and Time are for tasks that do not say: "2GB", "1h".
	Memory string `hcl:"memory,optional"`
	Time   string `hcl:"time,optional"`
	// RequestMemory says whether to pass --mem: some sites refuse it.
	RequestMemory bool `hcl:"request_memory,optional"`
	// Throttle is how many tasks of one array may run at once; 0 for no limit.
	Throttle int `hcl:"throttle,optional"`
	// MaxArray is the largest array to submit; 0 for the cluster's MaxArraySize.
	MaxArray int `hcl:"max_array,optional"`
	// MaxJobs is how many tasks may be with SLURM at once.
	MaxJobs int `hcl:"max_jobs,optional"`
	// Poll and MaxPoll are the least and greatest interval between two looks at the queue.
	Poll    string `hcl:"poll,optional"`
	MaxPoll string `hcl:"max_poll,optional"`
	// Latency is how late a file written on a node may appear here.
	Latency string `hcl:"latency,optional"`
	// SubmitAttempts is how often sbatch is tried when the controller does not answer.
	SubmitAttempts int `hcl:"submit_attempts,optional"`
	// Resubmit is how often a task is submitted again that a node or SLURM has lost.
	Resubmit int `hcl:"resubmit,optional"`
	// Driver is how `run --detach` submits the driver itself.
	Driver *Driver `hcl:"driver,block"`
}

// Driver is what the job asks for in which a detached driver runs.
type Driver struct {
	// Where is "job", or "process" where nodes may not submit jobs: then the driver stays on this host.
	Where     string   `hcl:"where,optional"`
	Partition string   `hcl:"partition,optional"`
	Account   string   `hcl:"account,optional"`
	QoS       string   `hcl:"qos,optional"`
	Time      string   `hcl:"time,optional"`   // 1 day; at its end the driver submits itself again
	Memory    string   `hcl:"memory,optional"` // 2 GB
	Extra     []string `hcl:"extra,optional"`
}

// filled has the defaults where nothing is given.
func (d *Driver) filled() *Driver {
	f := *DefaultOptions().Driver
	if d == nil {
		return &f
	}
	where, limit, memory := f.Where, f.Time, f.Memory
	f = *d
	for _, field := range []struct {
		at *string
		or string
	}{{&f.Where, where}, {&f.Time, limit}, {&f.Memory, memory}} {
		if *field.at == "" {
			*field.at = field.or
		}
	}
	return &f
}

// DefaultOptions are those of an empty block.
func DefaultOptions() Options {
	return Options{Cores: 1, RequestMemory: true, MaxJobs: 1000, Poll: "1s", MaxPoll: "30s", Latency: "60s",
		SubmitAttempts: 10, Resubmit: 3, Driver: &Driver{Where: "job", Time: "24h", Memory: "2GB"}}
}

// Decode reads a block.
func Decode(body hcl.Body, ctx *hcl.EvalContext, at hcl.Range) (Options, hcl.Diagnostics) {
	o := DefaultOptions()
	diags := gohcl.DecodeBody(body, ctx, &o)
	if diags.HasErrors() {
		return o, diags
	}
	for _, problem := range o.problems() {
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Unsuitable executor", Detail: problem, Subject: &at})
	}
	return o, diags
}

// problems lists what is wrong with the values.
func (o *Options) problems() []string {
	var all []string
	o.Driver = o.Driver.filled()
	if o.Driver.Where != "job" && o.Driver.Where != "process" {
		all = append(all, fmt.Sprintf("where is \"job\" or \"process\", not %q.", o.Driver.Where))
	}
	times := map[string]string{"time": o.Time, "poll": o.Poll, "max_poll": o.MaxPoll, "latency": o.Latency, "driver.time": o.Driver.Time}
	for _, name := range []string{"time", "poll", "max_poll", "latency", "driver.time"} {
		if d, err := duration(times[name]); err != nil || d < 0 {
			all = append(all, fmt.Sprintf("%s = %q is not a time: write \"90s\", \"15m\" or \"2h30m\".", name, times[name]))
		}
	}
	for _, m := range []string{o.Memory, o.Driver.Memory} {
		if _, err := megabytes(m); err != nil {
			all = append(all, err.Error()+".")
		}
	}
	if o.Cores < 1 || o.MaxJobs < 1 || o.SubmitAttempts < 1 {
		all = append(all, "cores, max_jobs and submit_attempts are at least 1.")
	}
	if o.Throttle < 0 || o.MaxArray < 0 || o.Resubmit < 0 {
		all = append(all, "throttle, max_array and resubmit are not negative.")
	}
	for _, e := range append(append([]string(nil), o.Extra...), o.Driver.Extra...) {
		if !strings.HasPrefix(e, "-") || strings.ContainsAny(e, "\n\r") {
			all = append(all, fmt.Sprintf("extra holds options of sbatch, one each, such as \"--constraint=avx2\"; %q is none.", e))
		}
	}
	return all
}

// usual is the memory and time of tasks that do not say.
func (o *Options) usual() stage.Resources {
	mb, err := megabytes(o.Memory)
	if err != nil {
		panic("slurm: " + err.Error())
	}
	return stage.Resources{Memory: mb << 20, Time: mustDuration(o.Time)}
}

// duration parses a time; "" is none.
func duration(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	return time.ParseDuration(text)
}

// mustDuration is duration for what has been checked.
func mustDuration(text string) time.Duration {
	d, err := duration(text)
	if err != nil {
		panic("slurm: " + err.Error())
	}
	return d
}

package slurm

import (
	"crypto/rand"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"oceaninv/workflow/executor"
	"oceaninv/workflow/stage"
)

// signalBefore is how many seconds before the end of its time a driver is told.
const signalBefore = 120

// Detached says which driver to submit.
type Detached struct {
	Workdir  string
	Pipeline string   // path
	Dir      string   // to start in
	Command  []string // the program's run verb with its arguments
}

// Detach submits a driver as a job of its own and returns the job's id and the file that it writes to. Before its time
// ends the driver stops, leaving its tasks to run, and the job submits itself again.
func Detach(o Options, d Detached) (id, log string, err error) {
	name := "driver." + time.Now().UTC().Format("20060102T150405") + "-" + strings.ToLower(rand.Text()[:4])
	forgetDrivers(d)
	r := &record{Name: name, Pipeline: d.Pipeline, Driver: true, Written: time.Now().UTC(), dir: filepath.Join(recordsDir(d.Workdir), name)}
	if err := r.write(o.DriverScript(name, r.dir, d)); err != nil {
		return "", "", err
	}
	var c client
	if id, err = c.submit(r.script()); err != nil {
		_ = r.remove() // nothing refers to it
		return "", "", err
	}
	return id, filepath.Join(r.dir, "slurm-"+id+".out"), r.identify(id)
}

// forgetDrivers removes the records, and logs, of the pipeline's drivers that have ended.
func forgetDrivers(d Detached) {
	records, err := readRecords(d.Workdir)
	if err != nil {
		return
	}
	for _, r := range records {
		if r.Driver && r.Pipeline == d.Pipeline {
			if ids, err := r.alive(client{}); err == nil && len(ids) == 0 {
				_ = r.remove() // a later one tries again
			}
		}
	}
}

// DriverScript is the batch script of a detached driver.
func (o *Options) DriverScript(name, dir string, d Detached) string {
	var b strings.Builder
	b.WriteString("#!/bin/bash\n")
	directive := func(format string, args ...any) { fmt.Fprintf(&b, "#SBATCH "+format+"\n", args...) }
	directive("--job-name=%s", name)
	directive("--output=%s", quote(strings.ReplaceAll(dir, "%", "%%")+"/slurm-%j.out"))
	directive("--open-mode=append")
	directive("--requeue")
	directive("--signal=B:USR1@%d", signalBefore)
	memory, err := megabytes(o.Driver.Memory)
	if err != nil {
		panic("slurm: " + err.Error())
	}
	own := *o
	own.Extra = nil
	own.limits(directive, request{
		resources: stage.Resources{Cores: 1, Memory: memory << 20, Time: mustDuration(o.Driver.Time)},
		queue:     executor.Queue{Partition: o.Driver.Partition, Account: o.Driver.Account, QoS: o.Driver.QoS, Extra: o.Driver.Extra},
	})
	for _, line := range o.Setup {
		fmt.Fprintln(&b, line)
	}
	words := make([]string, len(d.Command))
	for i, w := range d.Command {
		words[i] = quote(w)
	}
	fmt.Fprintf(&b, driverBody, quote(d.Dir), strings.Join(words, " "), quote(filepath.Join(dir, scriptFile)))
	return b.String()
}

// driverBody runs the driver, passes the warning of the time limit on, and submits the script again if the driver stopped
// for that (75). bash's wait returns early when a signal arrives.
const driverBody = `cd %s || exit 1
again=
trap 'again=1; kill -USR1 "$driver"' USR1
trap : TERM # SLURM sends it to the driver too
%s &
driver=$!
while kill -0 "$driver" 2>/dev/null; do wait "$driver"; code=$?; done
if [ -n "$again" ] && [ "$code" -eq 75 ]; then
	for name in $(compgen -e); do
		case $name in SLURM_CONF) ;; SLURM*|SBATCH_*) unset "$name" ;; esac
	done
	exec sbatch %s
fi
exit "$code"
`

// DriverJob is the detached driver of a pipeline that is with SLURM.
type DriverJob struct {
	ID, State, Reason, Log string
}

// FindDriver returns the driver's job, if there is one that has not ended.
func FindDriver(workdir, pipeline string) (*DriverJob, error) {
	records, err := readRecords(workdir)
	if err != nil {
		return nil, err
	}
	var c client
	for _, r := range records {
		if !r.Driver || r.Pipeline != pipeline {
			continue
		}
		rows, err := c.named(r.Name)
		if err != nil {
			return nil, err
		}
		for id, row := range rows {
			if row.live() {
				return &DriverJob{ID: id, State: row.state, Reason: row.reason, Log: filepath.Join(r.dir, "slurm-"+id+".out")}, nil
			}
		}
	}
	return nil, nil
}

// Scripts are the batch scripts of the submissions that the tasks would make, each with a comment that says what for.
func (e *Executor) Scripts(workdir string, tasks []*executor.Task) []string {
	var waiting []*followed
	for _, t := range tasks {
		waiting = append(waiting, &followed{task: t})
	}
	var scripts []string
	for i, group := range grouped(waiting, e.arraySize()) {
		r := requestOf(group[0])
		name := fmt.Sprintf("%s.RUN.%d", label(r.group), i+1)
		dir := filepath.Join(recordsDir(workdir), name)
		var b strings.Builder
		fmt.Fprintf(&b, "# %s: %d task(s). %s lists their directories:\n", r.group, len(group), filepath.Join(dir, tasksFile))
		for k, f := range group {
			if k == 3 && len(group) > 4 {
				fmt.Fprintf(&b, "#   ... and %d more\n", len(group)-k)
				break
			}
			fmt.Fprintf(&b, "#   %s\n", f.task.Dir)
		}
		scripts = append(scripts, b.String()+e.options.script(name, dir, len(group), r, e.command))
	}
	return scripts
}

package slurm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"oceaninv/workflow/artifact"
)

// recordFormat is the version of submission records.
const recordFormat = 1

// Files of a submission, in a directory of its name under <workdir>/slurm.
const (
	recordFile = "submission.json"
	scriptFile = "script.sh"
	tasksFile  = "tasks" // directories, a line each
	idFile     = "id"    // of the job, once SLURM has given one
)

// record is a submission on disk: written before sbatch is called, removed when all its tasks' ends are known.
type record struct {
	Format   int       `json:"format"`
	Name     string    `json:"name"` // of the job; used once
	Run      string    `json:"run"`
	Pipeline string    `json:"pipeline"`
	Driver   bool      `json:"driver,omitempty"` // the job is a driver, not tasks
	Tasks    []member  `json:"tasks,omitempty"`
	Written  time.Time `json:"written"`

	dir string
	id  string // of the job; "" if it is not known whether there is one
}

// member is a task of a submission.
type member struct {
	Key  artifact.Key `json:"key"`
	Name string       `json:"name"`
	Dir  string       `json:"dir"`
}

// native is the id of the task with the given index.
func (r *record) native(index int) string {
	if len(r.Tasks) > 1 {
		return fmt.Sprintf("%s_%d", r.id, index)
	}
	return r.id
}

// write makes the submission's directory. When it returns, what a later driver needs is on disk.
func (r *record) write(script string) error {
	r.Format = recordFormat
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return err
	}
	var list strings.Builder
	for _, m := range r.Tasks {
		fmt.Fprintln(&list, m.Dir)
	}
	if err := os.WriteFile(filepath.Join(r.dir, tasksFile), []byte(list.String()), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(r.dir, scriptFile), []byte(script), 0o755); err != nil {
		return err
	}
	raw, err := artifact.Seal(r)
	if err != nil {
		return err
	}
	return artifact.WriteFile(filepath.Join(r.dir, recordFile), raw)
}

// identify notes the id. If that is lost, the job is found by its name.
func (r *record) identify(id string) error {
	r.id = id
	return artifact.WriteFile(filepath.Join(r.dir, idFile), []byte(id+"\n"))
}

func (r *record) script() string { return filepath.Join(r.dir, scriptFile) }

func (r *record) remove() error { return os.RemoveAll(r.dir) }

// recordsDir is where the submissions of a working directory are.
func recordsDir(workdir string) string { return filepath.Join(workdir, "slurm") }

// readRecords reads the submissions of a working directory. Those that are not whole never got as far as sbatch.
func readRecords(workdir string) ([]*record, error) {
	entries, err := os.ReadDir(recordsDir(workdir))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []*record
	for _, e := range entries {
		dir := filepath.Join(recordsDir(workdir), e.Name())
		raw, err := os.ReadFile(filepath.Join(dir, recordFile))
		if err != nil {
			continue
		}
		r := &record{dir: dir}
		if artifact.Unseal(raw, r) != nil || r.Format != recordFormat {
			continue
		}
		if id, err := os.ReadFile(filepath.Join(dir, idFile)); err == nil {
			r.id = strings.TrimSpace(string(id))
		}
		all = append(all, r)
	}
	return all, nil
}

// find asks SLURM for the job of a record without an id.
func (r *record) find(c client) (found bool, err error) {
	rows, err := c.named(r.Name)
	if err != nil {
		return false, err
	}
	for id := range rows {
		base, _, _ := strings.Cut(id, "_")
		return true, r.identify(base)
	}
	return false, nil
}

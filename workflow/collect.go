package workflow

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"oceaninv/workflow/artifact"
	"oceaninv/workflow/stage"
)

// Collected is what garbage collection did.
type Collected struct {
	Kept    int      `json:"kept"`
	Removed int      `json:"removed"`
	Bytes   int64    `json:"bytes"`
	Keys    []string `json:"keys,omitempty"` // removed
}

// Collect removes from a working directory's store what nothing needs any more: what neither the latest complete run of a
// pipeline uses, nor a run since then, which may have failed or may be going on, has finished or begun.
func Collect(registry *stage.Registry, workdir string, dry bool) (*Collected, error) {
	store := OpenStore(workdir, registry)
	defer store.Close()
	leases, err := store.Leases("gc-" + newRunID())
	if err != nil {
		return nil, err
	}
	defer leases.Close()
	// Listed first: what is finished later is not among the candidates, what was finished before is in the journals.
	actions, err := filepath.Glob(filepath.Join(store.Dir(), "actions", "*", "*"))
	if err != nil {
		return nil, err
	}
	work, err := filepath.Glob(filepath.Join(store.Dir(), "work", "*"))
	if err != nil {
		return nil, err
	}
	time.Sleep(2 * journalPause)
	keep, err := roots(workdir)
	if err != nil {
		return nil, err
	}
	c := new(Collected)
	for _, dir := range actions {
		key := artifact.Key(filepath.Base(dir))
		if keep[key] || leases.Busy(key) {
			c.Kept++
			continue
		}
		if err := c.remove(dir, dry); err != nil {
			return c, err
		}
		c.Removed++
		c.Keys = append(c.Keys, key.Short())
	}
	for _, dir := range work {
		name, away, _ := strings.Cut(filepath.Base(dir), ".done-")
		if key := artifact.Key(name); leases.Busy(key) || away == "" && keep[key] || away != "" && store.Living(away) {
			continue // an action goes on, or the next run goes on with it, or a living run has the directory in reserve
		}
		if err := c.remove(dir, dry); err != nil {
			return c, err
		}
	}
	return c, nil
}

// roots are the keys that are still needed: those of all pipelines' latest complete runs, and those that a later run has
// begun, finished or found.
func roots(workdir string) (map[artifact.Key]bool, error) {
	files, err := filepath.Glob(filepath.Join(workdir, "pipelines", "*.json"))
	if err != nil {
		return nil, err
	}
	keep := make(map[artifact.Key]bool)
	complete := make(map[string]string) // the latest complete run, by pipeline
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		var s snapshot
		if err := json.Unmarshal(raw, &s); err != nil {
			return nil, fmt.Errorf("%s is damaged (%w): run its pipeline again before collecting", f, err)
		}
		complete[s.Pipeline] = s.Run
		for _, k := range s.Keys {
			keep[k] = true
		}
	}
	runs, err := runsOf(workdir)
	if err != nil {
		return nil, err
	}
	for _, run := range runs {
		events, err := readRun(workdir, run)
		if err != nil {
			return nil, err
		}
		if len(events) > 0 && run > complete[events[0].Message] {
			keepRun(events, keep)
		}
	}
	if len(runs) == 0 && len(files) == 0 {
		return nil, fmt.Errorf("%s: nothing has been run here", workdir)
	}
	return keep, nil
}

// keepRun keeps what a run has begun, finished or found.
func keepRun(events []Event, keep map[artifact.Key]bool) {
	for _, e := range events {
		switch e.Event {
		case ActionStarted, ActionDone, ActionCached:
			keep[e.Key] = true
		}
	}
}

func (c *Collected) remove(dir string, dry bool) error {
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // its run has just removed it
		}
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			c.Bytes += info.Size()
		}
		return err
	})
	if err != nil || dry {
		return err
	}
	return os.RemoveAll(dir)
}

package workflow

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

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

// Collect removes from a working directory's store what no pipeline's latest complete run uses, and the remains of broken
// runs. What a living run holds a lease on stays.
func Collect(registry *stage.Registry, workdir string, dry bool) (*Collected, error) {
	keep, err := roots(workdir)
	if err != nil {
		return nil, err
	}
	store := OpenStore(workdir, registry)
	defer store.Close()
	leases, err := store.Leases("gc-" + newRunID())
	if err != nil {
		return nil, err
	}
	defer leases.Close()
	c := new(Collected)
	dirs, err := filepath.Glob(filepath.Join(store.Dir(), "actions", "*", "*"))
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
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
	work, err := filepath.Glob(filepath.Join(store.Dir(), "work", "*"))
	if err != nil {
		return nil, err
	}
	for _, dir := range work {
		if key := artifact.Key(filepath.Base(dir)); !leases.Busy(key) {
			if err := c.remove(dir, dry); err != nil {
				return c, err
			}
		}
	}
	return c, nil
}

// roots are the keys that the snapshots of all pipelines name.
func roots(workdir string) (map[artifact.Key]bool, error) {
	files, err := filepath.Glob(filepath.Join(workdir, "pipelines", "*.json"))
	if err != nil {
		return nil, err
	}
	keep := make(map[artifact.Key]bool)
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		var s snapshot
		if err := json.Unmarshal(raw, &s); err != nil {
			return nil, fmt.Errorf("%s is damaged (%w): run its pipeline again before collecting", f, err)
		}
		for _, k := range s.Keys {
			keep[k] = true
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no pipeline has been run to the end here", workdir)
	}
	return keep, nil
}

func (c *Collected) remove(dir string, dry bool) error {
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
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

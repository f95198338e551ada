package workflow

import (
	"os"
	"path/filepath"
	"slices"

	"oceaninv/workflow/executor"
)

// sweep removes the directory an action worked in: what shards wrote at once, since that may be much, and the rest at the
// end of the run, since file systems are slow to make files while others go; until then another action may have it.
func (d *driver) sweep(j *job) {
	dir := d.store.WorkDir(j.key)
	away := dir + ".done-" + d.id
	if os.Rename(dir, away) != nil {
		return // left to gc
	}
	if _, outlives := d.executor.(executor.Leaver); !outlives && d.bare(away) {
		d.spare = append(d.spare, away)
		return
	}
	if j.shards > 1 {
		d.sweeping.Go(func() { os.RemoveAll(away) })
		return
	}
	d.swept = append(d.swept, away)
}

// bare reports whether a directory an action worked in holds nothing but the task file and the log of a first and only task.
func (d *driver) bare(dir string) bool {
	tasks, err := os.ReadDir(dir)
	if err != nil || len(tasks) != 1 || tasks[0].Name() != d.taskDir(string(executor.RoleRun), 1) {
		return false
	}
	files, err := os.ReadDir(filepath.Join(dir, tasks[0].Name()))
	return err == nil && !slices.ContainsFunc(files, func(f os.DirEntry) bool { return !executor.Rewritten(f.Name()) })
}

// recycle gives an action that needs one, and is one task, the directory of another that is done: that takes a rename,
// where a new one takes two directories and two files to be made, and then removed.
func (d *driver) recycle(j *job) {
	if len(d.spare) == 0 || j.shards > 1 {
		return
	}
	dir := d.store.WorkDir(j.key)
	if _, err := os.Lstat(dir); err == nil {
		return
	}
	last := len(d.spare) - 1
	if os.Rename(d.spare[last], dir) == nil {
		d.spare = d.spare[:last]
	}
}

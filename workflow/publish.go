package workflow

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"oceaninv/workflow/artifact"
	"oceaninv/workflow/config"
	"oceaninv/workflow/stage"
)

// Published is an output as it stands among the results.
type Published struct {
	Action *config.Action
	Output stage.Output
	Form   stage.Form // which of the output's files
	Path   string     // relative to the results directory, with slashes
}

// again reports whether it shows an output a second time, in another format.
func (p Published) again() bool { return p.Form.Name != p.Output.Name }

// Publications lists what an action puts among the results: figures below figures/, others under the action's name, which
// the principal output or a single one has for itself; an output in two formats has one name and two extensions. Metrics are merged into metrics.json instead.
func Publications(a *config.Action) []Published {
	if a.Policy.Discard {
		return nil
	}
	var shown []stage.Output
	figures, others := 0, 0
	for _, o := range a.Outputs {
		switch {
		case o.Intermediate || o.Type == stage.Metrics:
			continue
		case o.Type == stage.Figure:
			figures++
		default:
			others++
		}
		shown = append(shown, o)
	}
	var all []Published
	for _, o := range shown {
		dir, alone := "", others == 1
		if o.Type == stage.Figure {
			dir, alone = "figures/", figures == 1
		}
		name := a.Label
		if !alone && !o.Principal {
			name += "." + o.Name
		}
		for _, f := range o.Forms() {
			all = append(all, Published{Action: a, Output: o, Form: f, Path: dir + name + extension(f.File)})
		}
	}
	return all
}

// writableResults reports, before any work is done, whether the results can be written: a directory that is missing where
// its nearest ancestor that exists can be.
func writableResults(dir string) error {
	for at := dir; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		switch {
		case errors.Is(err, fs.ErrNotExist) && at != filepath.Dir(at):
			continue
		case err == nil && !info.IsDir():
			err = &fs.PathError{Op: "write into", Path: at, Err: syscall.ENOTDIR}
		case err == nil:
			err = unix.Access(at, unix.W_OK|unix.X_OK)
		}
		if err != nil {
			return &UsageError{fmt.Sprintf("the results cannot be written to %s (%v); --results names another directory", dir, err)}
		}
		return nil
	}
}

// extension is the file name's extension, ".tar.gz" counting as one.
func extension(file string) string {
	ext := filepath.Ext(file)
	if inner := filepath.Ext(strings.TrimSuffix(file, ext)); inner == ".tar" {
		return inner + ext
	}
	return ext
}

// publish puts a finished action's outputs among the results, as hard links where the file system allows.
func (d *driver) publish(j *job) error {
	if j.record.Discarded {
		return nil
	}
	for _, p := range Publications(j.action) {
		to := filepath.Join(d.Results, filepath.FromSlash(p.Path))
		out, ok := j.record.Output(p.Form.Name)
		if !ok { // what stands there shows another result than its twin
			if err := os.Remove(to); err == nil {
				d.published = true
			} else if !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			continue
		}
		from := filepath.Join(d.store.ActionDir(j.key), out.File)
		err := d.store.Link(from, out, func() error { // a link changes the file's change time
			changed, err := place(from, to, d.id)
			d.published = d.published || changed
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// placing begins the names of files that are being put among the results; a run's id follows, since several runs may be
// putting the same file there.
const placing = ".tmp-"

// clearPlacing removes what runs that died while they published left among the results.
func (p *Project) clearPlacing() {
	for _, pattern := range []string{placing + "*", "figures/" + placing + "*"} {
		found, err := filepath.Glob(filepath.Join(p.Results, pattern))
		if err != nil {
			continue // the results' own path is no pattern; what is left there does no harm
		}
		for _, path := range found {
			run, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(path), placing), "~")
			if !p.store.Living(run) {
				os.Remove(path)
			}
		}
	}
}

// place makes to the same file as from, or an equal one, for a run, and reports whether that took any doing.
func place(from, to, run string) (changed bool, err error) {
	source, err := os.Stat(from)
	if err != nil {
		return false, err
	}
	if target, err := os.Stat(to); err == nil && same(source, target) {
		return false, nil
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return false, err
	}
	temp := filepath.Join(filepath.Dir(to), placing+run+"~"+filepath.Base(to))
	if os.Link(from, temp) != nil {
		if err := copyFile(from, temp, source); err != nil {
			return false, errors.Join(err, os.Remove(temp))
		}
	}
	err = os.Rename(temp, to)
	os.Remove(temp) // it is still there if another run has just put a link to the same file in place: that rename does nothing
	return true, err
}

// same reports whether a target needs no work: the same file, or a copy made of it.
func same(source, target os.FileInfo) bool {
	return os.SameFile(source, target) || source.Size() == target.Size() && source.ModTime().Equal(target.ModTime())
}

func copyFile(from, to string, source os.FileInfo) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) // never into a file that may be a link to the store's
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	return os.Chtimes(to, source.ModTime(), source.ModTime())
}

// discard removes the outputs of actions that are not to be kept, everything being done. Another run may be about to read
// them; then they are left to the next run that ends alone.
func (d *driver) discard() {
	if !slices.ContainsFunc(d.plan.Decisions, func(x *Decision) bool { return x.Action.Policy.Discard }) || !d.leases.Alone() {
		return
	}
	for _, j := range d.jobs {
		if !j.action.Policy.Discard || j.record == nil || j.record.Discarded {
			continue
		}
		if err := d.store.Discard(*j.record); err != nil {
			d.notice(j, "outputs that are not to be kept cannot be removed: "+err.Error())
		}
	}
}

// writeTrace makes the trace of what the journal holds.
func (d *driver) writeTrace() error {
	dir := RunDir(d.Workdir, d.id)
	f, err := os.Open(filepath.Join(dir, JournalFile))
	if err != nil {
		return err
	}
	defer f.Close()
	var b strings.Builder
	if err := WriteTrace(&b, ReadJournal(f)); err != nil {
		return err
	}
	return artifact.WriteFile(filepath.Join(dir, TraceFile), []byte(b.String()))
}

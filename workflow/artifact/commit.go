package artifact

import (
	"fmt"
	"os"
	"path/filepath"
)

// Pending is an action's outputs while they are being written, in the directory that will hold them.
type Pending struct {
	store *Store
	dir   string
	files []pendingFile
}

type pendingFile struct{ name, typ, file, temp string }

// Begin prepares to write outputs into dir. Declare each with Add, write it to the path given, then Commit.
func (s *Store) Begin(dir string) (*Pending, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return &Pending{store: s, dir: dir}, nil
}

// Add declares an output and returns the temporary path to write it to. The path ends in the file's name, so that what
// goes by extensions goes on working.
func (p *Pending) Add(name, typ, file string) string {
	temp := filepath.Join(p.dir, fmt.Sprintf("%s%d-%d-%s", tempPrefix, os.Getpid(), p.store.temps.Add(1), file))
	p.files = append(p.files, pendingFile{name, typ, file, temp})
	return temp
}

// Commit gives the outputs their names and writes the record, last. Every file is read back for its digests, and synced,
// before anything is renamed. When nothing is left but to wait for the disk, saving is called, if not nil.
func (p *Pending) Commit(r Record, saving func()) (*Record, error) {
	r.Format = RecordFormat
	for _, f := range p.files {
		if _, err := os.Stat(f.temp); err != nil {
			return nil, fmt.Errorf("output %s was not written", f.name)
		}
		sum, err := p.store.sum(f.temp)
		if err != nil {
			return nil, fmt.Errorf("output %s cannot be read back: %w", f.name, err)
		}
		r.Outputs = append(r.Outputs, Stored{Name: f.name, Type: f.typ, File: f.file, Sum: sum})
	}
	if saving != nil {
		saving()
	}
	for i, f := range p.files {
		if err := syncFile(f.temp); err != nil {
			return nil, fmt.Errorf("output %s: %w", f.name, err)
		}
		final := filepath.Join(p.dir, f.file)
		if err := os.Rename(f.temp, final); err != nil {
			return nil, err
		}
		id, err := Identify(final)
		if err != nil {
			return nil, err
		}
		r.Outputs[i].Identity = id
	}
	raw, err := Seal(r)
	if err != nil {
		return nil, err
	}
	return &r, p.writeRecord(raw)
}

// writeRecord puts the record into place and syncs it and then the directory. Synced under its final name, the record
// takes the renames with it where a file system keeps one log, so that the directory's sync is nearly free. A power cut
// before that may leave a record that is not whole, or one whose outputs' names are lost: both are misses, and nobody has
// been told yet that the action is done.
func (p *Pending) writeRecord(raw []byte) error {
	path := filepath.Join(p.dir, recordFile)
	if err := WriteFileSoon(path, raw); err != nil {
		return err
	}
	if err := syncFile(path); err != nil {
		return err
	}
	return syncDir(p.dir)
}

// Abort removes what was written.
func (p *Pending) Abort() {
	for _, f := range p.files {
		os.Remove(f.temp)
	}
}

package artifact

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// ErrMissing is what an action that has not been done is reported with.
var ErrMissing = errors.New("not done yet")

// RecordFormat is the version of completion records.
const RecordFormat = 1

// Record says that an action, or a shard of one, is complete. It is written after everything it speaks of.
type Record struct {
	Format  int      `json:"format"`
	Key     Key      `json:"key"`
	Address string   `json:"address"` // who asked first; information only
	Run     string   `json:"run"`
	Outputs []Stored `json:"outputs"`
	Usage   Usage    `json:"usage"`
	// Discarded says that the output files have been removed on purpose; their digests still count.
	Discarded bool `json:"discarded,omitempty"`
}

// Stored is one output file.
type Stored struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"`
	File     string   `json:"file"` // relative to the record
	Sum      Sum      `json:"sum"`
	Identity Identity `json:"identity"`
}

// Usage is what the work took.
type Usage struct {
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	CPU      float64   `json:"cpu"` // s
	PeakRSS  int64     `json:"peak_rss"`
	Read     int64     `json:"rchar"`
	Written  int64     `json:"wchar"`
	Cores    int       `json:"cores"`
	Host     string    `json:"host"`
}

// Seconds is the wall-clock time.
func (u Usage) Seconds() float64 { return u.Finished.Sub(u.Started).Seconds() }

// Output returns the stored output of that name.
func (r *Record) Output(name string) (Stored, bool) {
	for _, o := range r.Outputs {
		if o.Name == name {
			return o, true
		}
	}
	return Stored{}, false
}

const (
	recordFile   = "record.json"
	preimageFile = "preimage.json"
)

// Digester gives the content digest of a file; "" leaves it to the hash of its bytes.
type Digester func(path string) (string, error)

// Store is a directory of results.
type Store struct {
	dir    string
	digest Digester
	memo   *Memo
	temps  atomic.Int64
}

// Open opens the store in a directory, creating it where it is missing.
func Open(dir string, digest Digester) (*Store, error) {
	for _, d := range []string{"actions", "work", "leases"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return nil, fmt.Errorf("cannot open the store: %w", err)
		}
	}
	return OpenExisting(dir, digest), nil
}

// OpenExisting opens a store without creating anything: an empty one where there is none.
func OpenExisting(dir string, digest Digester) *Store {
	if digest == nil {
		digest = func(string) (string, error) { return "", nil }
	}
	return &Store{dir: dir, digest: digest, memo: &Memo{path: filepath.Join(dir, "digests.ndjson")}}
}

// Close ends the use of the store.
func (s *Store) Close() { s.memo.close() }

// Dir is the store's directory.
func (s *Store) Dir() string { return s.dir }

// ActionDir is where the results of an action are.
func (s *Store) ActionDir(k Key) string {
	return filepath.Join(s.dir, "actions", string(k[:2]), string(k))
}

// WorkDir is where an action's tasks work.
func (s *Store) WorkDir(k Key) string { return filepath.Join(s.dir, "work", string(k)) }

// Lookup returns the record of a finished action. The error wraps ErrMissing or ErrDamaged; both mean: run it.
func (s *Store) Lookup(k Key) (*Record, error) { return s.LookupIn(s.ActionDir(k), k) }

// LookupIn is Lookup for a record in another directory: that of a shard.
func (s *Store) LookupIn(dir string, k Key) (*Record, error) { return s.lookup(dir, k, false) }

// Recorded reports whether a directory has a completion record, without judging it.
func Recorded(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, recordFile))
	return err == nil
}

// Verify is Lookup that reads every file.
func (s *Store) Verify(k Key) (*Record, error) { return s.lookup(s.ActionDir(k), k, true) }

func (s *Store) lookup(dir string, k Key, reread bool) (*Record, error) {
	raw, err := os.ReadFile(filepath.Join(dir, recordFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrMissing
	}
	if err != nil {
		return nil, fmt.Errorf("%w: completion record: %v", ErrDamaged, err)
	}
	r, err := parseRecord(raw)
	if err != nil {
		return nil, fmt.Errorf("completion record: %w", err)
	}
	if r.Key != k {
		return nil, fmt.Errorf("%w: the completion record is that of %s", ErrDamaged, r.Key.Short())
	}
	if r.Discarded {
		return r, nil
	}
	for _, o := range r.Outputs {
		if err := s.checkFile(filepath.Join(dir, o.File), o, reread); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func parseRecord(raw []byte) (*Record, error) {
	var r Record
	if err := Unseal(raw, &r); err != nil {
		return nil, err
	}
	if r.Format != RecordFormat {
		return nil, fmt.Errorf("%w: format %d is not %d", ErrDamaged, r.Format, RecordFormat)
	}
	for _, o := range r.Outputs {
		if filepath.Base(o.File) != o.File {
			return nil, fmt.Errorf("%w: output file %q", ErrDamaged, o.File)
		}
	}
	return &r, nil
}

// checkFile reports whether a file still has the recorded bytes, reading it only if its identity does not say so.
func (s *Store) checkFile(path string, o Stored, reread bool) error {
	id, err := Identify(path)
	if err != nil {
		return fmt.Errorf("%w: output %s is gone: %v", ErrDamaged, o.Name, err)
	}
	if id.Size != o.Identity.Size {
		return fmt.Errorf("%w: output %s has %d bytes instead of %d", ErrDamaged, o.Name, id.Size, o.Identity.Size)
	}
	if !reread {
		if id == o.Identity {
			return nil
		}
		if sum, ok := s.memo.Get(id); ok && sum.Bytes == o.Sum.Bytes {
			return nil
		}
	}
	hash, err := HashFile(path)
	if err != nil {
		return fmt.Errorf("%w: output %s cannot be read: %v", ErrDamaged, o.Name, err)
	}
	if hash != o.Sum.Bytes {
		return fmt.Errorf("%w: the bytes of output %s have changed", ErrDamaged, o.Name)
	}
	s.memo.Put(id, o.Sum)
	return nil
}

// Link does something to an output's file that leaves its bytes alone and may change its identity, such as a new hard link,
// and remembers that they are the recorded ones: if they were before, and nothing else has changed the file meanwhile.
func (s *Store) Link(path string, o Stored, do func() error) error {
	before, err := Identify(path)
	if err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	after, err := Identify(path)
	if err != nil || after == before {
		return err
	}
	known := before == o.Identity
	if !known {
		sum, ok := s.memo.Get(before)
		known = ok && sum.Bytes == o.Sum.Bytes
	}
	if before.Changed = after.Changed; known && before == after {
		s.memo.Put(after, o.Sum)
	}
	return nil
}

// SumFile returns the sum of any file, remembered by identity.
func (s *Store) SumFile(path string) (Sum, error) {
	id, err := Identify(path)
	if err != nil {
		return Sum{}, err
	}
	if sum, ok := s.memo.Get(id); ok && sum.Content != "" {
		return sum, nil
	}
	sum, err := s.sum(path)
	if err != nil {
		return Sum{}, err
	}
	if after, err := Identify(path); err == nil && after == id {
		s.memo.remember(id, sum, time.Since(id.latest()).Abs() > settled)
	}
	return sum, nil
}

func (s *Store) sum(path string) (Sum, error) {
	bytes, err := HashFile(path)
	if err != nil {
		return Sum{}, err
	}
	content, err := s.digest(path)
	if err != nil {
		return Sum{}, err
	}
	if content == "" {
		content = bytes
	}
	return Sum{Bytes: bytes, Content: content}, nil
}

// Preimage returns the kept preimage of an action.
func (s *Store) Preimage(k Key) (Preimage, error) {
	var p Preimage
	raw, err := os.ReadFile(filepath.Join(s.ActionDir(k), preimageFile))
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return p, fmt.Errorf("%w: %v", ErrDamaged, err)
	}
	if got, err := p.Key(); err != nil || got != k {
		return p, fmt.Errorf("%w: the preimage is not that of %s", ErrDamaged, k.Short())
	}
	return p, nil
}

// Clear removes what an attempt that died left of an action's outputs. The caller holds the lease and knows that no task of
// the action goes on.
func (s *Store) Clear(k Key) { removeTemps(s.ActionDir(k)) }

// Prepare makes the directories of an action that is about to run, and keeps its preimage. The caller holds the lease.
func (s *Store) Prepare(k Key, p Preimage) error {
	raw, err := p.Canonical()
	if err != nil {
		return err
	}
	dir := s.ActionDir(k)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.MkdirAll(s.WorkDir(k), 0o755); err != nil {
		return err
	}
	if _, err := s.Preimage(k); err == nil {
		return nil
	}
	return WriteFileSoon(filepath.Join(dir, preimageFile), append(raw, '\n'))
}

// Discard removes the output files of a finished action and keeps what its record says of them.
func (s *Store) Discard(r Record) error {
	r.Discarded = true
	raw, err := Seal(r)
	if err != nil {
		return err
	}
	dir := s.ActionDir(r.Key)
	if err := WriteFile(filepath.Join(dir, recordFile), raw); err != nil {
		return err
	}
	for _, o := range r.Outputs {
		if err := os.Remove(filepath.Join(dir, o.File)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

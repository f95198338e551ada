package artifact

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Heartbeat is how often a holder renews its leases, and Expiry how long one of another host lasts without.
const (
	Heartbeat = 5 * time.Second
	Expiry    = 60 * time.Second
)

// Holder is who holds leases: a run.
type Holder struct {
	Host      string    `json:"host"`
	Namespace string    `json:"namespace"` // boot and process namespace: where PID means something
	PID       int       `json:"pid"`
	Started   string    `json:"started"` // of the process, so that a reused PID is told apart
	Job       string    `json:"job,omitempty"`
	Run       string    `json:"run"`
	Since     time.Time `json:"since"`
	Token     string    `json:"token"` // unique to this holder
}

func (h Holder) String() string {
	if h.Run == "" {
		return "a run whose lease cannot be read"
	}
	s := fmt.Sprintf("run %s (process %d on %s", h.Run, h.PID, h.Host)
	if h.Job != "" {
		s += ", job " + h.Job
	}
	return s + ")"
}

// Leases are what one run holds in a store: the right to do an action. Each run has one file that says who it is and whose
// modification time is its heartbeat; a lease is a hard link to it under the action's key, which appears whole or not at
// all. No file locks: network file systems do not keep them.
type Leases struct {
	store *Store
	self  Holder
	own   string // the run's file
	mutex sync.Mutex
	held  map[Key]bool
	stop  chan struct{}
	ended sync.WaitGroup
}

// Leases starts holding leases for a run.
func (s *Store) Leases(run string) (*Leases, error) {
	l := &Leases{store: s, self: thisProcess(run), own: s.runFile(run), held: make(map[Key]bool), stop: make(chan struct{})}
	l.self.Since, l.self.Token = time.Now().UTC(), rand.Text()
	raw, err := Seal(l.self)
	if err == nil {
		err = WriteFileSoon(l.own, raw)
	}
	if err != nil {
		return nil, err
	}
	l.ended.Add(1)
	go l.beat()
	return l, nil
}

func (s *Store) runFile(run string) string { return filepath.Join(s.dir, "leases", "run-"+run) }

func (l *Leases) path(k Key) string { return filepath.Join(l.store.dir, "leases", string(k)) }

// Acquire takes the lease of an action. If another run holds it, that holder is returned; a dead holder's lease is
// taken over, and the dead holder returned as such.
func (l *Leases) Acquire(k Key) (held bool, other *Holder, dead *Holder, err error) {
	for range 20 {
		err := l.create(k)
		if err == nil {
			l.mutex.Lock()
			l.held[k] = true
			l.mutex.Unlock()
			return true, nil, dead, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return false, nil, nil, fmt.Errorf("cannot take the lease of %s: %w", k.Short(), err)
		}
		holder, err := readLease(l.path(k))
		if errors.Is(err, fs.ErrNotExist) {
			continue // released meanwhile
		}
		if err == nil && l.alive(holder) {
			return false, &holder, nil, nil
		}
		if l.bury(k, holder.Token) {
			dead = &holder
		}
	}
	return false, nil, nil, fmt.Errorf("cannot take the lease of %s: it keeps changing hands", k.Short())
}

// create makes the lease appear whole, or fails with fs.ErrExist. Where there are no hard links, the lease is a copy,
// which a reader may meet while it is written; it is then taken for damaged, and the action may be done twice, to no harm.
func (l *Leases) create(k Key) error {
	err := os.Link(l.own, l.path(k))
	if err == nil || errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	raw, sealErr := Seal(l.self)
	if sealErr != nil {
		return sealErr
	}
	f, err := os.OpenFile(l.path(k), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	return errors.Join(err, f.Close())
}

func readLease(path string) (Holder, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return Holder{}, err
	}
	return parseLease(raw)
}

func parseLease(raw []byte) (Holder, error) {
	var h Holder
	err := Unseal(raw, &h)
	return h, err
}

// alive judges a holder: by its process if that can be seen from here, else by its heartbeat, measured on the clock of
// the file system so that the hosts' clocks need not agree.
func (l *Leases) alive(h Holder) bool {
	if h.Host == l.self.Host && h.Namespace == l.self.Namespace {
		started, running := processStart(h.PID)
		return running && (started == h.Started || started == "" || h.Started == "")
	}
	if filepath.Base(h.Run) != h.Run {
		return false
	}
	info, err := os.Stat(l.store.runFile(h.Run))
	// A beat from the future is no sign of life: the clock has been set back since, and a living holder beats again.
	return err == nil && l.fileSystemNow().Sub(info.ModTime()).Abs() < Expiry
}

func (l *Leases) fileSystemNow() time.Time {
	probe, err := os.CreateTemp(filepath.Join(l.store.dir, "leases"), tempPrefix+"clock-*")
	if err != nil {
		return time.Now()
	}
	defer os.Remove(probe.Name())
	defer probe.Close()
	info, err := probe.Stat()
	if err != nil {
		return time.Now()
	}
	return info.ModTime()
}

// bury removes a dead holder's lease. Of several that try, the rename lets one do it; if what it moved turns out to be a
// newer lease, that is put back.
func (l *Leases) bury(k Key, token string) bool {
	grave := l.path(k) + ".dead-" + rand.Text()
	if os.Rename(l.path(k), grave) != nil {
		return false
	}
	defer os.Remove(grave)
	if h, err := readLease(grave); err == nil && h.Token != token {
		_ = os.Link(grave, l.path(k)) // if it fails, a still newer lease is there: that one counts
		return false
	}
	return true
}

// Release gives a lease back.
func (l *Leases) Release(k Key) {
	l.mutex.Lock()
	mine := l.held[k]
	delete(l.held, k)
	l.mutex.Unlock()
	if mine {
		os.Remove(l.path(k))
	}
}

// Close releases everything.
func (l *Leases) Close() {
	close(l.stop)
	l.ended.Wait()
	os.Remove(l.own)
	for k := range l.held {
		os.Remove(l.path(k))
	}
	l.held = nil
}

func (l *Leases) beat() {
	defer l.ended.Done()
	tick := time.NewTicker(Heartbeat)
	defer tick.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-tick.C:
			_ = touch(l.own) // a missed beat is made good by the next
		}
	}
}

// Alone reports whether no other run goes on in the store.
func (l *Leases) Alone() bool {
	runs, err := os.ReadDir(filepath.Dir(l.own))
	if err != nil {
		return false
	}
	for _, f := range runs {
		if f.Name() == filepath.Base(l.own) || !strings.HasPrefix(f.Name(), "run-") {
			continue
		}
		if h, err := readLease(filepath.Join(filepath.Dir(l.own), f.Name())); err == nil && l.alive(h) {
			return false
		}
	}
	return true
}

// Busy reports whether a living holder has the lease of an action.
func (l *Leases) Busy(k Key) bool { return l.Holder(k) != nil }

// Holder is the living holder of an action's lease; nil if there is none.
func (l *Leases) Holder(k Key) *Holder {
	h, err := readLease(l.path(k))
	if err != nil || !l.alive(h) {
		return nil
	}
	return &h
}

// Released reports whether a run has no lease: its driver has closed it, or has never had one.
func (s *Store) Released(run string) bool {
	_, err := os.Stat(s.runFile(run))
	return errors.Is(err, fs.ErrNotExist)
}

// Living reports whether a run goes on.
func (s *Store) Living(run string) bool {
	h, err := readLease(s.runFile(run))
	l := &Leases{store: s, self: thisProcess("")}
	return err == nil && l.alive(h)
}

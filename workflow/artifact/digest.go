package artifact

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"sync"
	"time"
)

// Identity tells a file from every other and from itself after a change, without reading it.
type Identity struct {
	Device   uint64 `json:"device,omitempty"`
	Inode    uint64 `json:"inode,omitempty"`
	Size     int64  `json:"size"`
	Modified int64  `json:"modified"` // ns since 1970
	Changed  int64  `json:"changed,omitempty"`
}

// Identify returns the identity of the file at path.
func Identify(path string) (Identity, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Identity{}, err
	}
	if info.IsDir() {
		return Identity{}, &os.PathError{Op: "read", Path: path, Err: errors.New("is a directory")}
	}
	return identityOf(info), nil
}

// Sum is what is known of a file's bytes: their hash, and the digest of the content they stand for.
type Sum struct {
	Bytes   string `json:"bytes"`
	Content string `json:"content,omitempty"`
}

// Memo remembers sums by file identity, so that unchanged files are not read again. It is a convenience: losing it
// costs time only. Several processes may append to one memo.
type Memo struct {
	path  string
	mutex sync.Mutex
	known map[Identity]Sum // nil until it is needed
	file  *os.File
}

type memoLine struct {
	Identity
	Sum
}

// need reads the memo when it is first asked; lines that are not whole are skipped. The mutex is held.
func (m *Memo) need() {
	if m.known != nil {
		return
	}
	m.known = make(map[Identity]Sum)
	f, err := os.Open(m.path)
	if err != nil {
		return
	}
	defer f.Close()
	m.load(f)
}

func (m *Memo) load(r io.Reader) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l memoLine
		if Unseal(lines.Bytes(), &l) == nil {
			m.known[l.Identity] = l.Sum
		}
	}
}

// Get returns what is known of a file.
func (m *Memo) Get(id Identity) (Sum, bool) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.need()
	s, ok := m.known[id]
	return s, ok
}

// settled is how long ago a file must have changed for its identity to tell it from what it may be changed into: some
// file systems give times in steps of two seconds, and two changes in one step have one identity.
const settled = 3 * time.Second

// latest is when the file was last changed.
func (id Identity) latest() time.Time { return time.Unix(0, max(id.Modified, id.Changed)) }

// Put remembers a file's sums. That the memo cannot be written is no reason to fail.
func (m *Memo) Put(id Identity, s Sum) { m.remember(id, s, true) }

// remember is Put, for other processes too or for this one alone.
func (m *Memo) remember(id Identity, s Sum, forOthers bool) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.need()
	if old, ok := m.known[id]; ok && s.Content == "" {
		s.Content = old.Content
	}
	if m.known[id] == s {
		return
	}
	m.known[id] = s
	if !forOthers {
		return
	}
	line, err := Seal(memoLine{id, s})
	if err != nil {
		return
	}
	if m.file == nil {
		if m.file, err = os.OpenFile(m.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644); err != nil {
			m.file = nil
			return
		}
	}
	_, _ = m.file.Write(line) // one write: lines of several processes do not mix
}

// close ends writing.
func (m *Memo) close() {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.file != nil {
		m.file.Close()
		m.file = nil
	}
}

// HashFile is the SHA-256 of a file's bytes, in hex.
func HashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

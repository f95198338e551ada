package artifact

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestKeyIsStable holds the key of a fixed preimage: if it changes, so do all keys, and KeyFormat must too.
func TestKeyIsStable(t *testing.T) {
	p := Preimage{Format: 1, Kind: "simulate", Version: 3, Params: json.RawMessage(`{"b": 1.50, "a": {"z": "<&>", "y": [1e-9, 3]}}`),
		Inputs: map[string][]string{"dataset": {"abc", "def"}}}
	raw, err := p.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"format":1,"inputs":{"dataset":["abc","def"]},"kind":"simulate","params":{"a":{"y":[1e-9,3],"z":"<&>"},"b":1.50},"version":3}`
	if string(raw) != want {
		t.Errorf("canonical form %s, want %s", raw, want)
	}
	key, err := p.Key()
	if want := Key("a8222654f7c45ec3274da9736de2ac9aa4e33f0140c8c1c0dae5cd458cd8ac63"); err != nil || key != want { // by sha256sum
		t.Errorf("key %s, %v; want %s", key, err, want)
	}
}

// TestKeyDependsOnAllButOrder: reordering an object's fields does not change a key; changing anything does.
func TestKeyDependsOnAllButOrder(t *testing.T) {
	base := Preimage{Format: 1, Kind: "k", Version: 1, Params: json.RawMessage(`{"a":1,"b":2}`), Inputs: map[string][]string{"x": {"1", "2"}}}
	key := func(change func(*Preimage)) Key {
		p := base
		change(&p)
		k, err := p.Key()
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	same := key(func(*Preimage) {})
	if got := key(func(p *Preimage) { p.Params = json.RawMessage(`{"b":2,"a":1}`) }); got != same {
		t.Error("the order of fields changes the key")
	}
	for name, change := range map[string]func(*Preimage){
		"format":  func(p *Preimage) { p.Format = 2 },
		"kind":    func(p *Preimage) { p.Kind = "l" },
		"version": func(p *Preimage) { p.Version = 2 },
		"params":  func(p *Preimage) { p.Params = json.RawMessage(`{"a":1,"b":3}`) },
		"order":   func(p *Preimage) { p.Inputs = map[string][]string{"x": {"2", "1"}} },
		"name":    func(p *Preimage) { p.Inputs = map[string][]string{"y": {"1", "2"}} },
	} {
		if key(change) == same {
			t.Errorf("a change of %s leaves the key", name)
		}
	}
}

func TestDiff(t *testing.T) {
	before := Preimage{Format: 1, Kind: "train", Version: 1, Params: json.RawMessage(`{"training":{"epochs":10,"rate":0.1},"old":true,"layers":[{"n":1},{"n":2}]}`),
		Inputs: map[string][]string{"dataset": {"aaaaaaaaaaaaaaaa"}}}
	after := Preimage{Format: 1, Kind: "train", Version: 2, Params: json.RawMessage(`{"training":{"epochs":20,"rate":0.1},"new":"x","layers":[{"n":1},{"n":3}]}`),
		Inputs: map[string][]string{"dataset": {"bbbbbbbbbbbbbbbb"}}}
	var lines []string
	for _, c := range Diff(before, after) {
		lines = append(lines, c.String())
	}
	want := `input dataset: aaaaaaaaaaaa -> bbbbbbbbbbbb
layers[1].n: 2 -> 3
new: added, "x"
old: removed, was true
training.epochs: 10 -> 20
version: 1 -> 2`
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestSealFindsEveryChange: no change of one byte of a sealed file goes unnoticed, unless it reads the same.
func TestSealFindsEveryChange(t *testing.T) {
	value := Holder{Host: "h", PID: 7, Run: "r", Token: "t"}
	sealed, err := Seal(value)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.IntRange(0, len(sealed)-1).Draw(t, "at")
		with := byte(rapid.IntRange(0, 255).Draw(t, "with"))
		changed := bytes.Clone(sealed)
		changed[at] = with
		var got Holder
		if err := Unseal(changed, &got); err == nil && got != value {
			t.Fatalf("byte %d as %q: read as %+v", at, with, got)
		}
	})
	for n := range len(sealed) - 1 {
		var got Holder
		if Unseal(sealed[:n], &got) == nil {
			t.Fatalf("%d of %d bytes passed for all", n, len(sealed))
		}
	}
}

func openStore(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func commit(t *testing.T, s *Store, k Key, text string) *Record {
	t.Helper()
	p, err := s.Begin(s.ActionDir(k))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.Add("out", "file", "out.txt"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := p.Commit(Record{Key: k}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestNothingIsThereBeforeCommit(t *testing.T) {
	s := openStore(t)
	k := Key("abcdef")
	p, err := s.Begin(s.ActionDir(k))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.Add("out", "file", "out.txt"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Lookup(k); !errors.Is(err, ErrMissing) {
		t.Errorf("before the commit: %v", err)
	}
	p.Abort()
	if entries, err := os.ReadDir(s.ActionDir(k)); err != nil || len(entries) != 0 {
		t.Errorf("after the abort: %v, %v", entries, err)
	}
}

// TestACopiedStoreIsReadOnceAndThenTrusted: where identities do not say that a file is unchanged, its bytes do, and that is
// remembered by the next process too.
func TestACopiedStoreIsReadOnceAndThenTrusted(t *testing.T) {
	s := openStore(t)
	k := Key("abcdef")
	commit(t, s, k, "words")
	path := filepath.Join(s.ActionDir(k), "out.txt")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Lookup(k); err != nil {
		t.Fatal(err)
	}
	id, err := Identify(path)
	if err != nil {
		t.Fatal(err)
	}
	if sum, ok := OpenExisting(s.Dir(), nil).memo.Get(id); !ok || sum.Bytes == "" {
		t.Error("the digest was not remembered")
	}
}

func TestLeases(t *testing.T) {
	s := openStore(t)
	k := Key("abcdef")
	a, err := s.Leases("a")
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Leases("b")
	if err != nil {
		t.Fatal(err)
	}
	if held, _, dead, err := a.Acquire(k); !held || dead != nil || err != nil {
		t.Fatalf("a free lease: %v, %v, %v", held, dead, err)
	}
	held, other, _, err := b.Acquire(k)
	if held || err != nil || other == nil || other.Run != "a" || !strings.Contains(other.String(), "run a (process") {
		t.Fatalf("a lease that is held: %v, %v, %v", held, other, err)
	}
	if a.Alone() || b.Alone() {
		t.Error("one of two runs is alone")
	}
	a.Release(k)
	if held, _, _, err := b.Acquire(k); !held || err != nil {
		t.Errorf("a lease given back: %v, %v", held, err)
	}
	if !s.Living("a") || s.Living("nobody") {
		t.Error("who lives is told wrongly")
	}
	a.Close()
	if !b.Alone() {
		t.Error("a run that has ended still goes on")
	}
	b.Close()
	if entries, err := os.ReadDir(filepath.Join(s.Dir(), "leases")); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// TestDeadHoldersAreFollowed: by a process that is gone, a process id in other hands, a heartbeat that has stopped, or a file
// that says nothing.
func TestDeadHoldersAreFollowed(t *testing.T) {
	self := thisProcess("")
	for name, c := range map[string]struct {
		holder Holder
		beat   time.Duration // ago
		alive  bool
	}{
		"process gone":       {Holder{Host: self.Host, Namespace: self.Namespace, PID: 1 << 30, Started: "1", Run: "x"}, 0, false},
		"process id reused":  {Holder{Host: self.Host, Namespace: self.Namespace, PID: os.Getpid(), Started: "1", Run: "x"}, 0, false},
		"process here":       {Holder{Host: self.Host, Namespace: self.Namespace, PID: self.PID, Started: self.Started, Run: "x"}, time.Hour, true},
		"elsewhere, silent":  {Holder{Host: "elsewhere", PID: 1, Run: "x"}, 2 * Expiry, false},
		"elsewhere, beating": {Holder{Host: "elsewhere", PID: 1, Run: "x"}, Expiry / 2, true},
		"clock set back":     {Holder{Host: "elsewhere", PID: 1, Run: "x"}, -1000 * time.Hour, false},
		"damaged":            {Holder{Token: "damaged"}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t)
			k := Key("abcdef")
			raw, err := Seal(c.holder)
			if err != nil {
				t.Fatal(err)
			}
			if c.holder.Token == "damaged" {
				raw = raw[:10]
			}
			if err := os.WriteFile(s.runFile("x"), raw, 0o644); err != nil {
				t.Fatal(err)
			}
			ago := time.Now().Add(-c.beat)
			if err := os.Chtimes(s.runFile("x"), ago, ago); err != nil {
				t.Fatal(err)
			}
			l, err := s.Leases("me")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			if err := os.Link(s.runFile("x"), l.path(k)); err != nil {
				t.Fatal(err)
			}
			held, other, dead, err := l.Acquire(k)
			if err != nil || held == c.alive || (other != nil) != c.alive || (dead != nil) == c.alive {
				t.Errorf("held %v, other %v, dead %v, %v", held, other, dead, err)
			}
		})
	}
}

// FuzzReaders: whatever is in a record, a lease or the memo, reading it ends in a value or an error.
func FuzzReaders(f *testing.F) {
	for _, v := range []any{
		Record{Format: 1, Key: "abc", Outputs: []Stored{{Name: "a", File: "a.nc"}}}, Holder{Host: "h", PID: 1, Run: "r"},
		memoLine{Identity{Size: 1}, Sum{Bytes: "a"}}, Record{Format: 1, Outputs: []Stored{{File: "../../etc/passwd"}}},
	} {
		raw, err := Seal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if r, err := parseRecord(raw); err == nil {
			for _, o := range r.Outputs {
				if strings.ContainsRune(o.File, '/') {
					t.Errorf("an output outside its directory: %q", o.File)
				}
			}
		}
		_, _ = parseLease(raw) // that it returns is the point
		m := &Memo{known: make(map[Identity]Sum)}
		m.load(bytes.NewReader(raw))
	})
}

// TestSavingIsAnnouncedOnce: when a task says that it only waits for the disk, its outputs have been read back, and nothing
// has its final name.
func TestSavingIsAnnouncedOnce(t *testing.T) {
	s := openStore(t)
	dir := t.TempDir()
	p, err := s.Begin(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.Add("a", "words", "a.txt"), []byte("a\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	said := 0
	r, err := p.Commit(Record{Key: "abc"}, func() {
		said++
		for _, name := range []string{"a.txt", recordFile} {
			if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
				t.Errorf("%s is there already", name)
			}
		}
	})
	if err != nil || said != 1 {
		t.Fatalf("said %d times, %v", said, err)
	}
	if got, err := s.LookupIn(dir, "abc"); err != nil || got.Outputs[0].Sum != r.Outputs[0].Sum {
		t.Errorf("%+v, %v", got, err)
	}
}

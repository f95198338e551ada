package artifact

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// leftovers are the ways in which a crash while a file is written and renamed may leave its final name: a power cut keeps or
// loses any rename that was not synced, and what was in a file that was not.
var leftovers = []struct {
	name string
	make func(whole, old []byte) []byte // nil: nothing has the name
}{
	{"nothing", func(_, _ []byte) []byte { return nil }},
	{"the old", func(_, old []byte) []byte { return old }},
	{"the whole", func(whole, _ []byte) []byte { return whole }},
	{"no bytes", func(_, _ []byte) []byte { return []byte{} }},
	{"half", func(whole, _ []byte) []byte { return whole[:len(whole)/2] }},
	{"zeros", func(whole, _ []byte) []byte { return make([]byte, len(whole)) }},
	{"all but two bytes", func(whole, _ []byte) []byte { return whole[:len(whole)-2] }},
	{"a bit flipped", func(whole, _ []byte) []byte {
		flipped := append([]byte(nil), whole...)
		flipped[len(flipped)/3] ^= 4
		return flipped
	}},
}

// TestCrashAtEveryStep: whatever of two outputs and their record a crash has left, at first or when they were done again with
// other bytes, the store has the result only if every file is that of the record it has; and doing the action again mends it.
func TestCrashAtEveryStep(t *testing.T) {
	s := openStore(t)
	k := Key("abcdef")
	write := func(generation string) map[string][]byte {
		p, err := s.Begin(s.ActionDir(k))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"a", "b"} {
			text := fmt.Sprintf("output %s as of %s\n", name, generation)
			if err := os.WriteFile(p.Add(name, "text", name+".txt"), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := p.Commit(Record{Key: k, Run: generation}, nil); err != nil {
			t.Fatal(err)
		}
		files := make(map[string][]byte)
		for _, name := range []string{"a.txt", "b.txt", recordFile} {
			raw, err := os.ReadFile(filepath.Join(s.ActionDir(k), name))
			if err != nil {
				t.Fatal(err)
			}
			files[name] = raw
		}
		return files
	}
	before, now := write("the first time"), write("the second")
	states, hits := 0, 0
	for _, a := range leftovers {
		for _, b := range leftovers {
			for _, record := range leftovers {
				states++
				left := map[string][]byte{"a.txt": a.make(now["a.txt"], before["a.txt"]), "b.txt": b.make(now["b.txt"], before["b.txt"]),
					recordFile: record.make(now[recordFile], before[recordFile])}
				for name, raw := range left {
					put(t, filepath.Join(s.ActionDir(k), name), raw)
				}
				name := fmt.Sprintf("a: %s, b: %s, record: %s", a.name, b.name, record.name)
				r, err := s.Lookup(k)
				right := a.name == b.name && b.name == record.name && (a.name == "the old" || a.name == "the whole")
				if (err == nil) != right {
					t.Errorf("%s: %v", name, err)
				}
				if err == nil {
					hits++
				} else if !errors.Is(err, ErrMissing) && !errors.Is(err, ErrDamaged) {
					t.Errorf("%s: %v is neither missing nor damaged", name, err)
				}
				if v, verr := s.Verify(k); (verr == nil) != (err == nil) || err == nil && v.Run != r.Run {
					t.Errorf("%s: looked up: %v, read again: %v", name, err, verr)
				}
			}
		}
	}
	if hits != 2 {
		t.Errorf("%d of %d states count as results, want 2", hits, states)
	}
	again := write("the third")
	if r, err := s.Lookup(k); err != nil || r.Run != "the third" || string(again["a.txt"]) != "output a as of the third\n" {
		t.Errorf("done again: %+v, %v", r, err)
	}
}

// put makes a new file of that content, or nothing.
func put(t *testing.T, path string, raw []byte) {
	t.Helper()
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	if raw == nil {
		return
	}
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestLinkTrustsOnlyWhatWasKnown: a file that somebody changed before or while it was linked is not taken for the recorded one.
func TestLinkTrustsOnlyWhatWasKnown(t *testing.T) {
	for name, c := range map[string]struct {
		before, during bool
	}{"untouched": {}, "before": {before: true}, "meanwhile": {during: true}} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t)
			k := Key("abcdef")
			r := commit(t, s, k, "words")
			path := filepath.Join(s.ActionDir(k), "out.txt")
			change := func(yes bool) {
				if yes {
					if err := errors.Join(os.WriteFile(path, []byte("wards"), 0o644), touch(path)); err != nil {
						t.Fatal(err)
					}
				}
			}
			change(c.before)
			err := s.Link(path, r.Outputs[0], func() error {
				change(c.during)
				return os.Link(path, filepath.Join(t.TempDir(), "link"))
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Lookup(k); (err == nil) != (name == "untouched") {
				t.Errorf("looked up: %v", err)
			}
		})
	}
}

// TestYoungFilesAreNotRemembered: the sum of a file that changed a moment ago is not left to other processes, since one more
// change in the same step of the file system's clock would not show.
func TestYoungFilesAreNotRemembered(t *testing.T) {
	s := openStore(t)
	path := filepath.Join(t.TempDir(), "in.txt")
	put(t, path, []byte("young"))
	sum, err := s.SumFile(path)
	if err != nil {
		t.Fatal(err)
	}
	id, err := Identify(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := s.memo.Get(id); !ok || got != sum {
		t.Error("this process has forgotten it")
	}
	if _, ok := OpenExisting(s.Dir(), nil).memo.Get(id); ok {
		t.Error("others have been told")
	}
}

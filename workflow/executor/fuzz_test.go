package executor

import (
	"os"
	"path/filepath"
	"testing"

	"oceaninv/workflow/artifact"
)

// FuzzTaskFiles: whatever is in a task's directory, reading its order and how it ended gives a value or an error; an exit file
// counts only if it is whole, and a line that a task wrote never does harm.
func FuzzTaskFiles(f *testing.F) {
	dir := f.TempDir()
	order := Order{Address: "stage.a", Kind: "make", Role: RoleShard, Shard: 1, Shards: 3}
	if err := order.Write(dir); err != nil {
		f.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, taskFile))
	if err != nil {
		f.Fatal(err)
	}
	exit, err := artifact.Seal(Result{Reason: OOM, Code: 137, Message: "m"})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{raw, raw[:30], exit, exit[:30], append([]byte(exitLine), exit...), []byte(savingLine), []byte(`{"done":1,"total":2}`), nil} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, name := range []string{taskFile, exitFile} {
			if err := os.WriteFile(filepath.Join(dir, name), raw, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if o, err := ReadOrder(dir); err == nil && o.Format != TaskFormat {
			t.Errorf("an order of format %d", o.Format)
		}
		if _, err := ReadResult(dir); err == nil && len(raw) == 0 {
			t.Error("nothing was taken for an exit file")
		}
		p := &process{local: NewLocal(nil, Budget{}), task: &Task{}}
		p.hear(raw)
		if n := len(p.local.updates); n > 1 || n == 1 && p.told != nil {
			t.Errorf("%d pieces of news from one line", n)
		}
	})
}

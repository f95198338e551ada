package artifact

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
)

// KeyFormat is the version of what goes into a key. A release that changes it says so, since everything runs again.
const KeyFormat = 1

// Preimage is everything that determines a result. Its canonical JSON is hashed into the key, and kept, so that the
// reason for a rerun is the difference of two preimages.
type Preimage struct {
	Format  int                 `json:"format"`
	Kind    string              `json:"kind"`
	Version int                 `json:"version"`
	Params  json.RawMessage     `json:"params"`
	Inputs  map[string][]string `json:"inputs"` // content digests by input name, in declared order
}

// Key is the hash of a preimage, in hex.
type Key string

// Short is enough of the key for people.
func (k Key) Short() string { return string(k[:min(len(k), 12)]) }

// Key hashes the preimage.
func (p Preimage) Key() (Key, error) {
	raw, err := p.Canonical()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(raw)
	return Key(hex.EncodeToString(sum[:])), nil
}

// Canonical is the preimage as JSON with sorted keys and no spaces.
func (p Preimage) Canonical() ([]byte, error) {
	raw, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	return canonical(raw)
}

// canonical sorts the keys of all objects; numbers stay as written.
func canonical(raw []byte) ([]byte, error) {
	v, err := decodeNumbers(raw)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func decodeNumbers(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("more than one JSON value")
	}
	return v, nil
}

// Change is one difference between two preimages. Before or After is "" where there is nothing.
type Change struct {
	Path   string `json:"path"`
	Before string `json:"before"`
	After  string `json:"after"`
}

func (c Change) String() string {
	switch {
	case c.Before == "":
		return fmt.Sprintf("%s: added, %s", c.Path, c.After)
	case c.After == "":
		return fmt.Sprintf("%s: removed, was %s", c.Path, c.Before)
	}
	return fmt.Sprintf("%s: %s -> %s", c.Path, c.Before, c.After)
}

// Diff lists what changed, in the order of paths. Parameters have paths of their own, params.training.epochs; the
// digests of inputs are shortened.
func Diff(before, after Preimage) []Change {
	b, a := before.flat(), after.flat()
	var changes []Change
	for _, path := range slices.Sorted(maps.Keys(union(b, a))) {
		if b[path] != a[path] {
			changes = append(changes, Change{Path: path, Before: b[path], After: a[path]})
		}
	}
	return changes
}

func union(a, b map[string]string) map[string]string {
	u := maps.Clone(a)
	maps.Copy(u, b)
	return u
}

func (p Preimage) flat() map[string]string {
	out := map[string]string{"kind": p.Kind, "version": strconv.Itoa(p.Version), "key format": strconv.Itoa(p.Format)}
	for name, digests := range p.Inputs {
		for i, d := range digests {
			out[InputPath(name, i, len(digests))] = d[:min(12, len(d))]
		}
	}
	if v, err := decodeNumbers(p.Params); err == nil {
		flatten("", v, out)
	}
	return out
}

// InputPath is the path, in a Change, of the i-th of n inputs of a name.
func InputPath(name string, i, n int) string {
	if n > 1 {
		return fmt.Sprintf("input %s[%d]", name, i)
	}
	return "input " + name
}

// flatten spreads a JSON value over paths. Long lists of numbers are given as a whole, shortened.
func flatten(path string, v any, out map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			flatten(join(path, name), inner, out)
		}
	case []any:
		if _, nested := firstOf(v).(map[string]any); nested {
			for i, inner := range v {
				flatten(fmt.Sprintf("%s[%d]", path, i), inner, out)
			}
			return
		}
		out[path] = brief(v)
	default:
		out[path] = brief(v)
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func firstOf(v []any) any {
	if len(v) == 0 {
		return nil
	}
	return v[0]
}

func brief(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	if len(raw) <= 100 {
		return string(raw)
	}
	sum := sha256.Sum256(raw)
	return fmt.Sprintf("%s... (%d bytes, %s)", raw[:60], len(raw), hex.EncodeToString(sum[:4]))
}

package stage

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// Definition is a block type beside stage whose blocks are values, `environment "swellex" { ... }`: Decode returns
// a Go value with JSON tags, and expressions see its JSON as the object environment.swellex. A stage that is
// passed the object turns it back into the Go value with [Decoder.Convert]. The value must be complete: content
// read from files belongs in it, since that is what reaches the action key.
type Definition struct {
	// Name is the block type.
	Name string
	// Doc says in one line what the block describes.
	Doc string
	// Decode reads the block's body, reporting mistakes through the Decoder.
	Decode func(d *Decoder) any
}

// Format tells what a kind of file holds apart from how its bytes are laid out. Files whose extension has no
// Format are digested by their bytes.
type Format struct {
	// Extension selects the files, with its dot: ".nc".
	Extension string
	// Digest is a hex digest of the content that matters: equal content, equal digest. It fails on a damaged file.
	Digest func(path string) (string, error)
	// Annotate, if not nil, records provenance inside a file about to be published into the store, without
	// changing its digest.
	Annotate func(path string, provenance map[string]string) error
	// Compare, if not nil, says in one line how far the contents of two files are apart, "" when they agree within
	// the relative tolerance.
	Compare func(a, b string, tolerance float64) (string, error)
}

// Header looks at an external file of a type before anything runs: are the variables, dimensions and units there that its
// readers need? The error says what is wrong with the file, and names it.
type Header struct {
	Type  Type
	Check func(path string) error
}

// Registry is everything a pipeline may name. The zero value is empty and ready for use; adding a name twice panics.
type Registry struct {
	kinds       map[string]Kind
	definitions map[string]Definition
	formats     map[string]Format
	headers     map[string]Header
}

// NewRegistry returns a registry of the given kinds.
func NewRegistry(kinds ...Kind) *Registry {
	r := new(Registry)
	r.Add(kinds...)
	return r
}

// Add registers kinds of stages.
func (r *Registry) Add(kinds ...Kind) {
	for _, k := range kinds {
		if k.Decode == nil || k.Load == nil {
			panic("stage: kind " + k.Name + " lacks Decode or Load")
		}
		put(&r.kinds, "kind", k.Name, k)
	}
}

// AddDefinitions registers block types that are values.
func (r *Registry) AddDefinitions(definitions ...Definition) {
	for _, d := range definitions {
		if d.Decode == nil {
			panic("stage: definition " + d.Name + " lacks Decode")
		}
		put(&r.definitions, "definition", d.Name, d)
	}
}

// AddFormats registers file formats.
func (r *Registry) AddFormats(formats ...Format) {
	for _, f := range formats {
		if f.Digest == nil {
			panic("stage: format " + f.Extension + " lacks Digest")
		}
		put(&r.formats, "format", f.Extension, f)
	}
}

// AddHeaders registers checks of external files.
func (r *Registry) AddHeaders(headers ...Header) {
	for _, h := range headers {
		if h.Check == nil {
			panic("stage: header " + string(h.Type) + " lacks Check")
		}
		put(&r.headers, "header", string(h.Type), h)
	}
}

func put[T any](m *map[string]T, what, name string, v T) {
	if name == "" {
		panic("stage: " + what + " without a name")
	}
	if _, twice := (*m)[name]; twice {
		panic("stage: " + what + " " + name + " registered twice")
	}
	if *m == nil {
		*m = make(map[string]T)
	}
	(*m)[name] = v
}

// Kind returns the kind of that name.
func (r *Registry) Kind(name string) (Kind, bool) {
	k, ok := r.kinds[name]
	return k, ok
}

// Definition returns the definition of that block type.
func (r *Registry) Definition(name string) (Definition, bool) {
	d, ok := r.definitions[name]
	return d, ok
}

// Format returns the format of the file at path, by its extension.
func (r *Registry) Format(path string) (Format, bool) {
	f, ok := r.formats[strings.ToLower(filepath.Ext(path))]
	return f, ok
}

// Header returns the check of external files of that type.
func (r *Registry) Header(t Type) (Header, bool) {
	h, ok := r.headers[string(t)]
	return h, ok
}

// KindNames returns the names of all kinds, sorted.
func (r *Registry) KindNames() []string { return slices.Sorted(maps.Keys(r.kinds)) }

// DefinitionNames returns the block types of all definitions, sorted.
func (r *Registry) DefinitionNames() []string { return slices.Sorted(maps.Keys(r.definitions)) }

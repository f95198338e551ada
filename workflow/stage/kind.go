package stage

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"github.com/hashicorp/hcl/v2"
)

// Type names what an artifact is, so that a stage given the wrong one is told so at plan time. The engine knows
// three; the science adds its own ("dataset", "model", ...). A type is compared by name and means nothing more.
type Type string

// Types the engine itself understands.
const (
	// File is any file. An input of type File takes every artifact.
	File Type = "file"
	// Metrics is a JSON file written by [WriteMetrics]: the engine merges it into metrics.json and the report.
	Metrics Type = "metrics"
	// Figure is a PNG or SVG picture: the engine shows it in the report and puts it into figures/.
	Figure Type = "figure"
)

// Kind is one kind of stage: the first label of a stage block.
type Kind struct {
	// Name is the label, in lower case with underscores.
	Name string
	// Version is part of every action key. Raise it whenever a change in the code changes results.
	Version int
	// Doc says in one line what the kind does.
	Doc string
	// Decode reads the block's body. It reports mistakes through the Decoder; its result is ignored when there
	// are errors.
	Decode func(d *Decoder) Spec
	// Load rebuilds the Spec from the JSON that json.Marshal made of it; see [LoadJSON].
	Load func(params []byte) (Spec, error)
}

// Spec is one planned action: what it needs, what it makes, and how. Its JSON encoding is its parameters.
type Spec interface {
	// Inputs lists the artifacts and files read. It is called on the decoded Spec only, never on a loaded one.
	Inputs() []Input
	// Outputs lists the artifacts made. Names are unique and at least one is required. It is called on decoded
	// and on loaded Specs and must answer the same.
	Outputs() []Output
	// Run does the work, or one shard of it: it writes every output to ws.Output(name), or ws.Forms(name) where it has
	// two formats. When ctx is cancelled it
	// stops soon and returns ctx.Err(), having saved a checkpoint in ws.Checkpoint() if it can.
	Run(ctx context.Context, ws *Workspace) error
}

// Output is one artifact a Spec makes.
type Output struct {
	// Name is the attribute under which other stages refer to it: stage.data.<name>.
	Name string `json:"name"`
	// Type is what it is.
	Type Type `json:"type"`
	// File is the base name, with the extension that selects its [Format]: "dataset.nc".
	File string `json:"file"`
	// Also is the base name of the same content in another format, which is written, kept and published beside File:
	// "curve.png" beside "curve.svg". An action done before its kind declared one stays done, and has none: a kind may
	// gain it without a new Version where the work is too long to repeat for that.
	Also string `json:"also,omitempty"`
	// Intermediate keeps the artifact in the store only; others are published under results/.
	Intermediate bool `json:"intermediate,omitempty"`
	// Principal is published under the stage's name alone, though there are others beside it.
	Principal bool `json:"principal,omitempty"`
	// Caption is one sentence shown below a figure in the report.
	Caption string `json:"caption,omitempty"`
	// Schema is what a consumer may check at plan time, before the artifact exists: a value that producer and
	// consumer agree on. It reaches the consumer as Input.Schema and is no part of any key.
	Schema any `json:"-"`
}

// Form is one of the files that hold an output, and the name the store has for it.
type Form struct{ Name, File string }

// Forms are the files that hold the output: File, under the output's name, and then Also, if there is one, under that
// name and an extension.
func (o Output) Forms() []Form {
	forms := []Form{{o.Name, o.File}}
	if o.Also != "" {
		forms = append(forms, Form{o.Name + filepath.Ext(o.Also), o.Also})
	}
	return forms
}

// Sharder is a Spec whose work splits into independent tasks.
type Sharder interface {
	Spec
	// Shards is the number of tasks, at least 1. With one, Run writes the outputs itself and Merge is not called.
	Shards() int
	// Merge reads ws.Parts(output) and writes ws.Output(output), for every output. What it writes must have the
	// content that a single Run would have written.
	Merge(ctx context.Context, ws *Workspace) error
}

// Checker is a Spec that looks at its inputs' headers before anything runs. It is given the inputs that exist at
// plan time: external files, and artifacts already in the store.
type Checker interface {
	Check(available []Available) hcl.Diagnostics
}

// Available is an input that exists now, and where.
type Available struct {
	Input
	Location string
}

// Resourcer is a Spec that knows what it needs. A resources block in the pipeline overrides it.
type Resourcer interface {
	Resources() Resources
}

// AllCores asks for every core the executor may use.
const AllCores = -1

// Resources is what one task needs. Zero values are the engine's defaults: one core, no memory or time limit.
type Resources struct {
	Cores  int           `json:"cores,omitempty"`  // or AllCores
	Memory int64         `json:"memory,omitempty"` // bytes
	Disk   int64         `json:"disk,omitempty"`   // bytes
	Time   time.Duration `json:"time,omitempty"`   // wall clock
}

// Forecaster is a Spec that can predict its cost. History of earlier runs, where there is one, is preferred.
type Forecaster interface {
	Forecast() Forecast
}

// Forecast is the predicted cost of a whole action.
type Forecast struct {
	CoreSeconds float64 `json:"core_seconds,omitempty"`
	Memory      int64   `json:"memory,omitempty"` // peak bytes of one task
	Disk        int64   `json:"disk,omitempty"`   // bytes written
}

// LoadJSON is the Load of a Kind whose Spec is the struct T with JSON tags: it refuses unknown fields, so that a
// task file of another version is an error rather than a silent default.
func LoadJSON[T any, P interface {
	*T
	Spec
}](params []byte) (Spec, error) {
	spec := P(new(T))
	if err := decodeStrict(params, spec); err != nil {
		return nil, fmt.Errorf("stage parameters: %w", err)
	}
	return spec, nil
}

// Params is the parameters of a Spec: its JSON encoding. A NaN or an infinity in a Spec is an error.
func Params(s Spec) (json.RawMessage, error) {
	return json.Marshal(s)
}

package report

import (
	"time"

	"oceaninv/workflow/stage"
)

// Data is what a report is made of.
type Data struct {
	MadeOf      string // digest of the results shown
	Title       string
	Pipeline    string // path
	Source      string // its text
	Run         string
	Version     string
	Command     string
	Finished    time.Time
	Seconds     float64
	Status      string
	Stages      []Stage
	Spans       []Span
	Metrics     []Group
	Figures     []Figure
	Files       []File
	Values      []Value // outputs and variables
	Environment []Value
}

// Stage is a stage, all its actions together.
type Stage struct {
	Name      string
	Kind      string
	Doc       string
	DependsOn []string
	Actions   int
	Done      int
	Cached    int
	Failed    int
	Seconds   float64 // of all its actions together
	CPU       float64
	PeakRSS   int64
	Bytes     int64
}

// Span is a task in time, in seconds since the run began.
type Span struct {
	Action, Task string
	Queued       float64
	Start, End   float64
	Failed       bool
}

// Group is the metrics of an action.
type Group struct {
	Action  string
	Metrics []stage.Metric
}

// Figure is a picture.
type Figure struct {
	Title, Caption string
	MediaType      string // image/png or image/svg+xml
	Content        []byte
	Others         []string // the same picture in other formats, relative to the results
}

// File is a published result.
type File struct {
	Path   string // relative to the results
	Type   string
	Action string
	Bytes  int64
	SHA256 string
}

// Value is a name and a text.
type Value struct{ Name, Text string }

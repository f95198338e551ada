package config

import (
	"encoding/json"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"oceaninv/workflow/stage"
)

// Pipeline is a pipeline whose every expression has been evaluated.
type Pipeline struct {
	// Name is the file's base name without extension, or the directory's.
	Name string
	// Path is the absolute path of the file or directory; Dir that of the directory.
	Path, Dir string
	// Actions are all actions, dependencies before dependents.
	Actions []*Action
	// Definitions are all blocks that are values, in the order of evaluation.
	Definitions []Definition
	// Outputs are the root module's output values, in order.
	Outputs []Output
	// Variables are the root module's variables, in order.
	Variables []Variable
	// Executors are the executor blocks, by name.
	Executors map[string]*Executor
	// Secrets are the texts of sensitive values, which no output may show.
	Secrets []string
	// Read lists the files the pipeline was made of and those its blocks name, absolute, sorted.
	Read []string
}

// Action is one planned instance of a stage.
type Action struct {
	// Address is unique: stage.data, stage.data["k"], module.m.stage.data.
	Address string
	// Stage is the address without the for_each key.
	Stage string
	// Label is the readable file name of what it makes: data, data.k, m.data.
	Label string
	// Kind is the stage's kind.
	Kind stage.Kind
	// Spec is what it does, and Params its JSON.
	Spec   stage.Spec
	Params json.RawMessage
	// Inputs and Outputs are the Spec's.
	Inputs  []stage.Input
	Outputs []stage.Output
	// DependsOn are the addresses of all actions that must be done before, without repetition.
	DependsOn []string
	// Policy is what the pipeline says about running it.
	Policy Policy
	// Range is the block's header.
	Range hcl.Range
}

// Definition is an evaluated block such as environment "shelf": one for each key of a for_each.
type Definition struct {
	// Type is the block's type, and Name its name with the module's address before it and the key after it:
	// shelf, shelf["k"], module.m.shelf.
	Type, Name string
	Value      cty.Value
}

// Policy is how an action is run; nothing of it is part of the key.
type Policy struct {
	Retry     Retry         `json:"retry"`
	Resources Resources     `json:"resources"`
	Timeout   time.Duration `json:"timeout,omitempty"`
	// Discard keeps outputs in the store only as long as something needs them, and does not publish them.
	Discard bool `json:"discard,omitempty"`
	// Continue lets the rest of the pipeline go on when this action fails.
	Continue bool `json:"continue,omitempty"`
}

// Retry is when and how a failed task is tried again.
type Retry struct {
	Attempts int           `json:"attempts"` // in all, at least 1
	Delay    time.Duration `json:"delay,omitempty"`
	Backoff  float64       `json:"backoff,omitempty"` // factor on Delay per attempt
	MaxDelay time.Duration `json:"max_delay,omitempty"`
	Jitter   float64       `json:"jitter,omitempty"` // fraction of the delay, up or down
	On       []string      `json:"on,omitempty"`     // reasons, see RetryReasons, or exit codes; empty for all
}

// RetryReasons are the words that retry's argument "on" takes beside exit codes.
var RetryReasons = []string{"error", "crash", "oom", "timeout", "node_fail"}

// Resources is what a task gets, and how that grows when it was not enough.
type Resources struct {
	stage.Resources
	// Given says which of the embedded fields the pipeline set.
	CoresGiven, MemoryGiven bool
	// Growth multiplies memory after an oom and time after a timeout, up to the ceilings; 1 leaves them.
	Growth    float64       `json:"growth,omitempty"`
	MaxMemory int64         `json:"max_memory,omitempty"`
	MaxTime   time.Duration `json:"max_time,omitempty"`
	// Queue is for batch systems, verbatim.
	Partition string   `json:"partition,omitempty"`
	Account   string   `json:"account,omitempty"`
	QoS       string   `json:"qos,omitempty"`
	Extra     []string `json:"extra,omitempty"`
}

// Output is an evaluated output block.
type Output struct {
	Name        string
	Description string
	Sensitive   bool
	Value       cty.Value
}

// Variable is an evaluated variable block.
type Variable struct {
	Name        string
	Description string
	Sensitive   bool
	Value       cty.Value
}

// Executor is an executor block, left to the executor of that name to decode.
type Executor struct {
	Name    string
	Body    hcl.Body
	Context *hcl.EvalContext
	Range   hcl.Range
}

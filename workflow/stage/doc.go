// Package stage is the contract between the workflow engine and the science it runs.
//
// The engine knows no science. Everything it can run reaches it through one [Registry] value, built by the
// program and handed down; nothing registers itself. A registry holds
//
//   - [Kind]: what a block `stage "simulate" "data" { ... }` means. Its Decode turns the block into a [Spec] at
//     plan time; its Load rebuilds the same Spec, from JSON, in the process that does the work;
//   - [Definition]: a block such as `environment "swellex" { ... }` that is a value and does nothing: other blocks
//     refer to it as environment.swellex;
//   - [Format]: how to tell the content of a file from its bytes, by extension.
//
// # From block to result
//
// At plan time the engine evaluates the pipeline. Every reference is known then: a stage evaluates to an object of
// [Handle] values, one per declared output, each with its artifact [Type], so giving a dataset where a model is
// wanted is a diagnostic at the expression, before anything runs. The JSON encoding of a Spec is its parameters:
// all of it goes into the action key, so fields that must not (inputs, the number of shards) carry `json:"-"`.
// Seeds are parameters like any other.
//
// A task is a process: it loads the Spec, gets a [Workspace], and calls Run. A [Sharder] is run once per shard,
// each a task of its own, and then Merge gathers the parts. The number of shards is not part of the key: the
// content of the merged outputs must not depend on it.
//
// # Limitations
//
// Outputs are declared up front: a kind cannot produce a file it did not announce at plan time, and for_each
// cannot depend on what a stage computes. Pipelines are written in HCL's native syntax, not its JSON one.
package stage

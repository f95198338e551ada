// Package config reads a pipeline: HCL files in, a list of planned actions out, or diagnostics that point at the
// source.
//
// A pipeline consists of the blocks
//
//	variable "x" { type, default, description, validation {}, sensitive, nullable }
//	locals { ... }
//	<definition> "x" { ... }          what the registry's definitions declare; for_each allowed
//	stage "<kind>" "x" { ... }        for_each, depends_on, retry, resources, timeout, keep, on_failure
//	module "x" { source = "./y" ... } for_each allowed
//	output "x" { value, description, sensitive }
//	executor "<name>" { ... }
//
// and expressions refer to var.x, local.x, <definition>.x, stage.x.<output>, module.x.<output>, each.key, each.value,
// path.module, path.root and pipeline.name. References make the order; everything is known at plan time, stage
// outputs being handles. Evaluation does not stop at a mistake: a block that depends on a faulty one is still
// checked, except for the expressions that use it.
//
// # Limitations
//
// A reference cycle through a module's inputs and outputs counts even where the module's inside would not be
// cyclic. Sensitive values are kept out of everything printed and reported, but parameters made of them are in the store, in
// clear: they determine results. The native syntax only: .hcl, not .hcl.json.
package config

// Package stages holds the stage kinds and definitions of oceaninv: the only
// place where the science meets the engine. Each file translates between one
// block of a pipeline and the science package that does the work; arithmetic
// belongs there, not here. [All] is the registry that the command hands to the
// engine.
package stages

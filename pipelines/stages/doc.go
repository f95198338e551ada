// Package stages is where the science meets the engine: one file per stage kind, and the registry of all.
package stages

// Package stagetest has kinds of stages that do next to nothing, for tests of the engine: they make, join, measure, fail,
// hang and eat memory on demand, and know no science.
package stagetest

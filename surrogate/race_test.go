//go:build race

package surrogate

// The race detector makes arithmetic ten times slower and has nothing to find in it: a few dimensions do.
var testDims = []int{1, 2, 5}

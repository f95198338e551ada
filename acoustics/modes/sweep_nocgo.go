//go:build !cgo

package modes

func sweep(cells []sweepCell, start, count, direction int, e *lane, y *state, states []state, zeros *[lanes]int64) {
	sweepPlain(cells, start, count, direction, e, y, states, zeros)
}

package workflow

import (
	"container/heap"
	"time"
)

// queue is the ready tasks, heaviest remaining path first, then in order.
type queue []*taskState

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, k int) bool {
	if a, b := q[i].job.priority, q[k].job.priority; a != b {
		return a > b
	}
	return q[i].sequence < q[k].sequence
}
func (q queue) Swap(i, k int) { q[i], q[k] = q[k], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(*taskState)) }
func (q *queue) Pop() any {
	old := *q
	t := old[len(old)-1]
	*q = old[:len(old)-1]
	return t
}

func (d *driver) push(t *taskState) {
	t.since = time.Now()
	heap.Push(&d.ready, t)
}

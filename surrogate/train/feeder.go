package train

import (
	"fmt"

	"oceaninv/surrogate/nn"
)

// batch is one batch of rows, with their numbers in the dataset.
type batch[T nn.Float] struct {
	rows []int
	x, y []T
	err  error
}

// order visits the rows of a dataset in shuffled order without holding a permutation of all of them: blocks of
// neighbouring rows are permuted, and rows are shuffled within a window of several blocks. With blocks of one
// row it is a permutation drawn uniformly.
type order struct {
	n, block int
	blocks   []int32
	next     int // block
	window   []int
	rng      stream
}

// windowBlocks is how many blocks are mixed with each other.
const windowBlocks = 64

func newOrder(n, block int) *order {
	o := &order{n: n, block: block, blocks: make([]int32, (n+block-1)/block)}
	o.rng.init()
	return o
}

// start begins an epoch.
func (o *order) start(seed uint64, epoch int) {
	o.rng.seek(seed, streamShuffle, uint64(epoch))
	for i := range o.blocks {
		o.blocks[i] = int32(i)
	}
	o.rng.Shuffle(len(o.blocks), func(i, j int) { o.blocks[i], o.blocks[j] = o.blocks[j], o.blocks[i] })
	o.next, o.window = 0, o.window[:0]
}

// fill sets rows to the next row numbers.
func (o *order) fill(rows []int) {
	for i := range rows {
		if len(o.window) == 0 {
			o.refill()
		}
		last := len(o.window) - 1
		rows[i] = o.window[last]
		o.window = o.window[:last]
	}
}

func (o *order) refill() {
	for k := 0; k < windowBlocks && o.next < len(o.blocks); k++ {
		from := int(o.blocks[o.next]) * o.block
		for r := from; r < min(from+o.block, o.n); r++ {
			o.window = append(o.window, r)
		}
		o.next++
	}
	w := o.window
	o.rng.Shuffle(len(w), func(i, j int) { w[i], w[j] = w[j], w[i] })
}

// feeder reads batches ahead of their use in a goroutine of its own.
type feeder[T nn.Float] struct {
	full, free chan *batch[T]
	quit       chan struct{}
	done       chan struct{}
}

// feedPlan says which batches a feeder brings: from step `step` of epoch `epoch` on, rows of each batch, epochs
// epochs in all. Unshuffled plans visit the rows in order.
type feedPlan struct {
	epoch, step, epochs int
	rows                int
	seed                uint64
	block               int
	shuffle             bool
}

func (p feedPlan) perEpoch(n int) int { return n / p.rows }

func startFeeder[T nn.Float](d Dataset[T], p feedPlan) *feeder[T] {
	const ahead = 3
	f := &feeder[T]{full: make(chan *batch[T], ahead), free: make(chan *batch[T], ahead),
		quit: make(chan struct{}), done: make(chan struct{})}
	nx, ny := d.Dims()
	for range ahead {
		f.free <- &batch[T]{rows: make([]int, p.rows), x: make([]T, p.rows*nx), y: make([]T, p.rows*ny)}
	}
	go f.run(d, p)
	return f
}

func (f *feeder[T]) run(d Dataset[T], p feedPlan) {
	defer close(f.done)
	defer close(f.full)
	o := newOrder(d.Len(), p.block)
	skip := make([]int, p.rows)
	for epoch := p.epoch; epoch < p.epochs; epoch++ {
		o.start(p.seed, epoch)
		for step := range p.perEpoch(d.Len()) {
			if epoch == p.epoch && step < p.step {
				o.fill(skip)
				continue
			}
			var b *batch[T]
			select {
			case b = <-f.free:
			case <-f.quit:
				return
			}
			if p.shuffle {
				o.fill(b.rows)
			} else {
				for i := range b.rows {
					b.rows[i] = step*p.rows + i
				}
			}
			b.err = f.read(d, epoch, b)
			select {
			case f.full <- b:
			case <-f.quit:
				return
			}
		}
	}
}

func (f *feeder[T]) read(d Dataset[T], epoch int, b *batch[T]) error {
	if err := d.Read(epoch, b.rows, b.x, b.y); err != nil {
		return fmt.Errorf("reading training data: %w", err)
	}
	for _, part := range []struct {
		name string
		v    []T
	}{{"x", b.x}, {"y", b.y}} {
		for i, v := range part.v {
			if v-v != 0 {
				width := len(part.v) / len(b.rows)
				return &DataError{Row: b.rows[i/width], Problem: fmt.Sprintf("column %d of %s is %v", i%width, part.name, v)}
			}
		}
	}
	return nil
}

// take returns the next batch, nil after the last; give it back with put.
func (f *feeder[T]) take() *batch[T] { return <-f.full }

func (f *feeder[T]) put(b *batch[T]) { f.free <- b }

// close stops reading and waits until the dataset is no longer in use.
func (f *feeder[T]) close() {
	close(f.quit)
	<-f.done
}

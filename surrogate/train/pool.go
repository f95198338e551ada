package train

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Pool runs the pieces of a step on a bounded number of goroutines that live as long as it does. Which worker
// does which piece never shows in a result: pieces write to places of their own, and sums over pieces are made
// in their order afterwards. One goroutine at a time may call Run.
type Pool struct {
	start []chan struct{}
	done  sync.WaitGroup
	task  func(piece int)
	n     int64
	next  atomic.Int64
	panic atomic.Pointer[any]
	turn  time.Time // of the caller of Run
}

// NewPool starts a pool of workers, the caller of Run being one of them; workers < 1 means one per processor.
// Close it when done.
func NewPool(workers int) *Pool {
	if workers < 1 {
		workers = runtime.GOMAXPROCS(0)
	}
	p := &Pool{}
	for w := 1; w < workers; w++ {
		c := make(chan struct{})
		p.start = append(p.start, c)
		go func() {
			turn := time.Now()
			for range c {
				p.work(&turn)
				p.done.Done()
			}
		}()
	}
	return p
}

// Close ends the workers.
func (p *Pool) Close() {
	for _, c := range p.start {
		close(c)
	}
	p.start = nil
}

// Workers is the number of goroutines, the caller's included.
func (p *Pool) Workers() int { return len(p.start) + 1 }

// Run calls task(0) … task(n-1), each once, and returns when all have returned. It does not allocate. A panic in
// a piece is raised again in the caller.
func (p *Pool) Run(n int, task func(piece int)) {
	p.task, p.n = task, int64(n)
	p.next.Store(0)
	helpers := min(len(p.start), n-1)
	for w := range max(helpers, 0) {
		p.done.Add(1)
		p.start[w] <- struct{}{}
	}
	p.work(&p.turn)
	p.done.Wait()
	p.task = nil
	if v := p.panic.Swap(nil); v != nil {
		panic(*v)
	}
}

// longestTurn leaves room for a piece before the runtime's 10 ms.
const longestTurn = 4 * time.Millisecond

// work does pieces until none is left; turn is when the goroutine was last scheduled anew.
func (p *Pool) work(turn *time.Time) {
	defer func() {
		if v := recover(); v != nil {
			escaped := v // only a panic pays for the heap
			p.panic.Store(&escaped)
		}
	}()
	for {
		i := p.next.Add(1) - 1
		if i >= p.n {
			return
		}
		p.task(int(i))
		// Ended before the runtime takes the processor from a goroutine in C; what that
		// costs stands in CONTRIBUTING.md.
		if now := time.Now(); now.Sub(*turn) > longestTurn {
			*turn = now
			runtime.Gosched()
		}
	}
}

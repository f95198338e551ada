package bench

import (
	"errors"
	"slices"
	"sync"
	"time"

	"oceaninv/acoustics"
	"oceaninv/acoustics/modes"
)

// Several cores are timed against one in turns so short that some find the machine
// undisturbed.
const (
	workerTurns  = 60
	workerOceans = 60 // a turn
)

// worker is what one goroutine solves with.
type worker struct {
	solver *modes.Solver
	p      []complex128
}

// run solves every ocean at every tone.
func (w *worker) run(oceans []acoustics.Environment) error {
	array := Array()
	for _, f := range Tones() {
		for i := range oceans {
			m, err := w.solver.Solve(&oceans[i], f)
			if err != nil {
				return err
			}
			m.Pressure(w.p, Source(), array)
		}
	}
	return nil
}

// Scaling is the throughput of several cores over that of one.
type Scaling struct {
	Quickest  float64    `json:"quickest"`  // of each in its quickest turn
	Quartiles [3]float64 `json:"quartiles"` // of turns that followed each other
}

// timeWorkers lets one worker, then all at once, solve the same oceans each, by the clock
// on the wall, turn by turn; and between, as what the machine itself allows, the same of a
// loop that needs nothing but registers.
func (r *Result) timeWorkers(o Options, oceans []acoustics.Environment) error {
	oceans = oceans[:min(len(oceans), workerOceans)]
	workers := make([]worker, o.Workers)
	for i := range workers {
		s, err := solver(o.Tolerance)
		if err != nil {
			return err
		}
		workers[i] = worker{s, make([]complex128, len(Array().Depths))}
	}
	solve := func(n int) (float64, error) { return wall(n, func(i int) error { return workers[i].run(oceans) }) }
	if _, err := solve(o.Workers); err != nil { // makes the memory
		return err
	}
	spun := make([]float64, o.Workers*spaced)
	spin := func(n int) (float64, error) {
		return wall(n, func(i int) error { spun[i*spaced] = spin(spinSteps); return nil })
	}
	ours, machine := turns{workers: o.Workers, run: solve}, turns{workers: o.Workers, run: spin}
	for range workerTurns {
		if err := errors.Join(ours.turn(), machine.turn()); err != nil {
			return err
		}
	}
	r.Workers, r.Speedup, r.MachineSpeedup = o.Workers, ours.scaling(), machine.scaling()
	r.SolvesPerSecondAll = float64(o.Workers*len(oceans)*len(r.Tones)) / slices.Min(ours.all)
	return nil
}

// turns are the times of one worker and of all.
type turns struct {
	workers  int
	run      func(workers int) (float64, error)
	one, all []float64
}

func (t *turns) turn() error {
	one, err := t.run(1)
	if err != nil {
		return err
	}
	all, err := t.run(t.workers)
	t.one, t.all = append(t.one, one), append(t.all, all)
	return err
}

func (t *turns) scaling() (s Scaling) {
	n := float64(t.workers)
	s.Quickest = n * slices.Min(t.one) / slices.Min(t.all)
	ratios := make([]float64, len(t.one))
	for i := range ratios {
		ratios[i] = n * t.one[i] / t.all[i]
	}
	slices.Sort(ratios)
	for i := range s.Quartiles {
		s.Quartiles[i] = ratios[(i+1)*len(ratios)/4]
	}
	return s
}

// spinSteps take some tens of milliseconds; results of different workers are spaced so
// that they share no cache line.
const (
	spinSteps = 1 << 24
	spaced    = 16
)

// spin computes in registers alone.
func spin(steps int) float64 {
	x, y, z, w := 0.1, 0.2, 0.3, 0.4
	for range steps {
		x, y, z, w = x*0.999+1e-3, y*0.999+1e-3, z*0.999+1e-3, w*0.999+1e-3
	}
	return x + y + z + w
}

// wall is how many seconds n workers take that run side by side.
func wall(n int, run func(worker int) error) (float64, error) {
	errs := make([]error, n)
	var group sync.WaitGroup
	start := time.Now()
	for i := range errs {
		group.Go(func() { errs[i] = run(i) })
	}
	group.Wait()
	return time.Since(start).Seconds(), errors.Join(errs...)
}

package bench

import (
	"errors"
	"math"
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

// timeWorkers lets one worker, then all at once, solve the same oceans each, by the clock
// on the wall, turn by turn.
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
	if _, err := wall(workers, oceans); err != nil { // makes the memory
		return err
	}
	one, all := math.Inf(1), math.Inf(1)
	var ratios []float64
	for range workerTurns {
		a, err := wall(workers[:1], oceans)
		if err != nil {
			return err
		}
		b, err := wall(workers, oceans)
		if err != nil {
			return err
		}
		one, all = math.Min(one, a), math.Min(all, b)
		ratios = append(ratios, float64(o.Workers)*a/b)
	}
	r.Workers = o.Workers
	r.Speedup = float64(o.Workers) * one / all
	slices.Sort(ratios)
	for i := range r.SpeedupQuartiles {
		r.SpeedupQuartiles[i] = ratios[(i+1)*len(ratios)/4]
	}
	r.SolvesPerSecondAll = float64(o.Workers*len(oceans)*len(r.Tones)) / all
	return nil
}

// wall is how many seconds the workers take for the oceans each.
func wall(workers []worker, oceans []acoustics.Environment) (float64, error) {
	errs := make([]error, len(workers))
	var group sync.WaitGroup
	start := time.Now()
	for i := range workers {
		group.Go(func() { errs[i] = workers[i].run(oceans) })
	}
	group.Wait()
	return time.Since(start).Seconds(), errors.Join(errs...)
}

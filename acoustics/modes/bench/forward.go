package bench

import (
	"fmt"
	"math"
	"math/cmplx"
	"time"

	"oceaninv/acoustics"
	"oceaninv/acoustics/modes"
)

// Options are the settings of [Forward].
type Options struct {
	Samples   int     `hcl:"samples,optional" json:"samples"`     // timed
	Checked   int     `hcl:"checked,optional" json:"checked"`     // compared with a converged solution
	Workers   int     `hcl:"workers,optional" json:"workers"`     // of the measurement on several cores; 0 or 1 skips it
	Tolerance float64 `hcl:"tolerance,optional" json:"tolerance"` // of the solver
}

// DefaultOptions times 1000 samples, checks 20 and runs one core.
func DefaultOptions() Options {
	return Options{Samples: 1000, Checked: 20, Workers: 1, Tolerance: modes.DefaultOptions().Tolerance}
}

// Result is what [Forward] measured.
type Result struct {
	MSPerSample          float64 `json:"ms_per_sample"` // all tones, processor time of one core
	SolvesPerSecond      float64 `json:"solves_per_second"`
	WorstRelativeErrorKr float64 `json:"worst_relative_error_kr"` // of Re kr
	WorstPressureError   float64 `json:"worst_pressure_error"`    // relative 2-norm over the array
	Samples              int     `json:"samples"`
	// Speedup is the throughput of Workers goroutines over that of one; MachineSpeedup that
	// of a loop in registers, which no program surpasses. 0 if not measured.
	Workers        int     `json:"workers,omitempty"`
	Speedup        Scaling `json:"speedup,omitzero"`
	MachineSpeedup Scaling `json:"machine_speedup,omitzero"`
	// SolvesPerSecondAll is the throughput of all Workers.
	SolvesPerSecondAll float64      `json:"solves_per_second_all,omitempty"`
	Tones              []Tone       `json:"tones"`
	Derivatives        []Derivative `json:"derivatives,omitempty"`
}

// Tone is the share of one frequency.
type Tone struct {
	Hz                   float64 `json:"hz"`
	Modes                float64 `json:"modes"` // mean
	MSPerSolve           float64 `json:"ms_per_solve"`
	SolvesPerSecond      float64 `json:"solves_per_second"`
	WorstRelativeErrorKr float64 `json:"worst_relative_error_kr"`
}

// convergedTolerance is far below any tolerance that is measured.
const convergedTolerance = 1e-12

// Forward times the solver with the pressure on the array and compares it with a
// converged solution.
func Forward(o Options) (*Result, error) {
	if o.Samples < 1 || o.Checked < 0 || o.Workers < 0 {
		return nil, fmt.Errorf("samples must be at least 1, checked and workers not negative")
	}
	oceans := make([]acoustics.Environment, o.Samples)
	for i := range oceans {
		oceans[i] = Sample(i)
	}
	r := &Result{Samples: o.Samples}
	for _, f := range Tones() {
		r.Tones = append(r.Tones, Tone{Hz: f})
	}
	if err := r.check(o, oceans); err != nil {
		return nil, err
	}
	if err := r.time(o, oceans); err != nil {
		return nil, err
	}
	if err := r.timeDerivatives(o, oceans); err != nil {
		return nil, err
	}
	if o.Workers > 1 {
		return r, r.timeWorkers(o, oceans)
	}
	return r, nil
}

func solver(tolerance float64) (*modes.Solver, error) {
	m := modes.DefaultOptions()
	m.Tolerance, m.MinPhaseSpeed, m.MaxPhaseSpeed = tolerance, MinPhaseSpeed, MaxPhaseSpeed
	return modes.NewSolver(m)
}

// time measures one core, each tone apart so that its share is known.
func (r *Result) time(o Options, oceans []acoustics.Environment) error {
	s, err := solver(o.Tolerance)
	if err != nil {
		return err
	}
	array := Array()
	p := make([]complex128, len(array.Depths))
	var total time.Duration
	for i := range r.Tones {
		tone := &r.Tones[i]
		count := 0
		start := processorTime()
		for j := range oceans {
			m, err := s.Solve(&oceans[j], tone.Hz)
			if err != nil {
				return err
			}
			m.Pressure(p, Source(), array)
			count += m.Len()
		}
		spent := processorTime() - start
		total += spent
		tone.Modes = float64(count) / float64(len(oceans))
		tone.MSPerSolve = spent.Seconds() * 1000 / float64(len(oceans))
		tone.SolvesPerSecond = float64(len(oceans)) / spent.Seconds()
	}
	r.MSPerSample = total.Seconds() * 1000 / float64(len(oceans))
	r.SolvesPerSecond = float64(len(oceans)*len(r.Tones)) / total.Seconds()
	return nil
}

// check compares the first oceans with a converged solution.
func (r *Result) check(o Options, oceans []acoustics.Environment) error {
	s, err := solver(o.Tolerance)
	if err != nil {
		return err
	}
	reference, err := solver(convergedTolerance)
	if err != nil {
		return err
	}
	for i := range oceans[:min(o.Checked, len(oceans))] {
		for j := range r.Tones {
			if err := r.compare(&r.Tones[j], s, reference, &oceans[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func errCount(hz float64, got, want int) error {
	return fmt.Errorf("%g Hz: %d modes, the converged solution has %d", hz, got, want)
}

func (r *Result) compare(tone *Tone, s, reference *modes.Solver, env *acoustics.Environment) error {
	m, err := s.Solve(env, tone.Hz)
	if err != nil {
		return err
	}
	want, err := reference.Solve(env, tone.Hz)
	if err != nil {
		return err
	}
	if m.Len() != want.Len() {
		return errCount(tone.Hz, m.Len(), want.Len())
	}
	for i, k := range m.Kr {
		tone.WorstRelativeErrorKr = math.Max(tone.WorstRelativeErrorKr, math.Abs(real(k)/real(want.Kr[i])-1))
	}
	array := Array()
	p := m.Pressure(make([]complex128, len(array.Depths)), Source(), array)
	q := want.Pressure(make([]complex128, len(array.Depths)), Source(), array)
	var difference, size float64
	for i := range p {
		difference += cmplx.Abs(p[i]-q[i]) * cmplx.Abs(p[i]-q[i])
		size += cmplx.Abs(q[i]) * cmplx.Abs(q[i])
	}
	r.WorstPressureError = math.Max(r.WorstPressureError, math.Sqrt(difference/size))
	r.WorstRelativeErrorKr = math.Max(r.WorstRelativeErrorKr, tone.WorstRelativeErrorKr)
	return nil
}

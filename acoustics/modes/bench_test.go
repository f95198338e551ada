package modes

import (
	"fmt"
	"syscall"
	"testing"

	"oceaninv/acoustics"
)

var caseTones = []float64{49, 79, 112, 148, 201, 283, 388}

// BenchmarkSWellEx is one sample of the case study: seven tones, five phones.
func BenchmarkSWellEx(b *testing.B) {
	env := krakenCases(b)["swellex_nominal_388hz"].Environment
	for _, tolerance := range []float64{1e-7, 1e-8, 1e-9} {
		b.Run(fmt.Sprintf("tolerance=%.0e", tolerance), func(b *testing.B) {
			solver, _ := NewSolver(Options{Tolerance: tolerance, MinPhaseSpeed: 1400, MaxPhaseSpeed: 1800})
			array := acoustics.ReceiverArray{Depths: []float64{94.125, 99.755, 105.38, 111, 116.62}, Range: 3000}
			p := make([]complex128, 5)
			cells := 0
			b.ReportAllocs()
			start := cpuSeconds()
			for b.Loop() {
				cells = 0
				for _, f := range caseTones {
					m, err := solver.Solve(&env, f)
					if err != nil {
						b.Fatal(err)
					}
					m.Pressure(p, acoustics.Source{Depth: 60}, array)
					cells += len(m.column.cells) * m.Len()
				}
			}
			b.ReportMetric(1000*(cpuSeconds()-start)/float64(b.N), "cpu-ms/op")
			b.ReportMetric(float64(cells), "cells*modes")
		})
	}
}

// cpuSeconds is the processor time of this process, which a busy machine does not
// stretch.
func cpuSeconds() float64 {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return float64(r.Utime.Sec+r.Stime.Sec) + 1e-6*float64(r.Utime.Usec+r.Stime.Usec)
}

// BenchmarkJacobian is the derivative along eight parameters at the seven tones; the
// bound is three times BenchmarkSWellEx.
func BenchmarkJacobian(b *testing.B) {
	env := krakenCases(b)["swellex_nominal_388hz"].Environment
	array := acoustics.ReceiverArray{Depths: []float64{94.125, 99.755, 105.38, 111, 116.62}, Range: 3000}
	at := Case{&env, acoustics.Source{Depth: 60}, array}
	solver, _ := NewSolver(Options{Tolerance: 1e-9, MinPhaseSpeed: 1400, MaxPhaseSpeed: 1800})
	var directions []Direction
	for _, e := range edits()[:10] {
		if e.name != "roughness" && e.name != "one knot" {
			directions = append(directions, directionOf(at, e.step, e.apply))
		}
	}
	p, jac := make([]complex128, 5), make([]complex128, 5*len(directions))
	b.ReportAllocs()
	start := cpuSeconds()
	for b.Loop() {
		for _, f := range caseTones {
			if _, err := solver.Jacobian(p, jac, at, f, directions); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(1000*(cpuSeconds()-start)/float64(b.N), "cpu-ms/op")
	b.ReportMetric(float64(len(directions)), "directions")
}

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

// BenchmarkJacobian is the derivative of the pressure at five phones and seven tones;
// solves is its time in solves of the same, timed turn by turn, and bounded by three.
func BenchmarkJacobian(b *testing.B) {
	env := krakenCases(b)["swellex_nominal_388hz"].Environment
	array := acoustics.ReceiverArray{Depths: []float64{94.125, 99.755, 105.38, 111, 116.62}, Range: 3000}
	at := Case{&env, acoustics.Source{Depth: 60}, array}
	var eight, knots []Direction
	for _, e := range edits() {
		switch e.name {
		case "water depth", "sediment top speed", "sediment thickness", "sediment density", "sediment attenuation", "source depth", "range", "tilt":
			eight = append(eight, directionOf(at, e.step, e.apply))
		}
	}
	for i := range 40 {
		knots = append(knots, directionOf(at, 1e-3, func(c *Case, x float64) { fineProfile(c.Environment, 40).Speed[i] += x }))
	}
	fine := env.Clone()
	fineProfile(&fine, 40)
	b.Run("parameters=8", func(b *testing.B) { benchmarkJacobian(b, at, eight) })
	b.Run("knots=40", func(b *testing.B) { benchmarkJacobian(b, Case{&fine, at.Source, array}, knots) })
	b.Run("parameters=48", func(b *testing.B) {
		benchmarkJacobian(b, Case{&fine, at.Source, array}, append(knots, finer(eight)...))
	})
}

// fineProfile gives an ocean n knots at even depths of the profile it has.
func fineProfile(env *acoustics.Environment, n int) *acoustics.SoundSpeedProfile {
	p := &env.Water.Profile
	var depth, speed []float64
	for i := range n {
		z := env.Water.Depth * float64(i) / float64(n-1)
		depth, speed = append(depth, z), append(speed, p.SoundSpeedAt(z))
	}
	p.Depth, p.Speed = depth, speed
	return p
}

func finer(directions []Direction) (out []Direction) {
	for _, d := range directions {
		plus, minus := d.Plus.Environment.Clone(), d.Minus.Environment.Clone()
		fineProfile(&plus, 40)
		fineProfile(&minus, 40)
		d.Plus.Environment, d.Minus.Environment = &plus, &minus
		out = append(out, d)
	}
	return out
}

func benchmarkJacobian(b *testing.B, at Case, directions []Direction) {
	solver, _ := NewSolver(Options{Tolerance: 1e-9, MinPhaseSpeed: 1400, MaxPhaseSpeed: 1800})
	p, jac := make([]complex128, 5), make([]complex128, 5*len(directions))
	var set Directions
	b.ReportAllocs()
	var solves, jacobians float64
	for b.Loop() {
		start := cpuSeconds()
		if err := set.Set(at, directions); err != nil {
			b.Fatal(err)
		}
		jacobians += cpuSeconds() - start
		for _, f := range caseTones {
			start := cpuSeconds()
			m, err := solver.Solve(at.Environment, f)
			if err != nil {
				b.Fatal(err)
			}
			m.Pressure(p, at.Source, at.Array)
			middle := cpuSeconds()
			if _, err := solver.Jacobian(p, jac, &set, f); err != nil {
				b.Fatal(err)
			}
			solves += middle - start
			jacobians += cpuSeconds() - middle
		}
	}
	b.ReportMetric(1000*jacobians/float64(b.N), "cpu-ms/op")
	b.ReportMetric(jacobians/solves, "solves")
}

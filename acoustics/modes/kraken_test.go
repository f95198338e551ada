package modes

import (
	"encoding/json"
	"math"
	"math/cmplx"
	"os"
	"sort"
	"testing"

	"oceaninv/acoustics"
)

// krakenCase is one ocean with KRAKEN's answers; see testdata/gather.py.
type krakenCase struct {
	Environment    acoustics.Environment
	PhaseSpeeds    [2]float64 `json:"phase_speeds"`
	Frequency      float64
	KReal          []float64 `json:"k_real"`
	KImag          []float64 `json:"k_imag"`
	GroupSpeed     []float64 `json:"group_speed"`
	Line           bool
	Incoherent     bool
	SourceDepths   []float64 `json:"source_depths"`
	ReceiverDepths []float64 `json:"receiver_depths"`
	Ranges         []float64
	PReal          []float64 `json:"p_real"`
	PImag          []float64 `json:"p_imag"`
}

func krakenCases(t testing.TB) map[string]*krakenCase {
	t.Helper()
	text, err := os.ReadFile("testdata/kraken.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases map[string]*krakenCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

func (c *krakenCase) options() Options {
	o := DefaultOptions()
	o.MinPhaseSpeed, o.MaxPhaseSpeed = c.PhaseSpeeds[0], c.PhaseSpeeds[1]
	return o
}

// TestKRAKEN compares with KRAKEN: Re kr 1e-8, Im kr 1 %, group speed 1e-4,
// pressure 0.5 %, and the same number of modes.
func TestKRAKEN(t *testing.T) {
	cases := krakenCases(t)
	names := make([]string, 0, len(cases))
	for name := range cases {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		t.Run(name, func(t *testing.T) { compareWithKRAKEN(t, cases[name]) })
	}
}

func compareWithKRAKEN(t *testing.T, c *krakenCase) {
	solver, err := NewSolver(c.options())
	if err != nil {
		t.Fatal(err)
	}
	m, err := solver.Solve(&c.Environment, c.Frequency)
	if err != nil {
		t.Fatal(err)
	}
	if m.Len() != len(c.KReal) {
		t.Errorf("%d modes, KRAKEN has %d", m.Len(), len(c.KReal))
	}
	var worstRe, worstIm, worstGroup float64
	for i := range min(m.Len(), len(c.KReal)) {
		worstRe = math.Max(worstRe, math.Abs(real(m.Kr[i])/c.KReal[i]-1))
		if c.KImag[i] < -1e-7 {
			worstIm = math.Max(worstIm, math.Abs(imag(m.Kr[i])/c.KImag[i]-1))
		}
		worstGroup = math.Max(worstGroup, math.Abs(m.GroupSpeed(i)/c.GroupSpeed[i]-1))
	}
	field := fieldError(m, c)
	t.Logf("%d cells, Re kr %.1e, Im kr %.1e, group speed %.1e, pressure %.1e", len(m.column.cells), worstRe, worstIm, worstGroup, field)
	groupBound := 1e-4
	if c.Environment.Name == "rigid_bottom_100m_150hz" {
		// KRAKEN takes group speeds from its first mesh, whose error in kr² is
		// (kz h)² kz²/12: 3e-3 of kr² for the steepest mode here. TestGroupSpeed
		// shows by differences in frequency that ours are right.
		groupBound = 2e-3
	}
	for _, q := range []struct {
		name         string
		worst, bound float64
	}{{"Re kr", worstRe, 1e-8}, {"Im kr", worstIm, 1e-2}, {"group speed", worstGroup, groupBound}, {"pressure", field, 5e-3}} {
		if !(q.worst <= q.bound) {
			t.Errorf("%s: worst relative error %.2e, bound %.0e", q.name, q.worst, q.bound)
		}
	}
}

func fieldError(m *Modes, c *krakenCase) float64 {
	ranges := make([]float64, len(c.Ranges))
	for i, r := range c.Ranges {
		ranges[i] = r
	}
	p := m.Field(make([]complex128, len(c.PReal)), Grid{SourceDepths: c.SourceDepths, ReceiverDepths: c.ReceiverDepths,
		Ranges: ranges, Line: c.Line, Incoherent: c.Incoherent})
	var difference, size float64
	for i, v := range p {
		want := complex(c.PReal[i], c.PImag[i])
		if c.Incoherent {
			v, want = complex(cmplx.Abs(v), 0), complex(cmplx.Abs(want), 0)
		}
		difference += cmplx.Abs(v-want) * cmplx.Abs(v-want)
		size += cmplx.Abs(want) * cmplx.Abs(want)
	}
	return math.Sqrt(difference / size)
}

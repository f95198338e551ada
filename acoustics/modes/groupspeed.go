package modes

import (
	"math"

	"oceaninv/acoustics"
)

// GroupSpeed returns the group speed of mode i (from 0) in m/s as KRAKEN defines
// it: (kr/ω) / ∫ φ²/(ρ c²) dz with the lossless c, and ∫ over a half-space
// φ²/(2γ ρ c²) with γ² = kr² - Re (ω/c)². It is computed for all modes at the first
// call. See [Modes.DispersionSpeed].
func (m *Modes) GroupSpeed(i int) float64 {
	if len(m.group) == 0 {
		m.groupSpeeds()
	}
	return m.group[2*i]
}

// DispersionSpeed returns dω/dkr of mode i (from 0) in m/s, the exact derivative of
// the wavenumber this package computes. Where a half-space is lossy and the mode
// near its cut-off, it differs from KRAKEN's group speed: for Pekeris' waveguide
// with 0.5 dB/wavelength below by up to 2e-3, where it agrees with the complex
// dispersion relation to 3e-5.
func (m *Modes) DispersionSpeed(i int) float64 {
	if len(m.group) == 0 {
		m.groupSpeeds()
	}
	return m.group[2*i+1]
}

func (m *Modes) groupSpeeds() {
	m.group = grow(m.group, 2*len(m.Kr))
	k := &m.column
	omega := k.stack.omega
	m.measures = grow(m.measures, len(k.cells))
	for c := range k.cells {
		m.measures[c].set(&k.cells[c], c, &k.cells[c].q)
	}
	for j := range m.batches {
		b, t := &m.batches[j], &m.joins[j]
		m.integral = lane{}
		integrate(&m.integral, m.measures, b, t)
		kraken, exact := m.integral, m.integral
		m.tailMasses(b, t, &kraken, krakenTail)
		m.tailMasses(b, t, &exact, exactTail)
		for i, mode := range b.modes {
			if mode < 0 {
				continue
			}
			root := omega * math.Sqrt(b.e[i]+t.step[i])
			at := 2 * int(mode)
			m.group[at], m.group[at+1] = root/kraken[i], root/exact[i]
		}
	}
}

// exactTail is how γ answers a change of frequency: ½ω dγ/dω = -Re (kh² dγ/dE).
func exactTail(e float64, b boundary) float64 {
	_, dg := rootOf(e, b.k2)
	return real(b.k2 * dg)
}

// krakenTail is ∫ k² exp(-2γz) dz of the lossless half-space.
func krakenTail(e float64, b boundary) float64 {
	_, dg := rootOf(e, complex(real(b.k2), 0))
	return b.lossless * real(dg)
}

// tailMasses adds ∫ kh² u² over the half-spaces.
func (m *Modes) tailMasses(b *batch, t *join, sum *lane, tail func(float64, boundary) float64) {
	k := &m.column
	st := k.stack
	add := func(y *state, amplitude *lane, bd boundary, density float64) {
		for i := range lanes {
			u := y.u[i] * amplitude[i]
			sum[i] += tail(b.e[i], bd) * density / bd.density * u * u
		}
	}
	if st.surface.kind == acoustics.Halfspace && b.first == 0 {
		add(&b.states[0], &t.above, st.surface, st.media[0].density)
	}
	n := len(k.cells)
	if st.bottom.kind == acoustics.Halfspace && b.last == n && !k.cut {
		add(&b.states[n-1], &t.below, st.bottom, st.media[len(st.media)-1].density)
	}
}

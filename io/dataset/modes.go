package dataset

import (
	"fmt"
	"math"

	"oceaninv/io/netcdf"
)

// Modes are the normal modes of an environment at several frequencies.
type Modes struct {
	Depths []float64 // m, where the shapes are given
	Sets   []ModeSet // by frequency
}

// ModeSet are the modes at one frequency, in falling real wavenumber.
type ModeSet struct {
	Frequency  float64      // Hz
	Wavenumber []complex128 // rad/m, imaginary part <= 0
	PhaseSpeed []float64    // m/s
	GroupSpeed []float64    // m/s
	// Shape is [mode][depth], row-major, normalised to unit integral of
	// shape²/density with density relative to the water's.
	Shape []complex128
}

var modeDims = []string{"frequency", "mode", "depth"}

// WriteModes writes a modes file. Frequencies with fewer modes than others are
// padded with NaN; mode_count tells how many there are. The imaginary part of the
// shapes is written only if there is one.
func WriteModes(path string, m Modes) error {
	most, complexShapes := m.check()
	return write(path, SchemaModes, "Normal modes", func(w *writer) {
		w.dimension("frequency", len(m.Sets))
		w.dimension("mode", most)
		w.dimension("depth", len(m.Depths))
		w.float64s("depth", modeDims[2:], m.Depths, depthAxis("depth")...)
		frequencies, counts := make([]float64, len(m.Sets)), make([]int32, len(m.Sets))
		for i, s := range m.Sets {
			frequencies[i], counts[i] = s.Frequency, int32(len(s.Wavenumber))
		}
		w.float64s("frequency", modeDims[:1], frequencies, frequencyAxis()...)
		v := w.variable("mode_count", netcdf.Int, modeDims[:1], describe("number of modes", dimensionless)...)
		w.do(func() error { return netcdf.WriteAll(v, counts) })
		missing := netcdf.Number("_FillValue", math.NaN())
		put := func(name, long, units string, values func(ModeSet, int) float64) {
			w.float64s(name, modeDims[:2], m.pad(most, 1, values), append(describe(long, units), missing)...)
		}
		put("wavenumber_real", "real part of the horizontal wavenumber", radPerMetre, func(s ModeSet, i int) float64 { return real(s.Wavenumber[i]) })
		put("wavenumber_imag", "imaginary part of the horizontal wavenumber", radPerMetre, func(s ModeSet, i int) float64 { return imag(s.Wavenumber[i]) })
		put("phase_speed", "phase speed", metrePerSecond, func(s ModeSet, i int) float64 { return s.PhaseSpeed[i] })
		put("group_speed", "group speed", metrePerSecond, func(s ModeSet, i int) float64 { return s.GroupSpeed[i] })
		shape := append(describe("mode shape", dimensionless), missing)
		w.float64s("shape", modeDims, m.pad(most, len(m.Depths), func(s ModeSet, i int) float64 { return real(s.Shape[i]) }), shape...)
		if complexShapes {
			w.float64s("shape_imag", modeDims, m.pad(most, len(m.Depths), func(s ModeSet, i int) float64 { return imag(s.Shape[i]) }), parts[1].of(shape)...)
		}
	})
}

// check counts the modes and panics on a set whose parts differ in length.
func (m Modes) check() (most int, complexShapes bool) {
	for _, s := range m.Sets {
		n := len(s.Wavenumber)
		if len(s.PhaseSpeed) != n || len(s.GroupSpeed) != n || len(s.Shape) != n*len(m.Depths) {
			panic(fmt.Sprintf("dataset: %d modes at %g Hz with %d phase speeds, %d group speeds and %d shape values", n, s.Frequency, len(s.PhaseSpeed), len(s.GroupSpeed), len(s.Shape)))
		}
		most = max(most, n)
		for _, c := range s.Shape {
			complexShapes = complexShapes || imag(c) != 0
		}
	}
	return most, complexShapes
}

// pad lays out width values per mode, NaN where a frequency has no such mode.
func (m Modes) pad(most, width int, value func(ModeSet, int) float64) []float64 {
	out := make([]float64, 0, len(m.Sets)*most*width)
	for _, s := range m.Sets {
		for i := range most * width {
			if i < len(s.Wavenumber)*width {
				out = append(out, value(s, i))
			} else {
				out = append(out, math.NaN())
			}
		}
	}
	return out
}

// ReadModes reads a modes file.
func ReadModes(path string) (Modes, error) {
	r, err := open(path, SchemaModes)
	if err != nil {
		return Modes{}, err
	}
	m := Modes{Depths: r.float64s("depth", metre, "depth")}
	frequencies := r.float64s("frequency", hertz, "frequency")
	counts := r.float64s("mode_count", dimensionless, "frequency")
	kr, ki := r.numbers("wavenumber_real", radPerMetre, modeDims[:2]...), r.numbers("wavenumber_imag", radPerMetre, modeDims[:2]...)
	phase, group := r.numbers("phase_speed", metrePerSecond, modeDims[:2]...), r.numbers("group_speed", metrePerSecond, modeDims[:2]...)
	shape := r.numbers("shape", dimensionless, modeDims...)
	imaginary := make([]float64, len(shape))
	if r.file.Has("shape_imag") {
		imaginary = r.numbers("shape_imag", dimensionless, modeDims...)
	}
	most, depths := r.length("mode"), r.length("depth")
	for i, f := range frequencies {
		if r.err != nil {
			break
		}
		n := int(counts[i])
		if n < 0 || n > most {
			r.fail("mode_count", "it counts %d modes at %g Hz, where the file has room for %d", n, f, most)
			break
		}
		a, b := i*most, i*most+n
		m.Sets = append(m.Sets, ModeSet{Frequency: f, Wavenumber: join(kr[a:b], ki[a:b]), PhaseSpeed: phase[a:b], GroupSpeed: group[a:b],
			Shape: join(shape[a*depths:b*depths], imaginary[a*depths:b*depths])})
	}
	return m, r.done()
}

package inversion

import (
	"fmt"
	"math"
	"slices"

	"oceaninv/acoustics"
)

// Experiment is everything a forward model needs but the frequencies.
type Experiment struct {
	Environment acoustics.Environment
	Source      acoustics.Source
	Array       acoustics.ReceiverArray
}

// clone copies the experiment and all it points to.
func (e *Experiment) clone() *Experiment {
	c := *e
	c.Environment = e.Environment.Clone()
	c.Array.Depths = slices.Clone(e.Array.Depths)
	return &c
}

// copyFrom sets e to base without allocating; e is a clone of it.
func (e *Experiment) copyFrom(base *Experiment) {
	profile, array := e.Environment.Water.Profile, e.Array.Depths
	layers := e.Environment.Layers
	cover := e.Environment.Cover
	e.Environment = base.Environment
	e.Environment.Cover = cover
	e.Environment.Layers = layers
	for i := range layers {
		knots := layers[i].Knots
		layers[i] = base.Environment.Layers[i]
		layers[i].Knots = append(knots[:0], base.Environment.Layers[i].Knots...)
	}
	e.Environment.Water.Profile.Depth = append(profile.Depth[:0], base.Environment.Water.Profile.Depth...)
	e.Environment.Water.Profile.Speed = append(profile.Speed[:0], base.Environment.Water.Profile.Speed...)
	e.Source = base.Source
	e.Array = base.Array
	e.Array.Depths = append(array[:0], base.Array.Depths...)
}

// Parameterization lays a parameter vector over an experiment. It is safe for
// concurrent use, each goroutine with an Experiment of its own.
type Parameterization struct {
	base      Experiment
	setters   []setter
	layers    LayerConvention
	receivers bool // move with the sea floor
}

type setter struct {
	name         string
	quantity     Quantity
	index        int // in theta
	layer        int // in Environment.Layers; -1 is the half-space
	keepGradient bool
	shape        []float64
}

// NewParameterization compiles a problem's parameters.
func NewParameterization(p *Problem) (*Parameterization, error) {
	base := Experiment{p.Environment, p.Source, p.Array}
	m := &Parameterization{base: *base.clone(), layers: p.LayersWithWaterDepth, receivers: p.ReceiversWithWaterDepth}
	for i := range p.Parameters {
		par := &p.Parameters[i]
		if err := par.validate(&p.Environment); err != nil {
			return nil, err
		}
		s := setter{name: par.Name, quantity: par.quantity(), index: i, layer: -1, keepGradient: par.KeepGradient, shape: par.Shape}
		if par.Layer != "" && par.Layer != BottomHalfspace {
			s.layer = layerIndex(&p.Environment, par.Layer)
		}
		m.setters = append(m.setters, s)
	}
	slices.SortStableFunc(m.setters, func(a, b setter) int { return a.quantity.rank() - b.quantity.rank() })
	return m, nil
}

// NewExperiment returns a working copy of the experiment for Apply, with room
// for the knots Apply may add.
func (m *Parameterization) NewExperiment() *Experiment {
	e := m.base.clone()
	p := &e.Environment.Water.Profile
	p.Depth = slices.Grow(p.Depth, 1)
	p.Speed = slices.Grow(p.Speed, 1)
	for i := range e.Environment.Layers {
		e.Environment.Layers[i].Knots = slices.Grow(e.Environment.Layers[i].Knots, 1)
	}
	return e
}

// ParameterError reports a parameter vector that makes no possible experiment,
// such as a phone below the sea floor.
type ParameterError struct {
	Name   string // parameter, or receivers.depths
	Value  float64
	Reason string
}

func (e *ParameterError) Error() string {
	return fmt.Sprintf("%s = %g: %s", e.Name, e.Value, e.Reason)
}

// Apply sets e, made by NewExperiment, to the experiment with parameters theta.
// It does not allocate. The water's profile is held at its last speed down to a
// sea floor below its last knot.
func (m *Parameterization) Apply(e *Experiment, theta []float64) error {
	if len(theta) != len(m.setters) {
		panic(fmt.Sprintf("inversion: %d parameters for a parameterization of %d", len(theta), len(m.setters)))
	}
	e.copyFrom(&m.base)
	for i := range m.setters {
		s := &m.setters[i]
		v := theta[s.index]
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return &ParameterError{s.name, v, "is not a finite number"}
		}
		if err := m.set(e, s, v); err != nil {
			return err
		}
	}
	return checkDepths(e)
}

// checkDepths refuses sources and phones outside the water.
func checkDepths(e *Experiment) error {
	floor := e.Environment.Floor()
	if d := e.Source.Depth; d <= 0 || d > floor {
		return &ParameterError{"source.depth", d, fmt.Sprintf("a source at %g m is not in the water above the sea floor at %.6g m", d, floor)}
	}
	if e.Array.Range <= 0 {
		return &ParameterError{"receivers.range", e.Array.Range, "the range is not positive"}
	}
	for _, z := range e.Array.Depths {
		if d := z + e.Array.DepthOffset; d < 0 || d > floor {
			return &ParameterError{"receivers.depths", d, fmt.Sprintf("a phone at %g m is not in the water above the sea floor at %.6g m", d, floor)}
		}
	}
	return nil
}

func (m *Parameterization) set(e *Experiment, s *setter, v float64) error {
	switch s.quantity {
	case WaterDepth:
		return m.setWaterDepth(e, s, v)
	case SourceDepth:
		e.Source.Depth = v
	case Range:
		e.Array.Range = v
	case Tilt:
		e.Array.Tilt = v
	case ArrayDepthOffset:
		e.Array.DepthOffset += v
	case ProfileOffset:
		for i := range e.Environment.Water.Profile.Speed {
			e.Environment.Water.Profile.Speed[i] += v
		}
	case ProfileMode:
		speed := e.Environment.Water.Profile.Speed
		for i, u := range s.shape {
			speed[i] += v * u
		}
		if n := len(s.shape); n < len(speed) { // the knot added at the sea floor
			speed[n] = speed[n-1]
		}
	default:
		return setSeabed(e, s, v)
	}
	return nil
}

// setWaterDepth moves the sea floor to v.
func (m *Parameterization) setWaterDepth(e *Experiment, s *setter, v float64) error {
	if v <= 0 {
		return &ParameterError{s.name, v, "the water depth is not positive"}
	}
	water := &e.Environment.Water
	deeper := v - water.Depth
	water.Depth = v
	p := &water.Profile
	if n := len(p.Depth); n > 0 && v > p.Depth[n-1] {
		p.Depth = append(p.Depth, v)
		p.Speed = append(p.Speed, p.Speed[n-1])
	}
	if m.receivers {
		for i := range e.Array.Depths {
			e.Array.Depths[i] += deeper
		}
	}
	if m.layers == LayersStay && len(e.Environment.Layers) > 0 {
		return cutLayer(&e.Environment.Layers[0], deeper, s.name, v)
	}
	return nil
}

// cutLayer removes the first cut metres of a layer, or, for a negative cut, adds
// so many of the material at its top. The material at each depth stays.
func cutLayer(l *acoustics.Layer, cut float64, name string, depth float64) error {
	if cut >= l.Thickness {
		return &ParameterError{name, depth, fmt.Sprintf("the sea floor is below the layer %q, whose interfaces stay", l.Name)}
	}
	l.Thickness -= cut
	if len(l.Knots) == 1 {
		return nil
	}
	if cut < 0 {
		for i := range l.Knots {
			l.Knots[i].Depth -= cut
		}
		l.Knots = append(l.Knots, acoustics.Knot{})
		copy(l.Knots[1:], l.Knots)
		l.Knots[0].Depth = 0
		return nil
	}
	first := 0 // last knot at or above the cut
	for first+1 < len(l.Knots) && l.Knots[first+1].Depth <= cut {
		first++
	}
	a := l.Knots[first]
	if first+1 < len(l.Knots) {
		b := l.Knots[first+1]
		a.Material = mix(a.Material, b.Material, (cut-a.Depth)/(b.Depth-a.Depth))
	}
	l.Knots = l.Knots[:copy(l.Knots, l.Knots[first:])]
	for i := range l.Knots {
		l.Knots[i].Depth -= cut
	}
	l.Knots[0] = acoustics.Knot{Depth: 0, Material: a.Material}
	return nil
}

// mix interpolates between two materials linearly.
func mix(a, b acoustics.Material, t float64) acoustics.Material {
	lerp := func(x, y float64) float64 { return x + t*(y-x) }
	a.SoundSpeed = lerp(a.SoundSpeed, b.SoundSpeed)
	a.ShearSpeed = lerp(a.ShearSpeed, b.ShearSpeed)
	a.Density = lerp(a.Density, b.Density)
	a.Attenuation.Value = lerp(a.Attenuation.Value, b.Attenuation.Value)
	a.ShearAttenuation.Value = lerp(a.ShearAttenuation.Value, b.ShearAttenuation.Value)
	return a
}

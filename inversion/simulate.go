package inversion

// Simulator draws samples of a problem: parameters from a design, the field from
// the forward model, noise. Sample i depends on nothing but the seed and i.
type Simulator struct {
	design  *Design
	noise   *Noise
	forward Forward
	seed    uint64
}

// NewSimulator returns a simulator. Each goroutine has its own, with a forward
// model of its own; the noise may be shared.
func NewSimulator(p *Problem, kind DesignKind, noise *Noise, forward Forward, seed uint64) (*Simulator, error) {
	prior, err := p.Prior()
	if err != nil {
		return nil, err
	}
	design, err := NewDesign(kind, prior, seed)
	if err != nil {
		return nil, err
	}
	return &Simulator{design, noise, forward, seed}, nil
}

// Sample sets theta, the noise-free pressure and the noise of the sample with
// that index. The observation is pressure + noise.
func (s *Simulator) Sample(index int, theta []float64, pressure, noise []complex128) error {
	s.design.Theta(theta, index)
	return s.At(index, theta, pressure, noise)
}

// At is Sample with the parameters given.
func (s *Simulator) At(index int, theta []float64, pressure, noise []complex128) error {
	if err := s.forward.Predict(pressure, theta); err != nil {
		return err
	}
	s.noise.Sample(noise, pressure, Rand(s.seed, NoiseStream, index))
	return nil
}

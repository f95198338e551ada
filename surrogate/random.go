package surrogate

import "math/rand/v2"

// stream is a source of random numbers that is determined by (seed, index) alone, so that results do not depend on
// which worker draws, or when.
type stream struct {
	pcg *rand.PCG
	*rand.Rand
}

func newStream(seed, index uint64) *stream {
	p := rand.NewPCG(seed, index)
	return &stream{pcg: p, Rand: rand.New(p)}
}

func (s *stream) seek(seed, index uint64) { s.pcg.Seed(seed, index) }

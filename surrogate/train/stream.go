package train

import (
	"math/rand/v2"

	"oceaninv/surrogate/nn"
)

// Purposes of random streams; each is the second coordinate of a [stream].
const (
	streamShuffle = iota + 1<<40
	streamNoise
	streamHeldOut
	streamSplit
	streamCritic
	streamGuarantee
)

// stream is a random generator that can be set to the start of the stream (seed, a, b) without allocating.
type stream struct {
	*rand.Rand
	pcg rand.PCG
}

func (s *stream) init() { s.Rand = rand.New(&s.pcg) }

func (s *stream) seek(seed, a, b uint64) {
	s.pcg.Seed(mix(seed^mix(a)), mix(mix(b)^a))
}

// mix is the finaliser of SplitMix64 (Steele, Lea & Flood 2014): neighbouring indices give unrelated seeds.
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// fillNormal sets x to independent normal numbers of deviation sigma.
func fillNormal[T nn.Float](s *stream, x []T, sigma float64) {
	for i := range x {
		x[i] = T(sigma * s.NormFloat64())
	}
}

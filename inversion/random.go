package inversion

import "math/rand/v2"

// Stream says what a random stream is for, so that the streams of one item never
// share numbers.
type Stream uint64

// Streams of an item.
const (
	DesignStream Stream = iota + 1
	NoiseStream
	DrawStream
	ScrambleStream
	// ObservationStream draws the truth and the noise of simulated observations: with
	// the seed of a data set, they are still not among its samples.
	ObservationStream
	// ReplicateStream draws fresh noise for the samples of a data set.
	ReplicateStream
)

// Rand returns the random stream of one item: it depends on nothing but the
// seed, the item's index and the purpose, so results do not depend on how items
// are spread over workers.
func Rand(seed uint64, purpose Stream, index int) *rand.Rand {
	return rand.New(source(seed, purpose, index))
}

func source(seed uint64, purpose Stream, index int) *rand.PCG {
	a := mix64(seed + 0x9e3779b97f4a7c15*uint64(purpose))
	return rand.NewPCG(a, mix64(a^uint64(index)))
}

// mix64 is the finaliser of splitmix64 (Steele, Lea, Flood 2014): every bit of
// the result depends on every bit of x.
func mix64(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

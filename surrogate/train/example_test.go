//go:build !race

// Sixty epochs: what meets in a training meets in one, which other tests show the race detector.

package train_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"oceaninv/surrogate"
	"oceaninv/surrogate/train"
)

// Two moons: a spline flow learns the density of noisy half circles from samples alone.
func Example() {
	moons := &train.Simulator[float32]{Rows: 2048, NX: 2, Seed: 1,
		Draw: func(rng *rand.Rand, x, _ []float32) error {
			sin, cos := math.Sincos(math.Pi * rng.Float64())
			if rng.Float64() < 0.5 {
				sin, cos = 0.5-sin, 1-cos
			}
			x[0] = float32(cos + 0.1*rng.NormFloat64())
			x[1] = float32(sin + 0.1*rng.NormFloat64())
			return nil
		}}
	spec := surrogate.DefaultFlow()
	spec.Dim, spec.Coupling, spec.Blocks, spec.Hidden = 2, "spline", 4, 32
	flow, err := surrogate.NewFlow[float32](spec)
	if err != nil {
		panic(err)
	}
	options := train.DefaultOptions(train.LossMaximumLikelihood)
	options.Epochs, options.BatchSize, options.LearningRate = 60, 256, 2e-3
	if _, err := train.TrainFlow(context.Background(), flow, moons, nil, options, train.Run{}); err != nil {
		panic(err)
	}
	log, err := flow.LogProb([]float32{0, 1, 0.5, 0.25, 1, -0.5}, nil) // on a moon, between the moons, on the other
	if err != nil {
		panic(err)
	}
	fmt.Println("a moon is denser than the gap:", log[0] > log[1]+2, log[2] > log[1]+2)
	// Output:
	// a moon is denser than the gap: true true
}

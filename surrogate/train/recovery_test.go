package train

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"oceaninv/surrogate"
	"oceaninv/surrogate/nn"
)

// posterior of x ~ N(0, I_2) given y = A x + s n: precision I + AᵀA/s², mean Σ Aᵀ y/s².
func linearPosterior(a [2][2]float64, s float64, y [2]float64) (mean [2]float64, cov [2][2]float64) {
	var p [2][2]float64
	var b [2]float64
	for i := range 2 {
		for j := range 2 {
			p[i][j] = (a[0][i]*a[0][j] + a[1][i]*a[1][j]) / (s * s)
		}
		p[i][i]++
		b[i] = (a[0][i]*y[0] + a[1][i]*y[1]) / (s * s)
	}
	det := p[0][0]*p[1][1] - p[0][1]*p[1][0]
	cov = [2][2]float64{{p[1][1] / det, -p[0][1] / det}, {-p[1][0] / det, p[0][0] / det}}
	for i := range 2 {
		mean[i] = cov[i][0]*b[0] + cov[i][1]*b[1]
	}
	return mean, cov
}

var testA = [2][2]float64{{1, 0.5}, {-0.3, 0.8}}

const testSigma = 0.5

// linearSimulator draws x, or with noise [x, n], and y = A x + s n anew in every epoch.
func linearSimulator(rows int, withNoise bool) *Simulator[float32] {
	s := &Simulator[float32]{Rows: rows, NX: 2, NY: 2, Seed: 11}
	if withNoise {
		s.NX = 4
	}
	s.Draw = func(g *rand.Rand, x, y []float32) error {
		for i := range 2 {
			x[i] = float32(g.NormFloat64())
		}
		for i := range 2 {
			n := float32(g.NormFloat64())
			if withNoise {
				x[2+i] = n
			}
			y[i] = float32(testA[i][0])*x[0] + float32(testA[i][1])*x[1] + testSigma*n
		}
		return nil
	}
	return s
}

func moments(draws []float32, stride int) (mean [2]float64, cov [2][2]float64) {
	n := float64(len(draws) / stride)
	for r := 0; r < len(draws); r += stride {
		for i := range 2 {
			mean[i] += float64(draws[r+i]) / n
		}
	}
	for r := 0; r < len(draws); r += stride {
		for i := range 2 {
			for j := range 2 {
				cov[i][j] += (float64(draws[r+i]) - mean[i]) * (float64(draws[r+j]) - mean[j]) / n
			}
		}
	}
	return mean, cov
}

func comparePosterior(t *testing.T, y [2]float64, mean [2]float64, cov [2][2]float64, tolMean, tolCov float64) {
	t.Helper()
	wantMean, wantCov := linearPosterior(testA, testSigma, y)
	for i := range 2 {
		sd := math.Sqrt(wantCov[i][i])
		if d := math.Abs(mean[i]-wantMean[i]) / sd; d > tolMean {
			t.Errorf("y %v: mean %d is %.3f, exact %.3f (%.2f deviations away)", y, i, mean[i], wantMean[i], d)
		}
		for j := range 2 {
			if d := math.Abs(cov[i][j]-wantCov[i][j]) / math.Sqrt(wantCov[i][i]*wantCov[j][j]); d > tolCov {
				t.Errorf("y %v: covariance %d,%d is %.4f, exact %.4f", y, i, j, cov[i][j], wantCov[i][j])
			}
		}
	}
}

var testObservations = [][2]float64{{0, 0}, {1, -0.5}, {-0.8, 0.9}}

func TestConditionalFlowRecoversLinearGaussianPosterior(t *testing.T) {
	o := DefaultOptions(LossMaximumLikelihood)
	o.Epochs, o.BatchSize, o.LearningRate, o.Schedule, o.EMA = 6, 256, 1e-2, "cosine", 0.98
	f := testFlow[float32](t, 2, 2, func(s *surrogate.FlowSpec) { s.Blocks, s.ZeroLast = 3, true })
	r, err := TrainConditional(context.Background(), f, linearSimulator(25600, false), nil, o, Run{})
	if err != nil {
		t.Fatal(err)
	}
	// Cross-entropy at the optimum: the entropy of the posterior, the same for every y.
	_, cov := linearPosterior(testA, testSigma, [2]float64{})
	entropy := math.Log(2*math.Pi*math.E) + 0.5*math.Log(cov[0][0]*cov[1][1]-cov[0][1]*cov[1][0])
	if got := r.History[len(r.History)-1].Train.Total; math.Abs(got-entropy) > 0.03 {
		t.Errorf("final loss %.4f nats, entropy of the posterior %.4f", got, entropy)
	}
	const draws = 4000
	p := f.NewPass(draws)
	rng := rand.New(rand.NewPCG(3, 3))
	for _, y := range testObservations {
		z, cond := make([]float32, 2*draws), make([]float32, 2*draws)
		for i := range z {
			z[i], cond[i] = float32(rng.NormFloat64()), float32(y[i%2])
		}
		x, _, err := p.Inverse(z, cond)
		if err != nil {
			t.Fatal(err)
		}
		mean, cov := moments(x, 2)
		comparePosterior(t, y, mean, cov, 0.12, 0.1)
	}
}

// With the noise among the unknowns y is a function of [x, n], as in the geoacoustic case, and the exact
// likelihood with a small sigma_y recovers the posterior of x.
func TestExactINNRecoversLinearGaussianPosterior(t *testing.T) {
	o := DefaultOptions(LossNLLExact)
	o.Epochs, o.BatchSize, o.LearningRate, o.Schedule, o.EMA, o.SigmaY = 12, 256, 1e-2, "cosine", 0.98, 0.1
	o.WeightDecay, o.Beta1, o.Beta2 = 0, 0.9, 0.999
	f := testFlow[float32](t, 4, 0, func(s *surrogate.FlowSpec) { s.Blocks, s.Permutation = 4, "rotation" })
	if _, err := TrainINN(context.Background(), f, linearSimulator(25600, true), nil, o, Run{}); err != nil {
		t.Fatal(err)
	}
	const draws = 4000
	p := f.NewPass(draws)
	rng := rand.New(rand.NewPCG(4, 4))
	for _, y := range testObservations {
		u := make([]float32, 4*draws)
		for i := range draws {
			u[4*i], u[4*i+1] = float32(rng.NormFloat64()), float32(rng.NormFloat64())
			u[4*i+2], u[4*i+3] = float32(y[0]), float32(y[1])
		}
		x, _, err := p.Inverse(u, nil)
		if err != nil {
			t.Fatal(err)
		}
		mean, cov := moments(x, 4)
		comparePosterior(t, y, mean, cov, 0.2, 0.15)
	}
}

// Σz² instead of ½Σz² makes the best latent variance ½; the Gaussian likelihood makes it 1.
func TestLatentVariance(t *testing.T) {
	sim := &Simulator[float32]{Rows: 12800, NX: 2, Seed: 5, Draw: func(g *rand.Rand, x, _ []float32) error {
		x[0], x[1] = float32(1+2*g.NormFloat64()), float32(-1+0.5*g.NormFloat64())
		return nil
	}}
	for loss, want := range map[Loss]float64{LossNLL: 0.5, LossNLLExact: 1, LossMaximumLikelihood: 1} {
		o := DefaultOptions(loss)
		o.ReverseWeight, o.Epochs, o.BatchSize, o.LearningRate, o.Schedule, o.WeightDecay = 0, 6, 256, 1e-2, "cosine", 0
		f := testFlow[float32](t, 2, 0, nil)
		if _, err := TrainFlow(context.Background(), f, sim, nil, o, Run{}); err != nil {
			t.Fatal(err)
		}
		const rows = 4000
		x := make([]float32, 2*rows)
		index := make([]int, rows)
		for i := range index {
			index[i] = i
		}
		if err := sim.Read(1000, index, x, nil); err != nil {
			t.Fatal(err)
		}
		z, _, err := f.NewPass(rows).Forward(x, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, cov := moments(z, 2)
		for i := range 2 {
			if math.Abs(cov[i][i]-want) > 0.08*want {
				t.Errorf("%s: latent variance %d is %.3f, want %.2f", loss, i, cov[i][i], want)
			}
		}
	}
}

// Every adversarial and transport loss, in both directions where there are two, must bring the model's law closer.
func TestGenerativeLossesMoveTowardsTheData(t *testing.T) {
	sim := &Simulator[float32]{Rows: 1920, NX: 2, Seed: 6, Draw: func(g *rand.Rand, x, _ []float32) error {
		x[0], x[1] = float32(2+0.5*g.NormFloat64()), float32(-1+0.5*g.NormFloat64())
		return nil
	}}
	const rows = 512
	x, index := make([]float32, 2*rows), make([]int, rows)
	for i := range index {
		index[i] = i
	}
	if err := sim.Read(1000, index, x, nil); err != nil {
		t.Fatal(err)
	}
	pool := NewPool(2)
	defer pool.Close()
	distance := func(f *surrogate.Flow[float32]) float64 {
		rng := rand.New(rand.NewPCG(8, 8))
		z := make([]float32, 2*rows)
		for i := range z {
			z[i] = float32(rng.NormFloat64())
		}
		got, _, err := f.NewPass(rows).Inverse(z, nil)
		if err != nil {
			t.Fatal(err)
		}
		w := NewSinkhornWorkspace[float32](Sinkhorn{Blur: 0.05, Scaling: 0.7}, pool, rows, rows, 2)
		return w.Eval(1, nn.NewMatrix(got, rows, 2), nn.NewMatrix(x, rows, 2), newMatrix[float32](rows, 2))
	}
	for _, loss := range Losses() {
		if loss == LossNLL || loss == LossNLLExact || loss == LossMaximumLikelihood {
			continue
		}
		for _, direction := range []string{"inverse", "forward"} {
			_, adversarial := loss.Divergence()
			if !adversarial && direction == "forward" {
				continue
			}
			o := DefaultOptions(loss)
			o.Epochs, o.BatchSize, o.LearningRate, o.Schedule, o.Clamp = 8, 64, 3e-3, "constant", "corrected"
			o.ReverseWeight, o.Direction, o.CriticRate, o.CriticSteps, o.ClipNorm, o.EMA = 0, direction, 1e-2, 2, 1, 0.95
			f := testFlow[float32](t, 2, 0, nil)
			before := distance(f)
			if _, err := TrainFlow(context.Background(), f, sim, nil, o, Run{}); err != nil {
				t.Errorf("%s %s: %v", loss, direction, err)
				continue
			}
			after := distance(f)
			t.Logf("%-12s %-8s %.3f -> %.4f", loss, direction, before, after)
			if !(after < 0.25*before) {
				t.Errorf("%s %s: distance to the data went from %.3f to %.3f", loss, direction, before, after)
			}
		}
	}
}

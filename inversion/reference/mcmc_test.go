package reference

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat"

	"oceaninv/inversion"
)

// boxed is a likelihood under a uniform prior over a box.
type boxed struct {
	inversion.Target
	low, high []float64
}

func (b boxed) LogPrior(t []float64) (l float64) {
	for j, v := range t {
		if v < b.low[j] || v > b.high[j] {
			return math.Inf(-1)
		}
		l -= math.Log(b.high[j] - b.low[j])
	}
	return l
}
func (b boxed) LogLikelihood(t []float64) float64 { return b.Target.LogDensity(t) }
func (b boxed) start(t []float64, rng *rand.Rand) {
	for j := range t {
		t[j] = b.low[j] + rng.Float64()*(b.high[j]-b.low[j])
	}
}
func (b boxed) temper(t *testing.T, opt TemperOptions) *Chains {
	t.Helper()
	c, err := Temper(context.Background(), func() (inversion.Tempered, error) { return b, nil }, b.start, opt)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTemperSharpNormal(t *testing.T) {
	target := bivariate([]float64{216.5, 1572.4}, 0.05, 2, 0.8)
	b := boxed{target, []float64{200.5, 1532}, []float64{236.5, 1592}}
	c := b.temper(t, DefaultTemperOptions())
	if !c.Converged() {
		t.Errorf("not converged: R-hat %v, sizes %v %v", c.RHat, c.EffectiveSize, c.TailEffectiveSize)
	}
	s := c.Draws()
	for j, want := range [][2]float64{{216.5, 0.05}, {1572.4, 2}} {
		sum := s.Summarize(j)
		near(t, "mean", sum.Mean, want[0], 4*want[1]/math.Sqrt(c.EffectiveSize[j]))
		near(t, "sd", sum.SD, want[1], 4*want[1]/math.Sqrt(c.EffectiveSize[j]))
	}
	near(t, "log evidence", c.LogEvidence, -math.Log(36*60), 4*c.LogEvidenceError+0.02)
	if c.LogEvidenceError > 0.1 {
		t.Errorf("log evidence is only known to %g", c.LogEvidenceError)
	}
	for k, r := range c.Swaps {
		if r < 0.1 {
			t.Errorf("temperatures %d and %d swap %.3f of the time: %v", k, k+1, r, c.Swaps)
		}
	}
}

func TestTemperTwoModes(t *testing.T) {
	m := mixture{bivariate([]float64{0.2, 0.3}, 0.01, 0.02, 0.3), bivariate([]float64{0.8, 0.7}, 0.02, 0.01, -0.5), math.Log(0.7), math.Log(0.3)}
	c := boxed{m, []float64{0, 0}, []float64{1, 1}}.temper(t, DefaultTemperOptions())
	var second float64
	for _, x := range c.Draws().Column(0) {
		if x > 0.5 {
			second++
		}
	}
	near(t, "mass of the second mode", second/float64(c.Draws().N()), 0.3, 0.05)
	near(t, "log evidence", c.LogEvidence, 0, 4*c.LogEvidenceError+0.03)
}

func TestTemperDoesNotDependOnWorkers(t *testing.T) {
	b := boxed{banana{}, []float64{-14, -4}, []float64{14, 50}}
	opt := DefaultTemperOptions()
	opt.BurnIn, opt.Steps = 20, 20
	opt.Workers = 1
	one := b.temper(t, opt)
	opt.Workers = 3
	many := b.temper(t, opt)
	for i := range one.Theta {
		for k := range one.Theta[i] {
			if one.Theta[i][k] != many.Theta[i][k] {
				t.Fatal("draws depend on the number of workers")
			}
		}
	}
}

// TestEnsembleGeweke is the joint test of Geweke (J. Am. Stat. Assoc. 99, 799
// (2004)) on one ensemble: with θ_i ~ p(θ|y) for every walker, y can be drawn given
// all walkers in closed form for a linear-Gaussian model; alternating that with
// single steps of the ensemble must keep y at its marginal.
func TestEnsembleGeweke(t *testing.T) {
	if testing.Short() {
		t.Skip("arithmetic of one goroutine: nothing for the race detector; run without -short")
	}
	// θ ~ N(0, I₂), y = θ₁ + θ₂/2 + N(0, s²). Posterior: N(k y, C).
	const s2, walkers = 0.5, 6
	vy := 1 + 0.25 + s2
	k := []float64{1 / vy, 0.5 / vy}
	precision := [][]float64{{1 + 1/s2, 0.5 / s2}, {0.5 / s2, 1 + 0.25/s2}}
	rng := rand.New(rand.NewPCG(5, 6))
	target := &gaussian{mean: make([]float64, 2), precision: precision}
	y := math.Sqrt(vy) * rng.NormFloat64()
	e := &ensemble{d: 2, beta: 1, proposal: make([]float64, 2), prior: make([]float64, walkers), like: make([]float64, walkers)}
	draw := func() []float64 { // from N(k y, C) through the Cholesky factor of C⁻¹
		det := precision[0][0]*precision[1][1] - precision[0][1]*precision[0][1]
		c00, c01, c11 := precision[1][1]/det, -precision[0][1]/det, precision[0][0]/det
		a, b := rng.NormFloat64(), rng.NormFloat64()
		l := math.Sqrt(c00)
		return []float64{k[0]*y + l*a, k[1]*y + c01/l*a + math.Sqrt(c11-c01*c01/c00)*b}
	}
	for range walkers {
		e.theta = append(e.theta, draw())
	}
	// y | walkers: precision 1/vy + W kᵀC⁻¹k, mean the weighted sum of walkers.
	pk := []float64{precision[0][0]*k[0] + precision[0][1]*k[1], precision[0][1]*k[0] + precision[1][1]*k[1]}
	q := 1/vy + walkers*(k[0]*pk[0]+k[1]*pk[1])
	tempered := flatPrior{target}
	const n = 400000
	z := make([]float64, n)
	for i := range n {
		var sum float64
		for _, w := range e.theta {
			sum += pk[0]*w[0] + pk[1]*w[1]
		}
		y = sum/q + rng.NormFloat64()/math.Sqrt(q)
		target.mean[0], target.mean[1] = k[0]*y, k[1]*y
		for w := range e.theta {
			e.prior[w], e.like[w] = 0, target.LogDensity(e.theta[w])
		}
		e.step(tempered, rng)
		z[i] = y / math.Sqrt(vy)
	}
	size := EffectiveSize([][]float64{z}, 1)
	var mean, square, fourth float64
	for _, v := range z {
		mean += v / n
		square += v * v / n
		fourth += v * v * v * v / n
	}
	t.Logf("effective size %.0f: mean %.3f, second moment %.3f, fourth %.3f", size, mean, square, fourth)
	near(t, "mean of y", mean, 0, 4/math.Sqrt(size))
	near(t, "second moment of y", square, 1, 4*math.Sqrt(2/size))
	near(t, "fourth moment of y", fourth, 3, 4*math.Sqrt(96/size))
}

type flatPrior struct{ inversion.Target }

func (f flatPrior) LogPrior([]float64) float64        { return 0 }
func (f flatPrior) LogLikelihood(t []float64) float64 { return f.LogDensity(t) }

func TestHMC(t *testing.T) {
	for name, target := range map[string]inversion.Gradient{
		"sharp normal": bivariate([]float64{216.5, 1572.4}, 0.05, 2, 0.8), "banana": banana{},
	} {
		opt := DefaultHMCOptions()
		opt.Steps = 2000
		opt.BurnIn = 1000
		if name == "banana" { // its tails curve: small steps
			opt.Accept, opt.Path = 0.95, 3
		}
		start := func(x []float64, rng *rand.Rand) {
			if name == "banana" {
				x[0], x[1] = 4*rng.NormFloat64(), 4*rng.NormFloat64()
				return
			}
			x[0], x[1] = 216.5+0.5*rng.NormFloat64(), 1572+10*rng.NormFloat64()
		}
		c, err := HMC(context.Background(), func() (inversion.Gradient, error) { return target, nil }, start, opt)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: acceptance %.2f, R-hat %.4f, sizes %.0f, divergences %d", name, c.Acceptance, c.RHat, c.EffectiveSize, c.Divergences)
		s := c.Draws()
		want := [][2]float64{{216.5, 0.05}, {1572.4, 2}}
		if name == "banana" {
			want = [][2]float64{{0, 2}, {1, 1.5}}
		}
		for j, w := range want {
			sum := s.Summarize(j)
			near(t, name+" mean", sum.Mean, w[0], 5*w[1]/math.Sqrt(c.EffectiveSize[j]))
			near(t, name+" sd", sum.SD, w[1], 10*w[1]/math.Sqrt(c.TailEffectiveSize[j]))
		}
		for j := range c.RHat {
			if c.RHat[j] > 1.02 {
				t.Errorf("%s: R-hat %v", name, c.RHat)
			}
		}
	}
}

func TestHMCGeweke(t *testing.T) {
	// θ ~ N(0, 1), y = θ + N(0, s²); alternate y | θ with one trajectory at fixed
	// tuning.
	const s2 = 0.5
	rng := rand.New(rand.NewPCG(8, 8))
	target := &gaussian{mean: []float64{0}, precision: [][]float64{{1 + 1/s2}}}
	h := newHamiltonian(target, rng)
	h.step = 0.7 // coarse, so that rejections matter
	const n = 60000
	trace := make([]float64, n)
	for i := range n {
		y := h.x[0] + math.Sqrt(s2)*rng.NormFloat64()
		target.mean[0] = y / (1 + s2)
		h.logp = target.LogDensityGradient(h.grad, h.x)
		h.trajectory(1)
		trace[i] = h.x[0]
	}
	size := EffectiveSize([][]float64{trace}, 1)
	var mean, square float64
	for _, v := range trace {
		mean += v / n
		square += v * v / n
	}
	near(t, "mean", mean, 0, 4/math.Sqrt(size))
	near(t, "second moment", square, 1, 4*math.Sqrt(2/size))
}

func TestDiagnostics(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	chains := func(rho, shift, scale float64) [][]float64 {
		out := make([][]float64, 4)
		for i := range out {
			x := rng.NormFloat64()
			for range 4000 {
				x = rho*x + math.Sqrt(1-rho*rho)*rng.NormFloat64()
				v := x
				if i == 0 {
					v = shift + scale*x
				}
				out[i] = append(out[i], v)
			}
		}
		return out
	}
	good := chains(0, 0, 1)
	if r := RHat(good); r > 1.005 {
		t.Errorf("R-hat of independent draws %g", r)
	}
	near(t, "size of independent draws", EffectiveSize(good, 4), 16000, 1600)
	// An AR(1) chain has effective size n(1-ρ)/(1+ρ).
	near(t, "size of AR(1)", EffectiveSize(chains(0.8, 0, 1), 4), 16000*0.2/1.8, 0.2*16000*0.2/1.8)
	if r := RHat(chains(0, 0.5, 1)); r < 1.01 {
		t.Errorf("R-hat misses a shifted chain: %g", r)
	}
	if r := RHat(chains(0, 0, 2)); r < 1.01 {
		t.Errorf("R-hat misses a wide chain: %g", r)
	}
	if r := RHat([][]float64{{1, 2, 3}}); !math.IsNaN(r) {
		t.Errorf("R-hat of three draws %g", r)
	}
}

// Of walkers that share a part of what they do, the variance of the mean is known in closed
// form: x = √s·g + √(1-s)·e with one AR(1) g of ρ for all walkers of an ensemble and white e
// of each has var(mean)/var(x) = (s(1+ρ)/(1-ρ) + (1-s)/walkers) / (ensembles·n). A tenth is
// what the sum of autocorrelations is known to.
func TestEffectiveSizeOfInteractingWalkers(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 4))
	const ensembles, walkers, n, rho, repeats = 4, 12, 1000, 0.5, 10
	for _, shared := range []float64{0, 0.02, 0.3, 1} {
		var claimed, alone float64
		for range repeats {
			var chains [][]float64
			for range ensembles {
				group, g := make([][]float64, walkers), rng.NormFloat64()
				for range n {
					g = rho*g + math.Sqrt(1-rho*rho)*rng.NormFloat64()
					for w := range group {
						group[w] = append(group[w], math.Sqrt(shared)*g+math.Sqrt(1-shared)*rng.NormFloat64())
					}
				}
				chains = append(chains, group...)
			}
			claimed += 1 / EffectiveSize(chains, ensembles) / repeats
			alone += 1 / EffectiveSize(chains, len(chains)) / repeats
		}
		want := ensembles * n / (shared*(1+rho)/(1-rho) + (1-shared)/walkers)
		t.Logf("share %g: size %.0f, known %.0f, walkers by themselves %.0f", shared, 1/claimed, want, 1/alone)
		near(t, fmt.Sprintf("size with a share of %g", shared), 1/claimed, want, want/10)
		if shared == 1 && 1/alone < 5*want {
			t.Errorf("walkers taken by themselves are worth %.0f: the test tells nothing", 1/alone)
		}
	}
}

// Walkers of one ensemble that stand still, each elsewhere, keep its mean: they are worth
// their number, not their draws.
func TestEffectiveSizeOfWalkersThatStandStill(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 5))
	const walkers, n = 24, 200
	for name, wander := range map[string]float64{"still": 0, "nearly still": 1e-3} {
		chains := make([][]float64, walkers)
		for w := range chains {
			at := rng.NormFloat64()
			for range n {
				chains[w] = append(chains[w], at+wander*rng.NormFloat64())
			}
		}
		if size := EffectiveSize(chains, 1); !(size <= 2*walkers) {
			t.Errorf("%s: %d walkers are worth %.0f draws", name, walkers, size)
		}
	}
}

// The mean that an ensemble sampler gives of a normal scatters from run to run as its
// effective size says: to four standard deviations of the scatter of repeats·2 means.
func TestEffectiveSizeOfEnsemblesIsTheScatterOfTheMean(t *testing.T) {
	target := bivariate([]float64{0, 0}, 1, 1, 0)
	b := boxed{target, []float64{-6, -6}, []float64{6, 6}}
	opt := DefaultTemperOptions()
	opt.Walkers, opt.Temperatures, opt.BurnIn, opt.Steps, opt.Thin = 6, 1, 50, 500, 1
	const repeats = 100
	var claimed, scatter float64
	for k := range repeats {
		opt.Seed = uint64(k)
		c := b.temper(t, opt)
		for j := range 2 {
			var mean float64
			for _, v := range c.Draws().Column(j) {
				mean += v
			}
			mean /= float64(c.Draws().N())
			scatter += mean * mean / repeats / 2
			if k%5 == 0 {
				claimed += 1 / c.EffectiveSize[j] / (repeats / 5) / 2
			}
		}
	}
	t.Logf("size %.0f, from the scatter of the mean %.0f", 1/claimed, 1/scatter)
	if relative := 4 * math.Sqrt(1.0/repeats); math.Abs(claimed/scatter-1) > relative {
		t.Errorf("the mean's variance is %.3g, effective sizes say %.3g: more than %.2f apart", scatter, claimed, relative)
	}
}

// Chains that are units of their own have the size of Vehtari et al.'s equation.
func TestEffectiveSizeOfChainsOfTheirOwn(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 9))
	var chains [][]float64
	for range 4 {
		x, chain := rng.NormFloat64(), []float64(nil)
		for range 500 {
			x = 0.7*x + math.Sqrt(1-0.49)*rng.NormFloat64()
			chain = append(chain, x)
		}
		chains = append(chains, chain)
	}
	halves := normalScores(splitChains(chains))
	if got, want := EffectiveSize(chains, 4), 2000/autocorrelationTime(halves); got != want {
		t.Errorf("size %v, want %v", got, want)
	}
}

// The error of R-hat is the scatter of R-hat over repetitions: within a factor of two, which
// is what a jackknife of eight knows of a standard deviation.
func TestErrorOfRHat(t *testing.T) {
	if testing.Short() {
		t.Skip("arithmetic of one goroutine: nothing for the race detector; run without -short")
	}
	rng := rand.New(rand.NewPCG(3, 4))
	const repeats, m, n = 60, 16, 400
	values, claimed := make([]float64, repeats), 0.0
	for k := range values {
		chains := make([][]float64, m)
		for i := range chains { // chains that have not mixed: their means scatter
			shift := 0.3 * rng.NormFloat64()
			for range n {
				chains[i] = append(chains[i], shift+rng.NormFloat64())
			}
		}
		values[k] = RHat(chains)
		claimed += RHatError(chains, m) / repeats
	}
	var mean, square float64
	for _, v := range values {
		mean += v / repeats
	}
	for _, v := range values {
		square += (v - mean) * (v - mean) / (repeats - 1)
	}
	if scatter := math.Sqrt(square); claimed < scatter/2 || claimed > 2*scatter {
		t.Errorf("R-hat scatters by %.4f, its errors say %.4f", scatter, claimed)
	}
	if e := RHatError([][]float64{{1, 2, 3, 4}, {1, 2, 3, 5}}, 2); !math.IsNaN(e) {
		t.Errorf("two chains know the error of R-hat: %g", e)
	}
}

// Walkers that only repeat each other know no more of R-hat than one of them: to the few
// parts in a hundred by which R-hat itself counts chains, and a tenth for their scatter.
func TestErrorOfRHatOfWalkersThatRepeat(t *testing.T) {
	if testing.Short() {
		t.Skip("arithmetic of one goroutine: nothing for the race detector; run without -short")
	}
	rng := rand.New(rand.NewPCG(5, 4))
	const repeats, ensembles, walkers, n = 40, 4, 24, 100
	var one, all float64
	for range repeats {
		var single, copies [][]float64
		for range ensembles {
			shift, walker := 0.3*rng.NormFloat64(), []float64(nil)
			for range n {
				walker = append(walker, shift+rng.NormFloat64())
			}
			single = append(single, walker)
			for range walkers {
				copies = append(copies, walker)
			}
		}
		one += RHatError(single, ensembles)
		all += RHatError(copies, ensembles)
		if e := RHatError(copies[:2*walkers], 2); !math.IsNaN(e) {
			t.Fatalf("two ensembles of %d walkers know the error of R-hat: %g", walkers, e)
		}
	}
	// R-hat's variance between m halves of chains, of all ensembles but one, has m-1 degrees
	// of freedom.
	const lone, many = 2.0 * (ensembles - 1), 2.0 * (ensembles - 1) * walkers
	counted := many / (many - 1) * (lone - 1) / lone
	if ratio := all / one / counted; ratio < 0.9 || ratio > 1.1 {
		t.Errorf("the error of R-hat of copies is %.3f times that of one walker an ensemble", ratio)
	}
}

// Only ensembles are independent: two of them, of any number of walkers, have no error of
// R-hat, and of HMC every chain counts.
func TestErrorOfRHatCountsIndependentRuns(t *testing.T) {
	target := bivariate([]float64{0, 0}, 1, 1, 0.2)
	b := boxed{target, []float64{-5, -5}, []float64{5, 5}}
	opt := DefaultTemperOptions()
	opt.BurnIn, opt.Steps, opt.Thin, opt.Temperatures = 20, 20, 1, 2
	for ensembles, known := range map[int]bool{2: false, 3: true} {
		opt.Ensembles = ensembles
		c := b.temper(t, opt)
		traces := make([][]float64, len(c.Theta))
		for i, trace := range c.Theta {
			for k := 0; k < len(trace); k += c.D {
				traces[i] = append(traces[i], trace[k])
			}
		}
		want := leaveOneOut(traces, ensembles)
		if e := c.RHatError[0]; math.IsNaN(e) == known || (known && math.Abs(e/want-1) > 1e-12) {
			t.Errorf("%d ensembles: error of R-hat %g, leaving out one at a time %g", ensembles, e, want)
		}
	}
	c, err := HMC(context.Background(), func() (inversion.Gradient, error) { return target, nil },
		func(x []float64, rng *rand.Rand) { x[0], x[1] = rng.NormFloat64(), rng.NormFloat64() },
		HMCOptions{Chains: 4, BurnIn: 60, Steps: 50, Path: 1.6, Accept: 0.8})
	if err != nil || !(c.RHatError[0] > 0) {
		t.Errorf("of four Hamiltonian chains: %v, %v", c.RHatError, err)
	}
}

// leaveOneOut is the jackknife error of R-hat over runs of equally many chains.
func leaveOneOut(chains [][]float64, runs int) float64 {
	values := make([]float64, runs)
	for k := range values {
		var rest [][]float64
		for i, c := range chains {
			if i*runs/len(chains) != k {
				rest = append(rest, c)
			}
		}
		values[k] = RHat(rest)
	}
	return float64(runs-1) / math.Sqrt(float64(runs)) * stat.StdDev(values, nil)
}

package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"oceaninv/surrogate"
	"oceaninv/surrogate/nn"
)

// linearData is x ~ N(0, I_2), y = A x + 0.5 n with two observations.
func linearData[T nn.Float](rows int, seed uint64) SliceDataset[T] {
	rng := rand.New(rand.NewPCG(seed, 1))
	d := SliceDataset[T]{NX: 2, NY: 2}
	for range rows {
		x0, x1 := rng.NormFloat64(), rng.NormFloat64()
		d.X = append(d.X, T(x0), T(x1))
		d.Y = append(d.Y, T(x0+0.5*x1+0.5*rng.NormFloat64()), T(-0.3*x0+0.8*x1+0.5*rng.NormFloat64()))
	}
	return d
}

func testFlow[T nn.Float](t testing.TB, dim, cond int, change func(*surrogate.FlowSpec)) *surrogate.Flow[T] {
	t.Helper()
	s := surrogate.DefaultFlow()
	s.Dim, s.CondDim, s.Blocks, s.Hidden, s.Seed = dim, cond, 2, 16, 7
	if change != nil {
		change(&s)
	}
	f, err := surrogate.NewFlow[T](s)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func smallOptions(loss Loss) Options {
	o := DefaultOptions(loss)
	o.Epochs, o.BatchSize, o.Workers = 3, 64, 1
	return o
}

// every loss, on an invertible network of dimension 4 with observations of 2.
func trainOnce(t *testing.T, o Options, run Run, ctx context.Context) (*surrogate.Flow[float32], *Result, error) {
	t.Helper()
	data, held := linearData[float32](320, 1), linearData[float32](100, 2)
	if o.Loss == LossMaximumLikelihood {
		f := testFlow[float32](t, 2, 2, nil)
		r, err := TrainConditional(ctx, f, data, held, o, run)
		return f, r, err
	}
	f := testFlow[float32](t, 4, 0, nil)
	r, err := TrainINN(ctx, f, data, held, o, run)
	return f, r, err
}

func TestWorkersDoNotChangeWeights(t *testing.T) {
	for _, loss := range Losses() {
		t.Run(string(loss), func(t *testing.T) {
			o := smallOptions(loss)
			o.EMA, o.SpectralNorm, o.CriticSteps = 0.9, true, 2
			one, r1, err := trainOnce(t, o, Run{}, t.Context())
			if err != nil {
				t.Fatal(err)
			}
			o.Workers = 3
			many, r3, err := trainOnce(t, o, Run{}, t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(one.Params(), many.Params()) {
				t.Error("weights differ between 1 and 3 workers")
			}
			if r1.History[2].Train != r3.History[2].Train || *r1.History[2].HeldOut != *r3.History[2].HeldOut {
				t.Errorf("losses differ: %+v and %+v", r1.History[2], r3.History[2])
			}
			if slices.Equal(one.Params(), testFlow[float32](t, one.Dim(), one.CondDim(), nil).Params()) {
				t.Error("training changed nothing")
			}
		})
	}
}

func TestResumeIsBitForBit(t *testing.T) {
	for _, loss := range Losses() {
		t.Run(string(loss), func(t *testing.T) {
			o := smallOptions(loss)
			o.EMA, o.SpectralNorm = 0.9, loss == "kld"
			whole, rw, err := trainOnce(t, o, Run{}, t.Context())
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			ctx, cancel := context.WithCancel(t.Context())
			stopAt := Run{Dir: dir, ProgressEvery: 1, Progress: func(p Progress) {
				if p.Step == 8 { // within the second epoch
					cancel()
				}
			}}
			if _, _, err := trainOnce(t, o, stopAt, ctx); !errors.Is(err, context.Canceled) {
				t.Fatalf("interrupted training returned %v", err)
			}
			resumed, rr, err := trainOnce(t, o, Run{Dir: dir, Resume: true}, t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(whole.Params(), resumed.Params()) {
				t.Error("weights of the resumed training differ")
			}
			if rw.History[2].Train != rr.History[2].Train || len(rr.History) != 3 {
				t.Errorf("histories differ: %+v and %+v", rw.History, rr.History)
			}
		})
	}
}

// TestKilledTrainingResumes: a training killed within an epoch goes on from the checkpoint it left there, to the
// weights of one never stopped.
func TestKilledTrainingResumes(t *testing.T) {
	o := smallOptions(LossNLL)
	whole, _, err := trainOnce(t, o, Run{}, t.Context())
	if err != nil {
		t.Fatal(err)
	}
	left := t.TempDir() // what the disk holds when the process dies
	run := Run{Dir: t.TempDir(), CheckpointEvery: 1, ProgressEvery: 1}
	run.Progress = func(p Progress) {
		if p.Step != 8 { // within the second epoch
			return
		}
		data, err := os.ReadFile(filepath.Join(run.Dir, LastCheckpoint))
		if err == nil {
			err = os.WriteFile(filepath.Join(left, LastCheckpoint), data, 0o600)
		}
		if err != nil {
			t.Error(err)
		}
	}
	if _, _, err := trainOnce(t, o, run, t.Context()); err != nil {
		t.Fatal(err)
	}
	first := 0
	resumed, _, err := trainOnce(t, o, Run{Dir: left, Resume: true, ProgressEvery: 1, Progress: func(p Progress) {
		if first == 0 {
			first = p.Step
		}
	}}, t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if first != 8 {
		t.Errorf("resumed with step %d, the checkpoint was of step 7", first)
	}
	if !slices.Equal(whole.Params(), resumed.Params()) {
		t.Error("weights of the resumed training differ")
	}
}

func TestResumeRefusesAnotherTraining(t *testing.T) {
	dir := t.TempDir()
	o := smallOptions(LossNLL)
	if _, _, err := trainOnce(t, o, Run{Dir: dir}, t.Context()); err != nil {
		t.Fatal(err)
	}
	o.LearningRate *= 2
	if _, _, err := trainOnce(t, o, Run{Dir: dir, Resume: true}, t.Context()); !errors.Is(err, ErrCheckpoint) {
		t.Errorf("changed options: %v", err)
	}
	o.LearningRate /= 2
	path := filepath.Join(dir, LastCheckpoint)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, damage := range []struct {
		name string
		data []byte
	}{{"truncated", data[:len(data)/2]}, {"empty", nil}, {"flipped", append(slices.Clone(data[:len(data)-9]), append([]byte{data[len(data)-9] ^ 1}, data[len(data)-8:]...)...)}} {
		if err := os.WriteFile(path, damage.data, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, _, err := trainOnce(t, o, Run{Dir: dir, Resume: true}, t.Context()); !errors.Is(err, ErrCheckpoint) {
			t.Errorf("%s checkpoint: %v", damage.name, err)
		}
	}
}

func TestStepsDoNotAllocate(t *testing.T) {
	for _, loss := range Losses() {
		o := smallOptions(loss)
		o.SpectralNorm, o.EMA = true, 0.9
		data := linearData[float32](64, 3)
		s := shape{nx: 2, ny: 2, dim: 4}
		f := testFlow[float32](t, 4, 0, nil)
		if loss == LossMaximumLikelihood {
			s = shape{nx: 2, ny: 2, dim: 2, conditional: true}
			f = testFlow[float32](t, 2, 2, nil)
		}
		pool := NewPool(2)
		tr := newTrainer(f, s, o, pool, 0)
		tr.perEpoch = 100
		b := &batch[float32]{rows: make([]int, 64), x: data.X, y: data.Y}
		if n := testing.AllocsPerRun(10, func() {
			if err := tr.step(b); err != nil {
				t.Fatal(err)
			}
		}); n > 0 {
			t.Errorf("%s: %v allocations per step", loss, n)
		}
		pool.Close()
	}
}

func TestEarlyStoppingKeepsTheBestWeights(t *testing.T) {
	o := smallOptions(LossMaximumLikelihood)
	o.Epochs, o.Patience, o.LearningRate, o.Schedule = 200, 3, 3e-2, "constant"
	data, held := linearData[float32](64, 1), linearData[float32](512, 2) // too little data: it overfits
	f := testFlow[float32](t, 2, 2, nil)
	r, err := TrainConditional(t.Context(), f, data, held, o, Run{})
	if err != nil {
		t.Fatal(err)
	}
	if !r.StoppedEarly || len(r.History) != r.BestEpoch+3 {
		t.Fatalf("stopped early: %v after %d epochs, best %d", r.StoppedEarly, len(r.History), r.BestEpoch)
	}
	z, logdet, err := f.NewPass(512).Forward(held.X, held.Y)
	if err != nil {
		t.Fatal(err)
	}
	got := 0.0
	for i := range 512 {
		got += 0.5*float64(z[2*i]*z[2*i]+z[2*i+1]*z[2*i+1]) - float64(logdet[i]) + math.Log(2*math.Pi)
	}
	// Held-out data is visited in whole batches of 64.
	if want := r.History[r.BestEpoch-1].HeldOut.Total; math.Abs(got/512-want) > 1e-4 {
		t.Errorf("held-out loss of the returned flow %v, of the best epoch %v", got/512, want)
	}
}

func TestDivergenceIsStopped(t *testing.T) {
	o := smallOptions(LossNLL)
	o.LearningRate, o.ClipNorm, o.Epochs, o.Schedule = 1e4, 0, 50, "constant"
	f := testFlow[float32](t, 4, 0, nil)
	_, err := TrainINN(t.Context(), f, linearData[float32](320, 1), nil, o, Run{})
	var d *DivergedError
	if !errors.As(err, &d) {
		t.Fatalf("got %v", err)
	}
	if d.Step < 1 || d.Advice == "" {
		t.Errorf("%+v", d)
	}
}

func TestBadInput(t *testing.T) {
	data := linearData[float32](320, 1)
	bad := linearData[float32](320, 1)
	bad.Y[2*17+1] = float32(math.NaN())
	ctx := t.Context()
	var oe *OptionError
	var de *DataError
	run := func(dim int, d SliceDataset[float32], change func(*Options)) error {
		o := smallOptions(LossNLL)
		if change != nil {
			change(&o)
		}
		_, err := TrainINN(ctx, testFlow[float32](t, dim, 0, nil), d, nil, o, Run{})
		return err
	}
	for name, err := range map[string]error{
		"batch larger than data":              run(4, data, func(o *Options) { o.BatchSize = 1000 }),
		"no latent part":                      run(2, data, nil),
		"unknown schedule":                    run(4, data, func(o *Options) { o.Schedule = "linear" }),
		"prior without sigma":                 run(4, data, func(o *Options) { o.PriorTerm = "paired_normal" }),
		"patience without held-out":           run(4, data, func(o *Options) { o.Patience = 2 }),
		"likelihood of an invertible network": run(4, data, func(o *Options) { o.Loss = LossMaximumLikelihood }),
		"negative rate":                       run(4, data, func(o *Options) { o.LearningRate = -1 }),
		"NaN rate":                            run(4, data, func(o *Options) { o.LearningRate = math.NaN() }),
	} {
		if !errors.As(err, &oe) || oe.Path == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := run(4, bad, nil); !errors.As(err, &de) || de.Row != 17 {
		t.Errorf("NaN in the data: %v", err)
	}
	for _, l := range Losses() {
		if err := DefaultOptions(l).Validate(); err != nil {
			t.Errorf("defaults of %s: %v", l, err)
		}
	}
}

func TestOrderVisitsEveryRowOnce(t *testing.T) {
	for _, block := range []int{1, 7, 100} {
		o := newOrder(1003, block)
		var first []int
		for epoch := range 2 {
			o.start(9, epoch)
			rows := make([]int, 1003)
			o.fill(rows)
			if epoch == 0 {
				first = slices.Clone(rows)
			} else if slices.Equal(rows, first) {
				t.Error("two epochs in the same order")
			}
			if slices.IsSorted(rows) {
				t.Error("not shuffled")
			}
			slices.Sort(rows)
			for i, r := range rows {
				if i != r {
					t.Fatalf("block %d: row %d missing or repeated", block, i)
				}
			}
		}
	}
}

func TestSplit(t *testing.T) {
	d := linearData[float64](50, 1)
	a, b := Split[float64](d, 0.2, 3)
	if a.Len() != 40 || b.Len() != 10 {
		t.Fatalf("%d and %d rows", a.Len(), b.Len())
	}
	seen := map[float64]bool{}
	for _, part := range []Dataset[float64]{a, b} {
		x, y := make([]float64, 2), make([]float64, 2)
		for i := range part.Len() {
			if err := part.Read(0, []int{i}, x, y); err != nil {
				t.Fatal(err)
			}
			seen[x[0]] = true
		}
	}
	if len(seen) != 50 {
		t.Errorf("%d distinct rows of 50", len(seen))
	}
}

func TestSimulatorIsSeeded(t *testing.T) {
	sim := &Simulator[float64]{Rows: 10, NX: 1, NY: 1, Seed: 4, Draw: func(g *rand.Rand, x, y []float64) error {
		x[0], y[0] = g.NormFloat64(), g.NormFloat64()
		return nil
	}}
	read := func(epoch int, rows ...int) []float64 {
		x, y := make([]float64, len(rows)), make([]float64, len(rows))
		if err := sim.Read(epoch, rows, x, y); err != nil {
			t.Fatal(err)
		}
		return x
	}
	if a, b := read(0, 1, 2, 3), read(0, 3, 2, 1); a[0] != b[2] || a[1] != b[1] {
		t.Error("a row depends on its neighbours")
	}
	if read(0, 1)[0] == read(1, 1)[0] || read(0, 1)[0] == read(0, 2)[0] {
		t.Error("rows or epochs repeat each other")
	}
}

func TestBench(t *testing.T) {
	r, err := Bench(t.Context(), BenchOptions{Time: 1, Only: []string{"kld_64_18_3"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(r) != 1 || r[0].Name != "kld_64_18_3" || !(r[0].MSPerStep > 0) || !(r[0].Fraction > 0) {
		t.Errorf("%+v", r)
	}
	if len(BenchNames()) != 6 {
		t.Error(BenchNames())
	}
	var oe *OptionError
	if _, err := Bench(t.Context(), BenchOptions{Only: []string{"nll"}}); !errors.As(err, &oe) {
		t.Error(err)
	}
}

func BenchmarkStep(b *testing.B) {
	for _, c := range benchCases() {
		for _, chunks := range []int{2, 4, 8} {
			b.Run(fmt.Sprintf("%s/chunks%d", c.name(), chunks), func(b *testing.B) {
				r, err := Bench(b.Context(), BenchOptions{Chunks: chunks, Only: []string{c.name()}, Time: 1500 * time.Millisecond})
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(r[0].MSPerStep, "ms/step")
				b.ReportMetric(r[0].Fraction, "fraction")
				b.ReportMetric(r[0].SgemmGFLOPS, "sgemm-GFLOP/s")
			})
		}
	}
}

package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"time"

	"oceaninv/surrogate"
	"oceaninv/surrogate/nn"
)

// Run says how a training talks to the world around it. The zero value trains silently and keeps no files.
type Run struct {
	// Progress, if set, is called from the training goroutine about every ProgressEvery (default 1 s), and after
	// every epoch.
	Progress      func(Progress)
	ProgressEvery time.Duration
	// Dir, if set, receives last.checkpoint after every epoch, within an epoch whenever CheckpointEvery (0 is 30 s)
	// has passed since the last one, and when the context ends, and best.checkpoint after every epoch that improves
	// the held-out loss. A training that is killed loses the steps since the last one.
	Dir             string
	CheckpointEvery time.Duration
	// Resume continues from Dir/last.checkpoint if it is there, to the same weights to the bit as if the training
	// had never stopped. Epochs and Workers may differ from the first run's options, nothing else.
	Resume bool
}

// Names of the files in Run.Dir.
const (
	LastCheckpoint = "last.checkpoint"
	BestCheckpoint = "best.checkpoint"
)

// TrainINN fits an invertible network T(x, padding) = (z, y): every loss of this package applies. The flow's
// dimension is D = n_y + n_z; it must be at least the columns of x, the rest being padding, and more than the
// columns of y, so that a latent part is left. heldOut may be nil.
//
// When it returns without error the flow has the weights of the best epoch on held-out data, or without such data
// the last ones (their moving average if Options.EMA is set). When ctx ends it writes a checkpoint and returns
// ctx's error. Mistakes in options are [*OptionError], bad data [*DataError], divergence [*DivergedError].
func TrainINN[T nn.Float](ctx context.Context, f *surrogate.Flow[T], training, heldOut Dataset[T], o Options, run Run) (*Result, error) {
	return trainMode(ctx, ModeINN, f, training, heldOut, o, run)
}

func trainMode[T nn.Float](ctx context.Context, m Mode, f *surrogate.Flow[T], training, heldOut Dataset[T], o Options, run Run) (*Result, error) {
	nx, ny := training.Dims()
	if err := errors.Join(o.Validate(), Check(m, f.Spec(), Shape{Rows: training.Len(), NX: nx, NY: ny}, o)); err != nil {
		return nil, err
	}
	s := shape{nx: nx, ny: ny, dim: f.Dim(), conditional: m == ModeConditional, base: o.BaseLaw()}
	return start(ctx, f, s, training, heldOut, o, run)
}

// TrainConditional fits the conditional flow q(x | y) by maximum likelihood. The flow's dimension is the number of
// columns of x, its condition y. Otherwise it is like [TrainINN].
func TrainConditional[T nn.Float](ctx context.Context, f *surrogate.Flow[T], training, heldOut Dataset[T], o Options, run Run) (*Result, error) {
	return trainMode(ctx, ModeConditional, f, training, heldOut, o, run)
}

// TrainFlow fits a flow to the law of x alone (NF mode): maximum likelihood, or a divergence, Sinkhorn or MMD
// between x and T⁻¹(z). Columns of y, if the data has any, are ignored. Otherwise it is like [TrainINN].
func TrainFlow[T nn.Float](ctx context.Context, f *surrogate.Flow[T], training, heldOut Dataset[T], o Options, run Run) (*Result, error) {
	if heldOut != nil {
		heldOut = &withoutY[T]{Dataset: heldOut}
	}
	return trainMode(ctx, ModeNF, f, &withoutY[T]{Dataset: training}, heldOut, o, run)
}

// withoutY hides the observations of a dataset.
type withoutY[T nn.Float] struct {
	Dataset[T]
	y []T
}

func (d *withoutY[T]) Dims() (x, y int) {
	x, _ = d.Dataset.Dims()
	return x, 0
}

func (d *withoutY[T]) Read(epoch int, rows []int, x, _ []T) error {
	_, ny := d.Dataset.Dims()
	if n := len(rows) * ny; len(d.y) < n {
		d.y = make([]T, n)
	}
	return d.Dataset.Read(epoch, rows, x, d.y[:len(rows)*ny])
}

// trainer is one training under way.
type trainer[T nn.Float] struct {
	flow         *surrogate.Flow[T]
	opt          Options
	run          Run
	training     Dataset[T]
	held         Dataset[T]
	heldRows     int
	objective    objective[T]
	adam         *Optimiser[T]
	best         []T
	bestState    []T
	scratch      []T // the weights in training while averaged ones are evaluated
	state        loopState
	perEpoch     int
	started      time.Time
	stepsAtStart int
	lastReport   time.Time
	lastSave     time.Time // of last.checkpoint, or when training began
}

// loopState is where a training stands, apart from arrays.
type loopState struct {
	Epoch   int           `json:"epoch"` // from 0, under way or next
	Step    int           `json:"step"`  // within the epoch, done
	Total   int           `json:"total"` // steps in all, done
	Sum     Terms         `json:"sum"`   // over the epoch's steps so far
	NormSum float64       `json:"norm_sum"`
	First   float64       `json:"first"` // size of the first epoch's loss
	Best    float64       `json:"best"`
	BestAt  int           `json:"best_at"` // epoch, from 1; 0 none
	Stopped bool          `json:"stopped"`
	History []EpochRecord `json:"history"`
}

func start[T nn.Float](ctx context.Context, f *surrogate.Flow[T], s shape, training, heldOut Dataset[T], o Options, run Run) (*Result, error) {
	if err := checkHeldOut(s, heldOut, o); err != nil {
		return nil, err
	}
	pool := NewPool(o.Workers)
	defer pool.Close()
	heldRows := 0
	if heldOut != nil {
		heldRows = min(o.BatchSize, heldOut.Len())
	}
	t := newTrainer(f, s, o, pool, heldRows)
	t.run, t.training, t.held, t.perEpoch = run, training, heldOut, training.Len()/o.BatchSize
	if err := t.resume(); err != nil {
		return nil, err
	}
	return t.loop(ctx)
}

// newTrainer makes room for all a training needs; it lacks its data.
func newTrainer[T nn.Float](f *surrogate.Flow[T], s shape, o Options, pool *Pool, heldRows int) *trainer[T] {
	t := &trainer[T]{flow: f, opt: o, started: time.Now(), heldRows: heldRows}
	if heldRows > 0 {
		t.best = append([]T(nil), f.Params()...)
		t.bestState = append([]T(nil), f.State()...)
	}
	var chunks *machine[T]
	if _, ok := o.Loss.Divergence(); ok {
		a := newAdversarial(f, s, o, pool, o.BatchSize, heldRows)
		t.objective, chunks = a, a.machine
	} else {
		a := newSupervised(f, s, o, pool, o.BatchSize, heldRows)
		t.objective, chunks = a, a.machine
	}
	t.adam = NewOptimiser(AdamOptions{o.Beta1, o.Beta2, o.Epsilon, o.WeightDecay, o.Decoupled, o.ClipNorm},
		pool, f.Params(), chunks.grads(), o.EMA)
	if o.EMA > 0 {
		t.scratch = make([]T, len(f.Params()))
	}
	return t
}

func checkHeldOut[T nn.Float](s shape, heldOut Dataset[T], o Options) error {
	c := &checker{}
	if heldOut != nil {
		nx, ny := heldOut.Dims()
		c.check(nx == s.nx && ny == s.ny, "held-out data", "has %d and %d columns of x and y, training data %d and %d", nx, ny, s.nx, s.ny)
		c.check(heldOut.Len() > 0, "held-out data", "has no rows")
	}
	c.check(o.Patience == 0 || heldOut != nil, "patience", "needs held-out data")
	return errors.Join(c.errs...)
}

// loop trains until the epochs are over, patience is, or ctx is.
func (t *trainer[T]) loop(ctx context.Context) (*Result, error) {
	t.stepsAtStart, t.lastSave = t.state.Total, time.Now()
	if !t.state.Stopped && t.state.Epoch < t.opt.Epochs {
		feed := startFeeder(t.training, feedPlan{epoch: t.state.Epoch, step: t.state.Step, epochs: t.opt.Epochs,
			rows: t.opt.BatchSize, seed: t.opt.Seed, block: t.opt.Block, shuffle: true})
		defer feed.close()
		for t.state.Epoch < t.opt.Epochs && !t.state.Stopped {
			if err := t.epoch(ctx, feed); err != nil {
				return nil, err
			}
		}
	}
	t.finish()
	return &Result{History: t.state.History, BestEpoch: t.state.BestAt, Steps: t.state.Total,
		StoppedEarly: t.state.Stopped, Seconds: time.Since(t.started).Seconds()}, nil
}

// finish gives the flow the weights a user wants.
func (t *trainer[T]) finish() {
	if t.held != nil && t.state.BestAt > 0 {
		copy(t.flow.Params(), t.best)
		copy(t.flow.State(), t.bestState)
	} else {
		copy(t.flow.Params(), t.adam.Average())
	}
	t.flow.Refresh()
}

func (t *trainer[T]) epoch(ctx context.Context, feed *feeder[T]) error {
	for t.state.Step < t.perEpoch {
		if err := ctx.Err(); err != nil {
			return errors.Join(err, t.save(LastCheckpoint))
		}
		b := feed.take()
		if b.err != nil {
			return b.err
		}
		err := t.step(b)
		feed.put(b)
		if err != nil {
			return err
		}
		if t.checkpointDue() {
			if err := t.save(LastCheckpoint); err != nil {
				return err
			}
		}
	}
	return t.endEpoch(ctx)
}

// checkpointDue reports whether it is time for a checkpoint within an epoch.
func (t *trainer[T]) checkpointDue() bool {
	every := t.run.CheckpointEvery
	if every == 0 {
		every = 30 * time.Second
	}
	return t.run.Dir != "" && time.Since(t.lastSave) >= every
}

// step makes one update.
func (t *trainer[T]) step(b *batch[T]) error {
	s := &t.state
	rate := rateAt(t.opt, s.Total, t.perEpoch)
	if s.Total == 0 && t.flow.NeedsFit() {
		if err := t.fit(b); err != nil {
			return err
		}
	}
	terms, err := t.objective.step(b, randomness{t.opt.Seed, streamNoise, s.Total}, rate)
	if err != nil {
		return t.failed(err, terms.Total)
	}
	if bad := terms.Total + terms.Critic; bad-bad != 0 {
		return t.diverged(terms.Total, math.NaN())
	}
	norm, ok := t.adam.Step(rate)
	if !ok {
		return t.diverged(terms.Total, norm)
	}
	t.flow.Refresh()
	s.Sum.add(terms)
	s.NormSum += norm
	s.Step++
	s.Total++
	t.report(terms.Total, nil, false)
	return nil
}

// fit lets ActNorm layers choose their scales from the first batch.
func (t *trainer[T]) fit(b *batch[T]) error {
	if err := t.objective.fit(b, randomness{t.opt.Seed, streamNoise, 0}); err != nil {
		return err
	}
	if t.adam.ema != nil {
		copy(t.adam.ema, t.flow.Params())
	}
	return nil
}

// failed tells a flow that blew up from other errors.
func (t *trainer[T]) failed(err error, loss float64) error {
	var large *gradientError
	if errors.As(err, &large) {
		return t.diverged(loss, large.norm)
	}
	for _, w := range t.flow.Params() {
		if w-w != 0 {
			return t.diverged(loss, math.NaN())
		}
	}
	return fmt.Errorf("epoch %d, step %d: %w", t.state.Epoch+1, t.state.Total+1, err)
}

func (t *trainer[T]) diverged(loss, norm float64) error {
	advice := "lower learning_rate"
	o := t.opt
	switch {
	case o.ClipNorm == 0:
		advice = "set clip_norm (1 is usual) or lower learning_rate"
	case o.WarmupSteps == 0:
		advice = "add warmup_steps or lower learning_rate"
	}
	if _, ok := o.Loss.Divergence(); ok && o.Clamp != "corrected" {
		advice = "set clamp = \"corrected\", which also confines the model's scores, or lower critic_rate"
	}
	if t.state.Total == 0 {
		advice = "the very first step failed: check that the data is standardised"
	}
	return &DivergedError{Epoch: t.state.Epoch + 1, Step: t.state.Total + 1, Loss: loss, GradNorm: norm, Advice: advice}
}

// divergenceFactor is how much an epoch's mean loss may exceed the size of the first epoch's.
const divergenceFactor = 1e6

func (t *trainer[T]) endEpoch(ctx context.Context) error {
	s := &t.state
	n := float64(t.perEpoch)
	rec := EpochRecord{Epoch: s.Epoch + 1, Steps: s.Total, LearningRate: rateAt(t.opt, s.Total-1, t.perEpoch),
		GradNorm: s.NormSum / n, Train: s.Sum.over(n)}
	if s.Epoch == 0 {
		s.First = 1 + math.Abs(rec.Train.Total)
	}
	if rec.Train.Total > divergenceFactor*s.First {
		return t.diverged(rec.Train.Total, rec.GradNorm)
	}
	if t.held != nil {
		held, err := t.evaluate(ctx)
		if err != nil {
			return err
		}
		rec.HeldOut = &held
		rec.Best = s.BestAt == 0 || held.Total < s.Best-t.opt.MinDelta
	}
	if rec.Best {
		s.Best, s.BestAt = rec.HeldOut.Total, rec.Epoch
		copy(t.best, t.adam.Average())
		copy(t.bestState, t.flow.State())
	}
	s.Stopped = t.opt.Patience > 0 && rec.Epoch-s.BestAt >= t.opt.Patience
	s.History = append(s.History, rec)
	s.Epoch, s.Step, s.Sum, s.NormSum = s.Epoch+1, 0, Terms{}, 0
	t.report(rec.Train.Total, rec.HeldOut, true)
	if rec.Best {
		if err := t.save(BestCheckpoint); err != nil {
			return err
		}
	}
	return t.save(LastCheckpoint)
}

// evaluate is the held-out loss of the averaged weights, with the same noise every time.
func (t *trainer[T]) evaluate(ctx context.Context) (Terms, error) {
	if t.opt.EMA > 0 {
		copy(t.scratch, t.flow.Params())
		copy(t.flow.Params(), t.adam.Average())
		t.flow.Refresh()
		defer func() {
			copy(t.flow.Params(), t.scratch)
			t.flow.Refresh()
		}()
	}
	feed := startFeeder(t.held, feedPlan{epochs: 1, rows: t.heldRows, seed: t.opt.Seed, block: 1})
	defer feed.close()
	var sum Terms
	batches := t.held.Len() / t.heldRows
	for k := range batches {
		if err := ctx.Err(); err != nil {
			return sum, err
		}
		b := feed.take()
		if b.err != nil {
			return sum, b.err
		}
		terms, err := t.objective.evaluate(b, randomness{t.opt.Seed, streamHeldOut, k})
		feed.put(b)
		if err != nil {
			return sum, t.failed(err, math.NaN())
		}
		sum.add(terms)
	}
	return sum.over(float64(batches)), nil
}

func (t *trainer[T]) report(loss float64, held *Terms, always bool) {
	if t.run.Progress == nil {
		return
	}
	every := t.run.ProgressEvery
	if every == 0 {
		every = time.Second
	}
	now := time.Now()
	if !always && now.Sub(t.lastReport) < every {
		return
	}
	t.lastReport = now
	s := &t.state
	all := t.opt.Epochs * t.perEpoch
	perStep := now.Sub(t.started).Seconds() / float64(max(s.Total-t.stepsAtStart, 1))
	t.run.Progress(Progress{Epoch: min((max(s.Total, 1)-1)/t.perEpoch+1, t.opt.Epochs), Epochs: t.opt.Epochs, Step: s.Total, Steps: all,
		Loss: loss, Held: held, SamplesPerSecond: float64(t.opt.BatchSize) / perStep,
		Left: time.Duration(float64(all-s.Total) * perStep * float64(time.Second))})
}

// arenas lists all numbers of the training.
func (t *trainer[T]) arenas() []arena[T] {
	list := []arena[T]{{"weights", t.flow.Params()}, {"state", t.flow.State()}, {"adam.m", t.adam.m}, {"adam.v", t.adam.v}}
	if t.adam.ema != nil {
		list = append(list, arena[T]{"ema", t.adam.ema})
	}
	if t.best != nil {
		list = append(list, arena[T]{"best", t.best}, arena[T]{"best.state", t.bestState})
	}
	return append(list, t.objective.arenas()...)
}

func (t *trainer[T]) header() (checkpointHeader, error) {
	spec, err := json.Marshal(t.flow.Spec())
	return checkpointHeader{Options: t.opt, Flow: spec, Rows: t.training.Len(), Progress: t.state}, err
}

func (t *trainer[T]) save(name string) error {
	if t.run.Dir == "" {
		return nil
	}
	h, err := t.header()
	if err != nil {
		return err
	}
	if err := writeCheckpoint(filepath.Join(t.run.Dir, name), h, t.arenas()); err != nil {
		return fmt.Errorf("writing a checkpoint: %w", err)
	}
	t.lastSave = time.Now()
	return nil
}

// resume restores the last checkpoint if there is one and it is wanted.
func (t *trainer[T]) resume() error {
	if !t.run.Resume || t.run.Dir == "" {
		return nil
	}
	path := filepath.Join(t.run.Dir, LastCheckpoint)
	h, body, err := readCheckpoint(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := t.sameTraining(h); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := restoreArrays(h, body, t.arenas()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	t.state = h.Progress
	t.adam.steps = t.state.Total
	t.flow.Refresh()
	return nil
}

func (t *trainer[T]) sameTraining(h checkpointHeader) error {
	mine, err := t.header()
	if err != nil {
		return err
	}
	theirs := h.Options
	theirs.Epochs, theirs.Workers = t.opt.Epochs, t.opt.Workers
	a, err := json.Marshal(t.opt)
	if err != nil {
		return err
	}
	b, err := json.Marshal(theirs)
	if err != nil {
		return err
	}
	switch {
	case string(mine.Flow) != string(h.Flow):
		return fmt.Errorf("%w: it is of another network; train in a fresh folder", ErrCheckpoint)
	case string(a) != string(b):
		return fmt.Errorf("%w: the options have changed (were %s); train in a fresh folder", ErrCheckpoint, b)
	case mine.Rows != h.Rows:
		return fmt.Errorf("%w: the training data had %d rows and has %d; train in a fresh folder", ErrCheckpoint, h.Rows, mine.Rows)
	}
	return nil
}

package train

import (
	"math"

	"oceaninv/surrogate/nn"
)

// segment is how many parameters one piece of an update handles.
const segment = 1 << 15

// AdamOptions are the constants of one Adam.
type AdamOptions struct {
	Beta1, Beta2, Epsilon float64
	WeightDecay           float64
	Decoupled             bool    // decay the weights directly (AdamW) instead of adding L2 to the gradient
	ClipNorm              float64 // scale gradients of a larger global norm down to this; 0 never
}

// Optimiser is Adam over one arena of parameters, with clipping and an optional moving average of the weights.
// Updates run in parallel over segments; sums of squares are added in their order.
type Optimiser[T nn.Float] struct {
	opt        AdamOptions
	pool       *Pool
	w, m, v    []T
	ema        []T
	emaDecay   float64
	steps      int
	grads      [][]T // one per chunk; the sum is left in the first
	norms      []float64
	next       nn.AdamStep
	reduceTask func(piece int)
	applyTask  func(piece int)
}

// NewOptimiser updates the arena w from the gradients grads, one arena per chunk, which every step sums and clears.
// emaDecay = 0 keeps no average.
func NewOptimiser[T nn.Float](opt AdamOptions, pool *Pool, w []T, grads [][]T, emaDecay float64) *Optimiser[T] {
	if len(grads) == 0 {
		panic("train: an optimiser needs a gradient")
	}
	o := &Optimiser[T]{opt: opt, pool: pool, w: w, m: make([]T, len(w)), v: make([]T, len(w)), grads: grads,
		norms: make([]float64, (len(w)+segment-1)/segment), emaDecay: emaDecay}
	if emaDecay > 0 {
		o.ema = append([]T(nil), w...)
	}
	o.reduceTask, o.applyTask = o.reduce, o.apply
	return o
}

// Step sums the gradients, returns their global norm before clipping, and updates the weights with the learning rate.
// The gradients are zero afterwards. It is not ok, and changes no weight, where the gradient is not finite or so large
// that its square, clipped, leaves the range of T: an infinite second moment would hold the weight still for ever.
func (o *Optimiser[T]) Step(rate float64) (norm float64, ok bool) {
	o.pool.Run(len(o.norms), o.reduceTask)
	sq := 0.0
	for _, v := range o.norms {
		sq += v
	}
	norm = math.Sqrt(sq)
	o.next = nn.AdamStep{GradScale: 1, Beta1: o.opt.Beta1, Beta2: o.opt.Beta2, Eps: o.opt.Epsilon, Keep: 1}
	if c := o.opt.ClipNorm; c > 0 && norm > c {
		o.next.GradScale = c / norm
	}
	clipped := T(o.next.GradScale * norm)
	if square := T(clipped * clipped); math.IsInf(norm, 0) || square-square != 0 {
		return norm, false
	}
	o.steps++
	t := float64(o.steps)
	if o.opt.Decoupled {
		o.next.Keep = 1 - rate*o.opt.WeightDecay
	} else {
		o.next.L2 = o.opt.WeightDecay
	}
	o.next.Rate = rate / (1 - math.Pow(o.opt.Beta1, t))
	o.next.RootScale = 1 / math.Sqrt(1-math.Pow(o.opt.Beta2, t))
	o.pool.Run(len(o.norms), o.applyTask)
	return norm, true
}

func (o *Optimiser[T]) bounds(piece int) (from, to int) {
	return piece * segment, min((piece+1)*segment, len(o.w))
}

func (o *Optimiser[T]) reduce(piece int) {
	from, to := o.bounds(piece)
	sum := o.grads[0][from:to]
	for _, g := range o.grads[1:] {
		nn.Add(sum, g[from:to])
		clear(g[from:to])
	}
	o.norms[piece] = nn.SumSquares(sum)
}

func (o *Optimiser[T]) apply(piece int) {
	from, to := o.bounds(piece)
	nn.Adam(o.w[from:to], o.grads[0][from:to], o.m[from:to], o.v[from:to], o.next)
	clear(o.grads[0][from:to])
	if o.ema == nil {
		return
	}
	// Young averages forget faster, so that they are not dominated by the start.
	d := T(min(o.emaDecay, (1+float64(o.steps))/(10+float64(o.steps))))
	for i, w := range o.w[from:to] {
		o.ema[from+i] = d*o.ema[from+i] + (1-d)*w
	}
}

// Average returns the moving average of the weights, or the weights themselves if none is kept.
func (o *Optimiser[T]) Average() []T {
	if o.ema != nil {
		return o.ema
	}
	return o.w
}

// rateAt is the learning rate of a step, counted from 0, when an epoch has perEpoch steps.
func rateAt(o Options, step, perEpoch int) float64 {
	r := o.LearningRate
	total := o.Epochs * perEpoch
	switch o.Schedule {
	case "exponential":
		r *= math.Pow(o.Decay, float64(step/perEpoch))
	case "cosine":
		f := float64(max(step-o.WarmupSteps, 0)) / float64(max(total-o.WarmupSteps, 1))
		r *= o.FinalRate + (1-o.FinalRate)*0.5*(1+math.Cos(math.Pi*min(f, 1)))
	}
	if step < o.WarmupSteps {
		r *= float64(step+1) / float64(o.WarmupSteps)
	}
	return r
}

package train

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Loss names what is minimised.
type Loss string

// The losses. The six divergences also go by their names in [Divergence].
const (
	LossNLL               Loss = "nll"                // invertible network, paper's variant
	LossNLLExact          Loss = "nll_exact"          // invertible network, Gaussian likelihood
	LossMaximumLikelihood Loss = "maximum_likelihood" // conditional or unconditional flow
	LossWasserstein       Loss = "wasserstein"        // Sinkhorn divergence
	LossMMD               Loss = "mmd"
)

// Losses lists every loss.
func Losses() []Loss {
	l := []Loss{LossNLL, LossNLLExact, LossMaximumLikelihood, LossWasserstein, LossMMD}
	for _, d := range divergenceNames {
		l = append(l, Loss(d))
	}
	return l
}

// Divergence returns the f-divergence a loss names, if it does.
func (l Loss) Divergence() (Divergence, bool) {
	d, err := ParseDivergence(string(l))
	return d, err == nil
}

// Options sets up a training. [DefaultOptions] gives the authors' values for each loss.
type Options struct {
	Loss      Loss   `hcl:"loss,optional" json:"loss"`
	Epochs    int    `hcl:"epochs,optional" json:"epochs"`
	BatchSize int    `hcl:"batch_size,optional" json:"batch_size"`
	Seed      uint64 `hcl:"seed,optional" json:"seed"`
	Chunks    int    `hcl:"chunks,optional" json:"chunks"`               // pieces of a batch; changes results in the last bits
	Workers   int    `hcl:"workers,optional" json:"-"`                   // goroutines; 0 is one per processor; never changes results
	Block     int    `hcl:"shuffle_block,optional" json:"shuffle_block"` // rows kept together when shuffling; 1 shuffles fully

	// Adam and what surrounds it.
	LearningRate float64 `hcl:"learning_rate,optional" json:"learning_rate"`
	Beta1        float64 `hcl:"beta1,optional" json:"beta1"`
	Beta2        float64 `hcl:"beta2,optional" json:"beta2"`
	Epsilon      float64 `hcl:"epsilon,optional" json:"epsilon"`
	WeightDecay  float64 `hcl:"weight_decay,optional" json:"weight_decay"`
	Decoupled    bool    `hcl:"decoupled_decay,optional" json:"decoupled_decay"` // AdamW instead of L2
	Schedule     string  `hcl:"schedule,optional" json:"schedule"`               // constant, exponential, cosine
	Decay        float64 `hcl:"decay,optional" json:"decay"`                     // exponential: factor per epoch
	WarmupSteps  int     `hcl:"warmup_steps,optional" json:"warmup_steps"`       // linear rise from zero
	FinalRate    float64 `hcl:"final_rate,optional" json:"final_rate"`           // cosine: fraction of the rate at the end
	ClipNorm     float64 `hcl:"clip_norm,optional" json:"clip_norm"`             // global gradient norm; 0 is no clipping
	EMA          float64 `hcl:"ema,optional" json:"ema"`                         // decay of averaged weights; 0 is none

	// Held-out data.
	Patience int     `hcl:"patience,optional" json:"patience"`   // epochs without improvement before stopping; 0 never stops
	MinDelta float64 `hcl:"min_delta,optional" json:"min_delta"` // what counts as an improvement

	// Terms of the loss.
	FitWeight       float64   `hcl:"fit_weight,optional" json:"fit_weight"`             // RMSE(ŷ, y); of a divergence, in the forward direction
	ReverseWeight   float64   `hcl:"reverse_weight,optional" json:"reverse_weight"`     // RMSE or MSE of x̂ against x
	TransportWeight float64   `hcl:"transport_weight,optional" json:"transport_weight"` // Sinkhorn or MMD
	SigmaY          float64   `hcl:"sigma_y,optional" json:"sigma_y"`                   // nll_exact
	PadNoise        float64   `hcl:"pad_noise,optional" json:"pad_noise"`               // deviation of the padding of x
	ReverseNoise    float64   `hcl:"reverse_noise,optional" json:"reverse_noise"`       // noise on y in the inverse pass
	Blur            float64   `hcl:"blur,optional" json:"blur"`
	Scaling         float64   `hcl:"scaling,optional" json:"scaling"`
	KernelScales    []float64 `hcl:"kernel_scales,optional" json:"kernel_scales"`
	KernelExponents []float64 `hcl:"kernel_exponents,optional" json:"kernel_exponents"`
	PriorWeight     float64   `hcl:"prior_weight,optional" json:"prior_weight"`
	PriorTerm       string    `hcl:"prior_term,optional" json:"prior_term"` // none, paired_normal, normal, uniform, uniform_sum
	PriorMean       []float64 `hcl:"prior_mean,optional" json:"prior_mean"`
	PriorSigma      []float64 `hcl:"prior_sigma,optional" json:"prior_sigma"`
	PriorLow        []float64 `hcl:"prior_low,optional" json:"prior_low"`
	PriorHigh       []float64 `hcl:"prior_high,optional" json:"prior_high"`
	PriorUnit       []float64 `json:"prior_unit,omitempty"` // see Standardised

	// Law of the latent part: normal, or uniform on [base_shift, base_shift + 1]^n for losses without a density.
	Base      string  `hcl:"base,optional" json:"base"`
	BaseShift float64 `hcl:"base_shift,optional" json:"base_shift"`

	// Critic of the divergences.
	Direction    string  `hcl:"direction,optional" json:"direction"` // inverse, forward
	Generator    string  `hcl:"generator,optional" json:"generator"` // trick, saddle
	Clamp        string  `hcl:"clamp,optional" json:"clamp"`         // paper, hard, corrected, none
	CriticHidden int     `hcl:"critic_hidden,optional" json:"critic_hidden"`
	CriticLayers int     `hcl:"critic_layers,optional" json:"critic_layers"`
	CriticWidths []int   `hcl:"critic_widths,optional" json:"critic_widths,omitempty"` // of its hidden layers, instead of the two before
	CriticInit   string  `hcl:"critic_init,optional" json:"critic_init,omitempty"`     // normal (N(0, 0.02²), the authors'), torch (PyTorch's default); biases are PyTorch's default in both
	CriticSteps  int     `hcl:"critic_steps,optional" json:"critic_steps"`
	CriticRate   float64 `hcl:"critic_rate,optional" json:"critic_rate"`
	SpectralNorm bool    `hcl:"spectral_norm,optional" json:"spectral_norm"`
}

// DefaultOptions returns the authors' settings for a loss (their train.py and train_fdiv.py), and for the losses
// they do not have those of the nearest one.
func DefaultOptions(loss Loss) Options {
	mmd := DefaultMMD()
	o := Options{Loss: loss, Epochs: 10, BatchSize: 512, Seed: 42, Chunks: 4, Block: 1,
		LearningRate: 3e-4, Beta1: 0.8, Beta2: 0.9, Epsilon: 1e-6, WeightDecay: 2e-5,
		Schedule: "exponential", Decay: 0.95, ClipNorm: 1, PadNoise: 0.05,
		Blur: 0.01, Scaling: 0.5, KernelScales: mmd.Scales, KernelExponents: mmd.Exponents, PriorTerm: "none",
		Base: baseNormal, Direction: "inverse", Generator: "trick", Clamp: "paper", CriticHidden: 64, CriticLayers: 2, CriticSteps: 1, CriticRate: 2e-4}
	switch loss {
	case LossNLL:
		o.FitWeight, o.ReverseWeight = 25, 5
	case LossNLLExact:
		o.SigmaY = 0.1
	case LossMaximumLikelihood:
		o.WeightDecay, o.Beta1, o.Beta2, o.Epsilon = 0, 0.9, 0.999, 1e-8
	case LossWasserstein, LossMMD:
		o.FitWeight, o.ReverseWeight, o.TransportWeight = 10, 10, 100
	default: // divergences
		o.LearningRate, o.Beta1, o.Beta2, o.Epsilon, o.WeightDecay = 2e-4, 0.5, 0.9, 1e-8, 0
		o.Schedule, o.ClipNorm, o.PadNoise, o.ReverseWeight = "constant", 0, 0, 0.01
		o.CriticInit = criticNormal
	}
	return o
}

// checker collects option errors.
type checker struct{ errs []error }

func (c *checker) check(ok bool, path, format string, args ...any) {
	if !ok {
		c.errs = append(c.errs, &OptionError{Path: path, Problem: fmt.Sprintf(format, args...)})
	}
}

func (c *checker) oneOf(path, value string, allowed ...string) {
	c.check(slices.Contains(allowed, value), path, "%q is not one of %s", value, strings.Join(allowed, ", "))
}

func (c *checker) positive(path string, v float64) {
	c.check(v > 0 && !math.IsInf(v, 0), path, "must be a positive number, is %v", v)
}

func (c *checker) notNegative(path string, v float64) {
	c.check(v >= 0 && !math.IsInf(v, 0), path, "must be zero or a positive number, is %v", v)
}

// Validate returns every mistake in the options, each an [*OptionError], joined.
func (o Options) Validate() error {
	c := &checker{}
	o.validateLoop(c)
	o.validateOptimiser(c)
	o.validateTerms(c)
	o.validateCritic(c)
	return errors.Join(c.errs...)
}

func (o Options) validateLoop(c *checker) {
	names := make([]string, 0, 11)
	for _, l := range Losses() {
		names = append(names, string(l))
	}
	c.oneOf("loss", string(o.Loss), names...)
	c.check(o.Epochs >= 1, "epochs", "must be at least 1, is %d", o.Epochs)
	c.check(o.BatchSize >= 1, "batch_size", "must be at least 1, is %d", o.BatchSize)
	c.check(o.Chunks >= 1 && o.Chunks <= max(o.BatchSize, 1), "chunks", "must be between 1 and batch_size (%d), is %d", o.BatchSize, o.Chunks)
	c.check(o.Workers >= 0, "workers", "must be zero (one per processor) or positive, is %d", o.Workers)
	c.check(o.Block >= 1, "shuffle_block", "must be at least 1, is %d", o.Block)
	c.check(o.Patience >= 0, "patience", "must be zero (never stop early) or positive, is %d", o.Patience)
	c.notNegative("min_delta", o.MinDelta)
}

func (o Options) validateOptimiser(c *checker) {
	c.positive("learning_rate", o.LearningRate)
	c.check(o.Beta1 >= 0 && o.Beta1 < 1, "beta1", "must be in [0, 1), is %v", o.Beta1)
	c.check(o.Beta2 >= 0 && o.Beta2 < 1, "beta2", "must be in [0, 1), is %v", o.Beta2)
	c.positive("epsilon", o.Epsilon)
	c.notNegative("weight_decay", o.WeightDecay)
	c.oneOf("schedule", o.Schedule, "constant", "exponential", "cosine")
	if o.Schedule == "exponential" {
		c.check(o.Decay > 0 && o.Decay <= 1, "decay", "must be in (0, 1], is %v", o.Decay)
	}
	c.check(o.FinalRate >= 0 && o.FinalRate <= 1, "final_rate", "must be in [0, 1], is %v", o.FinalRate)
	c.check(o.WarmupSteps >= 0, "warmup_steps", "must not be negative, is %d", o.WarmupSteps)
	c.notNegative("clip_norm", o.ClipNorm)
	c.check(o.EMA >= 0 && o.EMA < 1, "ema", "must be in [0, 1), is %v", o.EMA)
}

func (o Options) validateTerms(c *checker) {
	c.notNegative("fit_weight", o.FitWeight)
	c.notNegative("reverse_weight", o.ReverseWeight)
	c.notNegative("transport_weight", o.TransportWeight)
	c.notNegative("pad_noise", o.PadNoise)
	c.notNegative("reverse_noise", o.ReverseNoise)
	c.notNegative("prior_weight", o.PriorWeight)
	switch o.Loss {
	case LossNLLExact:
		c.positive("sigma_y", o.SigmaY)
	case LossWasserstein:
		c.positive("blur", o.Blur)
		c.check(o.Scaling > 0 && o.Scaling <= maxScaling, "scaling", "must be in (0, %v], is %v", maxScaling, o.Scaling)
	case LossMMD:
		c.check(len(o.KernelScales) > 0, "kernel_scales", "must not be empty")
		c.check(len(o.KernelScales) == len(o.KernelExponents), "kernel_exponents", "must have as many values as kernel_scales (%d), has %d", len(o.KernelScales), len(o.KernelExponents))
		for i, v := range o.KernelScales {
			c.positive(fmt.Sprintf("kernel_scales[%d]", i), v)
		}
		for i, v := range o.KernelExponents {
			c.positive(fmt.Sprintf("kernel_exponents[%d]", i), v)
		}
	}
	o.validateBase(c)
	c.oneOf("prior_term", o.PriorTerm, "none", "paired_normal", "normal", "uniform", "uniform_sum")
	for i, v := range o.PriorSigma {
		c.positive(fmt.Sprintf("prior_sigma[%d]", i), v)
	}
	for i := range min(len(o.PriorLow), len(o.PriorHigh)) {
		c.check(o.PriorLow[i] < o.PriorHigh[i], fmt.Sprintf("prior_low[%d]", i), "must be below prior_high[%d] (%v), is %v", i, o.PriorHigh[i], o.PriorLow[i])
	}
}

func (o Options) validateBase(c *checker) {
	c.oneOf("base", o.Base, baseNormal, baseUniform)
	c.check(!math.IsNaN(o.BaseShift) && !math.IsInf(o.BaseShift, 0), "base_shift", "must be a finite number, is %v", o.BaseShift)
	c.check(o.Base == baseUniform || o.BaseShift == 0, "base_shift", "moves a uniform base only; set base = %q", baseUniform)
	switch o.Loss {
	case LossNLL, LossNLLExact, LossMaximumLikelihood:
		c.check(o.Base == baseNormal, "base", "%s is the likelihood of a normal base; a uniform one goes with wasserstein, mmd and the divergences", o.Loss)
	}
}

func (o Options) validateCritic(c *checker) {
	if _, ok := o.Loss.Divergence(); !ok {
		return
	}
	c.oneOf("direction", o.Direction, "inverse", "forward")
	c.oneOf("generator", o.Generator, "trick", "saddle")
	c.oneOf("clamp", o.Clamp, "paper", "hard", "corrected", "none")
	c.check(o.CriticHidden >= 1, "critic_hidden", "must be at least 1, is %d", o.CriticHidden)
	c.check(o.CriticLayers >= 1, "critic_layers", "must be at least 1, is %d", o.CriticLayers)
	for i, v := range o.CriticWidths {
		c.check(v >= 1, fmt.Sprintf("critic_widths[%d]", i), "must be at least 1, is %d", v)
	}
	if o.CriticInit != "" {
		c.oneOf("critic_init", o.CriticInit, criticNormal, criticTorch)
	}
	c.check(o.CriticSteps >= 1, "critic_steps", "must be at least 1, is %d", o.CriticSteps)
	c.positive("critic_rate", o.CriticRate)
}

// validateShape checks what depends on the data: nx columns to infer.
func (o Options) validateShape(nx int) error {
	c := &checker{}
	need := func(path string, v []float64) {
		c.check(len(v) >= 1 && len(v) <= nx, path, "needs one value for each of the first columns of x, 1 to %d, has %d", nx, len(v))
	}
	switch o.PriorTerm {
	case "paired_normal":
		need("prior_sigma", o.PriorSigma)
	case "normal":
		need("prior_mean", o.PriorMean)
		need("prior_sigma", o.PriorSigma)
		c.check(len(o.PriorMean) == len(o.PriorSigma), "prior_sigma", "needs as many values as prior_mean (%d), has %d", len(o.PriorMean), len(o.PriorSigma))
	case "uniform", "uniform_sum":
		need("prior_low", o.PriorLow)
		need("prior_high", o.PriorHigh)
		c.check(len(o.PriorLow) == len(o.PriorHigh), "prior_high", "needs as many values as prior_low (%d), has %d", len(o.PriorLow), len(o.PriorHigh))
	}
	return errors.Join(c.errs...)
}

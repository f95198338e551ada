package surrogate

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"oceaninv/surrogate/nn"
)

// Float is the element type of a flow.
type Float = nn.Float

// FlowSpec is the architecture of a flow: with the parameters and the state it determines every number.
type FlowSpec struct {
	Dim     int `hcl:"dim,optional" json:"dim"`           // D, from 1
	CondDim int `hcl:"cond_dim,optional" json:"cond_dim"` // length of the condition; 0 is an unconditional flow
	Blocks  int `hcl:"blocks,optional" json:"blocks"`     // number of coupling blocks

	// Coupling is one of
	//   glow                both halves, scale and shift from one network each (FrEIA GLOWCouplingBlock)
	//   rnvp                the same with separate networks for scale and shift
	//   nice                shift only
	//   gin                 volume preserving: log-scales minus their mean
	//   spline              monotone rational-quadratic spline (Durkan et al. 2019)
	//   elementwise_affine  every coordinate, scale and shift from the condition only
	//   elementwise_spline  every coordinate, spline from the condition only
	//   iresnet             x + g(x) with a contractive g (Behrmann et al. 2019)
	Coupling string `hcl:"coupling,optional" json:"coupling"`
	OneSided bool   `hcl:"one_sided,optional" json:"one_sided"` // a coupling transforms its second half only

	Hidden       int    `hcl:"hidden,optional" json:"hidden"`               // width of the conditioner networks
	HiddenLayers int    `hcl:"hidden_layers,optional" json:"hidden_layers"` // their number of hidden layers
	Activation   string `hcl:"activation,optional" json:"activation"`       // gelu, relu, tanh; iresnet always uses elu

	Clamp         float64 `hcl:"clamp,optional" json:"clamp"`                   // bound c of the log-scales
	ClampFunction string  `hcl:"clamp_function,optional" json:"clamp_function"` // atan, tanh, sigmoid

	// Permutation after each block: hard (seeded by Seed), numpy (RandomState(k).permutation for block k, as the
	// released code of the paper), reverse, rotation (fixed, random in SO(D)), householder (a learned rotation) or none.
	Permutation string `hcl:"permutation,optional" json:"permutation"`
	ActNorm     bool   `hcl:"act_norm,optional" json:"act_norm"` // a data-initialised affine layer before each block

	Init     string  `hcl:"init,optional" json:"init"`           // orthogonal (gain InitGain) or normal (deviation InitStd)
	InitGain float64 `hcl:"init_gain,optional" json:"init_gain"` // gain of orthogonal matrices
	InitStd  float64 `hcl:"init_std,optional" json:"init_std"`   // standard deviation of normal weights
	ZeroLast bool    `hcl:"zero_last,optional" json:"zero_last"` // conditioners end in zeros: the flow starts as the identity up to permutations

	SplineBins     int     `hcl:"spline_bins,optional" json:"spline_bins"`
	SplineBound    float64 `hcl:"spline_bound,optional" json:"spline_bound"`       // the spline's default domain is [-bound, bound]
	SplineMinBin   float64 `hcl:"spline_min_bin,optional" json:"spline_min_bin"`   // least width and height of a bin; with identity tails as a share of an equal bin
	SplineClamp    float64 `hcl:"spline_clamp,optional" json:"spline_clamp"`       // soft bound on the raw widths, heights and slopes; 0 is none (FrEIA)
	SplineIdentity bool    `hcl:"spline_identity,optional" json:"spline_identity"` // fixed domain with identity tails (Durkan) instead of a learned one with affine tails (FrEIA)
	SpectralNorm   bool    `hcl:"spectral_norm,optional" json:"spectral_norm"`     // iresnet: bound the matrices; false reproduces the released code, which is not invertible for sure
	Lipschitz      float64 `hcl:"lipschitz,optional" json:"lipschitz"`             // bound on the spectral norm of each matrix of iresnet
	LogDet         string  `hcl:"log_det,optional" json:"log_det"`                 // iresnet: exact, roulette, truncated
	LogDetTerms    int     `hcl:"log_det_terms,optional" json:"log_det_terms"`     // iresnet: terms of the truncated series; terms always kept by roulette
	InverseSteps   int     `hcl:"inverse_steps,optional" json:"inverse_steps"`     // iresnet: bound on fixed-point steps
	// ReleasedInverse makes iresnet invert as FrEIA does: InverseSteps steps without a test of convergence, the gradient
	// through the last step only, and the log-determinant at the wrong point, the inverse's input.
	ReleasedInverse bool `hcl:"released_inverse,optional" json:"released_inverse,omitempty"`

	SummaryHidden int `hcl:"summary_hidden,optional" json:"summary_hidden"` // width of the summary network
	SummaryLayers int `hcl:"summary_layers,optional" json:"summary_layers"` // its hidden layers
	SummaryDim    int `hcl:"summary_dim,optional" json:"summary_dim"`       // its output, shared by all blocks as their condition; 0 is none

	Seed uint64 `hcl:"seed,optional" json:"seed"` // initial parameters, hard permutations, rotations
}

// DefaultFlow returns the paper's network for hidden width 64 and 3 blocks: GLOW couplings with two hidden GELU
// layers, atan clamp 2, orthogonal initial weights of gain 0.8, hard permutations. Dim is left at 0.
func DefaultFlow() FlowSpec {
	return FlowSpec{
		Blocks: 3, Coupling: "glow", Hidden: 64, HiddenLayers: 2, Activation: "gelu",
		Clamp: 2, ClampFunction: "atan", Permutation: "hard",
		Init: "orthogonal", InitGain: 0.8, InitStd: 0.02,
		SplineBins: 10, SplineBound: 3, SplineMinBin: 0.1, SplineClamp: 8,
		SpectralNorm: true, Lipschitz: 0.8, LogDet: "roulette", LogDetTerms: 8, InverseSteps: 500,
		SummaryHidden: 64, SummaryLayers: 2,
	}
}

var specChoices = []struct {
	field  string
	get    func(*FlowSpec) string
	values []string
}{
	{"coupling", func(s *FlowSpec) string { return s.Coupling }, []string{"glow", "rnvp", "nice", "gin", "spline", "elementwise_affine", "elementwise_spline", "iresnet"}},
	{"activation", func(s *FlowSpec) string { return s.Activation }, []string{"gelu", "relu", "tanh"}},
	{"clamp_function", func(s *FlowSpec) string { return s.ClampFunction }, []string{"atan", "tanh", "sigmoid"}},
	{"permutation", func(s *FlowSpec) string { return s.Permutation }, []string{"hard", "numpy", "reverse", "rotation", "householder", "none"}},
	{"init", func(s *FlowSpec) string { return s.Init }, []string{"orthogonal", "normal"}},
	{"log_det", func(s *FlowSpec) string { return s.LogDet }, []string{"exact", "roulette", "truncated"}},
}

// SpecError is a setting that no flow can have. Field is its name in HCL and JSON.
type SpecError struct{ Field, Problem string }

func (e *SpecError) Error() string { return "surrogate: " + e.Field + " " + e.Problem }

func specError(field, format string, args ...any) error {
	return &SpecError{Field: field, Problem: fmt.Sprintf(format, args...)}
}

// Validate reports the first setting that no flow can have, a [*SpecError].
func (s FlowSpec) Validate() error {
	for _, c := range specChoices {
		if v := c.get(&s); !slices.Contains(c.values, v) {
			return specError(c.field, "= %q is not one of %s", v, strings.Join(c.values, ", "))
		}
	}
	if err := s.validateSizes(); err != nil {
		return err
	}
	if s.SummaryDim > 0 && s.CondDim == 0 {
		return specError("summary_dim", "= %d without a condition to summarise (cond_dim = 0)", s.SummaryDim)
	}
	if s.SummaryDim > 0 && s.SummaryLayers > 0 && s.SummaryHidden < 1 {
		return specError("summary_hidden", "= %d, want at least 1", s.SummaryHidden)
	}
	if n := s.weights(); n > maxWeights {
		return specError("hidden", "= %d makes a network of some %.3g weights, want at most %.3g: fewer blocks, layers or neurons", s.Hidden, n, float64(maxWeights))
	}
	return s.validateScales()
}

// Bounds of what a network is built of, far above what any has been trained with: beyond
// them a number is a slip of the pen, and the allocation would fail long after it was made.
const (
	maxWidth   = 1 << 16 // of layers and data
	maxDepth   = 1000    // layers, blocks, bins
	maxTerms   = 1000000 // of series and iterations
	maxWeights = 1 << 30 // 4 GB, and four times that with gradients and moments
)

func (s FlowSpec) validateSizes() error {
	for _, c := range []struct {
		field           string
		value, min, max int
	}{
		{"dim", s.Dim, 1, maxWidth}, {"cond_dim", s.CondDim, 0, maxWidth}, {"blocks", s.Blocks, 1, maxDepth},
		{"hidden_layers", s.HiddenLayers, 0, maxDepth}, {"hidden", s.Hidden, 1, maxWidth}, {"summary_dim", s.SummaryDim, 0, maxWidth},
		{"summary_layers", s.SummaryLayers, 0, maxDepth}, {"summary_hidden", s.SummaryHidden, 0, maxWidth},
		{"log_det_terms", s.LogDetTerms, 1, maxTerms}, {"inverse_steps", s.InverseSteps, 1, maxTerms}, {"spline_bins", s.SplineBins, 2, maxDepth},
	} {
		if c.value < c.min {
			return specError(c.field, "= %d, want at least %d", c.value, c.min)
		}
		if c.value > c.max {
			return specError(c.field, "= %d, want at most %d", c.value, c.max)
		}
	}
	return nil
}

// weights is about how many numbers the network has: those of its conditioners, of up to two
// halves a block, and of its summary network.
func (s FlowSpec) weights() float64 {
	h, out := float64(s.Hidden), float64(s.Dim)*float64(2)
	if strings.HasSuffix(s.Coupling, "spline") {
		out = float64(s.Dim) * float64(3*s.SplineBins+1)
	}
	n := float64(s.Blocks) * (2*h*(float64(s.Dim)/2+float64(s.condWidth())) + 2*h*h*math.Max(0, float64(s.HiddenLayers-1)) + h*out)
	if s.SummaryDim > 0 {
		w := float64(s.SummaryHidden)
		n += w*(float64(s.CondDim)+float64(s.SummaryDim)) + w*w*math.Max(0, float64(s.SummaryLayers-1))
	}
	return n
}

func (s FlowSpec) validateScales() error {
	for _, c := range []struct {
		field string
		value float64
	}{
		{"clamp", s.Clamp}, {"init_gain", s.InitGain}, {"init_std", s.InitStd}, {"spline_bound", s.SplineBound},
		{"spline_min_bin", s.SplineMinBin}, {"lipschitz", s.Lipschitz},
	} {
		if !(c.value > 0) || math.IsInf(c.value, 0) {
			return specError(c.field, "= %g, want a positive number", c.value)
		}
	}
	if !(s.SplineClamp >= 0) {
		return specError("spline_clamp", "= %g, want a positive number, or 0 for none", s.SplineClamp)
	}
	if s.Lipschitz >= 1 {
		return specError("lipschitz", "= %g, want less than 1: x + g(x) is invertible only for a contraction g", s.Lipschitz)
	}
	if s.SplineIdentity && s.SplineMinBin >= 1 {
		return specError("spline_min_bin", "= %g, want less than 1 with spline_identity", s.SplineMinBin)
	}
	if equal := 2 * s.SplineBound / float64(s.SplineBins); !s.SplineIdentity && s.SplineMinBin >= equal {
		return specError("spline_min_bin", "= %g does not leave room for %d bins in [-%g, %g] (%g each)",
			s.SplineMinBin, s.SplineBins, s.SplineBound, s.SplineBound, equal)
	}
	return nil
}

// condWidth is the width of the condition as the blocks see it.
func (s *FlowSpec) condWidth() int {
	if s.SummaryDim > 0 {
		return s.SummaryDim
	}
	return s.CondDim
}

// split returns the widths of the two halves, n1 = D/2 rounded half to even as FrEIA does.
func split(dim int) (n1, n2 int) {
	n1 = int(math.RoundToEven(float64(dim) / 2))
	return n1, dim - n1
}

func activationNamed(name string) nn.Activation {
	switch name {
	case "gelu":
		return nn.ActGELU
	case "tanh":
		return nn.ActTanh
	case "relu":
		return nn.ActReLU
	}
	panic("surrogate: unknown activation " + name)
}

func (s *FlowSpec) initialisation() nn.Initialisation {
	if s.Init == "normal" {
		return nn.Initialisation{Scale: s.InitStd, ZeroLast: s.ZeroLast}
	}
	return nn.Initialisation{Orthogonal: true, Scale: s.InitGain, ZeroLast: s.ZeroLast}
}

// Elementwise reports whether the blocks treat every coordinate on its own.
func (s FlowSpec) Elementwise() bool {
	return s.Coupling == "elementwise_affine" || s.Coupling == "elementwise_spline"
}

package inversion

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"oceaninv/acoustics"
	"oceaninv/acoustics/modes"
)

// Problem is an inverse problem: a known experiment, the parameters of it that
// are unknown, what is believed of them beforehand, and the noise.
//
// Its hcl tags decode the block
//
//	problem "swellex96" {
//	  frequencies = [49, 79, 112]
//	  source    { depth = 60 }
//	  receivers {
//	    depths = [94.125, 99.755]
//	    range  = 3000
//	  }
//	  parameter "water_depth" {
//	    prior "uniform" {
//	      low  = 200.5
//	      high = 236.5
//	    }
//	  }
//	  noise { snr = 15 }
//	}
//
// save for the environment, which the caller supplies. Start from
// [DefaultProblem].
type Problem struct {
	Name        string                  `json:"name,omitempty" hcl:"name,label"`
	Environment acoustics.Environment   `json:"environment"`
	Source      acoustics.Source        `json:"source" hcl:"source,block"`
	Array       acoustics.ReceiverArray `json:"receivers" hcl:"receivers,block"`
	Frequencies []float64               `json:"frequencies" hcl:"frequencies"` // Hz
	Parameters  []Parameter             `json:"parameters" hcl:"parameter,block"`
	// Correlations tie parameters together in the prior; see [Prior].
	Correlations []Correlation `json:"correlations,omitempty" hcl:"correlation,block"`
	// LayersWithWaterDepth says where the sea bed goes when the water depth
	// changes: LayersMove (default) or LayersStay.
	LayersWithWaterDepth LayerConvention `json:"layers_with_water_depth" hcl:"layers_with_water_depth,optional"`
	// ReceiversWithWaterDepth moves the phones with the sea floor, keeping their
	// height above it. By default they keep their depth.
	ReceiversWithWaterDepth bool       `json:"receivers_with_water_depth" hcl:"receivers_with_water_depth,optional"`
	Noise                   NoiseModel `json:"noise" hcl:"noise,block"`
	// Likelihood is what is known of source and noise; default KnownSource.
	Likelihood LikelihoodForm `json:"likelihood" hcl:"likelihood,optional"`
	// Modes sets up the forward model: its tolerance and the phase speeds of the
	// modes kept.
	Modes *modes.Options `json:"modes" hcl:"modes,block"`
}

// LayerConvention says what a change of water depth does to the sea bed.
type LayerConvention string

const (
	// LayersMove keeps every layer's thickness: the whole sea bed moves.
	LayersMove LayerConvention = "move"
	// LayersStay keeps every interface below the sea floor, and the material at
	// each depth, where they are: the first layer is cut or grows.
	LayersStay LayerConvention = "stay"
)

// Correlation is the correlation coefficient of two parameters' normal scores.
type Correlation struct {
	Between []string `json:"between" hcl:"between"` // two parameter names
	Value   float64  `json:"value" hcl:"value"`
}

// DefaultProblem returns a problem with the default conventions, to decode into:
// layers move with the water depth, the array keeps its depth, noise at 15 dB
// with one variance per tone for all samples, source known, all trapped modes.
func DefaultProblem() Problem {
	options := modes.DefaultOptions()
	return Problem{
		LayersWithWaterDepth: LayersMove,
		Noise:                DefaultNoiseModel(),
		Likelihood:           KnownSource,
		Modes:                &options,
	}
}

// Receivers is the number of phones.
func (p *Problem) Receivers() int { return len(p.Array.Depths) }

// DataSize is the number of complex values of one observation.
func (p *Problem) DataSize() int { return len(p.Array.Depths) * len(p.Frequencies) }

// ParameterNames lists the parameters in order.
func (p *Problem) ParameterNames() []string {
	names := make([]string, len(p.Parameters))
	for i := range p.Parameters {
		names[i] = p.Parameters[i].Name
	}
	return names
}

// InvalidError is a user's mistake in a problem: where it is and what to do.
type InvalidError struct {
	// Field is the attribute at fault as the user wrote it, such as
	// "parameter.water_depth.prior".
	Field  string
	Reason string
}

func (e *InvalidError) Error() string { return e.Field + ": " + e.Reason }

func invalid(field, format string, args ...any) error {
	return &InvalidError{Field: field, Reason: fmt.Sprintf(format, args...)}
}

// Validate reports everything wrong with the problem, each an *InvalidError,
// joined. It checks the statistics and the geometry against the environment at
// the corners of bounded priors; whether modes propagate is the solver's to say.
func (p *Problem) Validate() error {
	var errs []error
	errs = append(errs, p.validateGeometry()...)
	errs = append(errs, p.validateParameters()...)
	if err := p.Noise.validate(p.Frequencies, len(p.Array.Depths)); err != nil {
		errs = append(errs, err)
	}
	if !p.Likelihood.known() {
		errs = append(errs, invalid("likelihood", "unknown form %q; choose one of %v", p.Likelihood, LikelihoodForms()))
	}
	if p.LayersWithWaterDepth != LayersMove && p.LayersWithWaterDepth != LayersStay {
		errs = append(errs, invalid("layers_with_water_depth", "unknown convention %q; choose %q or %q",
			p.LayersWithWaterDepth, LayersMove, LayersStay))
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	return p.validateExtremes()
}

func (p *Problem) validateGeometry() (errs []error) {
	if len(p.Frequencies) == 0 {
		errs = append(errs, invalid("frequencies", "no tone given; list at least one frequency in Hz"))
	}
	for i, f := range p.Frequencies {
		if !(f > 0) || math.IsInf(f, 0) {
			errs = append(errs, invalid("frequencies", "frequency %g Hz at position %d is not positive", f, i))
		}
		if slices.Index(p.Frequencies, f) < i {
			errs = append(errs, invalid("frequencies", "the tone of %g Hz is given twice", f))
		}
	}
	if len(errs) > 0 {
		return append(errs, under("environment.", p.Environment.Validate())...)
	}
	errs = append(errs, under("environment.", p.Environment.ValidateAt(slices.Min(p.Frequencies)))...)
	if len(errs) > 0 {
		return errs // whether anything is in the water is not yet a question
	}
	errs = append(errs, under("source.", p.Source.Validate(p.Environment))...)
	errs = append(errs, under("receivers.", p.Array.Validate(p.Environment))...)
	if p.Source.Depth == 0 {
		errs = append(errs, invalid("source.depth", "a source at the surface, where the pressure is released, makes no sound"))
	}
	return errs
}

// under turns what acoustics has to say into InvalidErrors of the problem.
func under(prefix string, err error) (errs []error) {
	var all acoustics.ValidationErrors
	if errors.As(err, &all) {
		for _, e := range all {
			errs = append(errs, &InvalidError{Field: prefix + e.Path, Reason: e.Problem})
		}
		return errs
	}
	if err != nil {
		errs = append(errs, invalid(strings.TrimSuffix(prefix, "."), "%v", err))
	}
	return errs
}

func (p *Problem) validateParameters() (errs []error) {
	if len(p.Parameters) == 0 {
		errs = append(errs, invalid("parameter", "no unknown parameter; declare at least one"))
	}
	seen := map[string]bool{}
	type place struct {
		quantity Quantity
		layer    string
	}
	moved := map[place]string{}
	for i := range p.Parameters {
		par := &p.Parameters[i]
		if seen[par.Name] {
			errs = append(errs, invalid("parameter."+par.Name, "declared twice"))
		}
		seen[par.Name] = true
		at := place{par.quantity(), par.Layer}
		if first, ok := moved[at]; ok && first != par.Name && at.quantity != ProfileMode {
			errs = append(errs, invalid("parameter."+par.Name, "is the same quantity as parameter %q: remove one of them", first))
		}
		moved[at] = par.Name
		if err := par.validate(&p.Environment); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) == 0 {
		if _, err := p.Prior(); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// validateExtremes applies the corners of the prior to the experiment.
func (p *Problem) validateExtremes() error {
	model, err := NewParameterization(p)
	if err != nil {
		return err
	}
	e := model.NewExperiment()
	n := len(p.Parameters)
	theta := make([]float64, n)
	for corner := range 1 << min(n, 10) {
		for i := range theta {
			q := 0.001
			if i < 10 && corner>>i&1 == 1 {
				q = 0.999
			}
			theta[i] = p.Parameters[i].Prior.Quantile(q)
		}
		if err := model.Apply(e, theta); err != nil {
			return p.atExtreme(err, theta)
		}
		if err := e.Environment.ValidateAt(slices.Min(p.Frequencies)); err != nil {
			return p.atExtreme(p.blame(err, model, e, theta), theta)
		}
	}
	return nil
}

// blame makes of an ocean past belief the error of the parameter that, at its median, would
// not have made it so, or else would have made it another.
func (p *Problem) blame(err error, model *Parameterization, e *Experiment, theta []float64) error {
	var all acoustics.ValidationErrors
	if !errors.As(err, &all) {
		return err
	}
	blamed := &ParameterError{"parameter", math.NaN(), all[0].Path + " " + all[0].Problem}
	for i, x := range theta {
		theta[i] = p.Parameters[i].Prior.Quantile(0.5)
		if model.Apply(e, theta) == nil {
			other := e.Environment.ValidateAt(slices.Min(p.Frequencies))
			if other == nil || blamed.Name == "parameter" && other.Error() != err.Error() {
				blamed.Name, blamed.Value = p.Parameters[i].Name, x
			}
		}
		theta[i] = x
	}
	return blamed
}

// atExtreme says where in the prior an experiment is impossible.
func (p *Problem) atExtreme(err error, theta []float64) error {
	var bad *ParameterError
	if !errors.As(err, &bad) {
		return err
	}
	field := bad.Name
	var where []string
	for i, name := range p.ParameterNames() {
		if name == bad.Name {
			field = "parameter." + name + ".prior"
		}
		where = append(where, fmt.Sprintf("%s = %.6g", name, theta[i]))
	}
	return invalid(field, "%s, at %s, which the prior allows; narrow it", bad.Reason, strings.Join(where, ", "))
}

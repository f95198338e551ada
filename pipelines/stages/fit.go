package stages

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"oceaninv/surrogate"
	"oceaninv/surrogate/train"
	"oceaninv/workflow/stage"
)

// fitStage fits any flow with any loss to samples (x, y) of any inverse problem.
type fitStage struct {
	fitting
	Mode train.Mode `json:"mode"`
	// Latent is the width of z: in mode nf, where 0 is that of x, the flow draws as many
	// numbers and x is the first of them.
	Latent      int     `json:"latent"`
	Variant     variant `json:"variant"`
	Standardise bool    `json:"standardise"`
	data        stage.Input
}

func fitKind() stage.Kind {
	return stage.Kind{
		Name: "fit", Version: 3,
		Doc:    "any flow trained with any loss on samples (x, y): invertible network, conditional flow, or flow of x alone",
		Decode: decodeFit,
		Load:   stage.LoadJSON[fitStage],
	}
}

func decodeFit(d *stage.Decoder) stage.Spec {
	block := struct {
		Samples     hcl.Expression `hcl:"samples"`
		Mode        string         `hcl:"mode,optional"`
		Loss        string         `hcl:"loss,optional"`
		Variant     variant        `hcl:"variant,optional"`
		Latent      *int           `hcl:"latent,optional"`
		Standardise bool           `hcl:"standardise,optional"`
		Seed        uint64         `hcl:"seed,optional"`
		HeldOut     float64        `hcl:"held_out,optional"`
		Flow        *optionsBlock  `hcl:"flow,block"`
		Training    *optionsBlock  `hcl:"training,block"`
	}{Mode: string(train.ModeINN), Standardise: true, HeldOut: 0.2}
	d.Decode(&block)
	s := &fitStage{fitting: fitting{Seed: block.Seed, HeldOut: block.HeldOut}, Mode: train.Mode(block.Mode), Variant: block.Variant, Standardise: block.Standardise}
	switch {
	case block.Latent != nil:
		s.Latent = *block.Latent
	case s.Mode == train.ModeINN:
		s.Latent = 14
	}
	s.data = d.Artifact("samples", block.Samples, typePairs)
	if d.HasErrors() {
		return s
	}
	s.defaults(d, train.Loss(block.Loss))
	if d.HasErrors() {
		return s
	}
	s.decode(d, block.Flow, block.Training, "The argument loss of the stage decides this, and the defaults of the others with it.")
	s.validate(d)
	s.Variant.checkPatience(d, s.Training)
	if shape, ok := s.shape(d); ok && !d.HasErrors() {
		s.fits(d, shape)
	}
	return s
}

// shape is the size of the samples: what the stage that makes them says, or what a
// file of the user's holds, which is read to find out and to find mistakes in it.
func (s *fitStage) shape(d *stage.Decoder) (train.Shape, bool) {
	if s.data.Path == "" {
		shape, ok := s.data.Schema.(train.Shape)
		return shape, ok
	}
	p, err := readPairs(s.data.Path)
	if err == nil {
		err = p.finite(s.data.Path)
	}
	if err != nil {
		d.Errorf("samples", "Unsuitable samples", "%v.", err)
		return train.Shape{}, false
	}
	return p.shape(0), true
}

// defaults chooses the loss and what follows from it.
func (s *fitStage) defaults(d *stage.Decoder, loss train.Loss) {
	modes := []train.Mode{train.ModeINN, train.ModeConditional, train.ModeNF}
	if !slices.Contains(modes, s.Mode) {
		d.Errorf("mode", "Unknown mode", "%q is not a mode; choose inn (T(x, padding) = (z, y)), conditional (q(x | y)) or nf (x alone).", s.Mode)
		return
	}
	if loss == "" {
		loss = train.LossMaximumLikelihood
		if s.Mode == train.ModeINN {
			loss = train.LossNLLExact
		}
	}
	if list := s.Mode.Losses(); !slices.Contains(list, loss) {
		d.Errorf("loss", "Loss does not fit the mode", "With mode = %q the loss is one of %s, not %q.%s", s.Mode, lossList(list), loss, densityAdvice(s.Mode, loss))
		return
	}
	if !s.choose(d, loss) {
		return
	}
	s.Flow, s.Training = surrogate.DefaultFlow(), train.DefaultOptions(loss)
	if s.Mode == train.ModeConditional {
		s.Flow, s.Training = (&conditionalSpec{}).defaults()
	}
	s.Variant.vary(loss, &s.Flow, &s.Training)
	s.Variant.varyStudy(s.Mode, loss, &s.Training)
}

// choose settles the variant: the paper's nll is as released, whatever is done to
// its other terms, for Σz² without the half is the objective itself.
func (s *fitStage) choose(d *stage.Decoder, loss train.Loss) bool {
	switch {
	case s.Variant == "" && loss == train.LossNLL:
		s.Variant = variantReleased
	case s.Variant == "":
		s.Variant = variantCorrected
	case s.Variant == variantCorrected && loss == train.LossNLL:
		d.Errorf("variant", "No such variant", "The loss nll is the released one; put right, it is loss = %q.", train.LossNLLExact)
	}
	s.Variant.check(d, "variant")
	return !d.HasErrors()
}

func lossList(list []train.Loss) string {
	var out []string
	for _, l := range list {
		out = append(out, string(l))
	}
	return strings.Join(out, ", ")
}

// densityAdvice names the combination that works.
func densityAdvice(m train.Mode, l train.Loss) string {
	switch {
	case m == train.ModeINN && l == train.LossMaximumLikelihood:
		return " The likelihood of an invertible network is nll_exact; maximum_likelihood goes with mode = \"conditional\"."
	case m == train.ModeConditional:
		return " To train with it, use mode = \"inn\"."
	}
	return ""
}

// spec is the flow with its widths.
func (s *fitStage) spec(shape train.Shape) surrogate.FlowSpec {
	spec := s.Flow
	switch s.Mode {
	case train.ModeINN:
		spec.Dim, spec.CondDim = shape.NY+s.Latent, 0
	case train.ModeConditional:
		spec.Dim, spec.CondDim = shape.NX, shape.NY
	case train.ModeNF:
		spec.Dim, spec.CondDim = max(s.Latent, shape.NX), 0
	}
	return spec
}

// fits reports what does not fit the samples.
func (s *fitStage) fits(d *stage.Decoder, shape train.Shape) {
	if s.Mode == train.ModeINN && (s.Latent < 1 || shape.NY+s.Latent < shape.NX) {
		d.Errorf("latent", "Latent space too small", "latent = %d: x has %d columns and y has %d, so at least %d are needed.",
			s.Latent, shape.NX, shape.NY, max(1, shape.NX-shape.NY))
		return
	}
	if s.Mode != train.ModeNF && shape.NY == 0 {
		d.Errorf("mode", "Nothing observed", "The samples have no observed columns, as mode = %q needs them; with mode = \"nf\" a flow generates x alone.", s.Mode)
		return
	}
	if s.Mode == train.ModeNF && s.Latent != 0 && s.Latent < shape.NX {
		d.Errorf("latent", "Latent space too small", "latent = %d: x has %d columns, which are the first of what the flow draws.", s.Latent, shape.NX)
		return
	}
	if s.Mode == train.ModeConditional && s.Latent != 0 {
		d.Errorf("latent", "No latent part to choose", "The latent part of a conditional flow is as wide as x: leave latent out.")
		return
	}
	shape.Rows -= int(s.HeldOut * float64(shape.Rows))
	s.check(d, s.Mode, s.spec(shape), shape)
}

func (s *fitStage) Inputs() []stage.Input { return []stage.Input{s.data} }

func (s *fitStage) Outputs() []stage.Output {
	return []stage.Output{
		{Name: "model", Type: typeFlow, File: "model.nc", Schema: s.Mode},
		{Name: "history", Type: stage.File, File: "history.nc", Intermediate: true},
		lineFigure("curve",
			fmt.Sprintf("Loss over the epochs: %s.", s.label())),
	}
}

// forwardDirection is the option of a divergence that matches the joint law of
// T's output, as the paper describes, rather than x given y.
const forwardDirection = "forward"

// label names the run in tables and figures.
func (s *fitStage) label() string {
	return strings.Join([]string{string(s.Mode), s.Flow.Coupling, string(s.Training.Loss), s.kind()}, " ")
}

// kind is the variant, with the direction of a divergence that is not the
// released one.
func (s *fitStage) kind() string {
	if _, divergence := s.Training.Loss.Divergence(); divergence && s.Training.Direction == forwardDirection {
		return string(s.Variant) + " " + forwardDirection
	}
	return string(s.Variant)
}

func (s *fitStage) Resources() stage.Resources { return stage.Resources{Cores: 1} }

func (s *fitStage) Run(ctx context.Context, ws *stage.Workspace) error {
	p, err := readPairs(ws.Input("samples"))
	if err != nil {
		return stage.BadInput(err)
	}
	m := &fitted{fittedHeader: fittedHeader{Label: s.label(), Mode: s.Mode, Variant: s.kind(), HeldOut: s.HeldOut, PadNoise: s.Training.PadNoise, Base: s.Training.BaseLaw(),
		Loss: s.Training.Loss, Flow: s.spec(p.shape(0)), Unknowns: p.unknowns, Observed: p.observed}}
	if !s.Standardise {
		m.x, m.y = surrogate.Identity(len(p.unknowns)), surrogate.Identity(len(p.observed))
	}
	training, held, err := m.standardise(p)
	if err != nil {
		return stage.BadInput(err)
	}
	flow, err := surrogate.NewFlow[float32](m.Flow)
	if err != nil {
		return stage.BadInput(err)
	}
	fit := map[train.Mode]func(context.Context, *surrogate.Flow[float32], train.Dataset[float32], train.Dataset[float32], train.Options, train.Run) (*train.Result, error){
		train.ModeINN: train.TrainINN[float32], train.ModeConditional: train.TrainConditional[float32], train.ModeNF: train.TrainFlow[float32],
	}[s.Mode]
	o, run := s.session(ws, &phases{ws: ws, shares: []float64{1}})
	o = o.Standardised(m.x.Mean, m.x.Scale)
	result, err := fit(ctx, flow, training, s.Variant.watch(s.Training.Loss, held), o, run)
	if err != nil {
		return trainingError(err)
	}
	m.flow = surrogate.Convert[float64](flow)
	if err := m.write(ws.Output("model")); err != nil {
		return err
	}
	return writeHistory(ws, result)
}

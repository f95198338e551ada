package stages

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"oceaninv/surrogate"
	"oceaninv/surrogate/train"
	"oceaninv/workflow/stage"
)

// fitting is what every stage that fits a flow to data has in common: the options
// of the flow and of the training, and how they are decoded and checked.
type fitting struct {
	Seed     uint64             `json:"seed"`
	HeldOut  float64            `json:"held_out"`
	Flow     surrogate.FlowSpec `json:"flow"`
	Training train.Options      `json:"training"`
}

// optionsBlock is a block whose options are decoded once their defaults are known.
type optionsBlock struct {
	Body hcl.Body `hcl:",remain"`
}

// decodeOptions lays the attributes of a block over the defaults in dst.
func decodeOptions(d *stage.Decoder, b *optionsBlock, dst any) {
	if b == nil {
		return
	}
	inner := stage.Decoder{Name: d.Name, Body: b.Body, Context: d.Context, Dir: d.Dir, Syntax: d.Syntax} // with no diagnostics yet
	inner.Decode(dst)
	d.Report(inner.Diagnostics()...)
}

// decode lays the blocks over the defaults that Flow and Training hold. Options that another place decides are refused;
// loss says what decides the loss.
func (s *fitting) decode(d *stage.Decoder, flow, training *optionsBlock, loss string) {
	const seed, widths = "The argument seed of the stage decides this.", "This follows from the data and the latent part."
	refuse(d, "flow", flow, map[string]string{"seed": seed, "dim": widths, "cond_dim": widths})
	refuse(d, "training", training, map[string]string{"seed": seed, "loss": loss, "workers": "The cores of the block resources decide this."})
	decodeOptions(d, flow, &s.Flow)
	decodeOptions(d, training, &s.Training)
	s.Flow.Seed, s.Training.Seed = s.Seed, s.Seed
}

// refuse takes options out of a block that another place decides, and reports each with that place.
func refuse(d *stage.Decoder, name string, b *optionsBlock, elsewhere map[string]string) {
	if b == nil {
		return
	}
	var schema hcl.BodySchema
	for option := range elsewhere {
		schema.Attributes = append(schema.Attributes, hcl.AttributeSchema{Name: option})
	}
	content, rest, _ := b.Body.PartialContent(&schema)
	b.Body = rest
	for _, option := range slices.Sorted(maps.Keys(content.Attributes)) {
		d.Errorf(name+"."+option, "Decided elsewhere", "The block %s takes no %s. %s", name, option, elsewhere[option])
	}
}

// validate reports options that are wrong by themselves.
func (s *fitting) validate(d *stage.Decoder) {
	if !(s.HeldOut >= 0 && s.HeldOut < 1) {
		d.Errorf("held_out", "Unsuitable fraction", "held_out = %g: give a fraction of the samples from 0 to below 1.", s.HeldOut)
	}
	reportOptions(d, s.Training.Validate())
}

// check reports flows, losses and data that do not go together.
func (s *fitting) check(d *stage.Decoder, m train.Mode, flow surrogate.FlowSpec, shape train.Shape) {
	var wrong *surrogate.SpecError
	if err := flow.Validate(); errors.As(err, &wrong) {
		d.Errorf("flow."+wrong.Field, "Unsuitable network", "%s %s.", wrong.Field, wrong.Problem)
		return
	}
	reportOptions(d, train.Check(m, flow, shape, s.Training))
}

// reportOptions reports every option error where the option was written: in the
// stage itself, in its block flow or in its block training.
func reportOptions(d *stage.Decoder, err error) {
	for _, err := range unjoin(err) {
		var option *train.OptionError
		if !errors.As(err, &option) {
			d.Errorf("training", "Unsuitable option", "%v.", err)
			continue
		}
		d.Errorf(optionPath(d, option.Path), "Unsuitable option", "%s %s.", option.Path, option.Problem)
	}
}

// trainingError tells the user's mistakes from other errors of a training.
func trainingError(err error) error {
	var option *train.OptionError
	var bad *train.DataError
	if errors.As(err, &option) || errors.As(err, &bad) {
		return stage.BadInput(err)
	}
	return err
}

// unjoin lists the errors of errors.Join.
func unjoin(err error) []error {
	if list, ok := err.(interface{ Unwrap() []error }); ok {
		var out []error
		for _, e := range list.Unwrap() {
			out = append(out, unjoin(e)...)
		}
		return out
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// optionPath is where an option was written: in the stage itself or in one of its
// blocks; training is where it belongs if it was not written at all.
func optionPath(d *stage.Decoder, path string) string {
	first, _, _ := strings.Cut(path, ".")
	name, _, _ := strings.Cut(first, "[")
	if d.Syntax == nil || name == "flow" {
		return path
	}
	if _, ok := d.Syntax.Body.Attributes[name]; ok {
		return path
	}
	for _, b := range d.Syntax.Body.Blocks {
		if _, ok := b.Body.Attributes[name]; ok {
			return b.Type + "." + path
		}
	}
	return "training." + path
}

// session is how a training runs inside a task, the last phase of its work.
func (s *fitting) session(ws *stage.Workspace, w *phases) (train.Options, train.Run) {
	o := s.Training
	o.Workers = ws.Cores
	return o, train.Run{
		Dir: filepath.Dir(ws.Checkpoint("last")), Resume: true,
		Progress: func(p train.Progress) {
			w.report(p.Step, p.Steps, fmt.Sprintf("epoch %d/%d, loss %.4g, %.0f samples/s", p.Epoch, p.Epochs, p.Loss, p.SamplesPerSecond))
		},
	}
}

// split cuts rows of [x, y] into training and held-out data: the last samples are
// held out, all replicates of one together.
func (s *fitting) split(x, y []float32, nx, ny, samples, replicates int) (training, held train.Dataset[float32]) {
	k := int(s.HeldOut*float64(samples)) * replicates
	cut := samples*replicates - k
	training = train.SliceDataset[float32]{X: x[:cut*nx], Y: y[:cut*ny], NX: nx, NY: ny}
	if k == 0 {
		return training, nil
	}
	return training, train.SliceDataset[float32]{X: x[cut*nx:], Y: y[cut*ny:], NX: nx, NY: ny}
}

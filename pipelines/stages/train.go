package stages

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"

	"oceaninv/inversion"
	"oceaninv/inversion/amortized"
	"oceaninv/io/dataset"
	"oceaninv/surrogate"
	"oceaninv/surrogate/train"
	"oceaninv/workflow/stage"
)

// trainStage fits a network to a data set: a conditional flow or an invertible
// network.
type trainStage struct {
	Seed        uint64             `json:"seed"`
	HeldOut     float64            `json:"held_out"`
	Conditional *conditionalSpec   `json:"conditional,omitempty"`
	INN         *innSpec           `json:"inn,omitempty"`
	Flow        surrogate.FlowSpec `json:"flow"`
	Training    train.Options      `json:"training"`
	data        stage.Input
}

func trainKind() stage.Kind {
	return stage.Kind{
		Name: "train", Version: 2,
		Doc:    "a network that answers the inverse problem for any observation",
		Decode: decodeTrain,
		Load:   stage.LoadJSON[trainStage],
	}
}

// optionsBlock is a block whose options are decoded once their defaults are known.
type optionsBlock struct {
	Body hcl.Body `hcl:",remain"`
}

func decodeTrain(d *stage.Decoder) stage.Spec {
	block := struct {
		Dataset     hcl.Expression   `hcl:"dataset"`
		Seed        uint64           `hcl:"seed,optional"`
		HeldOut     float64          `hcl:"held_out,optional"`
		Conditional *conditionalSpec `hcl:"conditional,block"`
		INN         *innSpec         `hcl:"inn,block"`
		Flow        *optionsBlock    `hcl:"flow,block"`
		Training    *optionsBlock    `hcl:"training,block"`
	}{HeldOut: 0.1}
	d.Decode(&block)
	s := &trainStage{Seed: block.Seed, HeldOut: block.HeldOut, Conditional: block.Conditional, INN: block.INN}
	s.data = d.Artifact("dataset", block.Dataset, typeDataset)
	if d.HasErrors() {
		return s
	}
	if (s.Conditional == nil) == (s.INN == nil) {
		d.Errorf("", "Which network?", "Give exactly one of the blocks conditional (a flow q(x | y), recommended) and inn (the paper's invertible network).")
		return s
	}
	s.defaults(d)
	if d.HasErrors() {
		return s
	}
	decodeOptions(d, block.Flow, &s.Flow)
	decodeOptions(d, block.Training, &s.Training)
	s.Flow.Seed, s.Training.Seed = s.Seed, s.Seed
	s.validate(d)
	return s
}

// decodeOptions lays the attributes of a block over the defaults in dst.
func decodeOptions(d *stage.Decoder, b *optionsBlock, dst any) {
	if b == nil {
		return
	}
	inner := *d
	inner.Body = b.Body
	inner.Decode(dst)
	d.Report(inner.Diagnostics()...)
}

func (s *trainStage) defaults(d *stage.Decoder) {
	if s.Conditional != nil {
		s.Flow, s.Training = s.Conditional.defaults()
		return
	}
	s.Flow, s.Training = s.INN.defaults(d)
}

func (s *trainStage) validate(d *stage.Decoder) {
	if !(s.HeldOut >= 0 && s.HeldOut < 1) {
		d.Errorf("held_out", "Unsuitable fraction", "held_out = %g: give a fraction of the samples from 0 to below 1.", s.HeldOut)
	}
	var option *train.OptionError
	for _, err := range unjoin(s.Training.Validate()) {
		if errors.As(err, &option) {
			d.Errorf("training."+option.Path, "Unsuitable option", "%s %s.", option.Path, option.Problem)
		} else {
			d.Errorf("training", "Unsuitable option", "%v.", err)
		}
	}
	if p, ok := s.data.Schema.(*inversion.Problem); ok && len(p.Parameters) > 0 { // else it is the data set's block that is faulty
		s.fit(d, p)
	}
}

// fit checks what depends on the problem the data belong to.
func (s *trainStage) fit(d *stage.Decoder, p *inversion.Problem) {
	if s.Conditional != nil {
		s.Conditional.check(d, p)
	} else {
		s.INN.check(d, p)
	}
	spec := s.Flow
	spec.Dim = max(spec.Dim, 1)
	if err := spec.Validate(); err != nil {
		d.Errorf("flow", "Unsuitable network", "%v.", err)
	}
}

// unjoin lists the errors of errors.Join.
func unjoin(err error) []error {
	if list, ok := err.(interface{ Unwrap() []error }); ok {
		return list.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

func (s *trainStage) Inputs() []stage.Input { return []stage.Input{s.data} }

func (s *trainStage) Outputs() []stage.Output {
	return []stage.Output{
		{Name: "model", Type: typeModel, File: "model.nc", Schema: s.data.Schema},
		{Name: "history", Type: stage.File, File: "history.nc"},
		{Name: "curve", Type: stage.Figure, File: "training.svg",
			Caption: "Loss over the epochs, on the samples trained on and on those held out; the weights kept are those of the best held-out loss."},
	}
}

func (s *trainStage) Resources() stage.Resources { return stage.Resources{Cores: stage.AllCores} }

// samples is a data set in memory, and the problem it belongs to.
type samples struct {
	problem *inversion.Problem
	layout  dataset.Layout
	noise   *inversion.Noise
	n       int
	dataset.Samples
}

// readSamples reads a whole data set.
func readSamples(path string) (*samples, error) {
	f, err := dataset.OpenDataset(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := &samples{layout: f.Layout(), n: f.Len()}
	if s.problem, err = problemOf(s.layout.Problem); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if s.noise, err = knownNoise(s.problem, s.layout.NoiseVariance); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, f.Read(0, s.n, &s.Samples)
}

// knownNoise is a problem's noise with the variances that its data came with,
// which saves averaging over the prior again.
func knownNoise(p *inversion.Problem, variance []float64) (*inversion.Noise, error) {
	if variance == nil {
		forward, err := p.Forward()
		if err != nil {
			return nil, err
		}
		return p.ResolveNoise(forward, noiseSeed)
	}
	q := *p
	q.Noise.Convention, q.Noise.Variance = inversion.GivenVariance, variance
	return q.ResolveNoise(nil, noiseSeed)
}

// theta is the parameters of sample i.
func (s *samples) theta(i int) []float64 {
	d := len(s.problem.Parameters)
	return s.Parameters[i*d : (i+1)*d]
}

// clean is the noise-free field of sample i.
func (s *samples) clean(i int) []complex128 {
	m := s.problem.DataSize()
	return s.Pressure[i*m : (i+1)*m]
}

// observed sets dst to the observation of sample i with its own noise (replicate
// 0) or with fresh noise.
func (s *samples) observed(dst []complex128, i, replicate int, seed uint64) {
	clean := s.clean(i)
	if replicate == 0 && s.Noise != nil {
		m := len(clean)
		for k, v := range s.Noise[i*m : (i+1)*m] {
			dst[k] = clean[k] + v
		}
		return
	}
	s.noise.Sample(dst, clean, inversion.Rand(seed, inversion.ReplicateStream, replicate*s.n+i))
	for k, v := range clean {
		dst[k] += v
	}
}

func (s *trainStage) Run(ctx context.Context, ws *stage.Workspace) error {
	data, err := readSamples(ws.Input("dataset"))
	if err != nil {
		return stage.BadInput(err)
	}
	var (
		estimator amortized.Estimator
		arch      architecture
		result    *train.Result
	)
	if s.Conditional != nil {
		estimator, arch, result, err = s.trainConditional(ctx, ws, data)
	} else {
		estimator, arch, result, err = s.trainINN(ctx, ws, data)
	}
	var option *train.OptionError
	var bad *train.DataError
	if errors.As(err, &option) || errors.As(err, &bad) {
		return stage.BadInput(err)
	}
	if err != nil {
		return err
	}
	if err := writeModel(ws.Output("model"), data.layout, arch, estimator); err != nil {
		return err
	}
	return writeHistory(ws, result)
}

// session is how a training runs inside a task.
func (s *trainStage) session(ws *stage.Workspace) (train.Options, train.Run) {
	o := s.Training
	o.Workers = ws.Cores
	return o, train.Run{
		Dir: filepath.Dir(ws.Checkpoint("last")), Resume: true,
		Progress: func(p train.Progress) {
			ws.Progress(stage.Progress{Done: int64(p.Step), Total: int64(p.Steps), Unit: "steps",
				Message: fmt.Sprintf("epoch %d/%d, loss %.4g, %.0f samples/s", p.Epoch, p.Epochs, p.Loss, p.SamplesPerSecond)})
		},
	}
}

// split cuts rows of [x, y] into training and held-out data: the last samples are
// held out, all replicates of one together.
func (s *trainStage) split(x, y []float32, nx, ny, samples, replicates int) (training, held train.Dataset[float32]) {
	k := int(s.HeldOut*float64(samples)) * replicates
	cut := samples*replicates - k
	training = train.SliceDataset[float32]{X: x[:cut*nx], Y: y[:cut*ny], NX: nx, NY: ny}
	if k == 0 {
		return training, nil
	}
	return training, train.SliceDataset[float32]{X: x[cut*nx:], Y: y[cut*ny:], NX: nx, NY: ny}
}

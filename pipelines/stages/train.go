package stages

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/hcl/v2"

	"oceaninv/inversion"
	"oceaninv/inversion/amortized"
	"oceaninv/io/dataset"
	"oceaninv/io/netcdf"
	"oceaninv/surrogate/train"
	"oceaninv/workflow/stage"
)

// trainStage fits a network to a data set: a conditional flow or an invertible
// network.
type trainStage struct {
	fitting
	Conditional *conditionalSpec `json:"conditional,omitempty"`
	INN         *innSpec         `json:"inn,omitempty"`
	data        stage.Input
}

func trainKind() stage.Kind {
	return stage.Kind{
		Name: "train", Version: 4,
		Doc:    "a network that answers the inverse problem for any observation",
		Decode: decodeTrain,
		Load:   stage.LoadJSON[trainStage],
	}
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
	s := &trainStage{fitting: fitting{Seed: block.Seed, HeldOut: block.HeldOut}, Conditional: block.Conditional, INN: block.INN}
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
	loss := "A conditional flow is trained by maximum_likelihood."
	if s.INN != nil {
		loss = "The argument loss of the block inn decides this, and the defaults of the others with it."
	}
	s.decode(d, block.Flow, block.Training, loss)
	s.validate(d)
	if p, ok := s.data.Schema.(*inversion.Problem); ok && len(p.Parameters) > 0 { // else it is the data set's block that is faulty
		s.fit(d, p)
	}
	return s
}

func (s *trainStage) defaults(d *stage.Decoder) {
	if s.Conditional != nil {
		s.Flow, s.Training = s.Conditional.defaults()
		return
	}
	s.Flow, s.Training = s.INN.defaults(d)
}

// fit checks what depends on the problem the data belong to.
func (s *trainStage) fit(d *stage.Decoder, p *inversion.Problem) {
	refuseSnapshots(d, "dataset", p, networksSee)
	flow, mode := s.Flow, train.ModeINN
	shape := train.Shape{Rows: s.Training.BatchSize} // how many samples there are is not known yet
	if s.Conditional != nil {
		s.Conditional.check(d, p)
		mode, shape.NX, shape.NY = train.ModeConditional, len(p.Parameters), 1
		flow.Dim, flow.CondDim = shape.NX, shape.NY
	} else {
		s.INN.check(d, p)
		s.INN.Variant.checkPatience(d, s.Training)
		if *s.INN.Bounded && s.Training.PriorTerm != "none" && s.Training.PriorWeight > 0 {
			d.Errorf(optionPath(d, "prior_term"), "Prior term of bounded parameters",
				"With bounded = true the network sees coordinates in which no draw leaves the prior, so that prior_term = %q has no meaning: leave it out, or set bounded = false.", s.Training.PriorTerm)
		}
		shape.NX, shape.NY = s.INN.widths(p)
		flow.Dim, flow.CondDim = shape.NY+s.INN.Latent, 0
	}
	if !d.HasErrors() {
		s.check(d, mode, flow, shape)
	}
}

func (s *trainStage) Inputs() []stage.Input { return []stage.Input{s.data} }

func (s *trainStage) Outputs() []stage.Output {
	return []stage.Output{
		{Name: "model", Type: typeModel, File: "model.nc", Schema: s.data.Schema, Principal: true},
		{Name: "history", Type: stage.File, File: "history.nc"},
		lineFigure("curve",
			"Loss over the epochs, on the samples trained on and on those held out; the weights kept are those of the best held-out loss."),
	}
}

func (s *trainStage) Resources() stage.Resources { return stage.Resources{Cores: stage.AllCores} }

// samples is a data set, read block by block so that it need not fit in memory,
// and the problem it belongs to.
type samples struct {
	problem *inversion.Problem
	prior   *inversion.Prior // that samples were drawn from, see priorOf
	layout  dataset.Layout
	noise   *inversion.Noise
	n       int
	block   int // samples in memory at once
	file    *dataset.Dataset
	first   int // of the block in memory
	dataset.Samples
}

// samplesAtOnce is how many samples are in memory: some megabytes.
const samplesAtOnce = 1024

// openSamples opens a data set; the caller closes its file.
func openSamples(path string) (*samples, error) {
	f, err := dataset.OpenDataset(path)
	if err != nil {
		return nil, err
	}
	s := &samples{layout: f.Layout(), n: f.Len(), block: samplesAtOnce, file: f}
	if s.problem, err = problemOf(s.layout.Problem); err == nil {
		s.noise, err = knownNoise(s.problem, s.layout.NoiseVariance)
	}
	if err == nil {
		s.prior, err = priorOf(s.problem, s.layout)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return s, nil
}

// blocks reads the samples in turn and calls visit for those of each block,
// [from, to), which theta, clean and observed then know.
func (s *samples) blocks(ctx context.Context, visit func(from, to int) error) error {
	for from := 0; from < s.n; from += s.block {
		if err := ctx.Err(); err != nil {
			return err
		}
		to := min(from+s.block, s.n)
		if err := s.file.Read(from, to-from, &s.Samples); err != nil {
			return stage.BadInput(err)
		}
		s.first = from
		if err := visit(from, to); err != nil {
			return err
		}
	}
	return nil
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
	i -= s.first
	return s.Parameters[i*d : (i+1)*d]
}

// clean is the noise-free field of sample i.
func (s *samples) clean(i int) []complex128 {
	m := s.problem.DataSize()
	i -= s.first
	return s.Pressure[i*m : (i+1)*m]
}

// observed sets dst to the observation of sample i with its own noise (replicate
// 0) or with fresh noise.
func (s *samples) observed(dst []complex128, i, replicate int, seed uint64) {
	clean := s.clean(i)
	if replicate == 0 && s.Noise != nil {
		m := len(clean)
		for k, v := range s.Noise[(i-s.first)*m : (i-s.first+1)*m] {
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
	started := time.Now()
	data, err := openSamples(ws.Input("dataset"))
	if err != nil {
		return stage.BadInput(err)
	}
	defer data.file.Close()
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
	if err != nil {
		return trainingError(err)
	}
	if err := writeModel(ws.Output("model"), data.layout, arch, estimator); err != nil {
		return err
	}
	seconds := netcdf.Number(trainingSeconds, time.Since(started).Seconds())
	if err := netcdf.AddProvenance(ws.Output("model"), "", []netcdf.Attribute{seconds}); err != nil {
		return err
	}
	return writeHistory(ws, result)
}

// trainingSeconds is, in a model's provenance, the time from reading the data to
// the trained network, of the process that ended the training. It is no part of
// the model's content.
const trainingSeconds = "training_seconds"

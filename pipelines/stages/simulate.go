package stages

import (
	"context"
	"encoding/json"
	"sync/atomic"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/sync/errgroup"

	"oceaninv/inversion"
	"oceaninv/io/dataset"
	"oceaninv/workflow/stage"
)

// simulate draws samples of a problem: parameters, the field on the array, noise.
type simulate struct {
	Problem inversion.Problem    `json:"problem"`
	Samples int                  `json:"samples"`
	Design  inversion.DesignKind `json:"design"`
	Seed    uint64               `json:"seed"`
	// Truncate draws from a part of the prior; nil from the whole.
	Truncate *truncation `json:"truncate,omitempty"`
	shards   int
}

// blockSamples is how many samples are held in memory and written at once.
const blockSamples = 512

func simulateKind() stage.Kind {
	return stage.Kind{
		Name: "simulate", Version: 2,
		Doc:    "a data set: parameters from the prior, the pressure on the array, and noise",
		Decode: decodeSimulate,
		Load:   stage.LoadJSON[simulate],
	}
}

func decodeSimulate(d *stage.Decoder) stage.Spec {
	block := struct {
		Problem hcl.Expression `hcl:"problem"`
		Samples int            `hcl:"samples"`
		Design  string         `hcl:"design,optional"`
		Seed    uint64         `hcl:"seed,optional"`
		Shards  int            `hcl:"shards,optional"`

		Truncate *truncationBlock `hcl:"truncate,block"`
	}{Design: string(inversion.Independent), Shards: 1}
	d.Decode(&block)
	s := &simulate{Samples: block.Samples, Design: inversion.DesignKind(block.Design), Seed: block.Seed, shards: block.Shards}
	if d.HasErrors() {
		return s
	}
	d.Convert(block.Problem, &s.Problem)
	s.Truncate = decodeTruncation(d, block.Truncate, &s.Problem)
	if s.Samples < 1 {
		d.Errorf("samples", "No samples", "samples = %d: a data set needs at least 1.", s.Samples)
	}
	if s.shards < 1 || s.shards > max(s.Samples, 1) {
		d.Errorf("shards", "Unsuitable number of shards", "shards = %d: choose from 1 to the number of samples.", s.shards)
	}
	if s.Design != inversion.Independent && s.Design != inversion.SobolDesign {
		d.Errorf("design", "Unknown design", "%q is not a design; choose %q or %q.", block.Design, inversion.Independent, inversion.SobolDesign)
	}
	return s
}

func (s *simulate) Inputs() []stage.Input {
	if s.Truncate == nil {
		return nil
	}
	return []stage.Input{s.Truncate.model, s.Truncate.observation}
}

func (s *simulate) Outputs() []stage.Output {
	return []stage.Output{{Name: "dataset", Type: typeDataset, File: "dataset.nc", Schema: &s.Problem}}
}

func (s *simulate) Shards() int { return max(s.shards, 1) }

func (s *simulate) Resources() stage.Resources {
	if s.Shards() > 1 {
		return stage.Resources{Cores: 1}
	}
	return stage.Resources{Cores: stage.AllCores}
}

func (s *simulate) Run(ctx context.Context, ws *stage.Workspace) error {
	theta, region, err := s.truncated(ctx, ws) // before any forward solve: the user's files may not do
	if err != nil {
		return err
	}
	forward, err := s.Problem.Forward()
	if err != nil {
		return err
	}
	noise, err := s.Problem.ResolveNoise(forward, noiseSeed)
	if err != nil {
		return err
	}
	layout, err := layoutOf(&s.Problem, noise)
	if err != nil {
		return err
	}
	layout.Truncation = region
	from, to := ws.Rows(s.Samples)
	w, err := dataset.CreateDataset(ws.Output("dataset"), layout, from, to-from)
	if err != nil {
		return err
	}
	defer w.Abort()
	simulators, err := s.simulators(ws.Cores, noise)
	if err != nil {
		return err
	}
	for lo := from; lo < to; lo += blockSamples {
		hi := min(lo+blockSamples, to)
		block, err := s.block(ctx, simulators, theta, lo, hi)
		if err != nil {
			return err
		}
		if err := w.Append(block); err != nil {
			return err
		}
		ws.Progress(stage.Progress{Done: int64(hi - from), Total: int64(to - from), Unit: "samples"})
	}
	return w.Commit()
}

// simulators makes one simulator per core.
func (s *simulate) simulators(cores int, noise *inversion.Noise) ([]*inversion.Simulator, error) {
	list := make([]*inversion.Simulator, max(cores, 1))
	for i := range list {
		forward, err := s.Problem.Forward()
		if err != nil {
			return nil, err
		}
		if list[i], err = inversion.NewSimulator(&s.Problem, s.Design, noise, forward, s.Seed); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// truncated draws the parameters of all samples, whichever the shard has, and describes the
// region they are from; both are nil where the whole prior is sampled, point by point.
func (s *simulate) truncated(ctx context.Context, ws *stage.Workspace) (theta []float64, region json.RawMessage, err error) {
	if s.Truncate == nil {
		return nil, nil, nil
	}
	r, theta, err := s.Truncate.draw(ctx, ws, s)
	if err != nil {
		return nil, nil, err
	}
	region, err = json.Marshal(r)
	return theta, region, err
}

// block computes samples [lo, hi) side by side, each written to its own place: at the
// parameters given, or at draws from the prior.
func (s *simulate) block(ctx context.Context, simulators []*inversion.Simulator, theta []float64, lo, hi int) (dataset.Samples, error) {
	n, d, m := hi-lo, len(s.Problem.Parameters), s.Problem.DataSize()
	b := dataset.Samples{
		Parameters: make([]float64, n*d), Pressure: make([]complex128, n*m), Noise: make([]complex128, n*m),
	}
	draw := (*inversion.Simulator).Sample
	if theta != nil {
		draw = (*inversion.Simulator).At
		copy(b.Parameters, theta[lo*d:hi*d])
	}
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for _, sim := range simulators {
		g.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= n || ctx.Err() != nil {
					return ctx.Err()
				}
				if err := draw(sim, lo+i, b.Parameters[i*d:(i+1)*d], b.Pressure[i*m:(i+1)*m], b.Noise[i*m:(i+1)*m]); err != nil {
					return err
				}
			}
		})
	}
	return b, g.Wait()
}

func (s *simulate) Merge(_ context.Context, ws *stage.Workspace) error {
	return dataset.Merge(ws.Output("dataset"), ws.Parts("dataset")...)
}

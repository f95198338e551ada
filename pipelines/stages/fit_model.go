package stages

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"

	"oceaninv/inversion"
	"oceaninv/io/dataset"
	"oceaninv/io/netcdf"
	"oceaninv/surrogate"
	"oceaninv/surrogate/train"
)

// fittedHeader is what the file of a fitted flow says besides its numbers.
type fittedHeader struct {
	Label    string             `json:"label"`
	Mode     train.Mode         `json:"mode"`
	Loss     train.Loss         `json:"loss"`
	Variant  string             `json:"variant"`
	Flow     surrogate.FlowSpec `json:"flow"`
	HeldOut  float64            `json:"held_out"`
	PadNoise float64            `json:"pad_noise"`
	Base     train.BaseLaw      `json:"base"`
	Unknowns []string           `json:"unknowns"`
	Observed []string           `json:"observed"`
}

// fitted is a flow fitted to samples (x, y), with their standardisation.
type fitted struct {
	fittedHeader
	x, y surrogate.Standardizer
	flow *surrogate.Flow[float64]
}

// standardise fits the standardisers to the samples trained on, and cuts all of
// them, standardised, into those and the ones held out, the last.
func (m *fitted) standardise(p *pairs) (training, held train.Dataset[float32], err error) {
	shape := p.shape(m.HeldOut)
	if m.x.Mean == nil {
		if m.x, err = surrogate.FitStandardizer(p.x[:shape.Rows*shape.NX], shape.NX); err != nil {
			return nil, nil, fmt.Errorf("the unknowns: %w", err)
		}
		if m.y = surrogate.Identity(0); shape.NY > 0 {
			if m.y, err = surrogate.FitStandardizer(p.y[:shape.Rows*shape.NY], shape.NY); err != nil {
				return nil, nil, fmt.Errorf("the observations: %w", err)
			}
		}
	}
	x, y := make([]float64, len(p.x)), make([]float64, len(p.y))
	m.x.Apply(x, p.x)
	if shape.NY > 0 {
		m.y.Apply(y, p.y)
	}
	split := fitting{HeldOut: m.HeldOut}
	training, held = split.split(float32s(x), float32s(y), shape.NX, shape.NY, p.n, 1)
	return training, held, nil
}

func (m *fitted) write(path string) error {
	text, err := json.Marshal(m.fittedHeader)
	if err != nil {
		return err
	}
	list := append(flowTensors(m.flow), standardizerTensors("x", m.x)...)
	if len(m.y.Mean) > 0 {
		list = append(list, standardizerTensors("y", m.y)...)
	}
	return dataset.WriteModel(path, dataset.Model{Tensors: list, Attributes: []netcdf.Attribute{netcdf.Text("architecture", string(text))}})
}

func readFitted(path string) (*fitted, error) {
	model, err := dataset.ReadModel(path)
	if err != nil {
		return nil, err
	}
	r := tensors{model: model}
	m := &fitted{y: surrogate.Identity(0)}
	text, _ := model.Attribute("architecture")
	if err := json.Unmarshal([]byte(text.Text()), &m.fittedHeader); err != nil {
		return nil, &netcdf.Error{Path: path, Err: fmt.Errorf("attribute model_architecture: %w", err)}
	}
	m.flow, err = r.flow(m.Flow)
	m.x = r.standardizer("x")
	if len(m.Observed) > 0 {
		m.y = r.standardizer("y")
	}
	if err = errors.Join(err, r.err); err != nil {
		return nil, &netcdf.Error{Path: path, Err: err}
	}
	return m, nil
}

// draw samples x given y, or x alone for a flow without y.
func (m *fitted) draw(n int, y []float64, rng *rand.Rand) (*inversion.Draws, error) {
	dim, nx := m.Flow.Dim, len(m.Unknowns)
	cond := make([]float64, len(y))
	if m.Mode != train.ModeNF {
		m.y.Apply(cond, y)
	}
	z := make([]float64, n*dim)
	for i := range z {
		z[i] = m.Base.Draw(rng)
	}
	if m.Mode == train.ModeINN {
		for i := range n {
			copy(z[(i+1)*dim-len(cond):(i+1)*dim], cond)
		}
	}
	if m.Mode != train.ModeConditional {
		cond = nil
	}
	x, _, err := m.flow.InverseTransform(z, cond)
	if err != nil {
		return nil, err
	}
	out := inversion.NewDraws(n, nx)
	for i := range n {
		m.x.Invert(out.Row(i), x[i*dim:i*dim+nx])
	}
	return out, nil
}

// hasDensity reports whether x (given y) has a density: invertible networks have none
// of x alone, nor do flows that draw more than x or from another law than the normal.
func (m *fitted) hasDensity() bool {
	return m.Mode != train.ModeINN && m.Base.Normal() && m.Flow.Dim == len(m.Unknowns)
}

// heldOutNLL is the mean negative log density, in nats, of held-out x (given y)
// in the units of x; see hasDensity.
func (m *fitted) heldOutNLL(p *pairs) (float64, error) {
	shape := p.shape(m.HeldOut)
	rows := p.n - shape.Rows
	x := make([]float64, rows*shape.NX)
	m.x.Apply(x, p.x[shape.Rows*shape.NX:])
	var cond []float64
	if m.Mode == train.ModeConditional {
		cond = make([]float64, rows*shape.NY)
		m.y.Apply(cond, p.y[shape.Rows*shape.NY:])
	}
	logs, err := m.flow.LogProb(x, cond)
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for _, v := range logs {
		sum -= v + m.x.LogDet()
	}
	return sum / float64(rows), nil
}

// convert32 is the flow in the precision it was trained in.
func convert32(m *fitted) *surrogate.Flow[float32] { return surrogate.Convert[float32](m.flow) }

// alone is a dataset in memory without its observations.
func alone(d train.Dataset[float32]) train.Dataset[float32] {
	s := d.(train.SliceDataset[float32])
	return train.SliceDataset[float32]{X: s.X, NX: s.NX}
}

func float32s(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}

package stages

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"oceaninv/inversion"
	"oceaninv/inversion/amortized"
	"oceaninv/inversion/matchedfield"
	"oceaninv/io/dataset"
	"oceaninv/io/netcdf"
	"oceaninv/surrogate"
)

// architecture is what a model file says of a network besides its weights.
type architecture struct {
	Kind         string                `json:"kind"` // conditional, inn
	Flow         surrogate.FlowSpec    `json:"flow"`
	Form         inversion.FeatureForm `json:"features"`
	Temperatures []float64             `json:"temperatures,omitempty"`
	Bounded      bool                  `json:"bounded,omitempty"`
	amortized.SamplingSlips
}

const (
	kindConditional = "conditional"
	kindINN         = "inn"
)

// writeModel stores an estimator: its architecture as an attribute, every weight,
// standardiser and replica as a variable.
func writeModel(path string, layout dataset.Layout, a architecture, e amortized.Estimator) error {
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	layout.Noise = false
	m := dataset.Model{Layout: layout, Attributes: []netcdf.Attribute{netcdf.Text("architecture", string(text))}}
	switch e := e.(type) {
	case *amortized.Conditional:
		m.Tensors = append(flowTensors(e.Flow), standardizerTensors("condition", e.Condition)...)
		if t := e.Match; t != nil {
			n, d, k := t.Len(), t.Dim(), t.DataSize()
			m.Tensors = append(m.Tensors,
				dataset.Tensor{Name: "match.zeta", Shape: []int{n, d}, Float64: t.Zeta},
				dataset.Tensor{Name: "match.floor", Shape: []int{d}, Float64: t.Floor},
				dataset.Tensor{Name: "match.replicas", Shape: []int{n, k}, Float32: t.Replicas},
				dataset.Tensor{Name: "match.half_energy", Shape: []int{n}, Float64: t.HalfEnergy},
				dataset.Tensor{Name: "match.whitening", Shape: []int{k}, Float64: t.Whitening})
		} else {
			m.Tensors = append(m.Tensors, standardizerTensors("zeta", e.Zeta)...)
		}
	case *amortized.INN:
		m.Tensors = append(flowTensors(e.Flow), standardizerTensors("x", e.X)...)
		m.Tensors = append(m.Tensors, standardizerTensors("y", e.Y)...)
	default:
		panic(fmt.Sprintf("stages: no file format for %T", e))
	}
	return dataset.WriteModel(path, m)
}

// flowPrefix begins the names of a flow's arrays in a file.
const flowPrefix = "flow."

func flowTensors(f *surrogate.Flow[float64]) []dataset.Tensor {
	var out []dataset.Tensor
	for _, t := range f.Named() {
		if len(t.Data) > 0 {
			out = append(out, dataset.Tensor{Name: flowPrefix + t.Name, Shape: t.Shape, Float64: t.Data})
		}
	}
	return out
}

func standardizerTensors(name string, s surrogate.Standardizer) []dataset.Tensor {
	return []dataset.Tensor{
		{Name: name + ".mean", Shape: []int{len(s.Mean)}, Float64: s.Mean},
		{Name: name + ".scale", Shape: []int{len(s.Scale)}, Float64: s.Scale},
	}
}

// readModel rebuilds an estimator, with the layout of the data it was trained on.
func readModel(path string) (amortized.Estimator, dataset.Layout, error) {
	m, err := dataset.ReadModel(path)
	if err != nil {
		return nil, dataset.Layout{}, err
	}
	r := tensors{model: m}
	e, err := r.estimator()
	if err = errors.Join(err, r.err); err != nil {
		return nil, m.Layout, &netcdf.Error{Path: path, Err: err}
	}
	return e, m.Layout, nil
}

// tensors reads the parts of a model file; the first failure stays.
type tensors struct {
	model dataset.Model
	err   error
}

func (r *tensors) estimator() (amortized.Estimator, error) {
	text, ok := r.model.Attribute("architecture")
	if !ok {
		return nil, errors.New("it has no attribute model_architecture")
	}
	var a architecture
	if err := json.Unmarshal([]byte(text.Text()), &a); err != nil {
		return nil, fmt.Errorf("attribute model_architecture: %w", err)
	}
	p, err := problemOf(r.model.Layout.Problem)
	if err != nil {
		return nil, err
	}
	prior, err := priorOf(p, r.model.Layout)
	if err != nil {
		return nil, err
	}
	flow, err := r.flow(a.Flow)
	if err != nil {
		return nil, err
	}
	switch a.Kind {
	case kindConditional:
		return r.conditional(a, p, prior, flow), nil
	case kindINN:
		return &amortized.INN{
			Prior: prior, Form: a.Form, Receivers: p.Receivers(), Tones: len(p.Frequencies),
			Bounded: a.Bounded, SamplingSlips: a.SamplingSlips,
			X: r.standardizer("x"), Y: r.standardizer("y"), Flow: flow,
		}, nil
	}
	return nil, fmt.Errorf("attribute model_architecture: unknown kind %q", a.Kind)
}

func (r *tensors) conditional(a architecture, p *inversion.Problem, prior *inversion.Prior, flow *surrogate.Flow[float64]) *amortized.Conditional {
	c := &amortized.Conditional{
		Prior: prior, Form: a.Form, Receivers: p.Receivers(), Tones: len(p.Frequencies),
		Temperatures: a.Temperatures, Condition: r.standardizer("condition"), Flow: flow,
	}
	if _, ok := r.model.Tensor("match.replicas"); !ok {
		c.Zeta = r.standardizer("zeta")
		return c
	}
	replicas, _ := r.model.Tensor("match.replicas")
	c.Match = &matchedfield.Table{
		Zeta: r.float64s("match.zeta"), Floor: r.float64s("match.floor"), Replicas: replicas.Float32,
		HalfEnergy: r.float64s("match.half_energy"), Whitening: r.float64s("match.whitening"),
	}
	return c
}

func (r *tensors) flow(spec surrogate.FlowSpec) (*surrogate.Flow[float64], error) {
	var stored []surrogate.NamedTensor[float64]
	for _, t := range r.model.Tensors {
		if name, ok := strings.CutPrefix(t.Name, flowPrefix); ok {
			stored = append(stored, surrogate.NamedTensor[float64]{Name: name, Shape: t.Shape, Data: t.Float64})
		}
	}
	return surrogate.FromNamed(spec, stored)
}

func (r *tensors) float64s(name string) []float64 {
	t, ok := r.model.Tensor(name)
	if (!ok || t.Float64 == nil) && r.err == nil {
		r.err = fmt.Errorf("it has no variable %s of doubles", name)
	}
	return t.Float64
}

func (r *tensors) standardizer(name string) surrogate.Standardizer {
	return surrogate.Standardizer{Mean: r.float64s(name + ".mean"), Scale: r.float64s(name + ".scale")}
}

// problemOf reads the problem that a file belongs to.
func problemOf(text json.RawMessage) (*inversion.Problem, error) {
	if len(text) == 0 {
		return nil, errors.New("it does not say which problem it belongs to (global attribute \"problem\")")
	}
	p := new(inversion.Problem)
	if err := json.Unmarshal(text, p); err != nil {
		return nil, fmt.Errorf("attribute \"problem\": %w", err)
	}
	return p, nil
}

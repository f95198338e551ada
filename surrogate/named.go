package surrogate

import (
	"fmt"
	"slices"

	"oceaninv/surrogate/nn"
)

// NamedTensor is one array of a flow, for storage: row-major, its numbers shared with the flow.
type NamedTensor[T Float] struct {
	Name  string
	Shape []int
	Data  []T
}

// Named lists all arrays of the flow, parameters first and then state. Together with the spec they rebuild it, by
// [FromNamed] or in another language: y = x·weight + bias in every dense layer, out[:, j] = in[:, permutation[j]] in
// a permutation, y = x·rotation in a rotation.
func (f *Flow[T]) Named() []NamedTensor[T] {
	var list []NamedTensor[T]
	for _, t := range f.Tensors() {
		list = append(list, NamedTensor[T]{t.Name, t.Shape, nn.View(t, f.params)})
	}
	for _, t := range f.StateTensors() {
		list = append(list, NamedTensor[T]{t.Name, t.Shape, nn.View(t, f.state)})
	}
	return list
}

// FromNamed builds the flow of the spec with stored arrays, whose order does not matter. It fails if one is missing,
// has another shape, is not the flow's, holds a number that is not finite, or
// is a permutation and repeats an index.
func FromNamed[T Float](spec FlowSpec, stored []NamedTensor[T]) (*Flow[T], error) {
	f, err := NewFlow[T](spec)
	if err != nil {
		return nil, err
	}
	byName := make(map[string]NamedTensor[T], len(stored))
	for _, t := range stored {
		byName[t.Name] = t
	}
	for _, want := range f.Named() {
		got, ok := byName[want.Name]
		if !ok {
			return nil, fmt.Errorf("surrogate: array %s is missing", want.Name)
		}
		if !slices.Equal(got.Shape, want.Shape) || len(got.Data) != len(want.Data) {
			return nil, fmt.Errorf("surrogate: array %s has shape %v, the architecture wants %v", want.Name, got.Shape, want.Shape)
		}
		if i := firstNonFinite(got.Data); i >= 0 {
			return nil, fmt.Errorf("surrogate: element %d of array %s is %v", i, want.Name, got.Data[i])
		}
		copy(want.Data, got.Data)
		delete(byName, want.Name)
	}
	for _, t := range stored {
		if _, left := byName[t.Name]; left {
			return nil, fmt.Errorf("surrogate: array %s does not belong to the architecture", t.Name)
		}
	}
	if err := f.checkState(f.state); err != nil {
		return nil, err
	}
	f.Refresh()
	return f, nil
}

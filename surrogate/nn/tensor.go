package nn

// Tensor names a part of an arena: the elements [Offset, Offset+Len) in row-major order of Shape.
type Tensor struct {
	Name   string
	Shape  []int
	Offset int
}

// Len returns the number of elements, the product of the shape; 1 for a scalar.
func (t Tensor) Len() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// View returns the tensor's elements in the arena it was laid out for.
func View[T Float](t Tensor, arena []T) []T {
	return arena[t.Offset : t.Offset+t.Len() : t.Offset+t.Len()]
}

// Layout hands out parts of one contiguous arena. All numbers of a network live in such an arena, so that an
// optimiser, a sum of gradients or a checkpoint is one loop over one slice.
type Layout struct {
	tensors []Tensor
	size    int
}

// Add reserves a tensor. One with a dimension of zero is legal, takes no room and is not listed.
func (l *Layout) Add(name string, shape ...int) Tensor {
	t := Tensor{Name: name, Shape: shape, Offset: l.size}
	l.size += t.Len()
	if t.Len() > 0 {
		l.tensors = append(l.tensors, t)
	}
	return t
}

// Size returns the number of elements reserved so far.
func (l *Layout) Size() int { return l.size }

// Tensors returns the reserved tensors in order of their offsets.
func (l *Layout) Tensors() []Tensor { return l.tensors }

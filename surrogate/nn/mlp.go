package nn

import (
	"fmt"
	"math"
	"slices"
)

// MLPSpec is the shape of a multilayer perceptron with up to two inputs, as if they were concatenated: In columns
// and then Cond columns (the conditioner of a conditional flow). Layers counts hidden layers; with none the
// network is one affine map. Every width may be zero: a network without inputs returns its biases.
type MLPSpec struct {
	In, Cond, Out int
	Hidden        int
	Layers        int
	Widths        []int // of the hidden layers, where they differ: instead of Hidden and Layers
	Activation    Activation
}

// widths lists the hidden layers, first to last.
func (s MLPSpec) widths() []int {
	if s.Widths != nil {
		return s.Widths
	}
	return slices.Repeat([]int{s.Hidden}, s.Layers)
}

// MLP is a perceptron laid out in a parameter arena. It holds no numbers: [MLP.NewCache] gives what a pass
// needs, the arena is an argument.
type MLP struct {
	spec   MLPSpec
	layers []Dense
}

// NewMLP reserves the parameters under prefix.0.weight, prefix.0.bias, prefix.1.weight, ...
func NewMLP(l *Layout, prefix string, spec MLPSpec) *MLP {
	if spec.In < 0 || spec.Cond < 0 || spec.Out < 0 || spec.Layers < 0 {
		panic("nn: impossible shape of a perceptron")
	}
	m := &MLP{spec: spec}
	in := spec.In + spec.Cond
	for k, width := range spec.widths() {
		if width < 1 {
			panic("nn: impossible shape of a perceptron")
		}
		m.layers = append(m.layers, NewDense(l, fmt.Sprintf("%s.%d", prefix, k), in, width))
		in = width
	}
	m.layers = append(m.layers, NewDense(l, fmt.Sprintf("%s.%d", prefix, len(m.layers)), in, spec.Out))
	return m
}

// Spec returns the network's shape.
func (m *MLP) Spec() MLPSpec { return m.spec }

// Layers returns the affine maps, first to last, for initialisation and export.
func (m *MLP) Layers() []Dense { return m.layers }

// MLPScratch is room that several networks of one pass share: for gradients or, with Evaluate, which leaves those out,
// for the outputs of hidden layers. Reserve it for the largest.
type MLPScratch[T Float] struct {
	Evaluate bool
	a, b     []T
}

// Reserve makes the scratch large enough for networks of this shape and batch.
func (s *MLPScratch[T]) Reserve(spec MLPSpec, batch int) {
	for _, width := range spec.widths() {
		if n := batch * width; n > len(s.a) {
			s.a, s.b = make([]T, n), make([]T, n)
		}
	}
}

// MLPCache keeps what the backward pass of one network needs: the outputs of the hidden layers and the slopes of
// their activations, batch×Hidden each, and the network's output.
type MLPCache[T Float] struct {
	value, slope [][]T
	out          []T
	x, cond      Matrix[T]
	shift        []T // with one condition for all rows: the first layer's biases and the condition's share
	scratch      *MLPScratch[T]
}

// NewCache allocates for batches of up to batch rows.
func NewCache[T Float](m *MLP, batch int, scratch *MLPScratch[T]) *MLPCache[T] {
	scratch.Reserve(m.spec, batch)
	c := &MLPCache[T]{out: make([]T, batch*m.spec.Out), shift: make([]T, m.layers[0].Out), scratch: scratch}
	if scratch.Evaluate {
		return c
	}
	for _, width := range m.spec.widths() {
		c.value = append(c.value, make([]T, batch*width))
		if m.spec.Activation == Linear {
			c.slope = append(c.slope, nil)
			continue
		}
		c.slope = append(c.slope, make([]T, batch*width))
	}
	return c
}

// Forward returns the network's output, contiguous rows×Out, for the inputs x (rows×In) and cond (rows×Cond)
// with the parameters p. A cond of one row holds for all rows. The output belongs to the cache and the cache keeps
// views of the inputs: neither may change before [MLPCache.Backward].
func (c *MLPCache[T]) Forward(m *MLP, p []T, x, cond Matrix[T]) []T {
	if x.Cols != m.spec.In || cond.Cols != m.spec.Cond || (m.spec.Cond > 0 && cond.Rows != x.Rows && cond.Rows != 1) {
		panic("nn: inputs do not fit the perceptron")
	}
	c.x, c.cond = x, cond
	rows, first := x.Rows, View(m.layers[0].B, p)
	in := x
	shared := m.spec.Cond > 0 && cond.Rows == 1
	if shared {
		copy(c.shift, first)
		mulWeights(m.layers[0], p, m.spec.In, cond, 1, c.shift)
		first = c.shift
	}
	for k, d := range m.layers {
		last := k == len(m.layers)-1
		var y, slope []T
		act := Linear
		if last {
			y = c.out[:rows*d.Out]
		} else {
			y, slope = c.hidden(k, rows*d.Out)
			act = m.spec.Activation
		}
		mulWeights(d, p, 0, in, 0, y)
		bias := View(d.B, p)
		if k == 0 && m.spec.Cond > 0 {
			bias = first
			if !shared {
				mulWeights(d, p, m.spec.In, cond, 1, y)
			}
		}
		AddBiasActivate(act, y, slope, bias, rows, d.Out)
		in = NewMatrix(y, rows, d.Out)
	}
	return in.Data
}

// hidden returns n elements of room for the outputs of hidden layer k and for the slopes of its activation, nil where
// those are not wanted.
func (c *MLPCache[T]) hidden(k, n int) (value, slope []T) {
	if c.scratch.Evaluate {
		return [2][]T{c.scratch.a, c.scratch.b}[k%2][:n], nil
	}
	if c.slope[k] == nil {
		return c.value[k][:n], nil
	}
	return c.value[k][:n], c.slope[k][:n]
}

// Backward takes the gradient dout of a loss with respect to the output of the last Forward, adds the gradient of
// the parameters to g and the gradients of the inputs to dx and dcond. A nil g, dx.Data or dcond.Data is skipped.
// dout is left as it was.
func (c *MLPCache[T]) Backward(m *MLP, p, g, dout []T, dx, dcond Matrix[T]) {
	if c.scratch.Evaluate || (c.cond.Rows == 1 && c.x.Rows > 1) {
		panic("nn: nothing was kept to differentiate")
	}
	rows := c.x.Rows
	dy := dout
	next, spare := c.scratch.a, c.scratch.b
	for k := len(m.layers) - 1; k >= 0; k-- {
		d := m.layers[k]
		if k < len(m.layers)-1 {
			c.activationBackward(k, g, dy, d, rows)
		} else if g != nil {
			ColSum(dy, View(d.B, g), rows, d.Out)
		}
		if k == 0 {
			c.firstBackward(m, p, g, dy, dx, dcond)
			return
		}
		if g != nil {
			addWeightGradient(d, g, 0, NewMatrix(c.value[k-1], rows, d.In), dy)
		}
		h := next[:rows*d.In]
		addInputGradient(d, p, 0, dy, 0, NewMatrix(h, rows, d.In))
		dy, next, spare = h, spare, next
	}
}

func (c *MLPCache[T]) activationBackward(k int, g, dy []T, d Dense, rows int) {
	slope := c.slope[k]
	switch {
	case slope == nil && g != nil:
		ColSum(dy, View(d.B, g), rows, d.Out)
	case slope == nil:
	case g != nil:
		MulColSum(dy, slope[:rows*d.Out], View(d.B, g), rows, d.Out)
	default:
		Mul(dy, dy, slope[:rows*d.Out])
	}
}

func (c *MLPCache[T]) firstBackward(m *MLP, p, g, dy []T, dx, dcond Matrix[T]) {
	d := m.layers[0]
	if g != nil {
		addWeightGradient(d, g, 0, c.x, dy)
		if m.spec.Cond > 0 {
			addWeightGradient(d, g, m.spec.In, c.cond, dy)
		}
	}
	if dx.Data != nil {
		addInputGradient(d, p, 0, dy, 1, dx)
	}
	if dcond.Data != nil {
		addInputGradient(d, p, m.spec.In, dy, 1, dcond)
	}
}

// Initialisation is how a network starts; biases start at zero unless Biases is set.
type Initialisation struct {
	// Orthogonal draws a matrix with orthonormal rows or columns (whichever are fewer), times Scale; otherwise
	// the elements are independent normal with standard deviation Scale.
	Orthogonal bool
	Scale      float64
	Uniform    bool // elements uniform on ±1/√In instead, PyTorch's default
	Biases     bool // biases uniform on ±1/√In, PyTorch's default
	ZeroLast   bool // start the last layer at zero
}

// uniform fills x with independent numbers, uniform on ±1/√in; zeros where there is no input.
func uniform[T Float](x []T, in int, normal func() float64) {
	bound := 0.0
	if in > 0 {
		bound = 1 / math.Sqrt(float64(in))
	}
	for i := range x {
		x[i] = T(bound * math.Erf(normal()/math.Sqrt2))
	}
}

// Initialise fills the parameters of m in the arena p. normal returns independent standard normal numbers.
func Initialise[T Float](m *MLP, p []T, how Initialisation, normal func() float64) {
	for k, d := range m.layers {
		w := View(d.W, p)
		clear(View(d.B, p))
		switch {
		case how.ZeroLast && k == len(m.layers)-1:
			clear(w)
			continue
		case how.Uniform:
			uniform(w, d.In, normal)
		case how.Orthogonal:
			Orthogonal(w, d.In, d.Out, how.Scale, normal)
		default:
			for i := range w {
				w[i] = T(how.Scale * normal())
			}
		}
		if how.Biases {
			uniform(View(d.B, p), d.In, normal)
		}
	}
}

// Orthogonal fills the rows×cols matrix w with gain times a matrix whose shorter side is orthonormal, uniformly
// distributed: Gram-Schmidt, applied twice, on a normal matrix (Saxe et al. 2014).
func Orthogonal[T Float](w []T, rows, cols int, gain float64, normal func() float64) {
	short, long := min(rows, cols), max(rows, cols)
	q, inner := make([]float64, short*long), make([]float64, short)
	for i := range short {
		for orthonormalise(q[:i*long], q[i*long:(i+1)*long], inner[:i], normal) < 1e-3 {
		}
	}
	for i := range rows {
		for j := range cols {
			if rows <= cols {
				w[i*cols+j] = T(gain * q[i*long+j])
			} else {
				w[i*cols+j] = T(gain * q[j*long+i])
			}
		}
	}
}

// orthonormalise draws v and makes it a unit vector orthogonal to the rows of q; inner has one element per row. It
// returns the length that was left of the drawn vector; if that is tiny the direction is noise and the caller draws
// again.
func orthonormalise(q, v, inner []float64, normal func() float64) (left float64) {
	for j := range v {
		v[j] = normal()
	}
	n := len(v)
	for pass := range 2 {
		if len(inner) > 0 {
			Gemm(false, false, len(inner), 1, n, 1, q, n, v, 1, 0, inner, 1)
			Gemm(true, false, n, 1, len(inner), -1, q, n, inner, 1, 1, v, 1)
		}
		length := math.Sqrt(SumSquares(v))
		if pass == 0 {
			left = length
		}
		for j := range v {
			v[j] /= length
		}
	}
	return left
}

package nn

// Matrix is a view of Rows×Cols elements whose rows lie Stride apart in Data: a block of columns of a wider
// matrix, for instance one half of a coupling block's input.
type Matrix[T Float] struct {
	Data       []T
	Rows, Cols int
	Stride     int
}

// NewMatrix views data as a contiguous rows×cols matrix.
func NewMatrix[T Float](data []T, rows, cols int) Matrix[T] {
	return Matrix[T]{Data: data[:rows*cols], Rows: rows, Cols: cols, Stride: cols}
}

// Columns returns the view of the columns [from, to).
func (m Matrix[T]) Columns(from, to int) Matrix[T] {
	if from < 0 || to < from || to > m.Cols {
		panic("nn: columns outside the matrix")
	}
	if from == to || m.Rows == 0 {
		return Matrix[T]{Rows: m.Rows, Stride: m.Stride}
	}
	return Matrix[T]{Data: m.Data[from:], Rows: m.Rows, Cols: to - from, Stride: m.Stride}
}

// Row returns row i.
func (m Matrix[T]) Row(i int) []T {
	if m.Cols == 0 {
		return nil
	}
	return m.Data[i*m.Stride : i*m.Stride+m.Cols]
}

// Dense is the affine map y = x W + b with W of shape In×Out and b of shape Out, both in a parameter arena.
type Dense struct {
	In, Out int
	W, B    Tensor
}

// NewDense reserves W and b under the names prefix.weight and prefix.bias.
func NewDense(l *Layout, prefix string, in, out int) Dense {
	return Dense{In: in, Out: out, W: l.Add(prefix+".weight", in, out), B: l.Add(prefix+".bias", out)}
}

// mulWeights adds (beta = 1) or stores (beta = 0) x times the rows [row, row+x.Cols) of W in y, which is
// contiguous with Out columns.
func mulWeights[T Float](d Dense, p []T, row int, x Matrix[T], beta T, y []T) {
	w := View(d.W, p)[row*d.Out:]
	Gemm(false, false, x.Rows, d.Out, x.Cols, 1, x.Data, max(x.Stride, 1), w, max(d.Out, 1), beta, y, max(d.Out, 1))
}

// addWeightGradient adds x^T dy to the same rows of the gradient of W.
func addWeightGradient[T Float](d Dense, g []T, row int, x Matrix[T], dy []T) {
	if x.Rows == 0 || x.Cols == 0 || d.Out == 0 {
		return
	}
	dw := View(d.W, g)[row*d.Out:]
	Gemm(true, false, x.Cols, d.Out, x.Rows, 1, x.Data, x.Stride, dy, d.Out, 1, dw, d.Out)
}

// addInputGradient computes dx = beta dx + dy W^T over the rows [row, row+dx.Cols) of W.
func addInputGradient[T Float](d Dense, p []T, row int, dy []T, beta T, dx Matrix[T]) {
	if dx.Rows == 0 || dx.Cols == 0 {
		return
	}
	w := View(d.W, p)[row*d.Out:]
	Gemm(false, true, dx.Rows, dx.Cols, d.Out, 1, dy, max(d.Out, 1), w, max(d.Out, 1), beta, dx.Data, dx.Stride)
}

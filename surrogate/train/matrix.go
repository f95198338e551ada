package train

import "oceaninv/surrogate/nn"

func newMatrix[T nn.Float](rows, cols int) nn.Matrix[T] {
	return nn.NewMatrix(make([]T, rows*cols), rows, cols)
}

// rowRange is the block of rows [from, to) of m.
func rowRange[T nn.Float](m nn.Matrix[T], from, to int) nn.Matrix[T] {
	if from < 0 || to < from || to > m.Rows {
		panic("train: rows outside the matrix")
	}
	b := nn.Matrix[T]{Rows: to - from, Cols: m.Cols, Stride: m.Stride}
	if b.Rows > 0 && b.Cols > 0 {
		b.Data = m.Data[from*m.Stride:]
	}
	return b
}

func copyMatrix[T nn.Float](dst, src nn.Matrix[T]) {
	sameShape(dst, src)
	for i := range dst.Rows {
		copy(dst.Row(i), src.Row(i))
	}
}

func zeroMatrix[T nn.Float](m nn.Matrix[T]) {
	for i := range m.Rows {
		clear(m.Row(i))
	}
}

func sameShape[T nn.Float](a, b nn.Matrix[T]) {
	if a.Rows != b.Rows || a.Cols != b.Cols {
		panic("train: matrices of different shapes")
	}
}

// pieceRange cuts n rows into pieces: piece i is the rows [from, to). Pieces differ by at most one row.
func pieceRange(n, pieces, i int) (from, to int) { return n * i / pieces, n * (i + 1) / pieces }

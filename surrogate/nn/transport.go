package nn

import "math"

// LogSumExpRows sets out[i] = ln Σ_j exp(h[j] - scale·C[i][j]) for the rows×cols matrix C, subtracting the row's
// largest exponent first. It is the soft minimum of entropic transport. Relative to a row's sum single precision is
// within 4e-7, besides the rounding of the exponents.
func LogSumExpRows[T Float](out, c, h []T, scale T, rows, cols int) {
	checkRows(len(c), rows, cols)
	sameLength(len(out), rows)
	sameLength(len(h), cols)
	if rows == 0 || cols == 0 {
		return
	}
	if isSingle[T]() {
		lseRows32(single(out), single(c), single(h), float32(scale), rows, cols)
		return
	}
	lseRowsGo(out, c, h, scale, rows, cols)
}

func lseRowsGo[T Float](out, c, h []T, scale T, rows, cols int) {
	for i := range rows {
		row := c[i*cols : (i+1)*cols]
		m := T(math.Inf(-1))
		for j, v := range row {
			m = max(m, h[j]-scale*v)
		}
		s := 0.0
		for j, v := range row {
			s += math.Exp(float64(h[j] - scale*v - m))
		}
		out[i] = m + T(math.Log(s))
	}
}

// GibbsRows sets P[i][j] = exp(h[j] - scale·C[i][j] - lse[i]), the rows of a transport plan, from the sums that
// [LogSumExpRows] gave. p may be c. In single precision what is below e^-87 is zero.
func GibbsRows[T Float](p, c, h, lse []T, scale T, rows, cols int) {
	checkRows(len(c), rows, cols)
	checkRows(len(p), rows, cols)
	sameLength(len(lse), rows)
	sameLength(len(h), cols)
	if rows == 0 || cols == 0 {
		return
	}
	if isSingle[T]() {
		gibbsRows32(single(p), single(c), single(h), single(lse), float32(scale), rows, cols)
		return
	}
	gibbsRowsGo(p, c, h, lse, scale, rows, cols)
}

func gibbsRowsGo[T Float](p, c, h, lse []T, scale T, rows, cols int) {
	for i := range rows {
		for j := range cols {
			p[i*cols+j] = T(math.Exp(float64(h[j] - scale*c[i*cols+j] - lse[i])))
		}
	}
}

// HalfDistRows turns inner products into half squared distances in place:
// C[i][j] = max(a[i] + b[j] - C[i][j], 0), where a and b hold half squared norms.
func HalfDistRows[T Float](c, a, b []T, rows, cols int) {
	checkRows(len(c), rows, cols)
	sameLength(len(a), rows)
	sameLength(len(b), cols)
	if rows == 0 || cols == 0 {
		return
	}
	if isSingle[T]() {
		halfDistRows32(single(c), single(a), single(b), rows, cols)
		return
	}
	halfDistRowsGo(c, a, b, rows, cols)
}

func halfDistRowsGo[T Float](c, a, b []T, rows, cols int) {
	for i := range rows {
		for j := range cols {
			c[i*cols+j] = max((a[i]-c[i*cols+j])+b[j], 0)
		}
	}
}

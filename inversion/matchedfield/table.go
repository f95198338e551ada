package matchedfield

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"oceaninv/surrogate/nn"
)

// Table holds the whitened replicas of a lattice of parameter vectors.
//
// With data y of N real values and noise variance v_i of each, the
// log-likelihood of replica p_j is, up to a term in y alone,
//
//	ℓ_j = Σ_i (y_i p_ji − p_ji²/2) / v_i = ŷ·p̂_j − ‖p̂_j‖²/2,  x̂_i = x_i/√v_i
//
// (likelihood 1 of geoacoustic practice: known source, known noise variance).
type Table struct {
	// Zeta is [M][D]: the lattice points in the coordinates in which moments
	// are taken.
	Zeta []float64
	// Floor is [D]: the smallest standard deviation a summary may report, set by
	// the lattice's spacing.
	Floor []float64
	// Replicas is [M][N], whitened.
	Replicas []float32
	// HalfEnergy is [M]: ‖p̂_j‖²/2.
	HalfEnergy []float64
	// Whitening is [N]: 1/√v_i.
	Whitening []float64
}

// Lattice says where the replicas of a table lie.
type Lattice struct {
	// Points is the number of points along each parameter.
	Points []int
	// Theta maps the unit cube to parameters: the prior's quantile function, so
	// that lattice points at midpoints carry equal prior mass.
	Theta func(theta, unit []float64)
	// Zeta maps parameters to the unbounded coordinates of the moments.
	Zeta func(zeta, theta []float64)
}

// Predictor returns the noise-free data of a parameter vector. Each worker has
// its own.
type Predictor func(data, theta []float64) error

// Size is the number M of lattice points.
func (l *Lattice) Size() int {
	m := 1
	for _, n := range l.Points {
		m *= n
	}
	return m
}

// unit sets u to the midpoint of cell j (the last parameter runs fastest).
func (l *Lattice) unit(u []float64, j int) {
	for d := len(l.Points) - 1; d >= 0; d-- {
		n := l.Points[d]
		u[d] = (float64(j%n) + 0.5) / float64(n)
		j /= n
	}
}

// Build computes the replicas of every lattice point with as many workers as
// newPredictor is asked for; the table does not depend on their number.
// variance is [N]: the noise variance of each real value. progress may be nil.
func Build(ctx context.Context, l Lattice, variance []float64, workers int,
	newPredictor func() (Predictor, error), progress func(done, total int)) (*Table, error) {
	if err := l.check(variance); err != nil {
		return nil, err
	}
	m, n, d := l.Size(), len(variance), len(l.Points)
	t := &Table{
		Zeta: make([]float64, m*d), Floor: make([]float64, d),
		Replicas: make([]float32, m*n), HalfEnergy: make([]float64, m), Whitening: make([]float64, n),
	}
	for i, v := range variance {
		t.Whitening[i] = 1 / math.Sqrt(v)
	}
	var next, done atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range max(workers, 1) {
		g.Go(func() error {
			predict, err := newPredictor()
			if err != nil {
				return err
			}
			u, theta, data := make([]float64, d), make([]float64, d), make([]float64, n)
			for {
				j := int(next.Add(1)) - 1
				if j >= m {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				l.unit(u, j)
				l.Theta(theta, u)
				if err := predict(data, theta); err != nil {
					return fmt.Errorf("replica at %v: %w", theta, err)
				}
				l.Zeta(t.Zeta[j*d:(j+1)*d], theta)
				t.set(j, data)
				if k := int(done.Add(1)); progress != nil && (k%64 == 0 || k == m) {
					progress(k, m)
				}
			}
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	t.floors(&l)
	return t, nil
}

func (l *Lattice) check(variance []float64) error {
	if len(l.Points) == 0 || len(variance) == 0 {
		panic("matchedfield: no parameters or no data")
	}
	for i, n := range l.Points {
		if n < 2 {
			return fmt.Errorf("matched-field table: %d points along parameter %d; at least 2 are needed", n, i)
		}
	}
	for i, v := range variance {
		if !(v > 0) || math.IsInf(v, 0) {
			return fmt.Errorf("matched-field table: noise variance %g of value %d is not positive", v, i)
		}
	}
	return nil
}

// set stores the whitened replica j.
func (t *Table) set(j int, data []float64) {
	n := len(t.Whitening)
	row, e := t.Replicas[j*n:(j+1)*n], 0.0
	for i, v := range data {
		w := v * t.Whitening[i]
		row[i] = float32(w)
		e += w * w
	}
	t.HalfEnergy[j] = e / 2
}

// floors sets the smallest standard deviation of each parameter: that of a
// uniform distribution over one lattice step in the middle of the lattice.
func (t *Table) floors(l *Lattice) {
	d := len(l.Points)
	u, theta, lo, hi := make([]float64, d), make([]float64, d), make([]float64, d), make([]float64, d)
	for k := range d {
		for i := range u {
			u[i] = 0.5
		}
		half := 0.5 / float64(l.Points[k])
		u[k] = 0.5 - half
		l.Theta(theta, u)
		l.Zeta(lo, theta)
		u[k] = 0.5 + half
		l.Theta(theta, u)
		l.Zeta(hi, theta)
		t.Floor[k] = math.Abs(hi[k]-lo[k]) / math.Sqrt(12)
	}
}

// Len is the number M of replicas.
func (t *Table) Len() int { return len(t.HalfEnergy) }

// Dim is the number D of parameters.
func (t *Table) Dim() int { return len(t.Floor) }

// DataSize is the number N of real values of an observation.
func (t *Table) DataSize() int { return len(t.Whitening) }

// logLikelihoods fills out[B][M] with ŷ_b·p̂_j for the whitened rows y[B][N].
func (t *Table) logLikelihoods(out, y []float32, rows int) {
	m, n := t.Len(), t.DataSize()
	nn.Gemm(false, true, rows, m, n, 1, y, n, t.Replicas, n, 0, out, m)
}

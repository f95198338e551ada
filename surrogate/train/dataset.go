package train

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"oceaninv/surrogate/nn"
)

// Dataset is where samples come from. Rows are read by number into buffers of the caller, so a dataset on disk
// needs memory for a few batches only. Read is called from one goroutine at a time, ahead of training.
type Dataset[T nn.Float] interface {
	// Len is the number of rows.
	Len() int
	// Dims is the number of columns of x, what is inferred, and of y, what is observed (0 if there is none).
	Dims() (x, y int)
	// Read fills x and y, row-major, with the rows rows. A dataset that draws noise or whole samples anew does so
	// from (its seed, epoch, row), so that training can be repeated and resumed.
	Read(epoch int, rows []int, x, y []T) error
}

// SliceDataset is a dataset in memory, row-major.
type SliceDataset[T nn.Float] struct {
	X, Y   []T
	NX, NY int
}

// Len returns the number of rows.
func (d SliceDataset[T]) Len() int {
	if d.NX == 0 {
		return 0
	}
	return len(d.X) / d.NX
}

// Dims returns the columns of x and y.
func (d SliceDataset[T]) Dims() (x, y int) { return d.NX, d.NY }

// Read copies rows.
func (d SliceDataset[T]) Read(_ int, rows []int, x, y []T) error {
	for k, r := range rows {
		copy(x[k*d.NX:(k+1)*d.NX], d.X[r*d.NX:])
		copy(y[k*d.NY:(k+1)*d.NY], d.Y[min(r*d.NY, len(d.Y)):])
	}
	return nil
}

// Simulator is an online dataset: every row of every epoch is drawn anew, so that no sample is seen twice and no
// network can learn the data by heart. Draw must be a function of the generator alone.
type Simulator[T nn.Float] struct {
	Rows   int // of an epoch
	NX, NY int
	Seed   uint64
	Draw   func(rng *rand.Rand, x, y []T) error
}

// Len returns the rows of an epoch.
func (s *Simulator[T]) Len() int { return s.Rows }

// Dims returns the columns of x and y.
func (s *Simulator[T]) Dims() (x, y int) { return s.NX, s.NY }

// Read draws rows, each from a stream of (Seed, epoch, row).
func (s *Simulator[T]) Read(epoch int, rows []int, x, y []T) error {
	var g stream
	g.init()
	for k, r := range rows {
		g.seek(s.Seed, uint64(epoch), uint64(r))
		if err := s.Draw(g.Rand, x[k*s.NX:(k+1)*s.NX], y[k*s.NY:(k+1)*s.NY]); err != nil {
			return fmt.Errorf("row %d of epoch %d: %w", r, epoch, err)
		}
	}
	return nil
}

// subset is some rows of another dataset.
type subset[T nn.Float] struct {
	Dataset[T]
	rows []int32
	buf  []int
}

func (s *subset[T]) Len() int { return len(s.rows) }

func (s *subset[T]) Read(epoch int, rows []int, x, y []T) error {
	s.buf = s.buf[:0]
	for _, r := range rows {
		s.buf = append(s.buf, int(s.rows[r]))
	}
	return s.Dataset.Read(epoch, s.buf, x, y)
}

// Split divides a dataset into training and held-out rows by a seeded permutation; fraction is the held-out
// share. Both halves keep the order of the original, so that reading blocks stays reading blocks.
func Split[T nn.Float](d Dataset[T], fraction float64, seed uint64) (training, heldOut Dataset[T]) {
	n := d.Len()
	k := int(fraction * float64(n))
	if fraction < 0 || fraction >= 1 {
		panic("train: held-out fraction outside [0, 1)")
	}
	var g stream
	g.init()
	g.seek(seed, streamSplit, 0)
	perm := make([]int32, n)
	for i := range perm {
		perm[i] = int32(i)
	}
	g.Shuffle(n, func(i, j int) { perm[i], perm[j] = perm[j], perm[i] })
	held, rest := perm[:k:k], perm[k:]
	slices.Sort(held)
	slices.Sort(rest)
	return &subset[T]{Dataset: d, rows: rest}, &subset[T]{Dataset: d, rows: held}
}

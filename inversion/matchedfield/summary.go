package matchedfield

import (
	"math"
)

// Summarizer turns observations into summaries. It owns a workspace: one per
// goroutine.
type Summarizer struct {
	table        *Table
	temperatures []float64
	y, ll        []float32
	w            []float64
	cov          []float64
	kept         []int // replicas that count at one temperature
	weight       []float64
}

// blockRows is the number of observations matched in one dense product: enough
// to run at the speed of the product, little enough to stay in cache.
const blockRows = 32

// DefaultTemperatures are 1, the posterior of the lattice itself, and 10, whose
// broader weights see neighbouring modes and survive an observation that the
// lattice cannot fit.
func DefaultTemperatures() []float64 { return []float64{1, 10} }

// NewSummarizer returns a summarizer with one block of moments for each
// temperature; the first is the one observations are locally standardised with.
func NewSummarizer(t *Table, temperatures []float64) *Summarizer {
	if len(temperatures) == 0 {
		panic("matchedfield: no temperature")
	}
	for _, x := range temperatures {
		if !(x > 0) {
			panic("matchedfield: temperature not positive")
		}
	}
	return &Summarizer{
		table: t, temperatures: temperatures,
		y:  make([]float32, blockRows*t.DataSize()),
		ll: make([]float32, blockRows*t.Len()), w: make([]float64, t.Len()), cov: make([]float64, t.Dim()*t.Dim()),
	}
}

// momentSize is the number of values per temperature: D means and the lower
// Cholesky factor of the covariance, its diagonal as logarithms.
func momentSize(d int) int { return d + d*(d+1)/2 }

// Size is the length of one summary: the moments for each temperature and the
// misfit of the best replica.
func (s *Summarizer) Size() int { return len(s.temperatures)*momentSize(s.table.Dim()) + 1 }

// Summarize fills out [B][Size] from the observations y [B][N]. A summary holds
// for each temperature T the mean m (D values) and the lower Cholesky factor L
// of the covariance (row by row, its diagonal as ln L_ii) of ζ under weights
// w_j ∝ exp(ℓ_j/T); then ln(1 + χ²/N) of the best replica, which says how well
// the lattice fits at all. The variances are not smaller than Floor².
func (s *Summarizer) Summarize(out, y []float64, rows int) {
	n, size := s.table.DataSize(), s.Size()
	if len(y) != rows*n || len(out) != rows*size {
		panic("matchedfield: observations or summaries have the wrong length")
	}
	for lo := 0; lo < rows; lo += blockRows {
		hi := min(lo+blockRows, rows)
		s.block(out[lo*size:hi*size], y[lo*n:hi*n], hi-lo)
	}
}

func (s *Summarizer) block(out, y []float64, rows int) {
	t := s.table
	n, m, size := t.DataSize(), t.Len(), s.Size()
	for b := range rows {
		for i, v := range y[b*n : (b+1)*n] {
			s.y[b*n+i] = float32(v * t.Whitening[i])
		}
	}
	t.logLikelihoods(s.ll[:rows*m], s.y[:rows*n], rows)
	for b := range rows {
		energy := 0.0
		for _, v := range s.y[b*n : (b+1)*n] {
			energy += float64(v) * float64(v)
		}
		s.row(out[b*size:(b+1)*size], s.ll[b*m:(b+1)*m], energy)
	}
}

// row writes one summary from the products ŷ·p̂_j.
func (s *Summarizer) row(out []float64, products []float32, energy float64) {
	t := s.table
	best := math.Inf(-1)
	for j, v := range products {
		s.w[j] = float64(v) - t.HalfEnergy[j]
		best = max(best, s.w[j])
	}
	k := momentSize(t.Dim())
	for i, temperature := range s.temperatures {
		s.moments(out[i*k:(i+1)*k], best, temperature)
	}
	chi2 := max(energy-2*best, 0) // ‖ŷ − p̂‖² of the best replica
	out[len(out)-1] = math.Log1p(chi2 / float64(t.DataSize()))
}

// negligible is the log weight below which a replica is skipped: e^-30 of the
// best cannot change a moment in double precision by more than 1e-9 of a lattice
// of ten thousand points.
const negligible = -30

// moments writes mean and Cholesky factor of ζ under w_j ∝ exp((ℓ_j−best)/T).
func (s *Summarizer) moments(out []float64, best, temperature float64) {
	t := s.table
	d := t.Dim()
	s.weigh(best, temperature)
	mean, cov := out[:d], s.cov
	clear(mean)
	clear(cov)
	total := 0.0
	for k, j := range s.kept {
		w := s.weight[k]
		total += w
		for i, z := range t.Zeta[j*d : (j+1)*d] {
			mean[i] += w * z
		}
	}
	for i := range mean {
		mean[i] /= total
	}
	for k, at := range s.kept {
		w, zeta := s.weight[k], t.Zeta[at*d:(at+1)*d]
		for i := range d {
			for j := range i + 1 {
				cov[i*d+j] += w * (zeta[i] - mean[i]) * (zeta[j] - mean[j])
			}
		}
	}
	for i := range cov {
		cov[i] /= total
	}
	choleskyFloored(cov, t.Floor)
	at := d
	for i := range d {
		for j := range i {
			out[at] = cov[i*d+j]
			at++
		}
		out[at] = math.Log(cov[i*d+i])
		at++
	}
}

// weigh finds the replicas that count and their weights.
func (s *Summarizer) weigh(best, temperature float64) {
	s.kept, s.weight = s.kept[:0], s.weight[:0]
	for j, l := range s.w {
		if a := (l - best) / temperature; a > negligible {
			s.kept, s.weight = append(s.kept, j), append(s.weight, math.Exp(a))
		}
	}
}

// choleskyFloored replaces the lower triangle of a by its Cholesky factor, each
// pivot at least the square of its floor: the variance the lattice cannot see.
func choleskyFloored(a, floor []float64) {
	d := len(floor)
	for i := range d {
		for j := range i + 1 {
			s := a[i*d+j]
			for k := range j {
				s -= a[i*d+k] * a[j*d+k]
			}
			if i == j {
				a[i*d+i] = math.Sqrt(max(s, floor[i]*floor[i]))
			} else {
				a[i*d+j] = s / a[j*d+j]
			}
		}
	}
}

// Standardize writes u = L⁻¹(ζ − m) with the mean and factor of the summary's
// first block, and returns ln|det ∂u/∂ζ| = −Σ ln L_ii.
func (s *Summarizer) Standardize(u, zeta, summary []float64) float64 {
	d := s.table.Dim()
	mean, factor := summary[:d], summary[d:momentSize(d)]
	logDet, at := 0.0, 0
	for i := range d {
		v := zeta[i] - mean[i]
		for j := range i {
			v -= factor[at] * u[j]
			at++
		}
		u[i] = v * math.Exp(-factor[at])
		logDet -= factor[at]
		at++
	}
	return logDet
}

// Unstandardize writes ζ = m + L u, the inverse of [Summarizer.Standardize].
func (s *Summarizer) Unstandardize(zeta, u, summary []float64) {
	d := s.table.Dim()
	mean, factor := summary[:d], summary[d:momentSize(d)]
	at := 0
	for i := range d {
		v := mean[i]
		for j := range i {
			v += factor[at] * u[j]
			at++
		}
		zeta[i] = v + math.Exp(factor[at])*u[i]
		at++
	}
}

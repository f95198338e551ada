package inversion

import "fmt"

// DesignKind says how a data set's parameters are drawn from the prior.
type DesignKind string

const (
	// Independent draws.
	Independent DesignKind = "independent"
	// SobolDesign is a scrambled Sobol sequence: each point is uniform, together
	// they cover the prior evenly. Best with a power of two of points.
	SobolDesign DesignKind = "sobol"
)

// Design draws parameters of items by index, reproducibly from a seed.
type Design struct {
	prior *Prior
	seed  uint64
	sobol *sobol
}

// NewDesign returns the design of a kind over the prior.
func NewDesign(kind DesignKind, prior *Prior, seed uint64) (*Design, error) {
	d := &Design{prior: prior, seed: seed}
	switch kind {
	case Independent, "":
	case SobolDesign:
		if prior.Dim() > MaxSobol {
			return nil, invalid("design", "a Sobol design has at most %d parameters, the problem %d; use %q", MaxSobol, prior.Dim(), Independent)
		}
		d.sobol = newSobol(prior.Dim(), seed)
	default:
		return nil, invalid("design", "unknown kind %q; choose %q or %q", kind, Independent, SobolDesign)
	}
	return d, nil
}

// Theta sets dst to the parameters of the item with that index. It is safe for
// concurrent use.
func (d *Design) Theta(dst []float64, index int) {
	if d.sobol == nil {
		d.prior.Sample(dst, Rand(d.seed, DesignStream, index))
		return
	}
	if index < 0 || index >= 1<<32 {
		panic(fmt.Sprintf("inversion: Sobol point %d", index))
	}
	d.sobol.point(dst, uint32(index))
	d.prior.Quantile(dst, dst)
}

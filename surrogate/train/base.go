package train

import "oceaninv/surrogate/nn"

// Names of [BaseLaw].Kind.
const (
	baseNormal  = "normal"
	baseUniform = "uniform"
)

// BaseLaw is the law of a network's latent part z: independent standard normal numbers (Kind normal, or empty), or
// numbers uniform on [Shift, Shift+1], as in VINA's study of a displaced latent space.
type BaseLaw struct {
	Kind  string  `json:"kind,omitempty"`
	Shift float64 `json:"shift,omitempty"`
}

// BaseLaw returns the law that the options ask for.
func (o Options) BaseLaw() BaseLaw {
	if o.Base == baseUniform {
		return BaseLaw{Kind: baseUniform, Shift: o.BaseShift}
	}
	return BaseLaw{}
}

// Normal reports whether the law is the standard normal one, of which flows have densities.
func (l BaseLaw) Normal() bool { return l.Kind != baseUniform }

// Draw turns numbers of a generator, uniform on [0, 1) and standard normal, into one of the law.
func (l BaseLaw) Draw(g interface {
	Float64() float64
	NormFloat64() float64
}) float64 {
	if l.Normal() {
		return g.NormFloat64()
	}
	return l.Shift + g.Float64()
}

func drawBase[T nn.Float](l BaseLaw, g *stream, z []T) {
	for j := range z {
		z[j] = T(l.Draw(g))
	}
}

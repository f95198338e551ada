package surrogate

import "oceaninv/surrogate/nn"

// affineClamp is the clamp of the log-scales that the spec asks for.
func (s *FlowSpec) affineClamp() nn.AffineClamp {
	c := nn.AffineClamp{Kind: nn.AtanClamp, Bound: s.Clamp}
	switch s.ClampFunction {
	case "tanh":
		c.Kind = nn.TanhClamp
	case "sigmoid":
		c.Kind = nn.SigmoidClamp
	}
	return c
}

// affineMap is y = x exp(s) + t with s the clamped and t the raw output of the network, or of two networks. With
// one network its first outputs are the log-scales of all coordinates and the others the shifts, as in FrEIA.
type affineMap[T Float] struct {
	clamp    nn.AffineClamp
	separate bool
}

func (m affineMap[T]) outputs() []int {
	if m.separate {
		return []int{1, 1}
	}
	return []int{2}
}

func (m affineMap[T]) newPass(batch, width int, _ bool) elementwisePass[T] {
	return &affinePass[T]{m: m, cache: nn.NewAffineCache[T](batch, width)}
}

type affinePass[T Float] struct {
	m     affineMap[T]
	cache *nn.AffineCache[T]
}

// parts returns the log-scales and the shifts among the outputs of the networks.
func (p *affinePass[T]) parts(theta [2]nn.Matrix[T]) (u, t nn.Matrix[T]) {
	if p.m.separate {
		return theta[0], theta[1]
	}
	n := theta[0].Cols / 2
	return theta[0].Columns(0, n), theta[0].Columns(n, 2*n)
}

func (p *affinePass[T]) forward(theta [2]nn.Matrix[T], x, y nn.Matrix[T], logdet []T) {
	u, t := p.parts(theta)
	p.cache.Forward(p.m.clamp, u, t, x, y, logdet)
}

func (p *affinePass[T]) inverse(theta [2]nn.Matrix[T], x, y nn.Matrix[T], logdet []T) {
	u, t := p.parts(theta)
	p.cache.Inverse(p.m.clamp, u, t, x, y, logdet)
}

func (p *affinePass[T]) forwardBackward(d *elementwiseGrad[T]) {
	du, dt := p.parts(d.dtheta)
	p.cache.ForwardBackward(p.m.clamp, d.x, d.dy, d.dlogdet, d.dx, du, dt)
}

func (p *affinePass[T]) inverseBackward(d *elementwiseGrad[T]) {
	du, dt := p.parts(d.dtheta)
	p.cache.InverseBackward(p.m.clamp, d.y, d.dy, d.dlogdet, d.dx, du, dt)
}

// shiftMap is y = x + t (NICE, Dinh et al. 2015).
type shiftMap[T Float] struct{}

func (shiftMap[T]) outputs() []int { return []int{1} }

func (shiftMap[T]) newPass(int, int, bool) elementwisePass[T] { return shiftPass[T]{} }

type shiftPass[T Float] struct{}

func (shiftPass[T]) forward(theta [2]nn.Matrix[T], x, y nn.Matrix[T], _ []T) {
	addRows(y, x, theta[0], 1)
}

func (shiftPass[T]) inverse(theta [2]nn.Matrix[T], x, y nn.Matrix[T], _ []T) {
	addRows(y, x, theta[0], -1)
}

func (shiftPass[T]) forwardBackward(d *elementwiseGrad[T]) {
	addRows(d.dx, d.dy, d.dy, 0)
	addRows(d.dtheta[0], d.dy, d.dy, 0)
}

func (shiftPass[T]) inverseBackward(d *elementwiseGrad[T]) {
	addRows(d.dx, d.dy, d.dy, 0)
	addRows(d.dtheta[0], d.dy, d.dy, -2)
}

// addRows sets dst = a + f b.
func addRows[T Float](dst, a, b nn.Matrix[T], f T) {
	for i := range a.Rows {
		di, ai, bi := dst.Row(i), a.Row(i), b.Row(i)
		for j, v := range ai {
			di[j] = v + f*bi[j]
		}
	}
}

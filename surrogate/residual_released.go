package surrogate

import "math"

// inverseReleased iterates x <- y - g(x) as often as InverseSteps says and asks nothing; see
// [FlowSpec].ReleasedInverse. Only numbers that are not finite are an error.
func (p *residualPass[T]) inverseReleased(a *blockIO[T]) error {
	x, before := a.y.Data, p.w[:len(a.y.Data)]
	copy(x, a.x.Data)
	for range p.r.spec.InverseSteps {
		copy(before, x)
		g := p.elu.forward(before)
		for i, v := range a.x.Data {
			x[i] = v - g[i]
		}
	}
	if firstNonFinite(x) >= 0 {
		return &NotInvertedError{Steps: p.r.spec.InverseSteps, Change: math.Inf(1)}
	}
	p.elu.forward(a.x.Data)
	p.logdet.add(p.elu, a, -1)
	return nil
}

// inverseReleasedBackward differentiates the last step x = y - g(before) with before held fixed, and the
// log-determinant where it was taken.
func (p *residualPass[T]) inverseReleasedBackward(a *blockIO[T], d *blockGrad[T]) {
	p.elu.begin(d)
	copy(d.dx.Data, d.dy.Data)
	p.elu.forward(a.x.Data)
	p.logdet.backward(p.elu, d.dlogdet, -1, d.dx.Data)
	negative := p.y[:len(d.dy.Data)]
	for i, v := range d.dy.Data {
		negative[i] = -v
	}
	p.elu.forward(p.w[:len(negative)])
	p.elu.backward(negative, nil)
	p.elu.finish(a, d)
}

package surrogate

import "oceaninv/surrogate/nn"

// coupling transforms parts of its input element by element with parameters that a network computes from the other
// part and the condition. Two halves make a full block (FrEIA's GLOW, RNVP, NICE, GIN and spline blocks):
//
//	y1 = f(x1; net2(x2, c)),  y2 = f(x2; net1(y1, c)),  x1 the first round(D/2) coordinates (half to even)
//
// one half a one-sided block. The element-wise blocks are one half without a passive part. Any part may be empty.
type coupling[T Float] struct {
	dim    int
	halves []half[T] // in forward order
	how    nn.Initialisation
}

// half transforms the columns [from, to) given the columns [given, until).
type half[T Float] struct {
	name                   string // FrEIA's: net1 sees the first half, net2 the second
	from, to, given, until int
	nets                   []*nn.MLP // one, or for RNVP one for the log-scales and one for the shifts
	fn                     elementwise[T]
}

// elementwise is an invertible map of each of several coordinates with parameters theta per coordinate.
type elementwise[T Float] interface {
	outputs() []int // parameters per coordinate that each network gives
	// newPass allocates; evaluate says that there will be no backward pass.
	newPass(batch, width int, evaluate bool) elementwisePass[T]
}

// elementwisePass runs the map of one half. x is the input and y the output of the direction that is run; forward
// and inverse add to logdet; the backward passes overwrite dx and dtheta.
type elementwisePass[T Float] interface {
	forward(theta [2]nn.Matrix[T], x, y nn.Matrix[T], logdet []T)
	inverse(theta [2]nn.Matrix[T], x, y nn.Matrix[T], logdet []T)
	forwardBackward(d *elementwiseGrad[T])
	inverseBackward(d *elementwiseGrad[T])
}

type elementwiseGrad[T Float] struct {
	theta, dtheta [2]nn.Matrix[T]
	x, y, dy, dx  nn.Matrix[T]
	dlogdet       []T
}

func newCoupling[T Float](l *nn.Layout, prefix string, s *FlowSpec) *coupling[T] {
	n1, _ := split(s.Dim)
	c := &coupling[T]{dim: s.Dim, how: s.initialisation()}
	first := half[T]{name: "net2", from: 0, to: n1, given: n1, until: s.Dim}
	second := half[T]{name: "net1", from: n1, to: s.Dim, given: 0, until: n1}
	switch {
	case s.Elementwise():
		c.halves = []half[T]{{name: "net", from: 0, to: s.Dim}}
	case s.OneSided:
		c.halves = []half[T]{second}
	default:
		c.halves = []half[T]{first, second}
	}
	for i := range c.halves {
		h := &c.halves[i]
		h.fn = newElementwise[T](s)
		parts := h.fn.outputs()
		for k, per := range parts {
			net := prefix + "." + h.name
			if len(parts) > 1 {
				net += [2]string{".scale", ".shift"}[k]
			}
			h.nets = append(h.nets, nn.NewMLP(l, net, nn.MLPSpec{
				In: h.until - h.given, Cond: s.condWidth(), Out: per * (h.to - h.from),
				Hidden: s.Hidden, Layers: s.HiddenLayers, Activation: activationNamed(s.Activation),
			}))
		}
	}
	return c
}

func newElementwise[T Float](s *FlowSpec) elementwise[T] {
	switch s.Coupling {
	case "glow", "elementwise_affine":
		return affineMap[T]{clamp: s.affineClamp()}
	case "rnvp":
		return affineMap[T]{clamp: s.affineClamp(), separate: true}
	case "gin":
		c := s.affineClamp()
		c.Center = true
		return affineMap[T]{clamp: c}
	case "nice":
		return shiftMap[T]{}
	case "spline", "elementwise_spline":
		return newSpline[T](s)
	}
	panic("surrogate: unknown coupling " + s.Coupling)
}

func (c *coupling[T]) initialise(params, _ []T, rng *stream) {
	for _, h := range c.halves {
		for _, net := range h.nets {
			nn.Initialise(net, params, c.how, rng.NormFloat64)
		}
	}
}

func (c *coupling[T]) refresh(_, _ []T) {}

func (c *coupling[T]) newPass(batch int, s *scratch[T]) blockPass[T] {
	p := &couplingPass[T]{c: c, room: s}
	for _, h := range c.halves {
		hp := halfPass[T]{half: h, fn: h.fn.newPass(batch, h.to-h.from, s.mlp.Evaluate)}
		var sizes [2]int
		for k, net := range h.nets {
			hp.nets = append(hp.nets, nn.NewCache(net, batch, &s.mlp))
			sizes[k] = batch * net.Spec().Out
		}
		if !s.mlp.Evaluate {
			s.reserve(sizes[0], sizes[1])
		}
		p.halves = append(p.halves, hp)
	}
	return p
}

type couplingPass[T Float] struct {
	c      *coupling[T]
	halves []halfPass[T]
	room   *scratch[T]
}

type halfPass[T Float] struct {
	half[T]
	nets  []*nn.MLPCache[T]
	fn    elementwisePass[T]
	theta [2]nn.Matrix[T]
	x, y  nn.Matrix[T]
	grad  elementwiseGrad[T] // here, since an interface call would send a local one to the heap
}

func (p *couplingPass[T]) forward(a *blockIO[T]) error {
	p.copyUntouched(a.x, a.y)
	for i := range p.halves {
		p.halves[i].run(a, i == 0, false)
	}
	return nil
}

func (p *couplingPass[T]) inverse(a *blockIO[T]) error {
	p.copyUntouched(a.x, a.y)
	last := len(p.halves) - 1
	for i := last; i >= 0; i-- {
		p.halves[i].run(a, i == last, true)
	}
	return nil
}

func (p *couplingPass[T]) forwardBackward(a *blockIO[T], d *blockGrad[T]) {
	p.copyUntouched(d.dy, d.dx)
	for i := len(p.halves) - 1; i >= 0; i-- {
		p.halves[i].backward(a, d, p.room, i == 0, false)
	}
}

func (p *couplingPass[T]) inverseBackward(a *blockIO[T], d *blockGrad[T]) {
	p.copyUntouched(d.dy, d.dx)
	last := len(p.halves) - 1
	for i := range p.halves {
		p.halves[i].backward(a, d, p.room, i == last, true)
	}
}

// copyUntouched copies the columns that a one-sided block passes through.
func (p *couplingPass[T]) copyUntouched(from, to nn.Matrix[T]) {
	if len(p.halves) > 1 {
		return
	}
	h := &p.halves[0]
	src, dst := from.Columns(h.given, h.until), to.Columns(h.given, h.until)
	for i := range src.Rows {
		copy(dst.Row(i), src.Row(i))
	}
}

// run transforms the half's columns. The half that runs first is conditioned on columns of the block's input, the
// other on columns of its output, which the first has written.
func (h *halfPass[T]) run(a *blockIO[T], first, inverse bool) {
	passive := a.y.Columns(h.given, h.until)
	if first {
		passive = a.x.Columns(h.given, h.until)
	}
	for k, net := range h.nets {
		m := h.half.nets[k]
		h.theta[k] = nn.NewMatrix(net.Forward(m, a.params, passive, a.cond), a.x.Rows, m.Spec().Out)
	}
	h.x, h.y = a.x.Columns(h.from, h.to), a.y.Columns(h.from, h.to)
	if inverse {
		h.fn.inverse(h.theta, h.x, h.y, a.logdet)
	} else {
		h.fn.forward(h.theta, h.x, h.y, a.logdet)
	}
}

// backward mirrors run: halves go in the opposite order, and the gradient of the passive columns goes to where the
// half read them.
func (h *halfPass[T]) backward(a *blockIO[T], d *blockGrad[T], room *scratch[T], first, inverse bool) {
	g := &h.grad
	*g = elementwiseGrad[T]{
		theta: h.theta, x: h.x, y: h.y, dlogdet: d.dlogdet,
		dy: d.dy.Columns(h.from, h.to), dx: d.dx.Columns(h.from, h.to),
	}
	for k := range h.nets {
		g.dtheta[k] = nn.NewMatrix(room.theta[k], h.theta[k].Rows, h.theta[k].Cols)
	}
	if inverse {
		h.fn.inverseBackward(g)
	} else {
		h.fn.forwardBackward(g)
	}
	dpassive := d.dy.Columns(h.given, h.until)
	if first {
		dpassive = d.dx.Columns(h.given, h.until)
	}
	for k, net := range h.nets {
		net.Backward(h.half.nets[k], a.params, d.params, g.dtheta[k].Data, dpassive, d.cond)
	}
}

package surrogate

import (
	"math"

	"oceaninv/surrogate/nn"
)

func (p *splinePass[T]) forward(theta [2]nn.Matrix[T], x, y nn.Matrix[T], logdet []T) {
	p.run(theta[0], x, y, logdet, false)
}

func (p *splinePass[T]) inverse(theta [2]nn.Matrix[T], x, y nn.Matrix[T], logdet []T) {
	p.run(theta[0], x, y, logdet, true)
}

func (p *splinePass[T]) run(theta, x, y nn.Matrix[T], logdet []T, inverse bool) {
	p.constrain(theta)
	if inverse && p.in != nil && p.solveAll(x, y, logdet) {
		return
	}
	per := p.s.perCoordinate()
	for i := range x.Rows {
		xi, yi := x.Row(i), y.Row(i)
		sum := 0.0
		for j, v := range xi {
			e := (i*x.Cols + j) * per
			k := p.load(p.value[e : e+per])
			if inverse {
				out, l := k.solve(float64(v))
				yi[j] = T(out)
				sum -= l
			} else {
				out, l := k.eval(float64(v))
				yi[j] = T(out)
				sum += l
			}
		}
		logdet[i] += T(sum)
	}
}

// solveAll inverts the splines of all elements at once; it reports false where there is no kernel for that.
func (p *splinePass[T]) solveAll(x, y nn.Matrix[T], logdet []T) bool {
	n := x.Rows * x.Cols
	in, out, l := p.in[:n], p.out[:n], p.logSlope[:n]
	for i := range x.Rows {
		copy(in[i*x.Cols:], x.Row(i))
	}
	if !nn.SplineInverse(out, l, in, p.value[:n*p.s.perCoordinate()], p.s.bins) {
		return false
	}
	for i := range y.Rows {
		copy(y.Row(i), out[i*x.Cols:(i+1)*x.Cols])
		for _, v := range l[i*x.Cols : (i+1)*x.Cols] {
			logdet[i] -= v
		}
	}
	return true
}

func (p *splinePass[T]) forwardBackward(d *elementwiseGrad[T]) {
	per := p.s.perCoordinate()
	for i := range d.x.Rows {
		x, dy, dx := d.x.Row(i), d.dy.Row(i), d.dx.Row(i)
		for j, v := range x {
			e := (i*d.x.Cols + j) * per
			k := p.load(p.value[e : e+per])
			dx[j] = T(k.pullBack(float64(v), float64(dy[j]), float64(d.dlogdet[i]), p.s.identity))
			p.store(k, e, d.dtheta[0].Data[e:e+per])
		}
	}
	p.throughClamp(d.dtheta[0].Data)
}

// inverseBackward uses the forward map at the solution y of F(y; θ) = x: with a the whole gradient with respect to
// y, including that of the log-determinant -ln F', dθ = -a F_θ/F' - dlogdet·∂ln F'/∂θ and dx = a/F'.
func (p *splinePass[T]) inverseBackward(d *elementwiseGrad[T]) {
	per := p.s.perCoordinate()
	for i := range d.x.Rows {
		y, dy, dx := d.y.Row(i), d.dy.Row(i), d.dx.Row(i)
		gl := -float64(d.dlogdet[i])
		for j, v := range y {
			e := (i*d.x.Cols + j) * per
			k := p.load(p.value[e : e+per])
			_, l := k.eval(float64(v))
			a := float64(dy[j]) + k.pullBack(float64(v), 0, gl, p.s.identity)
			g := a / math.Exp(l)
			k.pullBack(float64(v), -g, gl, p.s.identity)
			p.store(k, e, d.dtheta[0].Data[e:e+per])
			dx[j] = T(g)
		}
	}
	p.throughClamp(d.dtheta[0].Data)
}

// store pulls the gradients of the knots of the element at e back to the raw outputs of the network.
func (p *splinePass[T]) store(k *knots, e int, dtheta []T) {
	n, slope := p.s.bins, p.slope[e:e+len(dtheta)]
	if p.s.identity {
		share := 2 * p.s.bound * (1 - p.s.minBin)
		softmaxBackward(dtheta[:n], slope[:n], k.dw, share)
		softmaxBackward(dtheta[n:2*n], slope[n:2*n], k.dh, share)
		dtheta, slope = dtheta[2*n:], slope[2*n:]
	} else {
		dtheta[0], dtheta[1] = T(k.dleft), T(k.dbottom)
		for j := range n {
			dtheta[2+j] = T(k.dw[j]) * slope[2+j]
			dtheta[2+n+j] = T(k.dh[j]) * slope[2+n+j]
		}
		dtheta, slope = dtheta[2+2*n:], slope[2+2*n:]
	}
	for j := range dtheta {
		dtheta[j] = T(k.dd[j+1]) * slope[j]
	}
}

// throughClamp multiplies the gradients of all raw outputs by the slope of the clamp, except left and bottom.
func (p *splinePass[T]) throughClamp(dtheta []T) {
	if p.s.rawBound == 0 {
		return
	}
	gain := p.gain[:len(dtheta)]
	if !p.s.identity {
		for e := 0; e < len(gain); e += p.s.perCoordinate() {
			gain[e], gain[e+1] = 1, 1
		}
	}
	nn.Mul(dtheta, dtheta, gain)
}

// softmaxBackward sets dr = share·q (g - Σ q g).
func softmaxBackward[T Float](dr, q []T, g []float64, share float64) {
	mean := 0.0
	for j, v := range g {
		mean += float64(q[j]) * v
	}
	for j, v := range g {
		dr[j] = T(share * float64(q[j]) * (v - mean))
	}
}

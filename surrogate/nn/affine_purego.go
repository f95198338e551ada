//go:build purego || !cgo

package nn

func affine32(clamp AffineClamp, sign float32, c *AffineCache[float32], u, t, x, y Matrix[float32], logdet []float32) {
	if sign > 0 {
		c.forwardGo(clamp, u, t, x, y, logdet)
		return
	}
	c.inverseGo(clamp, u, t, x, y, logdet)
}

func affineBack32(sign float32, c *AffineCache[float32], v, dy, dx, du, dt Matrix[float32], dlogdet []float32) {
	if sign > 0 {
		c.forwardBackwardGo(AffineClamp{}, v, dy, dlogdet, dx, du, dt)
		return
	}
	c.inverseBackwardGo(AffineClamp{}, v, dy, dlogdet, dx, du, dt)
}

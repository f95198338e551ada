"""Minimax polynomials of the single-precision kernels in vecmath_kernels.h (weighted Remez exchange, coefficients
rounded to float32). Run: python3 minimax.py (needs mpmath). Prints each table and its worst relative error."""
import struct
from mpmath import mp, mpf, matrix, lu_solve, linspace, cos, pi, exp, log, tanh, atan, atanh, erf, erfc, sqrt
mp.dps = 40
f32 = lambda v: mpf(struct.unpack('f', struct.pack('f', float(v)))[0])

def remez(f, w, a, b, n):
    """p of degree n minimising max |w (p - f)| on [a, b]; a weight that vanishes is floored to keep the exchange regular."""
    floor = max(w(a), w(b))/1000; w0 = w; w = lambda t: max(w0(t), floor)
    x = [(a+b)/2 - (b-a)/2*cos(pi*k/(n+1)) for k in range(n+2)]
    grid = [(a+b)/2 - (b-a)/2*cos(pi*k/mpf(1200)) for k in range(1201)]
    fg = [f(t) for t in grid]; wg = [w(t) for t in grid]
    for _ in range(12):
        A = matrix(n+2, n+2); r = matrix(n+2, 1)
        for i, t in enumerate(x):
            for j in range(n+1): A[i, j] = t**j
            A[i, n+1] = (-1)**i/w(t); r[i] = f(t)
        s = lu_solve(A, r); c = [s[j] for j in range(n+1)]
        e = [wg[i]*(sum(c[j]*t**j for j in range(n+1))-fg[i]) for i, t in enumerate(grid)]
        ext = []
        for i in range(len(grid)):
            if ext and (e[i] > 0) == (e[ext[-1]] > 0):
                if abs(e[i]) > abs(e[ext[-1]]): ext[-1] = i
            else: ext.append(i)
        while len(ext) > n+2: ext.pop(0 if abs(e[ext[0]]) < abs(e[ext[-1]]) else -1)
        if len(ext) < n+2: break
        x = [grid[i] for i in ext]
    cr = [f32(v) for v in c]
    worst = max(abs(wg[i]*(sum(cr[j]*t**j for j in range(n+1))-fg[i])) for i, t in enumerate(grid))
    return cr, worst

def show(name, f, w, a, b, n):
    c, e = remez(f, w, mpf(a), mpf(b), n)
    print(name, 'max weighted error %.2e' % float(e)); print('   ', ', '.join('%.9gf' % float(v) for v in c))

tiny = mpf(10)**-20
# e^r = 1 + r + r^2 P(r)
h = log(mpf(2))/2*mpf('1.0001')
show('exp', lambda r: (exp(r)-1-r)/r**2 if abs(r) > 1e-8 else mpf(1)/2+r/6, lambda r: r**2, -h, h, 5)
# 2^f = 1 + f P(f), |f| <= 1/2 (exp_fall)
half = mpf(1)/2*mpf('1.0001')
show('exp2', lambda f: (mpf(2)**f-1)/f if abs(f) > 1e-8 else log(mpf(2)), lambda f: abs(f)/mpf(2)**f, -half, half, 4)
# log(1+f) = f - f^2/2 + f^3 P(f), f in [sqrt(1/2)-1, sqrt(2)-1]
show('log', lambda f: (log(1+f)-f+f*f/2)/f**3 if abs(f) > 1e-8 else mpf(1)/3-f/4, lambda f: abs(f*f*f/log(1+f)) if abs(f)>1e-12 else tiny, sqrt(mpf(.5))-1, sqrt(mpf(2))-1, 8)
# 2 atanh t = 2t + t^3 P(t^2), t in [0, 1/3]
at = lambda z: (2*atanh(sqrt(z))/sqrt(z)-2)/z if z > 1e-12 else mpf(2)/3+2*z/5
show('log1p', at, lambda z: z/2, 0, mpf(1)/9, 4)
# tanh x = x + x^3 P(x^2), x in [0, .625]
show('tanh', lambda z: (tanh(sqrt(z))/sqrt(z)-1)/z if z > 1e-12 else -mpf(1)/3+2*z/15, lambda z: z/(tanh(sqrt(z))/sqrt(z)) if z>1e-12 else z, 0, mpf('.625')**2, 4)
# atan x = x + x^3 P(x^2), x in [0, tan(pi/8)]
show('atan', lambda z: (atan(sqrt(z))/sqrt(z)-1)/z if z > 1e-12 else -mpf(1)/3+z/5, lambda z: z, 0, (sqrt(mpf(2))-1)**2*mpf('1.0001'), 4)
# erf x = x Q(x^2), x in [0, 1]; the kernel adds x to x (Q - 1)
show('erf', lambda z: erf(sqrt(z))/sqrt(z) if z > 1e-16 else 2/sqrt(pi), lambda z: 1/(erf(sqrt(z))/sqrt(z)) if z>1e-16 else mpf(1), 0, 1, 6)
# upper tail of the normal law: Phi(-a) = e^{-a^2/2} R((a-4)/(a+4)) / (a + 4), a in [0, 15]
def tail(t):
    v = 4*(1+t)/(1-t)
    return erfc(v/sqrt(mpf(2)))/2*exp(v*v/2)*(v+4)
show('tail', tail, lambda t: 1/tail(t), -1, mpf(11)/19, 9)

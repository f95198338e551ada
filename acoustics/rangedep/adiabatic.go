package rangedep

import "math/cmplx"

// adiabatic is the field of modes that keep their energy as the ocean changes:
// φ(0, zs) φ(r, z) exp(-i∫k dr)/√(k(r) r), with k and φ linear in range between
// sections (COA eq. 5.258). A mode that a section does not have is lost for good.
func (f *summation) adiabatic() {
	shapes := make([][][]complex128, len(f.Sections))
	for i, s := range f.Sections {
		shapes[i] = s.Shapes(f.at.ReceiverDepths)
	}
	for z := range f.at.ReceiverDepths {
		for r := range f.at.Ranges {
			f.adiabaticAt(shapes, z, r)
		}
	}
}

func (f *summation) adiabaticAt(shapes [][][]complex128, z, r int) {
	x := f.rangeOf(z, r)
	n := f.modes(0)
	phase := make([]complex128, n)
	i := 0
	for ; i+1 < len(f.Ranges) && f.Ranges[i+1] <= x; i++ {
		n = min(n, f.modes(i+1))
		step := complex((f.Ranges[i+1]-f.Ranges[i])/2, 0)
		for m := range n {
			phase[m] += step * (f.Sections[i].K[m] + f.Sections[i+1].K[m])
		}
	}
	next, share := i, 0.0
	if i+1 < len(f.Ranges) && x > f.Ranges[i] {
		next, share = i+1, (x-f.Ranges[i])/(f.Ranges[i+1]-f.Ranges[i])
		n = min(n, f.modes(next))
	}
	u := complex(share, 0)
	terms := make([]complex128, n)
	for m := range n {
		a, b := f.Sections[i].K[m], f.Sections[next].K[m]
		k := a + u*(b-a)
		phi := shapes[i][m][z] + u*(shapes[next][m][z]-shapes[i][m][z])
		total := phase[m] + complex(x-f.Ranges[i], 0)*(a+k)/2
		terms[m] = phi * cmplx.Exp(-1i*total) / f.o.root(k)
	}
	products := make([]complex128, n)
	for s := range f.source {
		for m := range n {
			products[m] = f.source[s][m] * terms[m]
		}
		*f.pressure(s, z, r) = f.finish(f.o.sum(products), x)
	}
}

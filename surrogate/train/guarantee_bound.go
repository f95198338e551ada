package train

import "math"

// TotalVariation is an upper bound of the total variation distance between the
// law of T's output and the one it should have, from a value B of the divergence:
//
//	kld, rkl  √(B/2) (Pinsker)        jsd  √B, as B is twice Jensen-Shannon and that is at least TV²/2
//	chi       ½ √B (Cauchy-Schwarz)   gan  √(B + ln 4)
//	sqh       √B, as TV ≤ √2 times the Hellinger distance
//
// It never exceeds 1. It is a bound as far as B is the divergence itself; the
// critics' figures approach that from below.
func (d Divergence) TotalVariation(b float64) float64 {
	switch d {
	case KLD, RKL:
		b /= 2
	case CHI:
		b /= 4
	case GAN:
		b += 2 * math.Ln2
	}
	return math.Min(1, math.Sqrt(math.Max(b, 0)))
}

// RightSide assembles the terms into the theorem's right-hand side with the
// constants that can be measured: with p the moments' order,
//
//	L⁻¹ · ( √n_y e + (M_out^{1/p} + M_base^{1/p}) · TV^{1-1/p} ),
//
// where L⁻¹ is the inverse's expansion, √n_y e the supervised error (e is that per column of the n_y of y), M the
// moments and TV the bound on the total variation from the better of the two critics. The second term bounds the
// Wasserstein-1 distance of the two laws: of the best coupling, the part that moves has probability TV, and Hölder's
// inequality bounds how far. The constants that depend on the set A of observations are left out, 1/P(A) among them,
// so that only the ranks and slopes of several trainings can be compared with their errors.
func (g *Guarantee) RightSide() (float64, error) {
	d, err := ParseDivergence(g.Divergence)
	if err != nil {
		return 0, err
	}
	reach := math.Pow(g.OutputMoment, 1/g.Order) + math.Pow(g.BaseMoment, 1/g.Order)
	moved := reach * math.Pow(d.TotalVariation(max(g.Bound, g.StrongBound)), 1-1/g.Order)
	return g.InverseLipschitz * (math.Sqrt(float64(g.Observed))*g.SupervisedError + moved), nil
}

package reference

import (
	"cmp"
	"context"
	"math"
	"slices"

	"oceaninv/inversion"
)

// PolishOptions control [Grid.Polish].
type PolishOptions struct {
	// Solves bounds the evaluations of the exact density; 0 leaves the grid as it is.
	Solves int `json:"solves" hcl:"solves,optional"`
	// Mass of the posterior whose cells are evaluated anew. What lies outside of
	// them keeps the density it has.
	Mass float64 `json:"mass" hcl:"mass,optional"`
	// Tolerance of the interpolated log density at a cell's centre, in nats, above
	// which a cell is cut while there are evaluations left.
	Tolerance float64 `json:"tolerance" hcl:"tolerance,optional"`
}

// DefaultPolishOptions takes two or three thousand evaluations for a posterior of
// two parameters with one mode, and more only where the density jumps.
func DefaultPolishOptions() PolishOptions {
	return PolishOptions{Solves: 6000, Mass: 0.999, Tolerance: 0.05}
}

// Polish replaces the log densities of a grid that was made with a cheap target, such
// as one of an interpolated field, by those of the exact target behind it: at all
// nodes of the cells that hold the given share of the mass, heaviest first. Cells on
// which the exact target is not smooth (where the field jumps, an interpolant is at
// its worst) are cut further, those that matter most first. Both targets must have
// the same normalisation. It returns the number of evaluations.
func (g *Grid) Polish(ctx context.Context, exact inversion.Target, opt PolishOptions) (int, error) {
	if opt.Solves <= 0 {
		return 0, nil
	}
	per := g.nodesN + 1
	for i := range g.cells { // as they were before normalisation
		for k := range g.cells[i].logp {
			g.cells[i].logp[k] += g.LogEvidence
		}
	}
	slices.SortStableFunc(g.cells, func(a, b cell) int { return cmp.Compare(b.mass, a.mass) })
	spent, fresh, sum := 0, 0, 0.0
	for fresh < len(g.cells) && sum < opt.Mass && spent+per <= opt.Solves {
		if ctx.Err() != nil {
			return spent, ctx.Err()
		}
		sum += g.cells[fresh].mass
		g.evaluate(exact, &g.cells[fresh])
		fresh++
		spent += per
	}
	more, err := g.cut(ctx, exact, fresh, opt, opt.Solves-spent)
	if err == nil {
		g.normalise(DefaultGridOptions())
	}
	return spent + more, err
}

// cut halves the first fresh cells, always the one that is most wrong, until the
// budget is spent or none is wrong.
func (g *Grid) cut(ctx context.Context, exact inversion.Target, fresh int, opt PolishOptions, budget int) (spent int, err error) {
	per := g.nodesN + 1
	wrong := func(c *cell) float64 { return c.mass * math.Min(1, c.errCentre) }
	cells := slices.Clone(g.cells[:fresh])
	g.total(cells)
	var total float64
	for i := range cells {
		total += cells[i].mass
	}
	for spent+2*per <= budget && ctx.Err() == nil {
		worst := -1
		for i := range cells {
			if cells[i].errCentre > opt.Tolerance && cells[i].mass > 1e-5*total && (worst < 0 || wrong(&cells[i]) > wrong(&cells[worst])) {
				worst = i
			}
		}
		if worst < 0 {
			break
		}
		axis := g.steepest(&cells[worst])
		for side := range 2 {
			h := cell{low: slices.Clone(cells[worst].low), width: slices.Clone(cells[worst].width)}
			h.width[axis] /= 2
			h.low[axis] += float64(side) * h.width[axis]
			top := g.top // masses stay relative to the same density
			g.evaluate(exact, &h)
			g.top = top
			h.mass = g.quadrature(&h)
			if side == 1 {
				cells[worst] = h
			} else {
				cells = append(cells, h)
			}
		}
		spent += 2 * per
	}
	g.cells = append(cells, g.cells[fresh:]...)
	return spent, ctx.Err()
}

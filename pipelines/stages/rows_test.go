package stages

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"oceaninv/inversion"
	"oceaninv/inversion/amortized"
	"oceaninv/surrogate"
	"oceaninv/surrogate/train"
	"oceaninv/workflow/stage"
)

func testWorkspace(t *testing.T) *stage.Workspace {
	return stage.NewWorkspace(stage.Layout{Checkpoint: t.TempDir()}, nil)
}

// TestRowFile: rows come back standardised, in any order, held-out ones apart.
func TestRowFile(t *testing.T) {
	const nx, ny, n, reps = 3, 5, 40, 2
	rng := rand.New(rand.NewPCG(1, 1))
	x, y := make([]float64, n*nx), make([]float64, n*ny)
	for _, v := range [][]float64{x, y} {
		for i := range v {
			v[i] = 3 + 2*rng.NormFloat64()
		}
	}
	r, err := newRowFile(testWorkspace(t), nx, ny)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	for i := range n / 4 { // four rows at a time
		if err := r.add(x[4*i*nx:4*(i+1)*nx], y[4*i*ny:4*(i+1)*ny]); err != nil {
			t.Fatal(err)
		}
	}
	sx, sy := r.x.Standardizer(), r.y.Standardizer()
	if err := r.standardise(sx, sy); err != nil {
		t.Fatal(err)
	}
	sx.Apply(x, x)
	sy.Apply(y, y)
	training, held := r.split(0.25, reps)
	if training.Len() != 30 || held.Len() != 10 {
		t.Fatalf("%d and %d rows, want 30 and 10", training.Len(), held.Len())
	}
	for from, d := range map[int]train.Dataset[float32]{0: training, 30: held} {
		rows := []int{7, 2, 3, 4, 0, 9, 8}
		gx, gy := make([]float32, len(rows)*nx), make([]float32, len(rows)*ny)
		if err := d.Read(0, rows, gx, gy); err != nil {
			t.Fatal(err)
		}
		for k, row := range rows {
			at := from + row
			if !slices.Equal(gx[k*nx:(k+1)*nx], float32s(x[at*nx:(at+1)*nx])) || !slices.Equal(gy[k*ny:(k+1)*ny], float32s(y[at*ny:(at+1)*ny])) {
				t.Errorf("row %d of those from %d is %v, %v", row, from, gx[k*nx:(k+1)*nx], gy[k*ny:(k+1)*ny])
			}
		}
	}
	if err := r.add([]float64{1, math.NaN(), 1}, y[:ny]); err == nil {
		t.Error("a row with NaN was taken")
	}
}

// TestRowsDoNotDependOnBlocks: a data set read 7 samples at a time gives the rows and the standardizers of one read at once.
func TestRowsDoNotDependOnBlocks(t *testing.T) {
	c := newChain(t)
	if d := c.decode(pekeris + `
stage "simulate" "data" {
  problem = problem.depth_and_speed
  samples = 50
}`); d.HasErrors() {
		t.Fatal(d)
	}
	if err := c.run("simulate", "data"); err != nil {
		t.Fatal(err)
	}
	read := func(block int) ([]float32, surrogate.Standardizer) {
		data, err := openSamples(c.path("stage.data.dataset"))
		if err != nil {
			t.Fatal(err)
		}
		defer data.file.Close()
		data.block = block
		prior, err := data.problem.Prior()
		if err != nil {
			t.Fatal(err)
		}
		e := &amortized.Conditional{Prior: prior, Form: inversion.AbsoluteField, Receivers: data.problem.Receivers(), Tones: len(data.problem.Frequencies)}
		ws := testWorkspace(t)
		ws.Cores = 2
		rows, err := newRowFile(ws, prior.Dim(), e.ConditionSize())
		if err != nil {
			t.Fatal(err)
		}
		defer rows.close()
		s := &trainStage{Conditional: &conditionalSpec{NoiseDraws: 3, Features: inversion.AbsoluteField}}
		if err := s.prepare(t.Context(), &phases{ws: ws, shares: []float64{1}}, data, e, rows); err != nil {
			t.Fatal(err)
		}
		all, _ := rows.split(0, 3)
		order := make([]int, all.Len())
		for i := range order {
			order[i] = i
		}
		x, y := make([]float32, len(order)*rows.nx), make([]float32, len(order)*rows.ny)
		if err := all.Read(0, order, x, y); err != nil {
			t.Fatal(err)
		}
		return append(x, y...), e.Condition
	}
	whole, s := read(1000)
	parts, p := read(7)
	if !slices.Equal(whole, parts) || !slices.Equal(s.Mean, p.Mean) || !slices.Equal(s.Scale, p.Scale) {
		t.Error("rows or standardizers differ")
	}
	if len(whole) != 50*3*(2+8) {
		t.Errorf("%d numbers", len(whole))
	}
}

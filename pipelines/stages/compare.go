package stages

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"oceaninv/inversion/calibration"
	"oceaninv/io/dataset"
	"oceaninv/io/netcdf"
	"oceaninv/surrogate/train"
	"oceaninv/workflow/stage"
)

// compareStage gathers the scores of many fitted flows in one table.
type compareStage struct {
	Title  string `json:"title"`
	scores []stage.Input
}

func compareKind() stage.Kind {
	return stage.Kind{
		Name: "compare", Version: 4,
		Doc:    "a table of the scores of many fitted flows, and whether the guarantee's left side follows its right",
		Decode: decodeCompare,
		Load:   stage.LoadJSON[compareStage],
	}
}

func decodeCompare(d *stage.Decoder) stage.Spec {
	block := struct {
		Scores hcl.Expression `hcl:"scores"`
		Title  string         `hcl:"title,optional"`
	}{Title: "Flows and losses"}
	d.Decode(&block)
	s := &compareStage{Title: block.Title, scores: d.Artifacts("scores", block.Scores, typeScores)}
	if !d.HasErrors() && len(s.scores) == 0 {
		d.Errorf("scores", "Nothing to compare", "Give the scores of at least one score stage, such as [for s in stage.score : s.scores].")
	}
	posteriors := len(s.scores) == 0
	for _, in := range s.scores {
		mode, ok := in.Schema.(train.Mode)
		posteriors = posteriors || !ok || mode != train.ModeNF
	}
	if !posteriors && !d.HasErrors() {
		d.Errorf("scores", "No posterior to compare", "All of these are flows of x alone, and the figures are of posteriors: a study stage averages such scores.")
	}
	return s
}

func (s *compareStage) Inputs() []stage.Input { return s.scores }

func (s *compareStage) Outputs() []stage.Output {
	return []stage.Output{
		{Name: "table", Type: stage.File, File: "table.md"},
		{Name: "data", Type: stage.File, File: "table.nc"},
		{Name: "metrics", Type: stage.Metrics, File: "metrics.json"},
		lineFigure("errors",
			"Every flow and loss: how far the hand of its draws misses the target, against the distance of its posterior to rejection samples; at the lines, what rejection samples themselves have."),
		lineFigure("bound",
			"Left side of the guarantee (error of the posterior as sliced Wasserstein-1 distance, mean over targets in A) against its right side (with the constants that can be measured), one point per training."),
	}
}

// row is one fitted flow in the table.
type row struct {
	*flowScores
	miss, spread, wasserstein, mmd float64
}

// comparisonTable is all fitted flows, by mode, then by their distance to the
// exact posterior.
type comparisonTable struct {
	rows                              []row
	missFloor, wassersteinFloor, mmd0 float64 // of rejection samples
	probability                       float64 // of the set A
}

var modeOrder = []train.Mode{train.ModeConditional, train.ModeINN, train.ModeNF}

func gather(paths []string) (*comparisonTable, error) {
	t := &comparisonTable{missFloor: math.NaN(), wassersteinFloor: math.NaN(), mmd0: math.NaN(), probability: math.NaN()}
	for _, path := range paths {
		a, err := readScores(path)
		if err != nil {
			return nil, err
		}
		if a.Guarantee == nil {
			return nil, &netcdf.Error{Path: path, Err: fmt.Errorf("it holds no terms of the guarantee"), Advice: "give its score stage a block guarantee {}"}
		}
		t.rows = append(t.rows, row{flowScores: a, miss: average(a.targets[missColumn]), spread: average(a.targets[spreadColumn]),
			wasserstein: average(a.targets[wassersteinScore]), mmd: average(a.targets[mmdScore])})
		if a.Header.Mode != train.ModeNF {
			t.missFloor, t.wassersteinFloor, t.mmd0 = average(a.targets[missFloor]), average(a.targets[wassersteinFloor]), average(a.targets[mmdFloor])
			t.probability = float64(a.SetProbability)
		}
	}
	slices.SortStableFunc(t.rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(slices.Index(modeOrder, a.Header.Mode), slices.Index(modeOrder, b.Header.Mode)), cmp.Compare(a.wasserstein, b.wasserstein))
	})
	return t, nil
}

func (s *compareStage) Run(_ context.Context, ws *stage.Workspace) error {
	t, err := gather(ws.Inputs("scores"))
	if err != nil {
		return stage.BadInput(err)
	}
	if err := os.WriteFile(ws.Output("table"), []byte(t.markdown(s.Title)), 0o666); err != nil {
		return err
	}
	if err := t.write(ws.Output("data"), s.Title); err != nil {
		return err
	}
	if err := stage.WriteMetrics(ws.Output("metrics"), t.metrics()); err != nil {
		return err
	}
	return t.draw(ws)
}

// figures of a row, in the order of the table's columns.
var figureColumns = []struct {
	column dataset.Column
	head   string
	get    func(r row) float64
}{
	{dataset.Column{Name: "miss", LongName: "mean distance of the hand from the target over draws and targets"}, "hand misses by", func(r row) float64 { return r.miss }},
	{dataset.Column{Name: "miss_spread", LongName: "standard deviation of that distance over draws, mean over targets"}, "± sd", func(r row) float64 { return r.spread }},
	{dataset.Column{Name: "wasserstein", LongName: "sliced Wasserstein-1 distance to rejection samples, in prior deviations"}, "W1", func(r row) float64 { return r.wasserstein }},
	{dataset.Column{Name: "mmd", LongName: "squared maximum mean discrepancy to rejection samples"}, "MMD²", func(r row) float64 { return r.mmd }},
	{dataset.Column{Name: "held_out_nll", LongName: "mean negative log density of held-out samples", Unit: "1"}, "held-out NLL (nat)", func(r row) float64 { return float64(r.HeldOutNLL) }},
	{dataset.Column{Name: "supervised_error", LongName: "root mean square error of the predicted observation, standardised"}, "fit error", func(r row) float64 { return r.Guarantee.SupervisedError }},
	{dataset.Column{Name: "divergence", LongName: "variational bound of the divergence on held-out data, critic like the training's"}, "divergence", func(r row) float64 { return r.Guarantee.Bound }},
	{dataset.Column{Name: "strong_divergence", LongName: "the same with a stronger critic"}, "stronger critic", func(r row) float64 { return r.Guarantee.StrongBound }},
	{dataset.Column{Name: "lipschitz", LongName: "largest expansion of T measured"}, "Lip T", func(r row) float64 { return r.Guarantee.Lipschitz }},
	{dataset.Column{Name: "inverse_lipschitz", LongName: "largest expansion of the inverse of T measured"}, "Lip T⁻¹", func(r row) float64 { return r.Guarantee.InverseLipschitz }},
	{dataset.Column{Name: "output_moment", LongName: "mean of the norm of T's output to the power of the moments' order"}, "E‖T‖ᵖ", func(r row) float64 { return r.Guarantee.OutputMoment }},
	{dataset.Column{Name: "base_moment", LongName: "the same of (z, y), which it should be distributed as"}, "E‖(z, y)‖ᵖ", func(r row) float64 { return r.Guarantee.BaseMoment }},
	{dataset.Column{Name: "right_side", LongName: "right side of the guarantee with the constants that can be measured"}, "right side", func(r row) float64 { return r.RightSide }},
}

func (t *comparisonTable) write(path, title string) error {
	out := dataset.Table{Title: title, Index: dataset.Column{Name: "run", LongName: "number of the row"}}
	labels := make([]string, len(t.rows))
	for i, r := range t.rows {
		out.Index.Values = append(out.Index.Values, float64(i))
		labels[i] = r.Header.Label
	}
	for _, c := range figureColumns {
		for _, r := range t.rows {
			c.column.Values = append(c.column.Values, c.get(r))
		}
		out.Columns = append(out.Columns, c.column)
	}
	out.Attributes = []netcdf.Attribute{{Name: "labels", Value: labels},
		netcdf.Number("wasserstein_floor", t.wassersteinFloor), netcdf.Number("miss_floor", t.missFloor), netcdf.Number("set_probability", t.probability)}
	return dataset.WriteTable(path, out)
}

// metrics are the best of each mode, and the rank correlation of the two sides.
func (t *comparisonTable) metrics() []stage.Metric {
	var out []stage.Metric
	for _, mode := range modeOrder {
		for _, r := range t.rows { // sorted: the first of a mode is its best
			if r.Header.Mode == mode && !math.IsNaN(r.wasserstein) {
				out = append(out, stage.Metric{Name: "best_wasserstein_" + string(mode), Value: r.wasserstein, Headline: true,
					Sentence: fmt.Sprintf("Distance to exact samples of the best flow of mode %s (%s), in prior standard deviations; two exact samples of the same size are %.3f apart.",
						mode, r.Header.Label, t.floorOf(r))})
				break
			}
		}
	}
	for _, v := range []struct {
		name, which string
		covered     bool
	}{{"guarantee_rank_correlation", "trainings with a posterior", false}, {"guarantee_rank_correlation_covered", "trainings that the theorem speaks of", true}} {
		if left, right := t.sides(v.covered); len(left) > 2 {
			out = append(out, stage.Metric{Name: v.name, Value: rankCorrelation(left, right),
				Sentence: fmt.Sprintf("Spearman's rank correlation of the guarantee's two sides over the %d %s: 1 if the measured right side orders posteriors as their errors do, 0 if it says nothing.", len(left), v.which)})
		}
	}
	return out
}

func (t *comparisonTable) floorOf(r row) float64 { return average(r.targets[wassersteinFloor]) }

// sides are the two sides of the guarantee of every posterior, or of those alone
// that it covers.
func (t *comparisonTable) sides(covered bool) (left, right []float64) {
	for _, r := range t.rows {
		if r.Header.Mode != train.ModeNF && (!covered || r.covered()) && finite(r.wasserstein) && finite(r.RightSide) {
			left, right = append(left, r.wasserstein), append(right, r.RightSide)
		}
	}
	return left, right
}

// covered says whether the law of T's output was trained to be that of (z, y). A
// divergence in the inverse direction trains x̂ alone and leaves the rest of T⁻¹'s
// output free, so that the theorem's terms say nothing of it.
func (r row) covered() bool {
	_, divergence := r.Header.Loss.Divergence()
	return !divergence || strings.HasSuffix(r.Header.Variant, forwardDirection)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// rankCorrelation is Spearman's: the correlation of the ranks. Ties, which
// measured numbers do not have, are not averaged.
func rankCorrelation(a, b []float64) float64 {
	n := len(a)
	ra, rb := ranks(a), ranks(b)
	sum := 0.0
	for i := range ra {
		d := float64(ra[i] - rb[i])
		sum += d * d
	}
	return 1 - 6*sum/float64(n*(n*n-1))
}

func ranks(x []float64) []int {
	order, out := make([]int, len(x)), make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(x[i], x[j]) })
	for rank, i := range order {
		out[i] = rank
	}
	return out
}

// average leaves NaNs out; it is NaN where nothing is left.
func average(x []float64) float64 {
	known := slices.DeleteFunc(slices.Clone(x), math.IsNaN)
	if len(known) == 0 {
		return math.NaN()
	}
	return calibration.Mean(known).Value
}

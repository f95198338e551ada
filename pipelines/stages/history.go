package stages

import (
	"oceaninv/io/dataset"
	"oceaninv/io/figure"
	"oceaninv/surrogate/train"
	"oceaninv/workflow/stage"
)

// writeHistory stores and draws the loss over the epochs.
func writeHistory(ws *stage.Workspace, r *train.Result) error {
	t := dataset.Table{Title: "Training history",
		Index: dataset.Column{Name: "epoch", LongName: "epoch", Unit: "1"}}
	columns := []struct {
		name, long string
		get        func(train.EpochRecord) (float64, bool)
	}{
		{"loss", "loss over the epoch", func(e train.EpochRecord) (float64, bool) { return e.Train.Total, true }},
		{"held_out_loss", "loss on held-out samples", func(e train.EpochRecord) (float64, bool) {
			if e.HeldOut == nil {
				return 0, false
			}
			return e.HeldOut.Total, true
		}},
		{"learning_rate", "learning rate at the end of the epoch", func(e train.EpochRecord) (float64, bool) { return e.LearningRate, true }},
		{"gradient_norm", "mean norm of the gradient before clipping", func(e train.EpochRecord) (float64, bool) { return e.GradNorm, true }},
	}
	for _, e := range r.History {
		t.Index.Values = append(t.Index.Values, float64(e.Epoch))
	}
	for _, c := range columns {
		col := dataset.Column{Name: c.name, LongName: c.long, Unit: "1"}
		for _, e := range r.History {
			if v, ok := c.get(e); ok {
				col.Values = append(col.Values, v)
			}
		}
		if len(col.Values) == len(r.History) {
			t.Columns = append(t.Columns, col)
		}
	}
	if err := dataset.WriteTable(ws.Output("history"), t); err != nil {
		return err
	}
	chart := figure.Training{}
	for _, c := range t.Columns[:min(2, len(t.Columns))] {
		if c.Name != "learning_rate" {
			chart.Curves = append(chart.Curves, figure.Series{Label: c.LongName, X: t.Index.Values, Y: c.Values})
		}
	}
	if r.BestEpoch > 0 {
		chart.Best = figure.At(float64(r.BestEpoch))
	}
	return save(ws, "curve", chart)
}

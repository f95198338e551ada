package stages

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"oceaninv/inversion/calibration"
	"oceaninv/io/dataset"
	"oceaninv/io/figure"
	"oceaninv/io/netcdf"
	"oceaninv/workflow/stage"
)

// studyStage averages a figure of many scores over runs that differ by their seeds
// alone, as a function of a setting, beside figures that were published.
type studyStage struct {
	Title     string      `json:"title"`
	Metric    string      `json:"metric"`
	Axis      string      `json:"axis"`
	Series    []string    `json:"series"` // of each score
	At        []float64   `json:"at"`     // the setting, of each score
	Published []published `json:"published"`
	scores    []stage.Input
}

// published is a mean and standard deviation over runs that somebody printed.
type published struct {
	Series string  `json:"series"`
	At     float64 `json:"at"`
	Mean   float64 `json:"mean"`
	SD     float64 `json:"sd"`
}

var studyMetrics = []string{wassersteinScore, mmdScore, sinkhornScore, missColumn}

func studyKind() stage.Kind {
	return stage.Kind{
		Name: "study", Version: 2,
		Doc:    "mean and deviation over runs of one figure of many scores, as a function of a setting, beside published figures",
		Decode: decodeStudy,
		Load:   stage.LoadJSON[studyStage],
	}
}

func decodeStudy(d *stage.Decoder) stage.Spec {
	block := struct {
		Scores    hcl.Expression `hcl:"scores"`
		Series    []string       `hcl:"series"`
		At        []float64      `hcl:"at"`
		Metric    string         `hcl:"metric,optional"`
		Axis      string         `hcl:"axis,optional"`
		Title     string         `hcl:"title,optional"`
		Published hcl.Expression `hcl:"published,optional"`
	}{Metric: mmdScore, Axis: "setting", Title: "Study"}
	d.Decode(&block)
	s := &studyStage{Title: block.Title, Metric: block.Metric, Axis: block.Axis, Series: block.Series, At: block.At,
		scores: d.Artifacts("scores", block.Scores, typeScores)}
	d.Convert(block.Published, &s.Published)
	if d.HasErrors() {
		return s
	}
	if len(s.scores) == 0 {
		d.Errorf("scores", "Nothing to average", "Give the scores of at least one score stage.")
	}
	for name, n := range map[string]int{"series": len(s.Series), "at": len(s.At)} {
		if n != len(s.scores) {
			d.Errorf(name, "Lists of different lengths", "%s has %d elements, scores has %d: each score needs one.", name, n, len(s.scores))
		}
	}
	if !slices.Contains(studyMetrics, s.Metric) {
		d.Errorf("metric", "Unknown metric", "%q is not one of %s.", s.Metric, strings.Join(studyMetrics, ", "))
	}
	return s
}

func (s *studyStage) Inputs() []stage.Input { return s.scores }

func (s *studyStage) Outputs() []stage.Output {
	return []stage.Output{
		{Name: "table", Type: stage.File, File: "table.md"},
		{Name: "data", Type: stage.File, File: "table.nc"},
		{Name: "metrics", Type: stage.Metrics, File: "metrics.json"},
		lineFigure("figure",
			fmt.Sprintf("%s: mean over runs, and one standard deviation about it; dashed what was published.", s.Title)),
	}
}

// point is one series at one setting.
type point struct {
	series   string
	at       float64
	runs     int
	mean, sd float64
	floor    float64    // of two sets of samples
	printed  *published // nil without
}

// gather averages the runs of each point, in the order they were given.
func (s *studyStage) gather(paths []string) ([]point, error) {
	var points []point
	values := map[int][]float64{}
	floors := map[int][]float64{}
	for k, path := range paths {
		a, err := readScores(path)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(points, func(p point) bool { return p.series == s.Series[k] && p.at == s.At[k] })
		if i < 0 {
			i = len(points)
			points = append(points, point{series: s.Series[k], at: s.At[k]})
		}
		values[i] = append(values[i], average(a.targets[s.Metric]))
		floors[i] = append(floors[i], average(a.targets[s.Metric+"_floor"]))
	}
	for i := range points {
		p := &points[i]
		e := calibration.Mean(values[i])
		p.runs, p.mean, p.sd, p.floor = len(values[i]), e.Value, e.StdError*math.Sqrt(float64(len(values[i]))), average(floors[i])
		if p.runs < 2 {
			p.sd = math.NaN()
		}
		if j := slices.IndexFunc(s.Published, func(q published) bool { return q.Series == p.series && q.At == p.at }); j >= 0 {
			p.printed = &s.Published[j]
		}
	}
	return points, nil
}

func (s *studyStage) Run(_ context.Context, ws *stage.Workspace) error {
	points, err := s.gather(ws.Inputs("scores"))
	if err != nil {
		return stage.BadInput(err)
	}
	if err := os.WriteFile(ws.Output("table"), []byte(s.markdown(points)), 0o666); err != nil {
		return err
	}
	if err := s.write(ws.Output("data"), points); err != nil {
		return err
	}
	var metrics []stage.Metric
	for _, p := range points {
		metrics = append(metrics, stage.Metric{Name: fmt.Sprintf("%s %s %g", s.Metric, p.series, p.at), Value: p.mean,
			Sentence: fmt.Sprintf("%s of %s at %s = %g, mean over %d runs; two sets of samples are %.2g apart.", s.Metric, p.series, s.Axis, p.at, p.runs, p.floor)})
	}
	if err := stage.WriteMetrics(ws.Output("metrics"), metrics); err != nil {
		return err
	}
	return save(ws, "figure", s.chart(points))
}

func (s *studyStage) markdown(points []point) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s, mean ± standard deviation over runs; floor: that of two sets of samples.\n\n", s.Title, s.Metric)
	fmt.Fprintf(&b, "| series | %s | runs | %s | floor | published |\n|---|---:|---:|---:|---:|---:|\n", s.Axis, s.Metric)
	for _, p := range points {
		printed := "–"
		if p.printed != nil {
			printed = fmt.Sprintf("%.3g ± %.2g", p.printed.Mean, p.printed.SD)
		}
		sd := ""
		if p.runs > 1 {
			sd = fmt.Sprintf(" ± %.2g", p.sd)
		}
		fmt.Fprintf(&b, "| %s | %g | %d | %s%s | %s | %s |\n", p.series, p.at, p.runs, cell(p.mean), sd, cell(p.floor), printed)
	}
	return b.String()
}

func (s *studyStage) write(path string, points []point) error {
	columns := []dataset.Column{
		{Name: "at", LongName: s.Axis}, {Name: "mean", LongName: "mean over runs of " + s.Metric},
		{Name: "sd", LongName: "standard deviation over runs"}, {Name: "floor", LongName: "that of two sets of samples"}, {Name: "runs", LongName: "number of runs"},
	}
	t := dataset.Table{Title: s.Title, Index: dataset.Column{Name: "point", LongName: "number of the row"}}
	var names []string
	for i, p := range points {
		t.Index.Values = append(t.Index.Values, float64(i))
		names = append(names, p.series)
		for k, v := range []float64{p.at, p.mean, p.sd, p.floor, float64(p.runs)} {
			columns[k].Values = append(columns[k].Values, v)
		}
	}
	t.Columns = columns
	t.Attributes = []netcdf.Attribute{{Name: "series", Value: names}}
	return dataset.WriteTable(path, t)
}

// chart draws each series against the setting.
func (s *studyStage) chart(points []point) figure.Chart {
	c := figure.Chart{Title: s.Title, X: figure.Axis{Label: s.Axis}, Y: figure.Axis{Label: s.Metric}}
	var order []string
	for _, p := range points {
		if !slices.Contains(order, p.series) {
			order = append(order, p.series)
		}
	}
	for hue, name := range order {
		line, printed := figure.Series{Label: name, Points: true, Joined: true, Hue: hue + 1}, figure.Series{Label: name + ", published", Dash: figure.Dashed, Hue: hue + 1}
		band := figure.Band{Hue: hue + 1}
		for _, p := range points {
			if p.series != name || !finite(p.mean) {
				continue
			}
			line.X, line.Y = append(line.X, p.at), append(line.Y, p.mean)
			if finite(p.sd) {
				band.At, band.Lower, band.Upper = append(band.At, p.at), append(band.Lower, p.mean-p.sd), append(band.Upper, p.mean+p.sd)
			}
			if p.printed != nil {
				printed.X, printed.Y = append(printed.X, p.at), append(printed.Y, p.printed.Mean)
			}
		}
		c.Series = append(c.Series, line)
		if len(printed.X) > 0 {
			c.Series = append(c.Series, printed)
		}
		if len(band.At) > 1 {
			c.Bands = append(c.Bands, band)
		}
	}
	return c
}

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"gonum.org/v1/gonum/mat"

	"oceaninv/inversion"
	"oceaninv/io/dataset"
	"oceaninv/io/figure"
	"oceaninv/pipelines/stages"
	"oceaninv/workflow/config"
	"oceaninv/workflow/stage"
)

// designFlags are the flags of design.
type designFlags struct {
	registry    *stage.Registry
	assignments []config.Assignment
	problem     string
	at          []string
	snapshots   int
	json        bool
	output      string
	plot        string
}

func newDesignCommand(registry *stage.Registry) *cobra.Command {
	f := designFlags{registry: registry}
	cmd := &cobra.Command{
		Use:     "design PIPELINE",
		GroupID: "ocean",
		Short:   "Which parameters an experiment can resolve: Fisher information and Cramér-Rao bounds",
		Long: `Takes a problem block of a pipeline (array, tones, unknown parameters, noise) and says, without simulating data, how
well the parameters could be known. The Cramér-Rao bound is the least standard deviation of an unbiased estimate from the
data alone; the posterior's is what a Gaussian posterior has, the prior's information added; the gain is that of the
prior over it. Both hold near the point they are taken at, the priors' medians unless --at says otherwise: they know
nothing of distant ambiguities. The last columns are the posterior's from each tone alone.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.problem, "problem", "", "`name` of the problem block of a pipeline with several")
	flags.StringArrayVar(&f.at, "at", nil, "take the bounds at a `parameter=value` (default the prior's median)")
	flags.IntVar(&f.snapshots, "snapshots", 1, "`number` of snapshots observed, for likelihood = \"snapshot_covariance\"")
	flags.Var(&assignmentFlag{into: &f.assignments}, "var", "give a `name=value` to a variable")
	flags.BoolVar(&f.json, "json", false, "print JSON")
	flags.StringVarP(&f.output, "output", "o", "", "write NetCDF `FILE` (.nc)")
	flags.StringVar(&f.plot, "plot", "", "draw the posterior's standard deviation by tone into `FILE` (.png, .svg)")
	return cmd
}

func (f *designFlags) run(path string, stdout, stderr io.Writer) error {
	if f.output != "" && !hasExtension(f.output, ".nc") {
		return badInput("-o %s: the name must end in .nc", f.output)
	}
	p, err := f.read(path, stderr)
	if err != nil {
		return err
	}
	if f.snapshots < 1 || f.snapshots > 1 && p.Likelihood != inversion.SnapshotCovariance {
		return badInput("--snapshots %d: the likelihood of problem %q is %q, of one snapshot; several are for %q", f.snapshots, p.Name, p.Likelihood, inversion.SnapshotCovariance)
	}
	theta, err := f.point(p)
	if err != nil {
		return err
	}
	model, err := p.Differentiable()
	if err != nil {
		return failed(err)
	}
	noise, err := p.ResolveNoise(model, 0)
	if err != nil {
		return solverError(err)
	}
	r, err := p.Fisher(model, noise, theta, f.snapshots)
	if err != nil {
		return solverError(err)
	}
	if f.output != "" {
		if err := writeDesign(f.output, p, theta, r); err != nil {
			return failed(err)
		}
	}
	if f.plot != "" {
		drawing, err := designFigure(p, r)
		if err != nil {
			return failed(err)
		}
		if err := drawing.Save(f.plot); err != nil {
			return failed(err)
		}
	}
	out := designOf(p, theta, r)
	if f.json {
		return writeJSON(stdout, out)
	}
	return failed(out.write(stdout))
}

// read evaluates the pipeline and returns the problem meant.
func (f *designFlags) read(path string, stderr io.Writer) (*inversion.Problem, error) {
	d, err := definitionOf(config.Request{Path: path, Assignments: f.assignments, Registry: f.registry}, "problem", f.problem, stderr)
	if err != nil {
		return nil, err
	}
	p := inversion.DefaultProblem()
	return &p, failed(stage.DecodeValue(d.Value, &p))
}

// point is where the bounds are taken.
func (f *designFlags) point(p *inversion.Problem) ([]float64, error) {
	theta := make([]float64, len(p.Parameters))
	for i := range theta {
		theta[i] = p.Parameters[i].Prior.Quantile(0.5)
	}
	for _, text := range f.at {
		name, value, ok := strings.Cut(text, "=")
		x, err := strconv.ParseFloat(value, 64)
		if !ok || err != nil || math.IsInf(x, 0) || math.IsNaN(x) {
			return nil, badInput("--at %s: it must be of the form parameter=number", text)
		}
		found := false
		for i, known := range p.ParameterNames() {
			if known == name {
				found, theta[i] = true, x
			}
		}
		if !found {
			return nil, badInput("--at %s: the problem has no parameter %q, but %s", text, name, strings.Join(p.ParameterNames(), ", "))
		}
	}
	return theta, nil
}

// design is what the command prints.
type design struct {
	Problem     string            `json:"problem"`
	Tones       []float64         `json:"tones"` // Hz
	Parameters  []designParameter `json:"parameters"`
	Fisher      [][]float64       `json:"fisher"`
	Correlation [][]float64       `json:"correlation"`
}

// designParameter is the resolution of one parameter; a bound that does not exist is
// absent.
type designParameter struct {
	Name      string    `json:"name"`
	Unit      string    `json:"unit,omitempty"`
	At        float64   `json:"at"`
	PriorSD   float64   `json:"prior_sd"`
	CramerRao *float64  `json:"cramer_rao,omitempty"`
	Posterior float64   `json:"posterior_sd"`
	Gain      float64   `json:"gain"`
	ByTone    []float64 `json:"posterior_sd_by_tone"`
}

func designOf(p *inversion.Problem, theta []float64, r *inversion.Resolution) *design {
	d := &design{Problem: p.Name, Tones: p.Frequencies, Fisher: rows(r.Fisher), Correlation: rows(r.Correlation)}
	for j := range p.Parameters {
		q := designParameter{Name: p.Parameters[j].Name, Unit: p.Parameters[j].Unit(&p.Environment), At: theta[j],
			PriorSD: r.PriorSD[j], Posterior: r.Posterior[j], Gain: r.Gain[j]}
		if b := r.CramerRao[j]; !math.IsInf(b, 0) {
			q.CramerRao = &b
		}
		for _, sd := range r.ByTone {
			q.ByTone = append(q.ByTone, sd[j])
		}
		d.Parameters = append(d.Parameters, q)
	}
	return d
}

// writeDesign writes the NetCDF file.
func writeDesign(path string, p *inversion.Problem, theta []float64, r *inversion.Resolution) error {
	description, err := json.Marshal(p)
	if err != nil {
		return err
	}
	d := dataset.Design{Parameters: stages.ParametersOf(p), Problem: description, Frequencies: p.Frequencies, At: theta,
		PriorSD: r.PriorSD, CramerRao: r.CramerRao, Posterior: r.Posterior,
		Fisher: slices.Concat(rows(r.Fisher)...), Correlation: slices.Concat(rows(r.Correlation)...), ByTone: slices.Concat(r.ByTone...)}
	return dataset.WriteDesign(path, d)
}

func rows(m *mat.SymDense) [][]float64 {
	n := m.SymmetricDim()
	out := make([][]float64, n)
	for i := range out {
		for j := range n {
			out[i] = append(out[i], m.At(i, j))
		}
	}
	return out
}

func (d *design) write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "parameter\tat\tunit\tprior sd\tCramér-Rao\tposterior sd\tgain\t")
	for _, hz := range d.Tones {
		fmt.Fprintf(t, "%g Hz\t", hz)
	}
	fmt.Fprintln(t)
	for _, q := range d.Parameters {
		bound := "none"
		if q.CramerRao != nil {
			bound = fmt.Sprintf("%.3g", *q.CramerRao)
		}
		fmt.Fprintf(t, "%s\t%.6g\t%s\t%.3g\t%s\t%.3g\t%.3g\t", q.Name, q.At, q.Unit, q.PriorSD, bound, q.Posterior, q.Gain)
		for _, sd := range q.ByTone {
			fmt.Fprintf(t, "%.3g\t", sd)
		}
		fmt.Fprintln(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for i := range d.Parameters {
		for j := range i {
			if c := d.Correlation[i][j]; math.Abs(c) > 0.9 {
				if _, err := fmt.Fprintf(w, "%s and %s are hard to tell apart: posterior correlation %+.3f\n",
					d.Parameters[j].Name, d.Parameters[i].Name, c); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// designFigure shows which tone resolves which parameter: the posterior's standard
// deviation over the prior's, from each tone alone, and from all as a dashed line.
func designFigure(p *inversion.Problem, r *inversion.Resolution) (*figure.Figure, error) {
	c := figure.Chart{Title: "What the tones resolve: " + p.Name,
		X: figure.Axis{Label: "frequency", Unit: "Hz"},
		Y: figure.Axis{Label: "posterior sd / prior sd", Log: true}}
	low, high := p.Frequencies[0], p.Frequencies[0]
	for _, hz := range p.Frequencies {
		low, high = math.Min(low, hz), math.Max(high, hz)
	}
	for j := range p.Parameters {
		one := figure.Series{Label: p.Parameters[j].Label(), X: p.Frequencies, Points: true, Joined: true, Hue: j%8 + 1}
		for f := range p.Frequencies {
			one.Y = append(one.Y, r.ByTone[f][j]/r.PriorSD[j])
		}
		all := r.Posterior[j] / r.PriorSD[j]
		c.Series = append(c.Series, one, figure.Series{X: []float64{low, high}, Y: []float64{all, all}, Dash: figure.Dashed, Hue: j%8 + 1})
	}
	c.Notes = append(c.Notes, figure.Note{X: low, Y: r.Posterior[0] / r.PriorSD[0], Text: "dashed: all tones"})
	return c.Draw()
}

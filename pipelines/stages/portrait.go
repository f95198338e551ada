package stages

import (
	"context"
	"fmt"
	"math"
	"math/cmplx"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"oceaninv/inversion"
	"oceaninv/io/dataset"
	"oceaninv/io/figure"
	"oceaninv/workflow/stage"
)

// portrait draws the posterior of one observation as a geoacoustician looks at it.
type portrait struct {
	Problem     inversion.Problem `json:"problem"`
	Number      int               `json:"number"` // of the observation, from 0
	Label       string            `json:"label"`
	MaxRange    float64           `json:"max_range"` // m; 0 takes twice the array's
	Seed        uint64            `json:"seed"`
	posterior   stage.Input
	observation stage.Input
}

func portraitKind() stage.Kind {
	return stage.Kind{
		Name: "portrait", Version: 5,
		Doc:    "figures of one observation's posterior: all pairs, sound speed in the sea bed, replica on the array, sensitivity, ambiguity surface",
		Decode: decodePortrait,
		Load:   stage.LoadJSON[portrait],
	}
}

func decodePortrait(d *stage.Decoder) stage.Spec {
	block := struct {
		Problem     hcl.Expression `hcl:"problem"`
		Posterior   hcl.Expression `hcl:"posterior"`
		Observation hcl.Expression `hcl:"observation"`
		Number      int            `hcl:"number,optional"`
		Label       string         `hcl:"label,optional"`
		MaxRange    float64        `hcl:"max_range,optional"`
		Seed        uint64         `hcl:"seed,optional"`
	}{Label: "draws"}
	d.Decode(&block)
	s := &portrait{Number: block.Number, Label: block.Label, MaxRange: block.MaxRange, Seed: block.Seed}
	if d.HasErrors() {
		return s
	}
	d.Convert(block.Problem, &s.Problem)
	refuseSnapshots(d, "problem", &s.Problem, "A portrait shows the field of one snapshot on the array.")
	s.posterior = d.Artifact("posterior", block.Posterior, typePosterior)
	s.observation = d.Artifact("observation", block.Observation, typeObservation)
	if s.MaxRange == 0 {
		s.MaxRange = 2 * s.Problem.Array.Range
	}
	if s.Number < 0 || s.MaxRange < 0 {
		d.Errorf("number", "Negative", "number and max_range must not be negative.")
	}
	return s
}

func (s *portrait) Inputs() []stage.Input { return []stage.Input{s.posterior, s.observation} }

func (s *portrait) Outputs() []stage.Output {
	return []stage.Output{
		lineFigure("corner",
			"Marginal and pairwise posteriors, with the truth where it is known."),
		lineFigure("profile",
			"Sound speed against depth, from above the sea floor to below the deepest layer with an unknown: median, 50 % and 95 % credible bands."),
		lineFigure("replica",
			"Data on the array against the field of the draw that fits best, tone by tone, at the amplitude that fits best where it is unknown; the band holds 95 % of the draws."),
		lineFigure("sensitivity",
			"The objective along each parameter with the others at the draw that fits best: the Bartlett mismatch over the prior, and the likelihood near its maximum."),
		rasterFigure("ambiguity",
			"Bartlett power over source range and depth in the ocean of the draw that fits best, averaged over the tones: where else the source could be."),
	}
}

func (s *portrait) Run(ctx context.Context, ws *stage.Workspace) error {
	o, err := loadObserved(&s.Problem, ws.Input("observation"))
	if err != nil {
		return err
	}
	p, err := dataset.ReadPosterior(ws.Input("posterior"))
	if err != nil {
		return stage.BadInput(err)
	}
	if p.Len() != o.obs.Len() || len(p.Parameters) != o.prior.Dim() || s.Number >= p.Len() {
		return stage.BadInput(fmt.Errorf("observation %d: the posterior has %d observations of %d parameters, the observations are %d, the problem has %d parameters",
			s.Number, p.Len(), len(p.Parameters), o.obs.Len(), o.prior.Dim()))
	}
	if err := save(ws, "corner", s.corner(&p)); err != nil {
		return err
	}
	draws := drawsOf(p, s.Number)
	draws = draws.Resample(min(portraitDraws, draws.N()), inversion.Rand(s.Seed, inversion.DrawStream, s.Number))
	var truth []float64
	if p.Truth != nil {
		truth = p.Truth[s.Number*draws.D : (s.Number+1)*draws.D]
	}
	profile, err := s.profile(draws, truth)
	if err != nil {
		return err
	}
	if err := save(ws, "profile", profile); err != nil {
		return err
	}
	replica, best, err := s.replica(o, draws)
	if err != nil {
		return err
	}
	if err := save(ws, "replica", replica); err != nil {
		return err
	}
	cuts, err := s.sensitivity(o, draws, best, truth)
	if err != nil {
		return err
	}
	if err := save(ws, "sensitivity", cuts); err != nil {
		return err
	}
	surface, err := s.ambiguity(ctx, o.data(s.Number), best)
	if err != nil {
		return err
	}
	return save(ws, "ambiguity", surface)
}

// portraitDraws are re-simulated at most.
const portraitDraws = 200

// corner is all marginals and pairs.
func (s *portrait) corner(p *dataset.Posterior) figure.Corner {
	out := figure.Corner{Detail: true, DrawsLabel: s.Label}
	draws := drawsOf(*p, s.Number)
	for j, q := range p.Parameters {
		m := figure.Marginal{Label: q.LongName, Unit: q.Unit, Min: q.Lower, Max: q.Upper, Draws: draws.Column(j)}
		if draws.LogWeight != nil {
			m.Weights = draws.Weights()
		}
		if p.Truth != nil {
			m.Truth = figure.At(p.Truth[s.Number*draws.D+j])
		}
		out.Parameters = append(out.Parameters, m)
	}
	return out
}

// replica compares the data with the fields of draws, at the amplitudes that explain the
// data best where the source is unknown; best is the draw that fits best.
func (s *portrait) replica(o *observed, draws *inversion.Draws) (figure.Replica, []float64, error) {
	target, err := o.target(s.Number)
	if err != nil {
		return figure.Replica{}, nil, err
	}
	data := o.data(s.Number)
	fields := make([][]complex128, draws.N())
	best, most := 0, math.Inf(-1)
	for k := range fields {
		fields[k] = make([]complex128, len(data))
		if err := target.Forward.Predict(fields[k], draws.Row(k)); err != nil {
			return figure.Replica{}, nil, fmt.Errorf("draw %v: %w", draws.Row(k), err)
		}
		if l := target.Likelihood.LogDensity(fields[k], data); l > most {
			best, most = k, l
		}
		target.Likelihood.Explain(fields[k], data)
	}
	var out figure.Replica
	tones := len(s.Problem.Frequencies)
	for f, hz := range s.Problem.Frequencies {
		t := figure.ReplicaTone{Frequency: hz, Depths: s.Problem.Array.Depths}
		for r := range s.Problem.Array.Depths {
			at := r*tones + f
			levels := make([]float64, len(fields))
			for k := range fields {
				levels[k] = 20 * math.Log10(cmplx.Abs(fields[k][at]))
			}
			slices.Sort(levels)
			t.Data, t.Replica = append(t.Data, data[at]), append(t.Replica, fields[best][at])
			t.Lower, t.Upper = append(t.Lower, quantileOf(levels, 0.025)), append(t.Upper, quantileOf(levels, 0.975))
		}
		out.Tones = append(out.Tones, t)
	}
	return out, draws.Row(best), nil
}

// quantileOf interpolates between sorted values.
func quantileOf(sorted []float64, p float64) float64 {
	at := p * float64(len(sorted)-1)
	i := min(int(at), len(sorted)-1)
	j := min(i+1, len(sorted)-1)
	return sorted[i] + (at-float64(i))*(sorted[j]-sorted[i])
}

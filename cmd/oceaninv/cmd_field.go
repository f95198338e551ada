package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/cmplx"
	"slices"

	"github.com/spf13/cobra"

	"oceaninv/acoustics"
	"oceaninv/acoustics/modes"
	"oceaninv/acoustics/rangedep"
	"oceaninv/io/dataset"
	"oceaninv/io/envfile"
	"oceaninv/io/figure"
	"oceaninv/workflow/stage"
)

// fieldFlags are the flags of field.
type fieldFlags struct {
	oceanFlags
	output string
	plot   string
	level  float64
	ranges int
	series timeSeriesFlags
}

func newFieldCommand(registry *stage.Registry) *cobra.Command {
	f := fieldFlags{oceanFlags: oceanFlags{oceanSource: oceanSource{registry: registry}}}
	cmd := &cobra.Command{
		Use:     "field OCEAN [FIELD.flp]",
		GroupID: "ocean",
		Short:   "Pressure and transmission loss of an ocean",
		Long: `Sums the normal modes of an ocean (.env, .nc, .hcl) into pressure relative to 1 m from the source, at the sources, receivers
and ranges of a .flp file: point or line source, coherent or incoherent, adiabatic or one-way coupled where the ocean
has several profiles. Without a .flp file the sources and receivers of the environmental file are taken, and --ranges
ranges up to its maximum range. Depths in a .shd file and in figures count as in those files, in NetCDF from the surface.

With --band the result is time series: the signals that a source's pulse within the band leaves at every receiver, by
Fourier synthesis over frequencies 1/duration apart. Each range's window begins at --start plus, with
--reduction-speed, range over that speed. A signal longer than its window wraps around; a warning says so.

  oceaninv field shelf.env --frequency 50 --ranges 3 --band 20,100 --duration 4 --reduction-speed 1500 -o series.nc`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	f.add(flags)
	flags.StringVarP(&f.output, "output", "o", "", "write `FILE`: NetCDF (.nc) or the Toolbox's shade file (.shd)")
	flags.StringVar(&f.plot, "plot", "", "draw transmission loss into `FILE` (.png, .svg)")
	flags.Float64Var(&f.level, "source-level", 0, "level of the source in `dB` re 1 µPa at 1 m; the pressure is then in µPa")
	f.series.add(flags)
	flags.IntVar(&f.ranges, "ranges", 501, "`number` of ranges without a .flp file")
	return cmd
}

func (f *fieldFlags) run(args []string, stdout, stderr io.Writer) error {
	if f.output == "" && f.plot == "" {
		return badInput("nothing to write: give -o FILE.nc or --plot FILE.png")
	}
	if f.output != "" && !hasExtension(f.output, ".nc", ".shd") {
		return badInput("-o %s: the name must end in .nc or .shd", f.output)
	}
	cases, err := f.read(args[0], stderr)
	if err != nil {
		return err
	}
	if err := f.apply(cases); err != nil {
		return err
	}
	if err := f.series.apply(cases, f.output); err != nil {
		return err
	}
	if len(cases[0].Frequencies) == 0 {
		return badInput("%s has no frequency: give one with --frequency", args[0])
	}
	want, err := f.want(args, cases)
	if err != nil {
		return err
	}
	field, err := f.compute(cases, want)
	if err != nil {
		return err
	}
	if f.series.wanted() {
		return f.series.save(f, &cases[0], field, stdout, stderr)
	}
	if f.output != "" {
		if err := f.write(&cases[0], field, want); err != nil {
			return failed(err)
		}
	}
	if f.plot != "" {
		if err := f.draw(cases, field, want); err != nil {
			return failed(err)
		}
	}
	_, err = fmt.Fprintf(stdout, "%d frequencies, %d sources, %d receivers, %d ranges\n", len(field.Frequencies), len(field.SourceDepths), len(field.ReceiverDepths), len(field.Ranges))
	return failed(err)
}

// maxPressures bounds the size of a field: 16 bytes each.
const maxPressures = 100_000_000

// want is what field is asked for: the .flp file, or the environmental file's own
// sources and receivers.
func (f *fieldFlags) want(args []string, cases []envfile.Case) (*envfile.FieldCase, error) {
	first := &cases[0]
	want := &envfile.FieldCase{Source: envfile.PointSource, ProfileRanges: []float64{0}, SourceDepths: first.SourceDepths, ReceiverDepths: first.ReceiverDepths}
	if len(args) == 2 {
		var err error
		if want, err = envfile.ReadFieldFile(args[1]); err != nil {
			return nil, fileError(err)
		}
		for _, depths := range [][]float64{want.SourceDepths, want.ReceiverDepths} {
			for i := range depths {
				depths[i] -= first.Origin
			}
		}
	} else if f.ranges < 1 || first.MaxRange <= 0 {
		return nil, badInput("no ranges: give a .flp file, or --ranges and a maximum range in %s", args[0])
	} else {
		for i := range f.ranges {
			want.Ranges = append(want.Ranges, first.MaxRange*float64(i+1)/float64(f.ranges))
		}
	}
	if len(want.SourceDepths) == 0 || len(want.ReceiverDepths) == 0 {
		return nil, badInput("%s has no sources or receivers: give a .flp file", args[0])
	}
	if len(args) == 1 && len(cases) > 1 {
		return nil, badInput("%s has %d profiles: give a .flp file with their ranges", args[0], len(cases))
	}
	if err := want.CheckProfiles(len(cases), args[0]); err != nil {
		return nil, fileError(err)
	}
	if err := inOcean(want, &cases[0], args[len(args)-1]); err != nil {
		return nil, err
	}
	size := 1.0
	for _, n := range []int{len(first.Frequencies), len(want.SourceDepths), len(want.ReceiverDepths), len(want.Ranges)} {
		size *= float64(n)
	}
	if size > maxPressures {
		return nil, badInput("a field of %.3g pressures: at most %d fit; ask for fewer depths, ranges or frequencies", size, maxPressures)
	}
	return want, nil
}

// inOcean tells of sources and receivers where there is no ocean.
func inOcean(want *envfile.FieldCase, c *envfile.Case, file string) error {
	for _, list := range []struct {
		what   string
		depths []float64
	}{{"source", want.SourceDepths}, {"receiver", want.ReceiverDepths}} {
		for _, z := range list.depths {
			switch bottom := c.Environment.BottomDepth(); {
			case z < 0 && c.Environment.Surface.Kind != acoustics.Halfspace:
				return badInput("%s: a %s at %v m is above the surface, which lies at %v m", file, list.what, z+c.Origin, c.Origin)
			case z > bottom && list.what == "source" && c.Environment.Bottom.Kind != acoustics.Halfspace:
				return badInput("%s: a source at %v m is below the bottom, which lies at %v m", file, z+c.Origin, bottom+c.Origin)
			}
		}
	}
	return nil
}

// compute sums the modes at every frequency.
func (f *fieldFlags) compute(cases []envfile.Case, want *envfile.FieldCase) (*acoustics.Field, error) {
	field := &acoustics.Field{Frequencies: cases[0].Frequencies, SourceDepths: want.SourceDepths, ReceiverDepths: want.ReceiverDepths, Ranges: want.Ranges}
	options := rangedep.Options{Spreading: rangedep.Spreading(want.Source), Coupled: want.Coupled, Incoherent: want.Incoherent, MaxModes: want.MaxModes}
	for _, b := range want.Beam {
		options.Beam = append(options.Beam, rangedep.BeamLevel{Angle: b.Angle, Level: b.Level})
	}
	at := rangedep.Positions{SourceDepths: want.SourceDepths, ReceiverDepths: want.ReceiverDepths, ReceiverOffsets: want.ReceiverOffsets, Ranges: want.Ranges}
	for _, hz := range field.Frequencies {
		track := rangedep.Track{Ranges: want.ProfileRanges}
		for i := range want.ProfileRanges {
			section, err := f.solve(&cases[i], hz)
			var none modes.ErrNoModes
			if f.series.wanted() && errors.As(err, &none) {
				section, err = rangedep.Silent(&cases[i].Environment, hz), nil // below the cutoff
			}
			if err != nil {
				return nil, err
			}
			f.series.hear(section)
			track.Sections = append(track.Sections, section)
		}
		p, err := track.Field(at, options)
		if err != nil {
			return nil, &exitError{exitBadInput, err}
		}
		field.Pressure = append(field.Pressure, p...)
	}
	if f.level != 0 {
		field.Level = f.level
		scale := complex(math.Pow(10, f.level/20), 0)
		for i := range field.Pressure {
			field.Pressure[i] *= scale
		}
	}
	return field, nil
}

// write writes depths below the surface into NetCDF, and into a .shd file as FIELD does, in the
// coordinate of its input.
func (f *fieldFlags) write(first *envfile.Case, field *acoustics.Field, want *envfile.FieldCase) error {
	if hasExtension(f.output, ".nc") {
		return dataset.WriteField(f.output, *field)
	}
	title := first.Title
	if want.Title != "" {
		title = want.Title
	}
	s := &envfile.Shade{
		Title: title, PlotType: "rectilin", Frequencies: field.Frequencies, Frequency: field.Frequencies[0], Bearings: []float64{0},
		SourceX: []float64{0}, SourceY: []float64{0}, Ranges: field.Ranges,
	}
	for _, z := range first.InFile(field.SourceDepths) {
		s.SourceDepths = append(s.SourceDepths, float32(z))
	}
	for _, z := range first.InFile(field.ReceiverDepths) {
		s.ReceiverDepths = append(s.ReceiverDepths, float32(z))
	}
	for _, p := range field.Pressure {
		s.Pressure = append(s.Pressure, complex64(p))
	}
	return saved(f.output, func(w io.Writer) error { return envfile.WriteShade(w, s) })
}

// loss is the transmission loss of the first frequency and source, [receiver][range].
func loss(field *acoustics.Field, level float64) []float64 {
	n := len(field.ReceiverDepths) * len(field.Ranges)
	out := make([]float64, n)
	for i, p := range field.Pressure[:n] {
		if out[i] = level - 20*math.Log10(cmplx.Abs(p)); p == 0 {
			out[i] = math.NaN()
		}
	}
	return out
}

// draw draws an image over depth and range, or lines for few receivers. Depths are those of
// the files.
func (f *fieldFlags) draw(cases []envfile.Case, field *acoustics.Field, want *envfile.FieldCase) error {
	const fewest = 8 // receivers of an image
	tl := loss(field, f.level)
	source, receivers := cases[0].InFile(field.SourceDepths)[0], cases[0].InFile(field.ReceiverDepths)
	title := fmt.Sprintf("%s, %g Hz, source at %.6g m", cases[0].Title, field.Frequencies[0], source)
	n := len(field.Ranges)
	var drawing *figure.Figure
	var err error
	if len(receivers) < fewest || !slices.IsSorted(receivers) {
		lines := figure.LossLines{Title: title}
		for d, z := range receivers {
			lines.Series = append(lines.Series, figure.Series{Label: fmt.Sprintf("receiver at %.6g m", z), X: field.Ranges, Y: tl[d*n : (d+1)*n]})
		}
		drawing, err = lines.Draw()
	} else {
		m := figure.LossMap{Title: title, Ranges: field.Ranges, Depths: receivers, Loss: tl, SourceDepth: &source}
		for i, r := range want.ProfileRanges {
			m.FloorRange, m.FloorDepth = append(m.FloorRange, r), append(m.FloorDepth, cases[0].Origin+cases[i].Environment.Floor())
		}
		if last := field.Ranges[n-1]; m.FloorRange[len(m.FloorRange)-1] < last {
			m.FloorRange, m.FloorDepth = append(m.FloorRange, last), append(m.FloorDepth, m.FloorDepth[len(m.FloorDepth)-1])
		}
		drawing, err = m.Draw()
	}
	if err != nil {
		return err
	}
	return drawing.Save(f.plot)
}

package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math/cmplx"
	"slices"

	"github.com/spf13/cobra"

	"oceaninv/acoustics"
	"oceaninv/acoustics/rangedep"
	"oceaninv/io/dataset"
	"oceaninv/io/envfile"
	"oceaninv/io/figure"
	"oceaninv/workflow/stage"
)

// modesFlags are the flags of modes.
type modesFlags struct {
	oceanFlags
	profile int
	depths  int
	json    bool
	output  string
	plot    string
}

func newModesCommand(registry *stage.Registry) *cobra.Command {
	f := modesFlags{oceanFlags: oceanFlags{oceanSource: oceanSource{registry: registry}}}
	cmd := &cobra.Command{
		Use:     "modes OCEAN",
		GroupID: "ocean",
		Short:   "Normal modes of an ocean",
		Long: `Finds the normal modes of an ocean: ` + oceanFormats + `. Every mode between the phase-speed limits is found, or the command fails.

Real modes treat attenuation as a perturbation and know fluids only, as KRAKEN; complex modes know elastic layers, ice
and modes that leak into a half-space, as KRAKENC. --solver auto takes complex modes where the ocean is elastic or the
upper phase-speed limit exceeds the speed of a half-space.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	f.add(flags)
	flags.IntVar(&f.profile, "profile", 1, "which `profile` of a file with several")
	flags.IntVar(&f.depths, "depths", 201, "`number` of depths of the shapes in files and figures")
	flags.BoolVar(&f.json, "json", false, "print JSON")
	flags.StringVarP(&f.output, "output", "o", "", "write `FILE`: NetCDF (.nc) or the Toolbox's mode file (.mod)")
	flags.StringVar(&f.plot, "plot", "", "draw the shapes, or with several frequencies dispersion curves, into `FILE` (.png, .svg)")
	return cmd
}

func (f *modesFlags) run(path string, stdout, stderr io.Writer) error {
	if f.output != "" && !hasExtension(f.output, ".nc", ".mod") {
		return badInput("-o %s: the name must end in .nc or .mod", f.output)
	}
	if f.depths < 2 || f.depths > 1_000_000 {
		return badInput("--depths %d: it must lie between 2 and 1000000", f.depths)
	}
	cases, err := f.read(path, stderr)
	if err != nil {
		return err
	}
	if err := f.apply(cases); err != nil {
		return err
	}
	if f.profile < 1 || f.profile > len(cases) {
		return badInput("--profile %d: %s has %d", f.profile, path, len(cases))
	}
	c := &cases[f.profile-1]
	if len(c.Frequencies) == 0 {
		return badInput("%s has no frequency: give one with --frequency", path)
	}
	sections := make([]*rangedep.Section, len(c.Frequencies))
	for i, hz := range c.Frequencies {
		if sections[i], err = f.solve(c, hz); err != nil {
			return err
		}
	}
	if f.output != "" {
		if err := f.write(c, sections); err != nil {
			return failed(err)
		}
	}
	if f.plot != "" {
		if err := f.draw(sections); err != nil {
			return failed(err)
		}
	}
	return failed(f.print(stdout, sections))
}

// modesOutput is the JSON of modes.
type modesOutput struct {
	Frequencies []modesAtFrequency `json:"frequencies"`
}

type modesAtFrequency struct {
	Hz         float64         `json:"hz"`
	Solver     rangedep.Method `json:"solver"`
	KReal      []float64       `json:"k_real"`
	KImag      []float64       `json:"k_imag"`
	PhaseSpeed []float64       `json:"phase_speed"`
	GroupSpeed []float64       `json:"group_speed"`
}

func (f *modesFlags) print(w io.Writer, sections []*rangedep.Section) error {
	var out modesOutput
	for _, s := range sections {
		m := modesAtFrequency{
			Hz: s.Frequency, Solver: s.Method, KReal: []float64{}, KImag: []float64{}, PhaseSpeed: []float64{}, GroupSpeed: append([]float64{}, s.GroupSpeed...),
		}
		for i, k := range s.K {
			m.KReal, m.KImag = append(m.KReal, real(k)), append(m.KImag, imag(k))
			m.PhaseSpeed = append(m.PhaseSpeed, s.PhaseSpeed(i))
		}
		out.Frequencies = append(out.Frequencies, m)
	}
	if f.json {
		return json.NewEncoder(w).Encode(out)
	}
	for _, m := range out.Frequencies {
		fmt.Fprintf(w, "%g Hz, %d modes (%s)\n%5s %18s %14s %12s %12s\n", m.Hz, len(m.KReal), m.Solver, "mode", "Re k (rad/m)", "Im k (1/m)", "phase (m/s)", "group (m/s)")
		for i := range m.KReal {
			if _, err := fmt.Fprintf(w, "%5d %18.12f %14.6e %12.4f %12.4f\n", i+1, m.KReal[i], m.KImag[i], m.PhaseSpeed[i], m.GroupSpeed[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// grid is evenly spaced depths from the surface to the deepest interface.
func (f *modesFlags) grid(env *acoustics.Environment) []float64 {
	depths := make([]float64, f.depths)
	for i := range depths {
		depths[i] = env.BottomDepth() * float64(i) / float64(f.depths-1)
	}
	return depths
}

func (f *modesFlags) write(c *envfile.Case, sections []*rangedep.Section) error {
	depths := f.grid(&c.Environment)
	if hasExtension(f.output, ".mod") {
		return saved(f.output, func(w io.Writer) error {
			return envfile.WriteModes(w, []envfile.ModeFile{toolboxModes(c, sections, depths)})
		})
	}
	out := dataset.Modes{Depths: depths}
	for _, s := range sections {
		set := dataset.ModeSet{Frequency: s.Frequency, Wavenumber: s.K, GroupSpeed: s.GroupSpeed}
		for i := range s.K {
			set.PhaseSpeed = append(set.PhaseSpeed, s.PhaseSpeed(i))
		}
		for _, phi := range s.Shapes(depths) {
			set.Shape = append(set.Shape, phi...)
		}
		out.Sets = append(out.Sets, set)
	}
	return dataset.WriteModes(f.output, out)
}

// toolboxModes are modes in the form of a .mod file, whose depths are those of its .env file.
func toolboxModes(c *envfile.Case, sections []*rangedep.Section, depths []float64) envfile.ModeFile {
	m := envfile.ModeFile{Title: c.Title, Frequencies: c.Frequencies}
	for _, z := range c.InFile(depths) {
		m.Depths = append(m.Depths, float32(z))
	}
	z := c.Origin
	add := func(thickness, density, shear float64) {
		m.Media = append(m.Media, envfile.ModeMedium{Mesh: int32(len(depths)), Elastic: shear > 0, Depth: float32(z), Density: float32(density / 1000)})
		z += thickness
	}
	for _, l := range c.Environment.Cover {
		add(l.Thickness, l.Knots[0].Density, l.Knots[0].ShearSpeed)
	}
	add(c.Environment.Water.Depth, c.Environment.Water.Density, 0)
	for _, l := range c.Environment.Layers {
		add(l.Thickness, l.Knots[0].Density, l.Knots[0].ShearSpeed)
	}
	for _, s := range sections {
		set := envfile.ModeSet{Top: toolboxBoundary(c.Environment.Surface, s.Frequency, c.Origin), Bottom: toolboxBoundary(c.Environment.Bottom, s.Frequency, z)}
		for i, phi := range s.Shapes(depths) {
			set.K = append(set.K, complex64(s.K[i]))
			row := make([]complex64, len(phi))
			for d, v := range phi {
				row[d] = complex64(v)
			}
			set.Phi = append(set.Phi, row)
		}
		m.Sets = append(m.Sets, set)
	}
	return m
}

// toolboxBoundary is a boundary in the form of a .mod file, with complex speeds.
func toolboxBoundary(b acoustics.Boundary, hz, depth float64) envfile.ModeBoundary {
	letters := map[acoustics.BoundaryKind]byte{acoustics.PressureRelease: 'V', acoustics.Rigid: 'R', acoustics.Halfspace: 'A', acoustics.Reflection: 'F', acoustics.Impedance: 'P'}
	m := envfile.ModeBoundary{Letter: letters[b.Kind], Depth: float32(depth), Density: float32(b.Material.Density / 1000)}
	m.Speed = complex64(b.Material.ComplexSoundSpeed(hz))
	m.Shear = complex64(b.Material.ComplexShearSpeed(hz))
	return m
}

// draw draws the shapes of one frequency, or the dispersion of several.
func (f *modesFlags) draw(sections []*rangedep.Section) error {
	var p interface {
		Draw() (*figure.Figure, error)
	}
	if len(sections) == 1 {
		p = f.shapes(sections[0])
	} else {
		p = dispersion(sections)
	}
	drawing, err := p.Draw()
	if err != nil {
		return err
	}
	return drawing.Save(f.plot)
}

// dispersion is the speeds of the first modes over frequency, each from its cutoff.
// The nth mode at one frequency is taken for the nth at the next.
func dispersion(sections []*rangedep.Section) figure.Dispersion {
	const most = 6
	p := figure.Dispersion{Title: sections[0].Environment.Name}
	sections = slices.SortedFunc(slices.Values(sections), func(a, b *rangedep.Section) int { return cmp.Compare(a.Frequency, b.Frequency) })
	for _, s := range sections {
		for i := range min(most, len(s.K)) {
			if i == len(p.Modes) {
				p.Modes = append(p.Modes, figure.DispersionCurve{Number: i + 1})
			}
			m := &p.Modes[i]
			m.Frequency, m.PhaseSpeed, m.GroupSpeed = append(m.Frequency, s.Frequency), append(m.PhaseSpeed, s.PhaseSpeed(i)), append(m.GroupSpeed, s.GroupSpeed[i])
		}
	}
	return p
}

// shapes is the first modes' real parts, each turned so that it is largest there.
func (f *modesFlags) shapes(s *rangedep.Section) figure.ModeShapes {
	const most = 12
	depths := f.grid(s.Environment)
	floor := s.Environment.Floor()
	p := figure.ModeShapes{Title: fmt.Sprintf("%s, %g Hz", s.Environment.Name, s.Frequency), Depths: depths, Floor: &floor}
	for _, phi := range s.Shapes(depths)[:min(most, len(s.K))] {
		row, turn := make([]float64, len(phi)), complex128(1)
		peak := 0.0
		for _, v := range phi {
			if a := cmplx.Abs(v); a > peak {
				peak, turn = a, cmplx.Conj(v)/complex(a, 0)
			}
		}
		if real(turn) < 0 {
			turn = -turn
		}
		for d, v := range phi {
			row[d] = real(v * turn)
		}
		p.Shapes = append(p.Shapes, row)
	}
	return p
}

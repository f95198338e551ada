package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"oceaninv/acoustics"
	"oceaninv/acoustics/modes"
	"oceaninv/acoustics/rangedep"
	"oceaninv/inversion"
	"oceaninv/io/dataset"
	"oceaninv/io/envfile"
	"oceaninv/workflow/config"
	"oceaninv/workflow/stage"
)

// oceanSource reads oceans from any format that holds one.
type oceanSource struct {
	registry    *stage.Registry
	environment string
	assignments []config.Assignment
}

// oceanFormats is the part of a command's help that names the formats.
const oceanFormats = `an environmental file of the Acoustics Toolbox (.env), the NetCDF file of an
environment (.nc) or a pipeline with an environment block (.hcl)`

func (f *oceanSource) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.environment, "environment", "", "`name` of the environment block of a pipeline with several")
	flags.Var(&assignmentFlag{into: &f.assignments}, "var", "give a `name=value` to a variable of a pipeline")
}

// oceanFlags say which modes of which ocean are wanted.
type oceanFlags struct {
	oceanSource
	frequencies []float64
	solver      rangedep.SolverOptions
}

func (f *oceanFlags) add(flags *pflag.FlagSet) {
	f.oceanSource.add(flags)
	f.solver = rangedep.DefaultSolverOptions()
	flags.Float64SliceVar(&f.frequencies, "frequency", nil, "frequencies in `Hz` instead of the file's")
	flags.StringVar((*string)(&f.solver.Method), "solver", string(f.solver.Method), "auto, real (attenuation as a perturbation, KRAKEN) or complex (elastic media, leaky modes, KRAKENC)")
	flags.Float64Var(&f.solver.MinPhaseSpeed, "min-phase-speed", 0, "lower limit of phase speed in `m/s` instead of the file's")
	flags.Float64Var(&f.solver.MaxPhaseSpeed, "max-phase-speed", 0, "upper limit of phase speed in `m/s` instead of the file's")
	flags.Float64Var(&f.solver.MaxLoss, "max-loss", f.solver.MaxLoss, "leave out modes losing more than this, in `dB` per wavelength (complex solver)")
}

// apply replaces what the file says by what the flags say.
func (f *oceanFlags) apply(cases []envfile.Case) error {
	if m := f.solver.Method; m != rangedep.Auto && m != rangedep.Real && m != rangedep.Complex {
		return badInput("--solver %s: use auto, real or complex", m)
	}
	if f.solver.MaxLoss <= 0 {
		return badInput("--max-loss %v: it must be positive", f.solver.MaxLoss)
	}
	for _, hz := range f.frequencies {
		if !(hz > 0) {
			return badInput("--frequency %v: it must be positive", hz)
		}
	}
	for i := range cases {
		c := &cases[i]
		if f.frequencies != nil {
			c.Frequencies = slices.Clone(f.frequencies)
		}
		if f.solver.MinPhaseSpeed != 0 {
			c.PhaseSpeed.Low = f.solver.MinPhaseSpeed
		}
		if f.solver.MaxPhaseSpeed != 0 {
			c.PhaseSpeed.High = f.solver.MaxPhaseSpeed
		}
		if !(c.PhaseSpeed.Low >= 0 && c.PhaseSpeed.High > c.PhaseSpeed.Low) {
			return badInput("phase-speed limits run from %v to %v m/s: give the lower limit first", c.PhaseSpeed.Low, c.PhaseSpeed.High)
		}
	}
	return nil
}

// solve finds the modes of one profile at one frequency.
func (f *oceanFlags) solve(c *envfile.Case, hz float64) (*rangedep.Section, error) {
	o := f.solver
	o.MinPhaseSpeed, o.MaxPhaseSpeed = c.PhaseSpeed.Low, c.PhaseSpeed.High
	s, err := rangedep.Solve(&c.Environment, hz, o)
	return s, solverError(err)
}

// read reads the profiles of an ocean: an environmental file, or the NetCDF file or
// pipeline of an environment, which have no frequencies, limits or depths of their
// own.
func (f *oceanSource) read(path string, stderr io.Writer) ([]envfile.Case, error) {
	switch {
	case hasExtension(path, ".nc"):
		env, err := dataset.ReadEnvironment(path)
		if err != nil {
			return nil, &exitError{exitBadInput, err}
		}
		if err := env.Validate(); err != nil {
			return nil, badInput("%s: %w", path, err)
		}
		return []envfile.Case{bareCase(env)}, nil
	case hasExtension(path, ".hcl"):
		env, err := f.readPipeline(path, stderr)
		if err != nil {
			return nil, err
		}
		return []envfile.Case{bareCase(env)}, nil
	case f.environment != "" || f.assignments != nil:
		return nil, badInput("--environment and --var are for pipelines; %s is none", path)
	}
	cases, err := envfile.ReadFile(path)
	if err != nil {
		return nil, fileError(err)
	}
	for _, c := range cases {
		for _, w := range c.Warnings {
			fmt.Fprintln(stderr, "Warning:", w)
		}
	}
	return cases, nil
}

// readPipeline evaluates a pipeline and returns the environment block meant.
func (f *oceanSource) readPipeline(path string, stderr io.Writer) (env acoustics.Environment, err error) {
	d, err := definitionOf(config.Request{Path: path, Assignments: f.assignments, Registry: f.registry}, "environment", f.environment, stderr)
	if err != nil {
		return env, err
	}
	return env, failed(stage.DecodeValue(d.Value, &env))
}

// definitionOf evaluates a pipeline and returns its block of a kind: the one with the
// name, or the only one.
func definitionOf(request config.Request, kind, name string, stderr io.Writer) (config.Definition, error) {
	var none config.Definition
	loaded, diags := config.Load(request)
	printDiagnostics(redact(stderr, loaded.Secrets), loaded.Files, diags)
	if diags.HasErrors() {
		return none, &exitError{code: exitBadInput}
	}
	var names []string
	found := map[string]config.Definition{}
	for _, d := range loaded.Pipeline.Definitions {
		if d.Type == kind {
			names = append(names, d.Name)
			found[d.Name] = d
		}
	}
	switch {
	case len(names) == 0:
		return none, badInput("%s has no %s block", request.Path, kind)
	case name == "" && len(names) > 1:
		return none, badInput("%s has the %ss %s: choose one with --%s", request.Path, kind, strings.Join(names, ", "), kind)
	case name == "":
		name = names[0]
	}
	d, ok := found[name]
	if !ok {
		return none, badInput("%s has no %s %q, but %s", request.Path, kind, name, strings.Join(names, ", "))
	}
	return d, nil
}

// bareCase is an ocean with the limits that a KRAKEN user would write: modes up to
// the speed of the half-space below.
func bareCase(env acoustics.Environment) envfile.Case {
	c := envfile.Case{
		Title: env.Name, Environment: env, Interpolation: env.Water.Profile.Interpolation,
		PhaseSpeed: envfile.PhaseSpeedLimits{High: 1e9}, Mesh: make([]int, len(env.Cover)+1+len(env.Layers)),
	}
	if env.Bottom.Kind == acoustics.Halfspace {
		c.PhaseSpeed.High = env.Bottom.Material.SoundSpeed
	}
	return c
}

// fileError gives a mistake in a file its exit code.
func fileError(err error) error {
	var wrong *envfile.Error
	if err != nil && (errors.As(err, &wrong) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)) {
		return &exitError{exitBadInput, err}
	}
	return failed(err)
}

// solverError gives a solver's error its exit code: what the physics cannot do is
// a failure, what the ocean says wrongly bad input.
func solverError(err error) error {
	var invalid acoustics.ValidationErrors
	var unsupported modes.ErrUnsupported
	var impossible *inversion.ParameterError
	if errors.As(err, &invalid) || errors.As(err, &unsupported) || errors.As(err, &impossible) {
		return &exitError{exitBadInput, err}
	}
	return failed(err)
}

// product is a file to be written.
type product struct {
	path  string
	write func(io.Writer) error
}

// saved writes a file whole or not at all.
func saved(path string, write func(io.Writer) error) error {
	return savedTogether([]product{{path, write}})
}

// savedTogether writes files that belong together, all of them whole or none: under
// temporary names beside them, then renamed in order.
func savedTogether(files []product) error {
	var names []string
	defer func() {
		for _, name := range names {
			os.Remove(name)
		}
	}()
	for _, p := range files {
		name, err := written(p)
		if err != nil {
			return err
		}
		names = append(names, name)
		if info, err := os.Stat(p.path); err == nil && info.IsDir() {
			return fmt.Errorf("%s is a directory", p.path)
		}
	}
	for i, p := range files {
		if err := os.Rename(names[i], p.path); err != nil {
			return err
		}
	}
	return nil
}

// written makes a temporary file beside a product and returns its name.
func written(p product) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(p.path), "."+filepath.Base(p.path)+"-*")
	if err != nil {
		return "", err
	}
	if err = p.write(f); err == nil {
		err = f.Chmod(0o644)
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// hasExtension says that a path ends in one of the extensions.
func hasExtension(path string, extensions ...string) bool {
	return slices.Contains(extensions, strings.ToLower(filepath.Ext(path)))
}

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"oceaninv/io/dataset"
	"oceaninv/io/envfile"
	"oceaninv/pipelines/stages"
	"oceaninv/workflow/stage"
)

// envFlags are the flags of env.
type envFlags struct {
	oceanSource
	profile int // from 1; 0 is the first, or all where the format has room for them
	wanted  struct {
		frequency, low, high float64
		maxRange             float64
		sources, receivers   []float64
	}
}

func newEnvCommand(registry *stage.Registry) *cobra.Command {
	f := envFlags{oceanSource: oceanSource{registry: registry}}
	cmd := &cobra.Command{
		Use:     "env FROM [TO]",
		GroupID: "ocean",
		Short:   "Convert an ocean between file formats",
		Long: `Reads an ocean from an environmental file of the Acoustics Toolbox (.env), NetCDF (.nc), a pipeline's environment block
(.hcl) or JSON (.json) and writes it in any of these formats. Without TO it is printed as JSON.

An .env file also says at what frequency, within which phase speeds and at which depths modes are wanted; the flags give
these where FROM does not.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	f.add(flags)
	flags.IntVar(&f.profile, "profile", 0, "which `profile` of a file with several to write: by default the first (.nc, .hcl) or all (.env, .json)")
	flags.Float64Var(&f.wanted.frequency, "frequency", 0, "frequency in `Hz` of an .env file")
	flags.Float64Var(&f.wanted.low, "min-phase-speed", 0, "lower limit of phase speed in `m/s` of an .env file")
	flags.Float64Var(&f.wanted.high, "max-phase-speed", 0, "upper limit of phase speed in `m/s` of an .env file")
	flags.Float64Var(&f.wanted.maxRange, "max-range", 0, "maximum range in `m` of an .env file")
	flags.Float64SliceVar(&f.wanted.sources, "source-depth", nil, "depths of sources in `m` of an .env file")
	flags.Float64SliceVar(&f.wanted.receivers, "receiver-depth", nil, "depths of receivers in `m` of an .env file")
	return cmd
}

func (f *envFlags) run(args []string, stdout, stderr io.Writer) error {
	cases, err := f.readCases(args[0], stderr)
	if err != nil {
		return err
	}
	if len(cases) == 0 {
		return badInput("%s has no profile", args[0])
	}
	if f.profile < 0 || f.profile > len(cases) {
		return badInput("--profile %d: %s has %d", f.profile, args[0], len(cases))
	}
	if f.profile > 0 {
		cases = cases[f.profile-1 : f.profile]
	}
	for i := range cases {
		f.complete(&cases[i])
	}
	if len(args) == 1 {
		return writeJSON(stdout, cases)
	}
	to, env := args[1], cases[0].Environment
	switch {
	case hasExtension(to, ".json"):
		return failed(saved(to, func(w io.Writer) error { return writeJSON(w, cases) }))
	case hasExtension(to, ".nc"):
		return failed(dataset.WriteEnvironment(to, env))
	case hasExtension(to, ".hcl"):
		return failed(saved(to, func(w io.Writer) error { _, err := w.Write(stages.EnvironmentHCL(env)); return err }))
	case hasExtension(to, ".env"):
		return f.writeToolbox(to, cases, stderr)
	}
	return badInput("%s: the name must end in .env, .nc, .json or .hcl", to)
}

func (f *envFlags) readCases(path string, warnings io.Writer) ([]envfile.Case, error) {
	if !hasExtension(path, ".json") {
		return f.read(path, warnings)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fileError(err)
	}
	var cases []envfile.Case
	if err := json.Unmarshal(text, &cases); err != nil {
		return nil, badInput("%s is no list of profiles as oceaninv env prints it: %v", path, err)
	}
	for i := range cases {
		if err := cases[i].Environment.Validate(); err != nil {
			return nil, badInput("%s: profile %d: %v", path, i+1, err)
		}
	}
	return cases, nil
}

// complete gives a case what the flags say.
func (f *envFlags) complete(c *envfile.Case) {
	w := &f.wanted
	if w.frequency != 0 {
		c.Reference, c.Frequencies = w.frequency, []float64{w.frequency}
	}
	if w.low != 0 {
		c.PhaseSpeed.Low = w.low
	}
	if w.high != 0 {
		c.PhaseSpeed.High = w.high
	}
	if w.maxRange != 0 {
		c.MaxRange = w.maxRange
	}
	if w.sources != nil {
		c.SourceDepths = w.sources
	}
	if w.receivers != nil {
		c.ReceiverDepths = w.receivers
	}
}

// writeToolbox writes an .env file, and tables of reflection coefficients beside it.
func (f *envFlags) writeToolbox(to string, cases []envfile.Case, stderr io.Writer) error {
	for i := range cases {
		c := &cases[i]
		switch {
		case !(c.Reference > 0):
			return badInput("an .env file needs a frequency: give --frequency")
		case !(c.PhaseSpeed.High > c.PhaseSpeed.Low && c.PhaseSpeed.Low >= 0):
			return badInput("an .env file needs phase-speed limits: give --min-phase-speed and --max-phase-speed")
		case len(c.SourceDepths) == 0 || len(c.ReceiverDepths) == 0:
			return badInput("an .env file needs depths of sources and receivers: give --source-depth and --receiver-depth")
		}
	}
	var text bytes.Buffer
	notes, err := envfile.Write(&text, cases)
	if err != nil {
		return &exitError{exitBadInput, err}
	}
	tables, err := envfile.Tables(cases)
	if err != nil {
		return &exitError{exitBadInput, err}
	}
	var files []product
	for _, t := range tables {
		files = append(files, product{to[:len(to)-len(".env")] + t.Extension, t.Write})
	}
	files = append(files, product{to, func(w io.Writer) error {
		_, err := text.WriteTo(w)
		return err
	}})
	if err := savedTogether(files); err != nil {
		return failed(err)
	}
	for _, note := range notes {
		fmt.Fprintln(stderr, "Warning:", note)
	}
	return nil
}

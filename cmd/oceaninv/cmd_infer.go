package main

import (
	"fmt"
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"oceaninv/io/dataset"
	"oceaninv/pipelines/stages"
	"oceaninv/workflow/stage"
)

func newInferCommand() *cobra.Command {
	in, output, only := stages.Inference{Cores: runtime.NumCPU()}, "", 0
	cmd := &cobra.Command{
		Use:     "infer MODEL.nc OBSERVATION.nc -o POSTERIOR.nc",
		GroupID: "pipeline",
		Short:   "Apply a trained model to observations",
		Long: `Draws from a trained model's posterior for every observation of a NetCDF file and writes them to another. An
observation whose phones or tones are not the model's is refused, and any other than its own by a model that was trained
around one observation, which --observation picks out of several; one unlike anything the model was trained on is warned about.

  oceaninv infer results/quickstart/recommended.nc results/quickstart/held_out.nc -o posterior.nc`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if output == "" {
				return badInput("infer needs -o POSTERIOR.nc: where to write")
			}
			if in.Draws < 1 {
				return badInput("--draws %d: at least 1 is needed", in.Draws)
			}
			in.Model, in.Observation = args[0], args[1]
			if cmd.Flags().Changed("observation") {
				in.Only = &only
			}
			for _, path := range args {
				if _, err := os.Stat(path); err != nil {
					return badInput("%v", err)
				}
			}
			in.Warn = func(text string) { fmt.Fprintln(cmd.ErrOrStderr(), "Warning:", text) }
			p, err := stages.Infer(cmd.Context(), in)
			if stage.IsBadInput(err) {
				return &exitError{exitBadInput, err}
			}
			if err != nil {
				return failed(err)
			}
			return failed(dataset.WritePosterior(output, p))
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "posterior `file` to write (NetCDF)")
	cmd.Flags().IntVar(&in.Draws, "draws", 1000, "draws per observation")
	cmd.Flags().IntVar(&only, "observation", 0, "apply the model to this `number` of the observations alone, from 0; by default to all")
	cmd.Flags().Uint64Var(&in.Seed, "seed", 0, "of the draws")
	return cmd
}

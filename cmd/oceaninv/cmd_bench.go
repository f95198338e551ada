package main

import (
	"fmt"
	"io"
	"runtime"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"oceaninv/acoustics/modes/bench"
	"oceaninv/surrogate/train"
)

func newBenchCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "bench",
		GroupID: "inspect",
		Short:   "Measure the speed of the forward model and of training on this machine",
		Args:    cobra.NoArgs,
	}
	cmd.AddCommand(newBenchForwardCommand(), newBenchTrainCommand())
	return cmd
}

// forwardReport is what `bench forward --json` writes.
type forwardReport struct {
	*bench.Result
	KrakenMSPerSample float64 `json:"kraken_ms_per_sample,omitempty"`
	Ratio             float64 `json:"ratio,omitempty"`
}

func newBenchForwardCommand() *cobra.Command {
	o, kraken, asJSON := bench.DefaultOptions(), "", false
	var costs costFlags
	o.Workers = runtime.NumCPU()
	cmd := &cobra.Command{
		Use:   "forward",
		Short: "SWellEx-96, seven tones: time per sample, error against a converged solution, ratio to KRAKEN",
		Long: `Solves random oceans of the SWellEx-96 case study at seven tones and sums the field of five phones, on one core; then
on all cores. Errors are against a converged solution. With --kraken, an installed KRAKEN executable solves the same
oceans at its automatic mesh, many profiles per process, in the same run; times of one core are processor time of both.

With --cost it solves an ocean at 10 Hz to 5 kHz in 30 m to 5 km of water instead: modes, cells, time and error of each.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if costs.wanted {
				return costs.run(o.Tolerance, asJSON, cmd.OutOrStdout(), cmd.ErrOrStderr())
			}
			if costs.plot != "" {
				return badInput("--plot draws the cost: give --cost too")
			}
			r, err := bench.Forward(o)
			if err != nil {
				return failed(err)
			}
			report := forwardReport{Result: r}
			if kraken != "" {
				if report.KrakenMSPerSample, err = timeKraken(kraken, min(o.Samples, 50)); err != nil {
					return failed(err)
				}
				report.Ratio = report.KrakenMSPerSample / r.MSPerSample
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), report)
			}
			return report.write(cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&costs.wanted, "cost", false, "cost against frequency and depth of water")
	cmd.Flags().StringVar(&costs.plot, "plot", "", "with --cost, draw the times into `FILE` (.png, .svg)")
	cmd.Flags().StringVar(&kraken, "kraken", "", "path of a KRAKEN `executable` to compare with")
	cmd.Flags().IntVar(&o.Samples, "samples", o.Samples, "number of oceans to time")
	cmd.Flags().Float64Var(&o.Tolerance, "tolerance", o.Tolerance, "of the solver, relative, on kr")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

func (r forwardReport) write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "tone (Hz)\tmodes\tms per solve\tworst error of kr\t")
	for _, tone := range r.Tones {
		fmt.Fprintf(t, "%g\t%.1f\t%.3f\t%.1e\t\n", tone.Hz, tone.Modes, tone.MSPerSolve, tone.WorstRelativeErrorKr)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "%.3f ms per sample of %d tones on one core (%.0f solves/s); worst error of kr %.1e, of pressure %.1e\n",
		r.MSPerSample, len(r.Tones), r.SolvesPerSecond, r.WorstRelativeErrorKr, r.WorstPressureError)
	for _, d := range r.Derivatives {
		fmt.Fprintf(w, "derivative by %d parameters: %.3f ms, %.2f times the pressure alone\n", d.Parameters, d.MS, d.Solves)
	}
	if r.Workers > 1 {
		fmt.Fprintf(w, "%d cores: %s, %.0f solves/s\na loop in registers, the machine's own limit: %s\n",
			r.Workers, scaling(r.Speedup), r.SolvesPerSecondAll, scaling(r.MachineSpeedup))
	}
	if r.Ratio > 0 {
		fmt.Fprintf(w, "KRAKEN, same oceans: %.1f ms per sample, %.1f times as long\n", r.KrakenMSPerSample, r.Ratio)
	}
	return nil
}

// scaling words how throughput grew: in the quickest turns of each, and the quartiles.
func scaling(s bench.Scaling) string {
	q := s.Quartiles
	return fmt.Sprintf("%.2f times one core in the quickest turns, quartiles of turns %.2f, %.2f, %.2f", s.Quickest, q[0], q[1], q[2])
}

func newBenchTrainCommand() *cobra.Command {
	var o train.BenchOptions
	asJSON := false
	cmd := &cobra.Command{
		Use:   "train",
		Short: "The paper's training steps: time, samples per second, and the fraction of sgemm's speed",
		Long: `Times training steps of the paper's two geoacoustic configurations under three losses, batch 512, and the same dense
products alone by the BLAS. Names are loss_hidden_latent_blocks. OpenBLAS chooses its kernels by the processor it takes
this one for, which is shown; OPENBLAS_CORETYPE (such as HASWELL or SKYLAKEX) corrects it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			results, err := train.Bench(cmd.Context(), o)
			if err != nil {
				return failed(err)
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), struct {
					Configurations []train.BenchResult `json:"configurations"`
				}{results})
			}
			t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', tabwriter.AlignRight)
			fmt.Fprintln(t, "configuration\tms per step\tsamples/s\tGFLOP/s\tsgemm GFLOP/s\tfraction\t")
			for _, r := range results {
				fmt.Fprintf(t, "%s\t%.1f\t%.0f\t%.1f\t%.1f\t%.2f\t\n", r.Name, r.MSPerStep, r.SamplesPerSecond, r.GFLOPS, r.SgemmGFLOPS, r.Fraction)
			}
			if err := t.Flush(); err != nil {
				return err
			}
			if len(results) > 0 && results[0].SgemmCore != "" {
				fmt.Fprintf(cmd.OutOrStdout(), "OpenBLAS takes this processor for: %s\n", results[0].SgemmCore)
			}
			return nil
		},
	}
	cmd.Flags().StringSliceVar(&o.Only, "only", nil, "configurations to run (default all)")
	cmd.Flags().IntVar(&o.Workers, "workers", 0, "threads (default one per processor)")
	cmd.Flags().DurationVar(&o.Time, "time", 0, "spent on each configuration (default 3s)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"oceaninv/acoustics/modes/bench"
	"oceaninv/io/envfile"
)

// timeKraken runs a KRAKEN executable on the oceans of the benchmark, one process
// per tone with all oceans in its file, so that start-up does not count, and
// returns milliseconds of processor time per sample of all tones. The mesh is KRAKEN's automatic
// one.
func timeKraken(executable string, samples int) (float64, error) {
	executable, err := exec.LookPath(executable)
	if err != nil {
		return 0, badInput("--kraken: %v", err)
	}
	if executable, err = filepath.Abs(executable); err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "oceaninv-kraken")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	var total time.Duration
	for _, hz := range bench.Tones() {
		root := fmt.Sprintf("tone%g", hz)
		if err := writeKraken(filepath.Join(dir, root+".env"), hz, samples); err != nil {
			return 0, err
		}
		var output bytes.Buffer
		run := exec.Command(executable, root)
		run.Dir, run.Stdout, run.Stderr = dir, &output, &output
		err := run.Run()
		if run.ProcessState != nil {
			total += run.ProcessState.UserTime() + run.ProcessState.SystemTime()
		}
		if err != nil {
			return 0, fmt.Errorf("--kraken: %s on %s.env: %w\n%s", executable, root, err, output.Bytes())
		}
		if info, err := os.Stat(filepath.Join(dir, root+".mod")); err != nil || info.Size() == 0 {
			return 0, fmt.Errorf("--kraken: %s wrote no modes for %s.env:\n%s", executable, root, output.Bytes())
		}
	}
	return total.Seconds() * 1000 / float64(samples), nil
}

func writeKraken(path string, hz float64, samples int) error {
	cases := make([]envfile.Case, samples)
	for i := range cases {
		e := bench.Sample(i)
		cases[i] = envfile.Case{
			Title: fmt.Sprintf("SWellEx-96 sample %d", i), Frequencies: []float64{hz}, Reference: hz, Environment: e,
			Interpolation: e.Water.Profile.Interpolation, PhaseSpeed: envfile.PhaseSpeedLimits{Low: 1400, High: 1800},
			MaxRange: 10000, SourceDepths: []float64{bench.Source().Depth}, ReceiverDepths: bench.Array().Depths,
			Mesh: make([]int, 1+len(e.Layers)), // automatic
		}
	}
	var text bytes.Buffer
	if _, err := envfile.Write(&text, cases); err != nil {
		return err
	}
	return os.WriteFile(path, text.Bytes(), 0o666)
}

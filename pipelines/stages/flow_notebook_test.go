package stages_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"testing"

	"oceaninv/io/netcdf"
	"oceaninv/surrogate"
	"oceaninv/surrogate/train"
)

var writeTwoMoons = flag.Bool("write-two-moons", false, "write notebooks-data/flows/two_moons.nc")

const (
	flowNotebook = "../../notebooks-data/flows"
	drawSeed     = 7
)

// TestFlowInNumPy writes flows of every kind to model files and lets the notebook rebuild them in NumPy: another
// implementation, which shares nothing with this one but the file format, must get the same draws and densities.
func TestFlowInNumPy(t *testing.T) {
	if *writeTwoMoons {
		writeFlow(t, filepath.Join(flowNotebook, "two_moons.nc"), twoMoons(t), nil)
	}
	python := pythonWithNetCDF(t)
	dir := t.TempDir()
	files := []string{filepath.Join(flowNotebook, "check.py")}
	for i, edit := range notebookFlows {
		s := surrogate.DefaultFlow()
		s.Dim, s.CondDim, s.Blocks, s.Hidden, s.Seed = 5, 2, 2, 8, uint64(i)
		edit(&s)
		f, err := surrogate.NewFlow[float64](s)
		if err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(3, uint64(i)))
		for j := range f.Params() {
			f.Params()[j] += 0.2 * rng.NormFloat64()
		}
		f.Refresh()
		path := filepath.Join(dir, fmt.Sprintf("%s_%d.nc", s.Coupling, i))
		writeFlow(t, path, f, []float64{0.5, -1}[:s.CondDim])
		files = append(files, path)
	}
	if out, err := exec.Command(python, files...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

var notebookFlows = []func(*surrogate.FlowSpec){
	func(*surrogate.FlowSpec) {},
	func(s *surrogate.FlowSpec) { s.CondDim, s.Dim, s.ClampFunction, s.Activation = 0, 1, "tanh", "tanh" },
	func(s *surrogate.FlowSpec) { s.OneSided, s.ClampFunction, s.Permutation = true, "sigmoid", "numpy" },
	func(s *surrogate.FlowSpec) { s.Coupling, s.Permutation, s.Activation = "rnvp", "rotation", "relu" },
	func(s *surrogate.FlowSpec) { s.Coupling, s.ActNorm = "nice", true },
	func(s *surrogate.FlowSpec) { s.Coupling, s.SummaryDim, s.SummaryHidden = "gin", 3, 5 },
	func(s *surrogate.FlowSpec) { s.Coupling, s.Permutation = "spline", "householder" },
	func(s *surrogate.FlowSpec) { s.Coupling, s.SplineIdentity, s.SplineClamp = "spline", true, 0 },
	func(s *surrogate.FlowSpec) { s.Coupling, s.Permutation = "elementwise_affine", "none" },
	func(s *surrogate.FlowSpec) { s.Coupling, s.CondDim, s.Dim = "elementwise_spline", 0, 1 },
	func(s *surrogate.FlowSpec) { s.Coupling, s.LogDet = "iresnet", "exact" },
}

// pythonWithNetCDF finds an interpreter for the notebook. The check compares with another language, so without one
// there is nothing to compare with.
func pythonWithNetCDF(t *testing.T) string {
	for _, p := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(p, "-c", "import numpy, netCDF4").Run() == nil {
			return p
		}
	}
	t.Skip("no python3 with numpy and netCDF4 (Debian: python3-numpy python3-netcdf4)")
	return ""
}

// twoMoons trains the flow of the notebook.
func twoMoons(t *testing.T) *surrogate.Flow[float64] {
	moons := &train.Simulator[float32]{Rows: 4096, NX: 2, Seed: 1,
		Draw: func(rng *rand.Rand, x, _ []float32) error {
			sin, cos := math.Sincos(math.Pi * rng.Float64())
			if rng.Float64() < 0.5 {
				sin, cos = 0.5-sin, 1-cos
			}
			x[0], x[1] = float32(cos+0.1*rng.NormFloat64()), float32(sin+0.1*rng.NormFloat64())
			return nil
		}}
	s := surrogate.DefaultFlow()
	s.Dim, s.Coupling, s.Blocks, s.Hidden = 2, "spline", 4, 32
	f, err := surrogate.NewFlow[float32](s)
	if err != nil {
		t.Fatal(err)
	}
	o := train.DefaultOptions(train.LossMaximumLikelihood)
	o.Epochs, o.BatchSize, o.LearningRate, o.Schedule = 100, 256, 2e-3, "cosine"
	if _, err := train.TrainFlow(context.Background(), f, moons, nil, o, train.Run{}); err != nil {
		t.Fatal(err)
	}
	return surrogate.Convert[float64](f)
}

// writeFlow stores a flow as model files do, and draws with their log-densities.
func writeFlow(t *testing.T, path string, f *surrogate.Flow[float64], cond []float64) {
	t.Helper()
	const n = 500
	draws, err := f.Sample(n, cond, drawSeed)
	if err != nil {
		t.Fatal(err)
	}
	logProb, err := f.LogProb(draws, cond)
	if err != nil {
		t.Fatal(err)
	}
	arrays := []surrogate.NamedTensor[float64]{
		{Name: "draw", Shape: []int{n, f.Dim()}, Data: draws}, {Name: "log_prob", Shape: []int{n}, Data: logProb},
	}
	if len(cond) > 0 {
		arrays = append(arrays, surrogate.NamedTensor[float64]{Name: "condition", Shape: []int{len(cond)}, Data: cond})
	}
	for _, a := range f.Named() {
		a.Name = "flow." + a.Name
		arrays = append(arrays, a)
	}
	text, err := json.Marshal(map[string]any{"kind": "flow", "flow": f.Spec()})
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	w, err := netcdf.Create(path)
	must(err)
	must(w.SetAttribute(netcdf.Text("model_architecture", string(text))))
	must(w.SetAttribute(netcdf.Number("draw_seed", drawSeed)))
	lengths := map[int]bool{}
	for _, a := range arrays {
		var dims []string
		for _, d := range a.Shape {
			name := fmt.Sprintf("length_%d", d)
			if !lengths[d] {
				must(w.AddDimension(name, d))
				lengths[d] = true
			}
			dims = append(dims, name)
		}
		v, err := w.AddVariable(netcdf.Definition{Name: a.Name, Type: netcdf.Double, Dimensions: dims})
		must(err)
		must(netcdf.WriteAll(v, a.Data))
	}
	must(w.Commit())
}

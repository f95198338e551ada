package stages

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"oceaninv/inversion"
	"oceaninv/inversion/kinematics"
	"oceaninv/io/dataset"
	"oceaninv/surrogate/train"
)

func displacedFit(name, variant string, rate float64) string {
	return fmt.Sprintf(`
stage "fit" %[1]q {
  samples     = stage.law.samples
  mode        = "nf"
  loss        = "wasserstein"
  variant     = %[2]q
  standardise = false
  flow {
    blocks        = 6
    hidden        = 8
    hidden_layers = 1
    activation    = "relu"
  }
  training {
    base          = "uniform"
    base_shift    = 3
    blur          = 0.05
    batch_size    = 64
    epochs        = 8
    learning_rate = %[3]g
  }
}
stage "score" "%[1]s_score" {
  model   = stage.%[1]s.model
  samples = stage.law.samples
  draws   = 300
}
`, name, variant, rate)
}

// TestDisplacedLatent: a flow of one number with ReLU networks and zero biases moves by what its learning rate
// allows. At the authors' rate it does not get there in these steps, at a larger one it does.
func TestDisplacedLatent(t *testing.T) {
	c := newChain(t)
	source := lawOf(`distribution = "uniform"`) + displacedFit("slow", "released", 2e-4) + displacedFit("quick", "corrected", 3e-2) + `
stage "study" "displaced" {
  scores    = [stage.slow_score.scores, stage.quick_score.scores]
  series    = ["slow", "quick"]
  at        = [3, 3]
  published = [{ series = "slow", at = 3, mean = 0.24, sd = 0.005 }]
}
`
	if d := c.decode(source); d.HasErrors() {
		t.Fatal(d)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(c.run("law", "law"))
	value := map[string]float64{}
	for _, name := range []string{"slow", "quick"} {
		must(c.run("fit", name))
		must(c.run("score", name+"_score"))
		a, err := readScores(c.path("stage." + name + "_score.scores"))
		must(err)
		value[name] = a.targets[wassersteinScore][0]
		if a.Guarantee != nil || !math.IsNaN(float64(a.HeldOutNLL)) || a.targets[sinkhornScore] == nil {
			t.Errorf("%+v", a)
		}
	}
	// 8 epochs of 12 batches of 2e-4 move each of six biases by 0.02 at most.
	if !(value["slow"] > 2.5) {
		t.Errorf("after 96 steps of 2e-4 the draws are %.3f from the data, 3 away at first", value["slow"])
	}
	if !(value["quick"] < 0.3) {
		t.Errorf("after 96 steps of 3e-2 the draws are still %.3f from the data", value["quick"])
	}
	must(c.run("study", "displaced"))
	text, err := os.ReadFile(c.path("stage.displaced.table"))
	must(err)
	if !strings.Contains(string(text), "| slow | 3 | 1 |") || !strings.Contains(string(text), "0.24 ± 0.005") {
		t.Errorf("the table is\n%s", text)
	}
}

// TestWiderThanX: a network of more dimensions than x generates by its first outputs; here it learns the prior.
func TestWiderThanX(t *testing.T) {
	c := newChain(t)
	source := lawOf(`distribution = "pareto"
  alpha = 8`) + `
stage "fit" "wide" {
  samples = stage.law.samples
  mode    = "nf"
  loss    = "mmd"
  latent  = 4
  flow {
    hidden = 16
  }
  training {
    batch_size    = 64
    epochs        = 10
    learning_rate = 3e-3
  }
}
stage "score" "judged" {
  model   = stage.wide.model
  samples = stage.law.samples
  draws   = 100
  guarantee {
    rows          = 100
    steps         = 10
    strong_hidden = 16
    points        = 2
  }
}
`
	if d := c.decode(source); d.HasErrors() {
		t.Fatal(d)
	}
	for _, s := range [][2]string{{"law", "law"}, {"fit", "wide"}, {"score", "judged"}} {
		if err := c.run(s[0], s[1]); err != nil {
			t.Fatal(s, err)
		}
	}
	m, err := readFitted(c.path("stage.wide.model"))
	if err != nil {
		t.Fatal(err)
	}
	if m.Flow.Dim != 4 || m.hasDensity() {
		t.Errorf("a flow of dimension %d, with a density: %v", m.Flow.Dim, m.hasDensity())
	}
	a, err := readScores(c.path("stage.judged.scores"))
	if err != nil || a.Guarantee == nil {
		t.Fatal(a, err)
	}
	// The law's mean is 8/7, its deviation 0.17: one that had learned nothing would be off by as much.
	if w := a.targets[wassersteinScore][0]; !(w < 0.12) {
		t.Errorf("draws are %.3f from the law", w)
	}
}

// TestReleasedArm: the authors' data share positions of the hand, and are tested on some of them.
func TestReleasedArm(t *testing.T) {
	c := newChain(t)
	d := c.decode(`
stage "kinematics" "arm" {
  variant  = "released"
  samples  = 230
  inverses = 50
  targets  = 2
  draws    = 20
}`)
	if d.HasErrors() {
		t.Fatal(d)
	}
	if err := c.run("kinematics", "arm"); err != nil {
		t.Fatal(err)
	}
	p, err := readPairs(c.path("stage.arm.samples"))
	if err != nil {
		t.Fatal(err)
	}
	arm := kinematics.DefaultArm()
	seen := map[[2]float64]int{}
	for i := range p.n {
		y := p.y[i*2 : i*2+2]
		seen[[2]float64(y)]++
		if miss := arm.Misses(&inversion.Draws{D: 4, Theta: p.x[i*4 : i*4+4]}, y)[0]; miss > 0.05 {
			t.Fatalf("sample %d is %g from its position", i, miss)
		}
	}
	if len(seen) != 5 {
		t.Errorf("%d positions, want 5", len(seen))
	}
	truths, err := armTruths(c.path("stage.arm.reference"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		y := make([]float64, 2)
		arm.Forward(y, truths[i*4:(i+1)*4])
		if seen[[2]float64(y)] == 0 {
			t.Errorf("target %d, %v, is not among the positions trained on", i, y)
		}
	}
}

// TestReleasedSettings: what a variant means for each loss.
func TestReleasedSettings(t *testing.T) {
	spec := func(loss, variant string, more ...string) *fitStage {
		c := newChain(t)
		arguments := fmt.Sprintf("loss = %q\n  variant = %q\n  %s", loss, variant, strings.Join(more, "\n  "))
		if d := c.decode(fitOf(arguments, `coupling = "iresnet"`, "")); d.HasErrors() {
			t.Fatal(d)
		}
		return c.specs["x"].(*fitStage)
	}
	kld := spec("kld", "released")
	if o := kld.Training; o.ReverseWeight != 0.01 || o.Clamp != "paper" || o.LearningRate != 2e-4 || o.Beta1 != 0.5 || o.WeightDecay != 0 || o.ClipNorm != 0 || o.ReverseNoise != 0 || o.PadNoise != 0 {
		t.Errorf("released kld: %+v", o)
	}
	if f := kld.Flow; f.Init != "normal" || f.InitStd != 0.02 || f.Permutation != "numpy" || f.SpectralNorm || !f.ReleasedInverse || f.LogDet != "truncated" || f.LogDetTerms != 20 || f.InverseSteps != 51 {
		t.Errorf("released i-resnet: %+v", f)
	}
	nll := spec("nll", "released").Training
	if nll.FitWeight != 25 || nll.ReverseWeight != 5 || nll.ReverseNoise != 0.1 || nll.ClipNorm != 0 || nll.PadNoise != 0.05 || nll.WeightDecay != 2e-5 || nll.Decay != 0.95 {
		t.Errorf("released nll: %+v", nll)
	}
	right := spec("kld", "corrected")
	if o := right.Training; o.ReverseWeight != 0 || o.Clamp != "corrected" || o.FitWeight != 10 {
		t.Errorf("corrected kld: %+v", o)
	}
	if f := right.Flow; !f.SpectralNorm || f.ReleasedInverse || f.LogDet != "roulette" || f.Init != "orthogonal" {
		t.Errorf("corrected i-resnet: %+v", f)
	}
	if o := spec("wasserstein", "released").Training; o.FitWeight != 10 || o.ReverseWeight != 10 || o.TransportWeight != 100 {
		t.Errorf("released wasserstein: %+v", o)
	}
	if nf := spec("kld", "released", "mode = \"nf\"").Training; nf.ReverseWeight != 0 || nf.Clamp != "hard" || nf.CriticInit != "normal" {
		t.Errorf("released kld of x alone: %+v", nf)
	}
	if o := train.DefaultOptions(train.Loss("jsd")); o.CriticHidden != 64 || o.CriticLayers != 2 || o.CriticSteps != 1 || o.CriticRate != 2e-4 {
		t.Errorf("critic: %+v", o)
	}
}

func armTruths(path string) ([]float64, error) {
	p, err := dataset.ReadPosterior(path)
	return p.Truth, err
}

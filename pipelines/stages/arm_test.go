package stages

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"oceaninv/io/dataset"
	"oceaninv/io/netcdf"
)

const armData = `
stage "kinematics" "arm" {
  samples = 3000
  targets = 4
  draws   = 200
}
`

func fitBlock(name, arguments, flow, training string) string {
	return fmt.Sprintf(`
stage "fit" %q {
  samples = stage.arm.samples
  %s
  flow {
    blocks = 3
    hidden = 32
    %s
  }
  training {
    batch_size    = 128
    learning_rate = 2e-3
    %s
  }
}
stage "score" "%s_score" {
  model     = stage.%s.model
  samples   = stage.arm.samples
  reference = stage.arm.reference
  guarantee {
    rows          = 500
    steps         = 50
    strong_hidden = 64
    strong_layers = 2
    points        = 4
  }
}
`, name, arguments, flow, training, name, name)
}

// TestArm trains each mode on the robot arm and holds the posteriors to rejection
// samples: the conditional flow, which has the whole likelihood, must come close,
// and one trained for a single epoch must not.
func TestArm(t *testing.T) {
	c := newChain(t)
	good, inn, nf := "epochs = 25", "epochs = 15", "epochs = 5"
	if testing.Short() { // all goroutines meet within one epoch; how good the posteriors are the long form sees
		good, inn, nf = "epochs = 1", "epochs = 1", "epochs = 1"
	}
	source := armData +
		fitBlock("good", `mode = "conditional"`, `coupling = "spline"`, good) +
		fitBlock("poor", `mode = "conditional"`, `coupling = "nice"`, "epochs = 1") +
		fitBlock("inn", "latent = 4\n  loss = \"nll_exact\"", "", inn) +
		fitBlock("critic", "latent = 4\n  loss = \"jsd\"\n  variant = \"released\"", "", "epochs = 1") +
		fitBlock("nf", `mode = "nf"`, "", nf) + `
stage "compare" "all" {
  scores = [for s in [stage.good_score, stage.poor_score, stage.inn_score, stage.critic_score, stage.nf_score] : s.scores]
}
`
	if d := c.decode(source); d.HasErrors() {
		t.Fatal(d)
	}
	names := []string{"good", "poor", "inn", "critic", "nf"}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(c.run("kinematics", "arm"))
	for _, name := range names {
		must(c.run("fit", name))
		must(c.run("score", name+"_score"))
	}
	must(c.run("compare", "all"))
	scores := map[string]row{}
	for _, name := range names {
		table, err := gather([]string{c.path("stage." + name + "_score.scores")})
		must(err)
		scores[name] = table.rows[0]
		t.Logf("%s: misses by %.3f, W1 %.3f, right side %.3g", name, scores[name].miss, scores[name].wasserstein, scores[name].RightSide)
	}
	if !testing.Short() {
		checkArm(t, scores)
	}
	// A holds the central 0.9 of each coordinate: at least 0.8 of all observations, at most 0.9.
	if p := float64(scores["good"].SetProbability); !(p > 0.79 && p < 0.91) || !math.IsNaN(float64(scores["nf"].SetProbability)) {
		t.Errorf("the probability of A is %v, without targets %v", p, scores["nf"].SetProbability)
	}
	if !math.IsNaN(float64(scores["inn"].HeldOutNLL)) || !math.IsNaN(scores["nf"].miss) {
		t.Error("an invertible network has no density of x, a flow of x alone no target to miss")
	}
	text, err := os.ReadFile(c.path("stage.all.table"))
	must(err)
	for _, want := range []string{"| spline | maximum_likelihood | corrected |", "| glow | jsd | released |", "Flows of x alone", "E‖(z, y)‖ᵖ"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the table lacks %q:\n%s", want, text)
		}
	}
}

// checkArm holds the trained flows to rejection samples and to the entropy of the prior.
func checkArm(t *testing.T, scores map[string]row) {
	t.Helper()
	good, poor := scores["good"], scores["poor"]
	floor := average(good.targets[wassersteinFloor])
	t.Logf("W1 of two sets of rejection samples: %.3f; of each target: %.3g against %.3g", floor, good.targets[wassersteinScore], good.targets[wassersteinFloor])
	if !(good.wasserstein < 4*floor && good.miss < 0.15) {
		t.Errorf("the conditional flow is %.3f from rejection samples that are %.3f apart, and misses by %.3f", good.wasserstein, floor, good.miss)
	}
	if !(poor.miss > 2*good.miss && poor.wasserstein > good.wasserstein) {
		t.Errorf("one epoch of an additive flow (%.3f, W1 %.3f) rivals a trained one (%.3f, W1 %.3f): is the error measured?",
			poor.miss, poor.wasserstein, good.miss, good.wasserstein)
	}
	// The density of the arm's prior is known: a flow of x alone cannot beat its entropy.
	entropy := 0.0
	for _, s := range []float64{0.25, 0.5, 0.5, 0.5} {
		entropy += math.Log(s) + 0.5*math.Log(2*math.Pi*math.E)
	}
	if nll := float64(scores["nf"].HeldOutNLL); !(nll > entropy-0.15 && nll < entropy+0.3) {
		t.Errorf("held-out negative log density %.3f nat of a flow of x alone, the prior's entropy is %.3f", nll, entropy)
	}
}

// TestTrainMistakes asks the stage of the acoustic problem for the same.
func TestTrainMistakes(t *testing.T) {
	for name, v := range map[string]struct{ block, say string }{
		"density of a network without one": {`inn {
    loss = "maximum_likelihood"
  }`, "nll_exact"},
		"conditional flow with a critic": {`conditional {}
  training {
    loss = "kld"
  }`, "trained by maximum_likelihood"},
		"coordinates that never meet": {`inn {}
  flow {
    coupling = "elementwise_spline"
  }`, "depend on two inputs"},
	} {
		diags := newChain(t).decode(pekeris + `
stage "simulate" "data" {
  problem = problem.depth_and_speed
  samples = 600
}
stage "train" "x" {
  dataset = stage.data.dataset
  ` + v.block + `
}`)
		if !diags.HasErrors() {
			t.Errorf("%s: no diagnostic", name)
		} else if text := diags[0].Detail; !strings.Contains(text, v.say) {
			t.Errorf("%s: diagnostic %q does not say %q", name, text, v.say)
		}
	}
}

// TestPairsFromElsewhere reads a table that a user made.
func TestPairsFromElsewhere(t *testing.T) {
	path := t.TempDir() + "/mine.nc"
	table := dataset.Table{Title: "mine", Index: dataset.Column{Name: "sample", Values: []float64{0, 1}},
		Columns:    []dataset.Column{{Name: "b", Values: []float64{3, 4}}, {Name: "a", Values: []float64{1, 2}}},
		Attributes: []netcdf.Attribute{netcdf.Text(unknownsAttribute, "a"), netcdf.Text(observedAttribute, "b")}}
	if err := dataset.WriteTable(path, table); err != nil {
		t.Fatal(err)
	}
	p, err := readPairs(path)
	if err != nil || p.n != 2 || p.x[1] != 2 || p.y[0] != 3 {
		t.Fatalf("%+v, %v", p, err)
	}
	table.Attributes[0] = netcdf.Text(unknownsAttribute, "c")
	if err := dataset.WriteTable(path, table); err != nil {
		t.Fatal(err)
	}
	if _, err := readPairs(path); err == nil || !strings.Contains(err.Error(), "c") {
		t.Errorf("error %v for a column that is not there", err)
	}
}

func TestRankCorrelation(t *testing.T) {
	a := []float64{3, 1, 4, 1.5, 9}
	for _, v := range []struct {
		b    []float64
		want float64
	}{{[]float64{30, 10, 40, 15, 90}, 1}, {[]float64{-3, -1, -4, -1.5, -9}, -1}, {[]float64{1, 2, 3, 4, 5}, 0.5}} {
		if got := rankCorrelation(a, v.b); math.Abs(got-v.want) > 1e-12 {
			t.Errorf("rank correlation %v of %v, want %v", got, v.b, v.want)
		}
	}
}

// TestArmDoesNotDependOnCores makes the same data on one core and on two.
func TestArmDoesNotDependOnCores(t *testing.T) {
	var digests [2][2]string
	for i := range digests {
		c := newChain(t)
		c.cores = i + 1
		if d := c.decode(armData); d.HasErrors() {
			t.Fatal(d)
		}
		if err := c.run("kinematics", "arm"); err != nil {
			t.Fatal(err)
		}
		for k, output := range []string{"samples", "reference"} {
			digest, err := netcdf.Digest(c.path("stage.arm." + output))
			if err != nil {
				t.Fatal(err)
			}
			digests[i][k] = digest
		}
	}
	if digests[0] != digests[1] {
		t.Errorf("digests differ: %v", digests)
	}
}

// TestKinematicsMistakes asks for arms and samples that cannot be.
func TestKinematicsMistakes(t *testing.T) {
	for arguments, say := range map[string]string{
		"samples = 10":                      "at least 100",
		"samples = 500\nlinks = [1, -1]":    "sigma",
		"samples = 500\ntolerance = 0":      "positive length",
		"samples = 500\ncentral = 2":        "probability",
		"samples = 500\nsigma = [1,1,1,-1]": "positive",
	} {
		diags := newChain(t).decode("stage \"kinematics\" \"arm\" {\n" + arguments + "\n}\n")
		if !diags.HasErrors() {
			t.Errorf("%s: no diagnostic", arguments)
		} else if text := diags[0].Detail; !strings.Contains(text, say) {
			t.Errorf("%s: diagnostic %q does not say %q", arguments, text, say)
		}
	}
}

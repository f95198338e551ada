package stages

import (
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"oceaninv/io/dataset"
	"oceaninv/io/netcdf"
)

var updateGolden = flag.Bool("update", false, "write the golden files")

// mistakes are pipelines that cannot work, by what is wrong with them.
var mistakes = []struct{ name, source string }{
	{"a density of a network that has none", fitOf(`loss = "maximum_likelihood"`, "", "")},
	{"a conditional flow with a critic", fitOf("mode = \"conditional\"\n  loss = \"kld\"", "", "")},
	{"an unknown mode", fitOf(`mode = "cinn"`, "", "")},
	{"an unknown variant", fitOf(`variant = "new"`, "", "")},
	{"a slip that has no correction", fitOf("loss = \"nll\"\n  variant = \"corrected\"", "", "")},
	{"a latent part too narrow for the padding", fitOf("latent = 1", "", "")},
	{"a latent part of a conditional flow", fitOf("mode = \"conditional\"\n  latent = 3", "", "")},
	{"a flow narrower than x", fitOf("mode = \"nf\"\n  latent = 3", "", "")},
	{"a batch larger than the data", fitOf("", "", "batch_size = 2401")},
	{"nothing to train on", fitOf("held_out = 1", "", "")},
	{"coordinates that never meet", fitOf("", `coupling = "elementwise_affine"`, "")},
	{"a loss among the options of a training", fitOf(`loss = "jsd"`, "", `loss = "kld"`)},
	{"seeds and widths among the options", fitOf("", "dim = 6\n    seed = 4", "seed = 4")},
	{"the loss of an invertible network given twice", pekeris + `
stage "simulate" "data" {
  problem = problem.depth_and_speed
  samples = 600
}
stage "train" "x" {
  dataset = stage.data.dataset
  inn {
    loss = "nll"
  }
  training {
    loss = "kld"
  }
}`},
	{"an unknown coupling", fitOf("", `coupling = "gloww"`, "")},
	{"an expanding i-ResNet", fitOf("", "coupling = \"iresnet\"\n    lipschitz = 1.2", "")},
	{"bins that do not fit", fitOf("", "coupling = \"spline\"\n    spline_min_bin = 1", "")},
	{"an unknown generator objective", fitOf(`loss = "jsd"`, "", `generator = "magic"`)},
	{"a likelihood of a uniform latent law", fitOf("", "", `base = "uniform"`)},
	{"a prior term without limits", fitOf("", "", "prior_term = \"uniform\"\n    prior_weight = 1")},
	{"a prior term with more columns than x", fitOf("", "", "prior_term = \"normal\"\n    prior_weight = 1\n    prior_mean = [0,0,0,0,0]\n    prior_sigma = [1,1,1,1,1]")},
	{"no blur", fitOf(`loss = "wasserstein"`, "", "blur = 0")},
	{"samples without observations", lawOf(`distribution = "normal"`) + `
stage "fit" "x" {
  samples = stage.law.samples
}`},
	{"a law without its exponent", lawOf(`distribution = "pareto"`)},
	{"an unknown law", lawOf(`distribution = "cauchy"`)},
	{"posteriors with nothing to compare", fitOf("", "", "") + `
stage "score" "judged" {
  model   = stage.x.model
  samples = stage.arm.samples
}`},
	{"a study with a list too short", lawOf(`distribution = "normal"`) + `
stage "fit" "x" {
  samples = stage.law.samples
  mode    = "nf"
}
stage "score" "judged" {
  model   = stage.x.model
  samples = stage.law.samples
}
stage "study" "s" {
  scores = [stage.judged.scores]
  series = ["a"]
  at     = [1, 2]
}`},
	{"a comparison without posteriors", lawOf(`distribution = "normal"`) + `
stage "fit" "x" {
  samples = stage.law.samples
  mode    = "nf"
}
stage "score" "judged" {
  model   = stage.x.model
  samples = stage.law.samples
}
stage "compare" "all" {
  scores = [stage.judged.scores]
}`},
	{"targets that were not trained on", `
stage "kinematics" "arm" {
  samples = 3000
  variant = "released"
}`},
	{"a field and an interpolation of one's own", pekeris + fieldOf("interpolation {}", "problem.depth_and_speed")},
	{"a field of another problem", pekeris + anotherProblem + fieldOf("", "problem.deeper")},
	{"a field that chains do not look at", pekeris + `
stage "interpolate" "prior" {
  problem = problem.depth_and_speed
}
stage "observe" "one" {
  problem = problem.depth_and_speed
  draws   = 1
}
stage "sample" "x" {
  problem     = problem.depth_and_speed
  observation = stage.one.observation
  field       = stage.prior.field
  interpolate = false
}`},
	{"snapshots of a known source", pekeris + `
stage "observe" "several" {
  problem   = problem.depth_and_speed
  draws     = 1
  snapshots = 4
}`},
	{"a network that sees snapshots", snapshotsOf(`
stage "simulate" "data" {
  problem = problem.depth_and_speed
  samples = 600
}
stage "train" "flow" {
  dataset = stage.data.dataset
  conditional {}
}`)},
	{"a portrait of snapshots", snapshotsOf(`
stage "sample" "chains" {
  problem     = problem.depth_and_speed
  observation = stage.several.observation
}
stage "portrait" "picture" {
  problem     = problem.depth_and_speed
  posterior   = stage.chains.posterior
  observation = stage.several.observation
}`)},
	{"predictive checks of snapshots", snapshotsOf(`
stage "sample" "chains" {
  problem     = problem.depth_and_speed
  observation = stage.several.observation
}
stage "evaluate" "check" {
  problem     = problem.depth_and_speed
  posterior   = stage.chains.posterior
  observation = stage.several.observation
}`)},
	{"blocks without end", fitOf("", "blocks = 1000000000", "")},
	{"layers wider than any memory", fitOf("", "hidden = 100000", "")},
	{"a network larger than any memory", fitOf("", "hidden = 60000\n    blocks = 100", "")},
	{"noise of no strength", strings.Replace(pekeris, "    snr   = 15\n", "", 1)},
	{"more noise than can be trained on", conditionalOf("noise_draws = 1000000000")},
	{"more replicas than fit in memory", conditionalOf("matched_field {\n      points = [100000, 100000]\n    }")},
	{"a round that gives up half the posterior", truncateOf("problem.depth_and_speed", "quantile = 0.5")},
	{"a round of another problem", pekeris + anotherProblem + strings.TrimPrefix(truncateOf("problem.deeper", ""), pekeris)},
	{"a round of a wider prior", roundOf("high = 1800", "high = 1900")},
	{"a round of another quantity", roundOf(`quantity = "sound_speed"`, `quantity = "density"`)},
	{"a round of correlated parameters", roundOf("  noise {", "  correlation {\n    between = [\"water_depth\", \"bottom_speed\"]\n    value   = 0.5\n  }\n  noise {")},
	{"a round around three observations", strings.Replace(truncateOf("problem.depth_and_speed", ""), "draws   = 1", "draws   = 3", 1)},
	{"a prior term of bounded parameters", pekeris + `
stage "simulate" "data" {
  problem = problem.depth_and_speed
  samples = 600
}
stage "train" "x" {
  dataset = stage.data.dataset
  inn {}
  training {
    prior_term   = "uniform"
    prior_weight = 1
    prior_low    = [0, 0]
    prior_high   = [1, 1]
  }
}`},
}

func fitOf(arguments, flow, training string) string {
	return armData + fmt.Sprintf("stage \"fit\" \"x\" {\n  samples = stage.arm.samples\n  %s\n  flow {\n    %s\n  }\n  training {\n    %s\n  }\n}\n", arguments, flow, training)
}

func conditionalOf(arguments string) string {
	return pekeris + `
stage "simulate" "data" {
  problem = problem.depth_and_speed
  samples = 600
}
stage "train" "x" {
  dataset = stage.data.dataset
  conditional {
    ` + arguments + `
  }
}`
}

func truncateOf(problem, arguments string) string {
	return conditionalOf("") + `
stage "observe" "mine" {
  problem = problem.depth_and_speed
  draws   = 1
}
stage "simulate" "second" {
  problem = ` + problem + `
  samples = 600
  truncate {
    model       = stage.x.model
    observation = stage.mine.observation
    ` + arguments + `
  }
}`
}

// roundOf is a round of a problem that differs from that of the model in one respect.
func roundOf(old, replaced string) string {
	at := strings.Index(pekeris, "problem ")
	other := strings.NewReplacer(`"depth_and_speed"`, `"other"`, old, replaced).Replace(pekeris[at:])
	return pekeris + other + strings.TrimPrefix(truncateOf("problem.other", ""), pekeris)
}

func lawOf(arguments string) string {
	return "stage \"law\" \"law\" {\n  samples = 1000\n  " + arguments + "\n}\n"
}

// TestMistakes holds what a user reads at plan time, with the line, to a golden text.
func TestMistakes(t *testing.T) {
	var b strings.Builder
	for _, m := range mistakes {
		describe(&b, m.name, m.source, newChain(t))
	}
	const golden = "testdata/mistakes.golden"
	if *updateGolden {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != string(want) {
		t.Errorf("diagnostics differ from %s (-update writes it):\n%s", golden, got)
	}
}

func describe(b *strings.Builder, name, source string, c *chain) {
	fmt.Fprintf(b, "# %s\n", name)
	lines := strings.Split(source, "\n")
	for _, d := range c.decode(source) {
		fmt.Fprintf(b, "at: %s\n%s: %s\n", strings.TrimSpace(lines[d.Subject.Start.Line-1]), d.Summary, d.Detail)
	}
	b.WriteString("\n")
}

// TestSamplesThatAreNoNumbers: a file of the user's is read when the pipeline is planned.
func TestSamplesThatAreNoNumbers(t *testing.T) {
	path := t.TempDir() + "/mine.nc"
	values := make([]float64, 200)
	values[17] = math.NaN()
	table := dataset.Table{Title: "mine", Index: dataset.Column{Name: "sample", Values: make([]float64, 200)},
		Columns:    []dataset.Column{{Name: "a", Values: values}},
		Attributes: []netcdf.Attribute{netcdf.Text(unknownsAttribute, "a")}}
	if err := dataset.WriteTable(path, table); err != nil {
		t.Fatal(err)
	}
	decode := func(training string) string {
		d := newChain(t).decode(fmt.Sprintf("stage \"fit\" \"x\" {\n  samples = %q\n  mode = \"nf\"\n  training {\n%s\n  }\n}\n", path, training))
		if !d.HasErrors() {
			t.Fatal("no diagnostic")
		}
		return d[0].Detail
	}
	if text := decode(""); !strings.Contains(text, "sample 17 is NaN") {
		t.Errorf("diagnostic %q", text)
	}
	table.Columns[0].Values[17] = 0
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := dataset.WriteTable(path, table); err != nil {
		t.Fatal(err)
	}
	if text := decode("batch_size = 161"); !strings.Contains(text, "more than the 160 rows") {
		t.Errorf("diagnostic %q", text)
	}
}

// anotherProblem of the ocean of pekeris.
const anotherProblem = `
problem "deeper" {
  environment = environment.pekeris
  frequencies = [40, 60]
  source {
    depth = 30
  }
  receivers {
    depths = [25, 75]
    range  = 2500
  }
  parameter "water_depth" {
    prior "uniform" {
      low  = 95
      high = 105
    }
  }
  noise {
    snr = 20
  }
}
`

// fieldOf is a refinement with a field interpolated for a problem.
func fieldOf(more, problem string) string {
	return fmt.Sprintf(`
stage "interpolate" "prior" {
  problem = %s
}
stage "observe" "one" {
  problem = problem.depth_and_speed
  draws   = 1
}
stage "reference" "x" {
  problem     = problem.depth_and_speed
  observation = stage.one.observation
  field       = stage.prior.field
  %s
}
`, problem, more)
}

// withNoise is the problem of pekeris with other lines where its noise is.
func withNoise(lines string) string {
	return strings.Replace(pekeris, "  noise {\n", lines+"\n  noise {\n", 1)
}

// snapshotsOf adds stages to a problem of snapshots and an observation of it.
func snapshotsOf(stages string) string {
	return withNoise(`  likelihood = "snapshot_covariance"`) + `
stage "observe" "several" {
  problem   = problem.depth_and_speed
  draws     = 1
  snapshots = 4
}` + stages
}

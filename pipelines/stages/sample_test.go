package stages

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oceaninv/io/dataset"
	"oceaninv/workflow/stage"
)

// R-hat of two ensembles has no error, which is then neither 0 nor written, and of chains too
// short for R-hat there is no metric.
func TestMetricsOfRHat(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		rHat, errors []float64
		want         string
		known        bool
	}{
		"four ensembles": {[]float64{1.01, 1.2}, []float64{0.01, 0.05}, `"value":1.2,"error":0.05`, true},
		"two ensembles":  {[]float64{1.01, 1.2}, []float64{nan, nan}, `"value":1.2,"sentence"`, true},
		"short chains":   {[]float64{nan, nan}, []float64{nan, nan}, "", false},
	} {
		p := dataset.Posterior{Parameters: []dataset.Parameter{{Name: "depth", LongName: "water depth"}}, Diagnostics: []dataset.Column{
			{Name: "acceptance", Values: []float64{0.3, 0.4}}, {Name: "r_hat_depth", Values: c.rHat}, {Name: "r_hat_error_depth", Values: c.errors},
			{Name: "effective_size_depth", Values: []float64{500, 600}},
		}}
		file := filepath.Join(t.TempDir(), "metrics.json")
		if err := stage.WriteMetrics(file, (&sampleStage{}).metrics(&p)); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, line, known := strings.Cut(string(text), `"worst_r_hat_depth": {`)
		line, _, _ = strings.Cut(line, "\n")
		if known != c.known || !strings.HasPrefix(line, c.want) {
			t.Errorf("%s: %s", name, text)
		}
	}
}

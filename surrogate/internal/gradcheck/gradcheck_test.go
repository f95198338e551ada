package gradcheck

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
)

func TestWorstTellsRightFromWrong(t *testing.T) {
	x := []float64{0.3, -1.2, 2}
	f := func() float64 { return math.Sin(x[0])*x[1] + x[2]*x[2]*x[2] + math.Abs(x[1]+1.2+2e-5) }
	right := []float64{math.Cos(0.3) * -1.2, math.Sin(0.3) + 1, 12}
	if e, where := Worst(f, 10, Part{"x", x, right}); e > 1e-9 {
		t.Errorf("right gradient has error %g at %s", e, where)
	}
	wrong := append([]float64(nil), right...)
	wrong[2] *= 1 + 1e-5
	if e, where := Worst(f, 10, Part{"x", x, wrong}); e < 5e-6 || !strings.HasPrefix(where, "x[2]") {
		t.Errorf("wrong gradient has error %g at %s", e, where)
	}
	wrong[2] = math.NaN()
	if e, _ := Worst(f, 10, Part{"x", x, wrong}); !math.IsInf(e, 1) {
		t.Errorf("NaN gradient has error %g", e)
	}
}

func TestTable(t *testing.T) {
	var table Table
	if table.String() != "" {
		t.Error("empty table prints")
	}
	table.Add("dense", 2, 1e-9)
	table.Add("dense", 2, 1e-10)
	table.Add("glow", 10, 2e-8)
	want := "worst relative error      D=2     D=10\ndense                 1.0e-09        -\nglow                        -  2.0e-08\n"
	if got := table.String(); got != want {
		t.Errorf("table is\n%s\nwant\n%s", got, want)
	}
}

func TestCompareTellsWhatIsOutOfDate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "GRADIENTS.md")
	var table Table
	table.Add("dense", 2, 1e-9)
	table.Add("glow", 10, 2e-8)
	if err := table.Write(path, "Gradients"); err != nil {
		t.Fatal(err)
	}
	var other Table // the same layers, other errors
	other.Add("dense", 2, 3e-10)
	other.Add("glow", 10, 5e-9)
	if err := other.Compare(path, 1e-6); err != nil {
		t.Error(err)
	}
	if err := other.Compare(path, 1e-8); err == nil {
		t.Error("an error above tolerance was accepted")
	}
	for name, add := range map[string]func(*Table){
		"a dimension more": func(t *Table) { t.Add("dense", 3, 1e-9) }, "a layer more": func(t *Table) { t.Add("nice", 2, 1e-9) },
	} {
		var more Table
		more.Add("dense", 2, 1e-9)
		more.Add("glow", 10, 2e-8)
		add(&more)
		if err := more.Compare(path, 1e-6); err == nil {
			t.Error(name + " was not noticed")
		}
	}
	if err := table.Compare(path+"x", 1e-6); err == nil {
		t.Error("a page that is not there was accepted")
	}
}

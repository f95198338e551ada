package analytic

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"
	"time"

	"oceaninv/io/envfile"
)

func TestTry(t *testing.T) {
	data, _ := os.ReadFile("/work/shared/reference/kraken/kraken.json")
	var ref map[string]struct {
		Frequencies []struct {
			Hz        float64     `json:"hz"`
			KReal     []float64   `json:"k_real"`
			KImag     []float64   `json:"k_imag"`
			Vg        []float64   `json:"group_speed"`
			Phi       [][]float64 `json:"phi"`
			PhiDepths []float64   `json:"phi_depths_m"`
		} `json:"frequencies"`
	}
	if err := json.Unmarshal(data, &ref); err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{"pekeris_leaky_100m_150hz", "pekeris_lossy_complex_100m_150hz", "elastic_halfspace_100m_150hz", "elastic_halfspace_real_100m_150hz", "ice_cover_10hz", "elastic_sediment_100m_150hz"} {
		cs, err := envfile.ReadFile("/work/shared/reference/kraken/" + n + ".env")
		if err != nil {
			t.Fatal(err)
		}
		c := cs[0]
		t0 := time.Now()
		o := DefaultOptions()
		o.MinPhaseSpeed, o.MaxPhaseSpeed = c.PhaseSpeed.Low, c.PhaseSpeed.High
		m, err := Solve(&c.Environment, c.Frequencies[0], o)
		el := time.Since(t0)
		if err != nil {
			fmt.Println(n, err)
			continue
		}
		fr := ref[n].Frequencies[0]
		var ek, ei, eg, ep float64
		for i, k := range m.K {
			if i >= len(fr.KReal) {
				break
			}
			ek = max(ek, math.Abs(real(k)-fr.KReal[i])/fr.KReal[i])
			if math.Abs(fr.KImag[i]) > 1e-12 {
				ei = max(ei, math.Abs(imag(k)/fr.KImag[i]-1))
			}
			if d := math.Abs(m.GroupSpeed[i]/fr.Vg[i]-1); d > 1e-4 {
				fmt.Println("   vg", i+1, m.GroupSpeed[i], fr.Vg[i])
			}
			eg = max(eg, math.Abs(m.GroupSpeed[i]/fr.Vg[i]-1))
			phi := m.Shape(i, fr.PhiDepths)
			for j := range phi {
				ep = max(ep, math.Abs(math.Abs(fr.Phi[i][j])-math.Abs(real(phi[j]))))
			}
		}
		fmt.Println(n, len(m.K), len(fr.KReal), el, "kr", ek, "ki", ei, "vg", eg, "phi", ep)
	}
}

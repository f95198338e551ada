package figure

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
)

// drawer is what every figure is.
type drawer interface{ Draw() (*Figure, error) }

// gallery is one example of each figure, as a paper would show it.
func gallery() map[string]drawer {
	g := map[string]drawer{}
	posteriorGallery(g)
	fieldGallery(g)
	calibrationGallery(g)
	oceanGallery(g)
	return g
}

// gaussians draws from a correlated normal.
func gaussians(n int, mx, sx, my, sy, correlation float64) (x, y []float64) {
	r := rand.New(rand.NewPCG(1, 2))
	for range n {
		a, b := r.NormFloat64(), r.NormFloat64()
		x = append(x, mx+sx*a)
		y = append(y, my+sy*(correlation*a+math.Sqrt(1-correlation*correlation)*b))
	}
	return x, y
}

func span(low, high float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = low + (high-low)*float64(i)/float64(n-1)
	}
	return out
}

func normal(x []float64, mean, sd float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = math.Exp(-0.5*math.Pow((v-mean)/sd, 2)) / sd / math.Sqrt(2*math.Pi)
	}
	return out
}

func posteriorGallery(g map[string]drawer) {
	x, y := gaussians(4000, 216.48, 0.07, 1572, 2.4, 0.8)
	ex, ey := span(216.2, 216.8, 200), span(1562, 1583, 200)
	depth := Marginal{Label: "water depth", Unit: "m", Min: 200.5, Max: 236.5, Draws: x, Truth: At(216.5), ExactX: ex, Exact: normal(ex, 216.5, 0.05)}
	speed := Marginal{Label: "sediment sound speed", Unit: "m/s", Min: 1532, Max: 1592, Draws: y, Truth: At(1572.368), ExactX: ey, Exact: normal(ey, 1572.4, 2)}
	g["marginals"] = Marginals{Title: "Posterior of one observation", Panels: []Marginal{depth, speed}, DrawsLabel: "conditional flow", ExactLabel: "exact posterior"}

	wx, wy := gaussians(4000, 218, 4, 1572, 9, -0.6)
	wide := []Marginal{{Label: "water depth", Unit: "m", Min: 200.5, Max: 236.5, Draws: wx, Truth: At(216.5)}, {Label: "sediment sound speed", Unit: "m/s", Min: 1532, Max: 1592, Draws: wy, Truth: At(1572.368)}}
	g["marginals_wide"] = Marginals{Panels: wide}

	density := make([]float64, 0, 200*200)
	for _, v := range ey {
		for _, u := range ex {
			a, b := (u-216.5)/0.05, (v-1572.4)/2
			density = append(density, math.Exp(-(a*a-1.6*a*b+b*b)/(2*0.36))/(2*math.Pi*0.1*0.6))
		}
	}
	g["joint"] = Joint{Title: "Two parameters", X: depth, Y: speed, XAt: ex, YAt: ey, Density: density, Detail: true, DrawsLabel: "conditional flow: 50 % and 90 %", ExactLabel: "exact posterior"}
	g["joint_prior_range"] = Joint{X: wide[0], Y: wide[1]}
	zx, zy := gaussians(4000, 3000, 30, 54, 2, 0.3)
	more := append(wide, Marginal{Label: "range", Unit: "m", Min: 2800, Max: 3200, Draws: zx, Truth: At(3000.0)}, Marginal{Label: "source depth", Unit: "m", Min: 40, Max: 70, Draws: zy, Truth: At(54.0)})
	g["corner"] = Corner{Title: "Four parameters", Parameters: more}
}

func fieldGallery(g map[string]drawer) {
	ranges, depths := span(50, 10000, 400), span(0, 216, 120)
	var loss []float64
	for _, z := range depths {
		for _, r := range ranges {
			var p complex128
			for m := 1; m <= 12; m++ { // modes of an ideal waveguide
				kz := (float64(m) - 0.5) * math.Pi / 216
				kr := math.Sqrt(math.Pow(2*math.Pi*100/1500, 2) - kz*kz)
				p += complex(math.Sin(kz*60)*math.Sin(kz*z)*math.Exp(-1e-5*float64(m*m)*r), 0) * cmplx.Exp(complex(0, -kr*r)) / complex(math.Sqrt(r*kr), 0)
			}
			loss = append(loss, -20*math.Log10(cmplx.Abs(p)*0.01+1e-12)-20)
		}
	}
	g["loss_map"] = LossMap{Title: "SWellEx-96, 100 Hz", Ranges: ranges, Depths: depths, Loss: loss, SourceDepth: At(60)}
	line := func(d int) []float64 { return loss[d*400 : (d+1)*400] }
	g["loss_lines"] = LossLines{Series: []Series{{Label: "receiver at 54 m", X: ranges, Y: line(30)}, {Label: "receiver at 108 m", X: ranges, Y: line(60), Dash: Dashed}}}
	var shapes [][]float64
	for m := range 8 {
		s := make([]float64, len(depths))
		for i, z := range depths {
			s[i] = math.Sin((float64(m) + 0.5) * math.Pi * z / 216)
		}
		shapes = append(shapes, s)
	}
	g["mode_shapes"] = ModeShapes{Title: "Modes at 100 Hz", Depths: depths, Shapes: shapes, Floor: At(200)}
	var curves []DispersionCurve
	for m := 1; m <= 4; m++ {
		cut := (float64(m) - 0.5) * 1500 / (2 * 216)
		k := DispersionCurve{Number: m}
		for _, f := range span(cut*1.15, 60, 100) {
			root := math.Sqrt(1 - cut*cut/f/f)
			k.Frequency, k.PhaseSpeed, k.GroupSpeed = append(k.Frequency, f), append(k.PhaseSpeed, 1500/root), append(k.GroupSpeed, 1500*root)
		}
		curves = append(curves, k)
	}
	g["dispersion"] = Dispersion{Modes: curves}
	var power []float64
	ar, ad := span(1000, 5000, 80), span(5, 200, 60)
	for _, z := range ad {
		for _, r := range ar {
			power = append(power, 10*math.Log10(math.Exp(-math.Pow((r-3000)/150, 2)-math.Pow((z-60)/15, 2))+0.12*math.Pow(math.Sin(r/170)*math.Cos(z/25), 2)+0.02))
		}
	}
	g["ambiguity"] = Ambiguity{Title: "Matched field", Ranges: ar, Depths: ad, Power: power, TruthRange: At(3030), TruthDepth: At(59)}
}

func calibrationGallery(g map[string]drawer) {
	at := span(0, 1, 101)
	var difference, lower, upper, under, over, low, high []float64
	for i, t := range at {
		band := 0.9 * math.Sqrt(t*(1-t)/200) * 1.6
		difference = append(difference, 0.02*math.Sin(9*t)*math.Sqrt(t*(1-t)))
		lower, upper = append(lower, -band), append(upper, band)
		under, over = append(under, math.Pow(t, 1.25)), append(over, t+0.01*math.Sin(float64(i)))
		low, high = append(low, max(t-band, 0)), append(high, min(t+band, 1))
	}
	over[0], over[100] = 0, 1
	g["rank_difference"] = RankDifference{Curves: []Series{{Label: "water depth", X: at, Y: difference}, {Label: "sediment sound speed", X: at, Y: scaled(difference, -0.6), Dash: Dashed}}, At: at, Lower: lower, Upper: upper}
	g["coverage"] = Coverage{Curves: []Series{{Label: "refined", X: at, Y: over}, {Label: "raw", X: at, Y: under, Dash: Dashed}}, At: at, Lower: low, Upper: high}
	epochs := span(1, 40, 40)
	var loss, held []float64
	for _, e := range epochs {
		loss, held = append(loss, 3*math.Exp(-e/6)+0.2), append(held, 3*math.Exp(-e/6)+0.3+0.002*e)
	}
	g["training"] = Training{Title: "Training", Curves: []Series{{Label: "training", X: epochs, Y: loss}, {Label: "held out", X: epochs, Y: held, Dash: Dashed}}, Y: Axis{Log: true}, Best: At(33)}
	chain := func(seed uint64) []float64 {
		r, v, out := rand.New(rand.NewPCG(seed, 0)), 0.0, []float64{}
		for range 600 {
			v = 0.9*v + 0.4*r.NormFloat64()
			out = append(out, 216.5+0.05*v)
		}
		return out
	}
	g["traces"] = Traces{Parameters: []Trace{{Label: "water depth", Unit: "m", Chains: [][]float64{chain(1), chain(2), chain(3)}, Truth: At(216.5)},
		{Label: "offset", Unit: "m", Chains: [][]float64{chain(4), chain(5), chain(6)}}}}
	a, b := gaussians(300, 2, 0.5, 3, 0.8, -0.4)
	g["scatter"] = Scatter{X: Axis{Label: "mean error, water depth", Unit: "m"}, Y: Axis{Label: "mean error, sediment speed", Unit: "m/s"},
		Clouds: []Series{{Label: "networks", X: a, Y: b}}, Front: &Series{Label: "Pareto front", X: []float64{0.6, 0.9, 1.5, 2.4}, Y: []float64{3.2, 1.9, 1.2, 0.7}},
		Notes: []Note{{0.9, 1.9, "(64, 18, 3)"}}}
}

func oceanGallery(g map[string]drawer) {
	depth, speed := []float64{0, 10, 14, 30, 60, 110, 216.5}, []float64{1522, 1519, 1508, 1495, 1491, 1488, 1489}
	g["schematic"] = Schematic{Title: "The case study", Depth: depth, Speed: speed, SourceDepth: At(60), ReceiverDepths: span(94.125, 212.25, 21), Range: 3000,
		Layers: []SchematicLayer{{Name: "sediment", Top: 216.5, Bottom: 240, SpeedTop: 1572.368, SpeedBottom: 1593.016, Note: "1.76 g/cm³"},
			{Name: "mudstone", Top: 240, Bottom: 1040, SpeedTop: 1881, SpeedBottom: 3245.8, Note: "2.06 g/cm³"}}}
	z := span(200, 260, 61)
	var mid, l5, u5, l9, u9 []float64
	for _, d := range z {
		c := 1489.0
		w := 0.5
		if d > 216.5 {
			c, w = 1572+0.9*(d-216.5), 4+0.15*(d-216.5)
		}
		mid, l5, u5, l9, u9 = append(mid, c), append(l5, c-0.7*w), append(u5, c+0.7*w), append(l9, c-2*w), append(u9, c+2*w)
	}
	g["profile"] = Profile{Title: "Sea bed", Quantity: Axis{Label: "sound speed", Unit: "m/s"}, Depths: z, Median: mid, Lower50: l5, Upper50: u5, Lower95: l9, Upper95: u9,
		TruthDepth: []float64{200, 216.5, 216.5, 240, 260}, Truth: []float64{1489, 1489, 1572.4, 1593, 1610}, Floor: At(216.5)}
	var tones []ReplicaTone
	for _, f := range []float64{49, 112, 201, 388} {
		t := ReplicaTone{Frequency: f, Depths: span(94.125, 212.25, 21)}
		r := rand.New(rand.NewPCG(uint64(f), 1))
		for _, d := range t.Depths {
			p := complex(1e-3*(1.2+math.Sin(d*f/2000)), 1e-3*math.Cos(d*f/3000))
			t.Replica = append(t.Replica, p)
			t.Data = append(t.Data, p+complex(1.5e-4*r.NormFloat64(), 1.5e-4*r.NormFloat64()))
			t.Lower, t.Upper = append(t.Lower, 20*math.Log10(cmplx.Abs(p))-0.8), append(t.Upper, 20*math.Log10(cmplx.Abs(p))+0.8)
		}
		tones = append(tones, t)
	}
	g["replica"] = Replica{Title: "Data and replica on the array", Tones: tones}
}

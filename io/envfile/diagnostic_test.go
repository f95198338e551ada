package envfile

import (
	"strings"
	"testing"
)

const pekeris = `'pekeris'
150.0
1
'CVW'
2000 0.0 100.0
0.0 1500.0 0.0 1.0 0.0 0.0
100.0 1500.0 0.0 1.0 0.0 0.0
'A' 0.0
100.0 1700.0 0.0 1.8 0.5 0.0
1400.0 1700.0
10000.0
1
36.0 /
5
10.0 25.0 50.0 75.0 95.0 /
`

// A mistake is told with its place, what is wrong and what to do.
func TestDiagnostics(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"malformed number", "1700.0 0.0 1.8", "17OO.0 0.0 1.8", "p.env:9:7: the sound speed of the bottom half-space is not a number: \"17OO.0\"; write a decimal"},
		{"decreasing depths", "100.0 1500.0 0.0", "-1.0 1500.0 0.0", "p.env:7:1: depth -1 m follows 0 m in the profile of medium 1; give depths in rising order"},
		{"profile that ends early", "100.0 1500.0 0.0 1.0 0.0 0.0\n'A'", "90.0 1500.0 0.0 1.0 0.0 0.0\n'A'",
			"p.env:8:1: the profile of medium 1 ends at 90 m, where medium 1 ends at 100 m; add a line that reaches that depth"},
		{"zero thickness", "2000 0.0 100.0", "2000 0.0 0.0", "p.env:6:1: medium 1 begins and ends at 0 m: its thickness is zero; give"},
		{"sound speed 0", "0.0 1500.0 0.0 1.0", "0.0 0.0 0.0 1.0", "p.env:6:5: the sound speed of medium 1 is 0; it must be at least 10 m/s"},
		{"limits the wrong way round", "1400.0 1700.0", "1700.0 1400.0", "p.env:10:8: phase-speed limits run from 1700 to 1400 m/s; give the lower limit first"},
		{"not a number", "1700.0 0.0 1.8", "NaN 0.0 1.8", "p.env:9:7: the sound speed of the bottom half-space is not finite: \"NaN\"; write a finite number"},
		{"overflow", "1700.0 0.0 1.8", "1e999 0.0 1.8", "is not finite"},
		{"too fine a mesh", "2000 0.0", "1000000000 0.0", "p.env:5:1: the mesh count of medium 1 is 1000000000; it must lie between 0 and 10000000"},
		{"too many depths", "5\n10.0", "1000000000\n10.0", "p.env:14:1: the number of receiver depths is 1000000000; it must"},
		{"repeat count", "5\n10.0", "5\n999999999999*10.0", "repeat count"},
		{"too few values", "5\n10.0 25.0 50.0 75.0 95.0 /", "5\n10 25 50 /", "5 receiver depths are announced, 3 given; give them all"},
		{"truncated", "5\n10.0 25.0 50.0 75.0 95.0 /\n", "5\n10.0 25.0", "p.env:15: the file ends where number 3 of the receiver depths is expected; complete the file"},
		{"open quote", "'CVW'", "'CVW", "p.env:4:1: the quote of the top options is not closed on its line; add a '"},
		{"analytic profile", "'CVW'", "'AVW'", "p.env:4:2: top option 1 is \"A\": an analytic profile, compiled into the Toolbox, is not supported; use N"},
		{"biology", "'CVW'", "'CVWB'", "p.env:4:5: top option 4 is \"B\": biological layers (fish) are not supported"},
		{"unknown bottom", "'A' 0.0", "'X' 0.0", "p.env:8:1: bottom option \"X\": no bottom boundary; use V (vacuum)"},
		{"precalculated bottom", "'A' 0.0", "'P' 0.0", "p.env:8:5: option P asks for a .irc file of reflection coefficients"},
		{"precalculated top", "'CVW'", "'CPW'", "p.env:4:3: top option 2 is \"P\": a precalculated internal reflection coefficient (.irc) closes the bottom only; use F with a .trc file"},
		{"bosses", "'CVW'", "'CSW'", "p.env:4:3: top option 2 is \"S\": Twersky's scatter by soft bosses is not supported; give the interface's rms roughness instead"},
		{"amplitude of bosses", "'CVW'", "'CIW'", "Twersky's scatter by hard bosses, amplitude only, is not supported"},
		{"written table", "'A' 0.0", "'W' 0.0", "writing a file of reflection coefficients is BOUNCE's task; use V"},
		{"unit", "'CVW'", "'CVw'", "p.env:4:4: top option 3 is \"w\": no unit of attenuation; use N, F, M, m, W, Q or L"},
		{"grain size", "'A' 0.0", "'G' 0.0", "a bottom given by its grain size is not supported"},
		{"no table", "'A' 0.0", "'F' 0.0", "option F asks for a .brc file of reflection coefficients"},
		{"no water", "0.0 1500.0 0.0 1.0", "0.0 1500.0 500.0 1.0", "medium 1 is fluid at one depth and elastic at another"},
		{"impossible solid", "1700.0 0.0 1.8", "1700.0 1600.0 1.8", "no such solid"},
		{"above the surface", "36.0 /", "-3.0 /", "p.env:13:1: source depths: -3 m is above the surface"},
		{"frequency", "150.0\n", "-150.0\n", "p.env:2:1: frequency -150 Hz; it must be positive"},
		{"empty", pekeris, "", "p.env:1: the file ends where the title is expected; complete the file"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Replace(pekeris, test.old, test.new, 1)
			_, err := Read(strings.NewReader(text), "p.env", nil)
			if err == nil {
				t.Fatal("accepted")
			}
			if e := asError(t, err); !strings.Contains(e.Error(), test.want) {
				t.Errorf("got  %v\nwant %v", e, test.want)
			}
		})
	}
}

// The mark stands under the offending value.
func TestErrorShowsLine(t *testing.T) {
	_, err := Read(strings.NewReader(strings.Replace(pekeris, "1700.0 0.0 1.8", "17OO.0 0.0 1.8", 1)), "p.env", nil)
	const want = "\n    100.0 17OO.0 0.0 1.8 0.5 0.0\n          ^"
	if !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v", err)
	}
}

const wedge = `/
'RC'
9999
3
0.0 4.0 /
5
1 5 /
1
36.0 /
2
10.0 25.0 /
2
0.0 /
`

func TestFieldDiagnostics(t *testing.T) {
	c, err := ReadField(strings.NewReader(wedge), "w.flp", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.CheckProfiles(3, "w.env"); err != nil {
		t.Error(err)
	}
	const want = "w.flp:5: 3 profile ranges, where w.env has 4 profiles; give one range per profile"
	if err := c.CheckProfiles(4, "w.env"); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v", err)
	}
	tests := []struct{ name, old, new, want string }{
		{"profile not at 0", "0.0 4.0", "1.0 4.0", "w.flp:5:1: the first profile lies at 1 km; it must lie at range 0"},
		{"profiles fall", "0.0 4.0", "0.0 -4.0", "w.flp:5:5: profile range -4 km; it must not be below 0 km"},
		{"10^9 ranges", "5\n", "1000000000\n", "w.flp:6:1: the number of receiver ranges is 1000000000; it must lie between 1 and 1000000"},
		{"ranges fall", "1 5 /", "5 1 /", "receiver range 1 km follows 5 km; give them in rising order"},
		{"negative range", "1 5 /", "-1 5 /", "receiver range -1 km"},
		{"option", "'RC'", "'RT'", "w.flp:2:3: field option 2 is \"T\", which means nothing; use A (adiabatic) or C (coupled)"},
		{"beam", "'RC'", "'RC*'", "option * asks for a .sbp file"},
		{"offsets", "2\n0.0 /", "3\n0.0 1 2", "3 receiver offsets for 2 receiver depths; give one offset per receiver depth"},
		{"modes", "9999", "0", "w.flp:3:1: the number of modes is 0; it must lie between"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := ReadField(strings.NewReader(strings.Replace(wedge, test.old, test.new, 1)), "w.flp", nil)
			if err == nil {
				t.Fatal("accepted")
			}
			if e := asError(t, err); !strings.Contains(e.Error(), test.want) {
				t.Errorf("got  %v\nwant %v", e, test.want)
			}
		})
	}
}

package main

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"oceaninv/pipelines/stages"
)

const soundOcean = `'Pekeris'
150.0
1
'CVW'
2000 0.0 100.0
0.0 1500.0 0.0 1.0 0.0 0.0
100.0 1500.0 0.0 1.0 0.0 0.0
'A' 0.0
100.0 1700.0 0.0 1.8 0.5 0.0
1400.0 1700.0
10.0
1
36.0 /
5
10.0 25.0 50.0 75.0 95.0 /
`

const soundField = `/
'RA'
9999
1
0.0
101
0.1 10.0 /
1
36.0 /
2
10.0 50.0 /
2
0.0 /
`

// What is wrong with a file is bad input (exit code 2), told whole, with its line;
// nothing is written, and no count in a file takes memory before it is checked.
func TestOceanMistakes(t *testing.T) {
	for name, test := range map[string]struct{ file, old, new, want string }{
		"malformed number": {"o.env", "1700.0 0.0 1.8", "17OO.0 0.0 1.8", `o.env:9:7: the sound speed of the bottom half-space is not a number: "17OO.0"; write a decimal number such as 1500.0 or 1.5D3
    100.0 17OO.0 0.0 1.8 0.5 0.0
          ^`},
		"truncated": {"o.env", "5\n10.0 25.0 50.0 75.0 95.0 /\n", "5\n10.0", `o.env:15: the file ends where number 2 of the receiver depths is expected; complete the file`},
		"decreasing depths": {"o.env", "100.0 1500.0 0.0", "-1.0 1500.0 0.0", `o.env:7:1: depth -1 m follows 0 m in the profile of medium 1; give depths in rising order
    -1.0 1500.0 0.0 1.0 0.0 0.0
    ^`},
		"zero thickness": {"o.env", "2000 0.0 100.0", "2000 0.0 0.0", `o.env:6:1: medium 1 begins and ends at 0 m: its thickness is zero; give it a greater depth, or remove it
    0.0 1500.0 0.0 1.0 0.0 0.0
    ^`},
		"sound speed 0": {"o.env", "0.0 1500.0 0.0 1.0", "0.0 0 0.0 1.0", `o.env:6:5: the sound speed of medium 1 is 0; it must be at least 10 m/s: 1.5 km/s is 1500
    0.0 0 0.0 1.0 0.0 0.0
        ^`},
		"sound speed in km/s": {"o.env", "0.0 1500.0 0.0 1.0", "0.0 1.5 0.0 1.0", `o.env:6:5: the sound speed of medium 1 is 1.5; it must be at least 10 m/s: 1.5 km/s is 1500
    0.0 1.5 0.0 1.0 0.0 0.0
        ^`},
		"attenuation": {"o.env", "1.8 0.5 0.0", "1.8 1e6 0.0", `o.env:9:22: the attenuation of the bottom half-space, 1e+06, is 1e+06 dB a wavelength; above 54.6 dB there is no wave left, sea beds have 0.01 to 2: check it and the letter of its unit in the top options
    100.0 1700.0 0.0 1.8 1e6 0.0
                         ^`},
		"roughness of the bottom": {"o.env", "'A' 0.0", "'A' 1e6", `o.env:8:1: an rms roughness of 1e+06 m in media of 100 m; above 31.8 m, that thickness over π, no mode sees a nearly flat interface, of which alone the loss by scattering is known: give it in m, or 0
    'A' 1e6
    ^`},
		"limits": {"o.env", "1400.0 1700.0", "1700.0 1400.0", `o.env:10:8: phase-speed limits run from 1700 to 1400 m/s; give the lower limit first
    1700.0 1400.0
           ^`},
		"not a number": {"o.env", "100.0 1500.0 0.0", "100.0 NaN 0.0", `o.env:7:7: the sound speed of medium 1 is not finite: "NaN"; write a finite number
    100.0 NaN 0.0 1.0 0.0 0.0
          ^`},
		"mesh": {"o.env", "2000 0.0", "1000000000 0.0", `o.env:5:1: the mesh count of medium 1 is 1000000000; it must lie between 0 and 10000000
    1000000000 0.0 100.0
    ^`},
		"receivers": {"o.env", "5\n10.0", "1000000000\n10.0", `o.env:14:1: the number of receiver depths is 1000000000; it must lie between 1 and 1000000
    1000000000
    ^`},
		"profiles": {"o.flp", "1\n0.0\n", "3\n0.0 1 2\n", `o.flp:5: 3 profile ranges, where o.env has 1 profiles; give one range per profile`},
		"ranges": {"o.flp", "101\n", "1000000000\n", `o.flp:6:1: the number of receiver ranges is 1000000000; it must lie between 1 and 1000000
    1000000000
    ^`},
		"option": {"o.flp", "'RA'", "'RX'", `o.flp:2:3: field option 2 is "X", which means nothing; use A (adiabatic) or C (coupled)
    'RX'
      ^`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range map[string]string{"o.env": soundOcean, "o.flp": soundField} {
				if file == test.file {
					if !strings.Contains(text, test.old) {
						t.Fatalf("nothing to replace: %q", test.old)
					}
					text = strings.Replace(text, test.old, test.new, 1)
				}
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			out := filepath.Join(dir, "out.nc")
			_, err := invoke(newFieldCommand(stages.All()), filepath.Join(dir, "o.env"), filepath.Join(dir, "o.flp"), "-o", out)
			runtime.ReadMemStats(&after)
			var bad *exitError
			if !errors.As(err, &bad) || bad.code != exitBadInput {
				t.Fatalf("error %v", err)
			}
			if got := strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), ""); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
			if _, err := os.Stat(out); err == nil {
				t.Error("something was written")
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
				t.Errorf("%d MB for a mistake", used>>20)
			}
		})
	}
}

package gradcheck

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write GRADIENTS.md")

const page = "GRADIENTS.md"

// Finish ends a package's tests, whose exit code so far is code: it prints the table and, if the flag -update is
// set and the tests passed, writes GRADIENTS.md. Without it, a page that does not list the layers and dimensions
// that were checked, or an error above tolerance, fails. Where the flags -run or -short leave out some of the checks,
// the page is not looked at.
func (t *Table) Finish(code int, title string, tolerance float64) int {
	fmt.Print(t.String())
	run := flag.Lookup("test.run")
	if code != 0 || testing.Short() || run != nil && run.Value.String() != "" && run.Value.String() != "Gradient" {
		return code
	}
	var err error
	if *update {
		err = t.Write(page, title)
	} else {
		err = t.Compare(page, tolerance)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// Compare reports a page that lists other layers or dimensions than the table holds, or an error above tolerance. It
// does not compare errors, which are rounding.
func (t *Table) Compare(path string, tolerance float64) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	_, body, _ := strings.Cut(string(text), "```\n")
	body, _, _ = strings.Cut(body, "```")
	if !slices.Equal(cells(body), cells(t.String())) {
		return fmt.Errorf("%s lists other layers than are checked: go test -run Gradient -update writes it", path)
	}
	for _, field := range strings.Fields(body) {
		if e, err := strconv.ParseFloat(field, 64); err == nil && strings.Contains(field, "e") && !(e <= tolerance) {
			return fmt.Errorf("%s holds an error of %s, more than %g", path, field, tolerance)
		}
	}
	return nil
}

// cells is a printed table with every error replaced, so that two of the same layers are equal.
func cells(table string) []string {
	lines := strings.Split(strings.TrimSpace(table), "\n")
	for i, line := range lines {
		fields := strings.Fields(line)
		for j, f := range fields {
			if _, err := strconv.ParseFloat(f, 64); i > 0 && err == nil && strings.Contains(f, "e") {
				fields[j] = "#"
			}
		}
		lines[i] = strings.Join(fields, " ")
	}
	return lines
}

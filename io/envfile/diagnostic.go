package envfile

import (
	"fmt"
	"strings"
)

// Error is a mistake in a file, for its author: where, what is wrong, what to do.
// Line and Column count from 1; 0 where there is none (binary files).
type Error struct {
	File    string
	Line    int
	Column  int
	Problem string
	Remedy  string
	Source  string // the offending line, without its end
}

// Error is the position, the problem and the remedy, then the line with a mark
// under the column.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
		if e.Column > 0 {
			fmt.Fprintf(&b, ":%d", e.Column)
		}
	}
	fmt.Fprintf(&b, ": %s", e.Problem)
	if e.Remedy != "" {
		fmt.Fprintf(&b, "; %s", e.Remedy)
	}
	if e.Source == "" || e.Column == 0 {
		return b.String()
	}
	source, column := clip(e.Source, e.Column)
	fmt.Fprintf(&b, "\n    %s\n    %s^", source, strings.Repeat(" ", column-1))
	return b.String()
}

// clip keeps a window of a long line around the column, and makes every byte one
// printable column.
func clip(line string, column int) (string, int) {
	const width = 100
	if start := column - 1 - width/2; start > 0 && len(line) > width {
		start = min(start, len(line)-1)
		line, column = line[start:], column-start
	}
	if len(line) > width {
		line = line[:width]
	}
	printable := []byte(line)
	for i, c := range printable {
		if c < ' ' || c > '~' {
			printable[i] = ' '
			if c != '\t' {
				printable[i] = '?'
			}
		}
	}
	return string(printable), min(max(column, 1), len(printable)+1)
}

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/term"
)

// printDiagnostics writes diagnostics with the lines they speak of.
func printDiagnostics(w io.Writer, files map[string]*hcl.File, diags hcl.Diagnostics) {
	if len(diags) == 0 {
		return
	}
	width, color := 100, false
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		color = os.Getenv("NO_COLOR") == ""
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil {
			width = columns
		}
	}
	short := make(map[string]*hcl.File, len(files))
	for name, f := range files {
		short[shortName(name)] = legible(f)
	}
	diags, more := firstOf(diags)
	for i, d := range diags {
		c := *d
		c.Subject, c.Context = shortRange(d.Subject), shortRange(d.Context)
		diags[i] = &c
	}
	// A failure to write to the terminal has nobody to be told to.
	_ = hcl.NewDiagnosticTextWriter(&shortener{w: w}, short, uint(max(width, 40)), color).WriteDiagnostics(diags)
	if more > 0 {
		fmt.Fprintf(w, "%d more like these; mend the first, they may be the cause of others.\n", more)
	}
}

// shortName is a path as seen from the working directory, if it lies below it.
func shortName(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(here, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}

func shortRange(r *hcl.Range) *hcl.Range {
	if r == nil {
		return nil
	}
	c := *r
	c.Filename = shortName(r.Filename)
	return &c
}

// mostDiagnostics is how many are shown; a file that is no pipeline at all has thousands.
const mostDiagnostics = 25

// firstOf copies the diagnostics that are shown and counts the others.
func firstOf(diags hcl.Diagnostics) (first hcl.Diagnostics, more int) {
	n := min(len(diags), mostDiagnostics)
	return append(hcl.Diagnostics(nil), diags[:n]...), len(diags) - n
}

// legible is a file whose text can be shown on a terminal: control characters and what is not UTF-8 become question marks,
// byte for byte, so that positions hold.
func legible(f *hcl.File) *hcl.File {
	if f == nil {
		return nil
	}
	clean := bytes.Clone(f.Bytes)
	for i := 0; i < len(clean); {
		r, size := utf8.DecodeRune(clean[i:])
		if r == utf8.RuneError && size == 1 || r < ' ' && r != '\n' && r != '\t' && r != '\r' || r >= 0x7f && r < 0xa0 {
			for k := range size {
				clean[i+k] = '?'
			}
		}
		i += size
	}
	c := *f
	c.Bytes = clean
	return &c
}

// longestLine is how much of a line is shown, in bytes.
const longestLine = 400

// shortener cuts long lines of what is written: a pipeline may hold its data in one.
type shortener struct {
	w      io.Writer
	column int
}

func (s *shortener) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		text := bytes.TrimSuffix(line, []byte("\n"))
		shown := text[:min(len(text), max(0, longestLine-s.column))]
		for len(shown) < len(text) && len(shown) > 0 && !utf8.RuneStart(text[len(shown)]) {
			shown = shown[:len(shown)-1]
		}
		out := bytes.Clone(shown)
		if len(shown) < len(text) && s.column < longestLine {
			out = append(out, "..."...)
		}
		s.column += len(text)
		if len(text) < len(line) {
			s.column = 0
			out = append(out, '\n')
		}
		if _, err := s.w.Write(out); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

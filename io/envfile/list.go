package envfile

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

const (
	maxFileBytes = 64 << 20 // of a text file
	maxLineBytes = 1 << 20  // shown in no diagnostic, but split once
)

// list reads Fortran list-directed input, one READ statement after another.
type list struct {
	name  string
	lines []string
	next  int // index of the first line of the next READ

	// State of the READ under way.
	line, at   int // current line, byte offset in it
	ended      bool
	repeat     int
	repeated   token
	lastLine   int // position of the value last handed out
	lastColumn int
}

// token is one value of a list; a null value leaves the variable as it was.
type token struct {
	text   string
	quoted bool
	null   bool
}

func newList(r io.Reader, name string) (*list, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(data) > maxFileBytes {
		return nil, &Error{File: name, Problem: "the file is longer than 64 MB", Remedy: "give a text file of the Acoustics Toolbox"}
	}
	text := strings.ReplaceAll(string(data), "\r\n", "\n")
	text = strings.ReplaceAll(text, "\r", "\n")
	text = strings.TrimPrefix(text, "\ufeff")
	lines := strings.Split(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return &list{name: name, lines: lines}, nil
}

// begin starts a READ on a fresh line and drops what is left of the last one.
func (l *list) begin() {
	l.line, l.at = l.next, 0
	l.ended, l.repeat = false, 0
	l.lastLine, l.lastColumn = min(l.next, len(l.lines)-1), 0
	l.next++
}

// more says whether any value is left in the file after the READ under way.
func (l *list) more() bool {
	for i := l.next; i < len(l.lines); i++ {
		if s := strings.TrimLeft(l.lines[i], " \t,"); s != "" && s[0] != '!' && s[0] != 0x1a {
			return true
		}
	}
	return false
}

// quoteIsNext says whether the next READ begins with a quoted string.
func (l *list) quoteIsNext() bool {
	return l.next < len(l.lines) && strings.HasPrefix(strings.TrimLeft(l.lines[l.next], " \t,"), "'")
}

// value hands out the next value of the READ under way.
func (l *list) value(what string) (token, error) {
	if l.ended {
		return token{null: true}, nil
	}
	if l.repeat > 0 {
		l.repeat--
		return l.repeated, nil
	}
	if err := l.toValue(what); err != nil {
		return token{}, err
	}
	line := l.lines[l.line]
	l.lastLine, l.lastColumn = l.line, l.at+1
	switch line[l.at] {
	case '/':
		l.ended = true
		return token{null: true}, nil
	case ',':
		l.at++
		return token{null: true}, nil
	}
	if n, width, ok := repeatCount(line[l.at:]); ok {
		if n < 1 || n > math.MaxInt32 {
			return token{}, l.wrong(fmt.Sprintf("repeat count of %s is out of range", what), "write it as count*value, count at least 1")
		}
		l.at += width
		l.repeat = n - 1
		if l.at == len(line) || isSeparator(line[l.at]) {
			l.repeated = token{null: true}
			l.skipSeparator()
			return l.repeated, nil
		}
	}
	t, err := l.word(what)
	l.repeated = t
	return t, err
}

// toValue moves to the first character of the next value, over line ends and
// comments.
func (l *list) toValue(what string) error {
	for ; l.line < len(l.lines); l.line, l.at = l.line+1, 0 {
		line := l.lines[l.line]
		for l.at < len(line) && isBlank(line[l.at]) {
			l.at++
		}
		if l.at < len(line) && line[l.at] != '!' {
			l.next = l.line + 1
			return nil
		}
	}
	l.next = len(l.lines)
	l.lastLine, l.lastColumn = max(len(l.lines)-1, 0), 0
	return l.wrong(fmt.Sprintf("the file ends where %s is expected", what), "complete the file")
}

// word reads a quoted or bare value and the separator after it.
func (l *list) word(what string) (token, error) {
	line := l.lines[l.line]
	if q := line[l.at]; q == '\'' || q == '"' {
		var b strings.Builder
		for i := l.at + 1; i < len(line); i++ {
			if line[i] != q {
				b.WriteByte(line[i])
				continue
			}
			if i+1 < len(line) && line[i+1] == q {
				b.WriteByte(q)
				i++
				continue
			}
			l.at = i + 1
			l.skipSeparator()
			return token{text: b.String(), quoted: true}, nil
		}
		return token{}, l.wrong(fmt.Sprintf("the quote of %s is not closed on its line", what), fmt.Sprintf("add a %c", q))
	}
	start := l.at
	for l.at < len(line) && !isSeparator(line[l.at]) {
		l.at++
	}
	t := token{text: line[start:l.at]}
	l.skipSeparator()
	return t, nil
}

// skipSeparator passes the blanks and the one comma that end a value.
func (l *list) skipSeparator() {
	line := l.lines[l.line]
	for l.at < len(line) && isBlank(line[l.at]) {
		l.at++
	}
	if l.at < len(line) && line[l.at] == ',' {
		l.at++
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\f' || c == '\v' || c == 0x1a }

func isSeparator(c byte) bool { return isBlank(c) || c == ',' || c == '/' || c == '!' }

// repeatCount recognises n* at the head of a value.
func repeatCount(s string) (n, width int, ok bool) {
	for width < len(s) && s[width] >= '0' && s[width] <= '9' {
		if n < 1<<40 {
			n = n*10 + int(s[width]-'0')
		}
		width++
	}
	if width == 0 || width == len(s) || s[width] != '*' {
		return 0, 0, false
	}
	return n, width + 1, true
}

// wrong is a diagnostic at the value last handed out.
func (l *list) wrong(problem, remedy string) *Error {
	e := &Error{File: l.name, Line: l.lastLine + 1, Column: l.lastColumn, Problem: problem, Remedy: remedy}
	if l.lastLine >= 0 && l.lastLine < len(l.lines) && len(l.lines[l.lastLine]) < maxLineBytes {
		e.Source = l.lines[l.lastLine]
	}
	return e
}

// float reads a real number into x; a null value leaves x and returns false.
func (l *list) float(x *float64, what string) (bool, error) {
	t, err := l.value(what)
	if err != nil || t.null {
		return false, err
	}
	v, ok := parseReal(t.text)
	if t.quoted || !ok {
		return false, l.wrong(fmt.Sprintf("%s is not a number: %q", what, shorten(t.text)), "write a decimal number such as 1500.0 or 1.5D3")
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return false, l.wrong(fmt.Sprintf("%s is not finite: %q", what, shorten(t.text)), "write a finite number")
	}
	*x = v
	return true, nil
}

// needFloat reads a real number that has no default.
func (l *list) needFloat(what string) (float64, error) {
	var x float64
	ok, err := l.float(&x, what)
	if err == nil && !ok {
		err = l.wrong(what+" is missing", "give a number; it has no default")
	}
	return x, err
}

// needInt reads a whole number between low and high.
func (l *list) needInt(what string, low, high int) (int, error) {
	x, err := l.needFloat(what)
	if err != nil {
		return 0, err
	}
	if x != math.Trunc(x) {
		return 0, l.wrong(fmt.Sprintf("%s is not a whole number: %v", what, x), "write a whole number")
	}
	if x < float64(low) || x > float64(high) {
		return 0, l.wrong(fmt.Sprintf("%s is %.0f", what, x), fmt.Sprintf("it must lie between %d and %d", low, high))
	}
	return int(x), nil
}

// text reads a character value; a null value gives "".
func (l *list) text(what string) (string, error) {
	t, err := l.value(what)
	return t.text, err
}

// parseReal reads a Fortran real: digits with an optional point, and an exponent
// with E, D, Q or its sign alone.
func parseReal(s string) (float64, bool) {
	b := make([]byte, 0, len(s)+1)
	digits := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			digits = true
		case c == '.':
		case c == '+' || c == '-':
			if i > 0 && !strings.ContainsRune("eEdDqQ", rune(s[i-1])) {
				b = append(b, 'e')
			}
		case strings.ContainsRune("eEdDqQ", rune(c)):
			c = 'e'
		default:
			return wordReal(s)
		}
		b = append(b, c)
	}
	if !digits {
		return 0, false
	}
	v, err := strconv.ParseFloat(string(b), 64)
	if err != nil && !math.IsInf(v, 0) {
		return 0, false
	}
	return v, true
}

// wordReal recognises the names of the values that are not finite, so that the
// diagnostic can say so.
func wordReal(s string) (float64, bool) {
	switch strings.ToLower(strings.TrimLeft(s, "+-")) {
	case "nan":
		return math.NaN(), true
	case "inf", "infinity":
		return math.Inf(1), true
	}
	return 0, false
}

func shorten(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

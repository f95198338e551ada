package stage

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/agext/levenshtein"
)

// DidYouMean is a sentence, with a space before it, naming the candidate closest to a mistyped name, or "" when none is
// close.
func DidYouMean(typed string, candidates []string) string {
	best, name := 3, ""
	for _, c := range candidates {
		if d := levenshtein.Distance(typed, c, nil); d < best && d < len(typed) {
			best, name = d, c
		}
	}
	if name == "" {
		return ""
	}
	return fmt.Sprintf(" Did you mean %q?", name)
}

// jsonFields lists the names JSON knows the fields of a type by, at any depth.
func jsonFields(t reflect.Type, seen map[reflect.Type]bool) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Array || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || seen[t] {
		return nil
	}
	seen[t] = true
	var names []string
	for i := range t.NumField() {
		f := t.Field(i)
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			names = append(names, name)
		}
		names = append(names, jsonFields(f.Type, seen)...)
	}
	return names
}

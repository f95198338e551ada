package config

import (
	"fmt"

	"github.com/agext/levenshtein"
)

// didYouMean is a sentence naming the candidate closest to a mistyped name, or "" when none is close.
func didYouMean(typed string, candidates []string) string {
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

package stages

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// locate finds the place in a block body that a dotted path such as
// "layer.sediment.density" or "parameter.water_depth.prior.low" names: block
// types and their labels, then perhaps an attribute. The science packages name
// what is wrong by such paths, for they know no HCL. Where the path leads
// nowhere (the value was defaulted or read from a file), it returns the range of
// the last block it passed.
func locate(body hcl.Body, path string) hcl.Range {
	syntax, ok := body.(*hclsyntax.Body)
	if !ok {
		return body.MissingItemRange()
	}
	at := body.MissingItemRange()
	words := splitPath(path)
	for len(words) > 0 {
		if attr, ok := syntax.Attributes[words[0]]; ok {
			return attr.Expr.Range()
		}
		block, used := child(syntax, words)
		if block == nil {
			return at
		}
		syntax, words, at = block.Body, words[used:], block.DefRange()
	}
	return at
}

// splitPath splits at dots and drops indices: "depths[3]" is found where
// "depths" is.
func splitPath(path string) []string {
	words := strings.Split(path, ".")
	for i, w := range words {
		if j := strings.IndexByte(w, '['); j >= 0 {
			words[i] = w[:j]
		}
	}
	return words
}

// child finds the nested block that the first words name and how many words
// that took: its type and its labels, where the path gives them.
func child(body *hclsyntax.Body, words []string) (*hclsyntax.Block, int) {
	for _, b := range body.Blocks {
		if b.Type != words[0] {
			continue
		}
		if len(b.Labels) == 0 {
			return b, 1
		}
		if len(words) > 1 && words[1] == b.Labels[0] {
			return b, 2
		}
	}
	for _, b := range body.Blocks { // a block whose label the path leaves out
		if b.Type == words[0] {
			return b, 1
		}
	}
	return nil, 0
}

// invalid is a diagnostic at the place a path names.
func invalid(body hcl.Body, path, summary, detail string) *hcl.Diagnostic {
	r := locate(body, path)
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &r}
}

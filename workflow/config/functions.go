package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// pure are the functions whose results depend on their arguments alone.
var pure = map[string]function.Function{
	"abs": stdlib.AbsoluteFunc, "ceil": stdlib.CeilFunc, "floor": stdlib.FloorFunc, "int": stdlib.IntFunc,
	"log": stdlib.LogFunc, "max": stdlib.MaxFunc, "min": stdlib.MinFunc, "pow": stdlib.PowFunc, "signum": stdlib.SignumFunc,
	"parseint": stdlib.ParseIntFunc, "sqrt": real1(math.Sqrt), "exp": real1(math.Exp), "log10": real1(math.Log10),
	"sum": sumFunc, "linspace": linspaceFunc, "logspace": logspaceFunc, "range": rangeFunc,

	"chomp": stdlib.ChompFunc, "format": stdlib.FormatFunc, "formatlist": stdlib.FormatListFunc, "indent": stdlib.IndentFunc,
	"join": stdlib.JoinFunc, "lower": stdlib.LowerFunc, "regex": stdlib.RegexFunc, "regexall": stdlib.RegexAllFunc,
	"regexreplace": stdlib.RegexReplaceFunc, "replace": stdlib.ReplaceFunc, "split": stdlib.SplitFunc, "strlen": stdlib.StrlenFunc,
	"substr": stdlib.SubstrFunc, "title": stdlib.TitleFunc, "trim": stdlib.TrimFunc, "trimprefix": stdlib.TrimPrefixFunc,
	"trimspace": stdlib.TrimSpaceFunc, "trimsuffix": stdlib.TrimSuffixFunc, "upper": stdlib.UpperFunc,

	"chunklist": stdlib.ChunklistFunc, "coalesce": stdlib.CoalesceFunc, "coalescelist": stdlib.CoalesceListFunc,
	"compact": stdlib.CompactFunc, "concat": stdlib.ConcatFunc, "contains": stdlib.ContainsFunc, "distinct": stdlib.DistinctFunc,
	"element": stdlib.ElementFunc, "flatten": stdlib.FlattenFunc, "index": stdlib.IndexFunc, "keys": stdlib.KeysFunc,
	"length": stdlib.LengthFunc, "lookup": stdlib.LookupFunc, "merge": stdlib.MergeFunc, "reverse": stdlib.ReverseListFunc,
	"setintersection": stdlib.SetIntersectionFunc, "setproduct": stdlib.SetProductFunc, "setsubtract": stdlib.SetSubtractFunc,
	"setunion": stdlib.SetUnionFunc, "slice": stdlib.SliceFunc, "sort": stdlib.SortFunc, "values": stdlib.ValuesFunc,
	"zipmap": stdlib.ZipmapFunc,

	"csvdecode": stdlib.CSVDecodeFunc, "jsondecode": stdlib.JSONDecodeFunc, "jsonencode": stdlib.JSONEncodeFunc,
	"tobool": stdlib.MakeToFunc(cty.Bool), "tonumber": stdlib.MakeToFunc(cty.Number), "tostring": stdlib.MakeToFunc(cty.String),
	"tolist": stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)), "tomap": stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)),
	"toset": tosetFunc,
	"try":   tryfunc.TryFunc, "can": tryfunc.CanFunc,

	"env": envFunc, "pathexpand": pathexpandFunc, "basename": text1(filepath.Base), "dirname": text1(filepath.Dir),
}

// functions are what expressions of a module in dir may call; read is told every file whose content they use.
func functions(dir string, read func(string)) map[string]function.Function {
	fns := maps.Clone(pure)
	fns["file"] = fileFunc(dir, read)
	fns["fileset"] = filesetFunc(dir)
	fns["fileexists"] = function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			info, err := os.Stat(within(dir, args[0].AsString()))
			return cty.BoolVal(err == nil && !info.IsDir()), nil
		},
	})
	return fns
}

func within(dir, p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(dir, p)
}

func fileFunc(dir string, read func(string)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			p := within(dir, args[0].AsString())
			content, err := os.ReadFile(p)
			if err != nil {
				var at *fs.PathError
				if errors.As(err, &at) {
					err = fmt.Errorf("cannot read %s: %w", p, at.Err)
				}
				return cty.NilVal, function.NewArgError(0, err)
			}
			read(p)
			return cty.StringVal(string(content)), nil
		},
	})
}

// filesetFunc gives the set of files below a directory whose path relative to it matches a pattern, in which ** stands
// for any number of directories.
func filesetFunc(dir string) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "directory", Type: cty.String}, {Name: "pattern", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Set(cty.String)),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			match, err := globRegexp(args[1].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgError(1, err)
			}
			found, err := filesBelow(within(dir, args[0].AsString()), match)
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			if len(found) == 0 {
				return cty.SetValEmpty(cty.String), nil
			}
			return cty.SetVal(found), nil
		},
	})
}

func filesBelow(root string, match *regexp.Regexp) ([]cty.Value, error) {
	var found []cty.Value
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if rel, err := filepath.Rel(root, p); err == nil && !d.IsDir() && match.MatchString(filepath.ToSlash(rel)) {
			found = append(found, cty.StringVal(filepath.ToSlash(rel)))
		}
		return nil
	})
	return found, err
}

func globRegexp(pattern string) (*regexp.Regexp, error) {
	var b strings.Builder
	b.WriteString("^")
	for rest := pattern; rest != ""; {
		switch {
		case strings.HasPrefix(rest, "**/"):
			b.WriteString("(?:[^/]+/)*")
			rest = rest[3:]
		case strings.HasPrefix(rest, "**"):
			b.WriteString(".*")
			rest = rest[2:]
		case rest[0] == '*':
			b.WriteString("[^/]*")
			rest = rest[1:]
		case rest[0] == '?':
			b.WriteString("[^/]")
			rest = rest[1:]
		default:
			b.WriteString(regexp.QuoteMeta(rest[:1]))
			rest = rest[1:]
		}
	}
	return regexp.Compile(b.String() + "$")
}

var envFunc = function.New(&function.Spec{
	Params:   []function.Parameter{{Name: "name", Type: cty.String}},
	VarParam: &function.Parameter{Name: "default", Type: cty.String},
	Type:     function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if v, ok := os.LookupEnv(args[0].AsString()); ok {
			return cty.StringVal(v), nil
		}
		if len(args) == 2 {
			return args[1], nil
		}
		return cty.NilVal, function.NewArgErrorf(0, "environment variable %s is not set; env(name, default) gives a default", args[0].AsString())
	},
})

var pathexpandFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "path", Type: cty.String}},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		p := args[0].AsString()
		if p != "~" && !strings.HasPrefix(p, "~/") {
			return args[0], nil
		}
		home, err := os.UserHomeDir()
		if err != nil {
			return cty.NilVal, function.NewArgError(0, err)
		}
		return cty.StringVal(home + p[1:]), nil
	},
})

// linspaceFunc gives n numbers from a to b, both included, evenly spaced.
var linspaceFunc = spaceFunc(func(x float64) float64 { return x })

// logspaceFunc gives n numbers from 10^a to 10^b, both included, evenly spaced in the exponent.
var logspaceFunc = spaceFunc(func(x float64) float64 { return math.Pow(10, x) })

func spaceFunc(f func(float64) float64) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "start", Type: cty.Number}, {Name: "stop", Type: cty.Number}, {Name: "count", Type: cty.Number}},
		Type:   function.StaticReturnType(cty.List(cty.Number)),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			start, _ := args[0].AsBigFloat().Float64()
			stop, _ := args[1].AsBigFloat().Float64()
			count, exact := args[2].AsBigFloat().Int64()
			if exact != 0 || count < 2 || count > mostNumbers {
				return cty.NilVal, function.NewArgErrorf(2, "the count must be a whole number from 2 to %d", mostNumbers)
			}
			out := make([]cty.Value, count)
			for i := range out {
				t := float64(i) / float64(count-1)
				v := f(start*(1-t) + stop*t)
				if math.IsInf(v, 0) || math.IsNaN(v) {
					return cty.NilVal, errors.New("the numbers are too large")
				}
				out[i] = cty.NumberFloatVal(v)
			}
			return cty.ListVal(out), nil
		},
	})
}

// mostNumbers bounds what range and the spaces give.
const mostNumbers = 1_000_000

// rangeFunc gives the numbers from a start, 0 if there is but one argument, up to but not including a limit, in steps of 1 or
// of the third argument.
var rangeFunc = function.New(&function.Spec{
	VarParam: &function.Parameter{Name: "limits", Type: cty.Number},
	Type:     function.StaticReturnType(cty.List(cty.Number)),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if len(args) < 1 || len(args) > 3 {
			return cty.NilVal, errors.New("range takes a limit, or a start and a limit, or a start, a limit and a step")
		}
		at, limit, step := cty.Zero, args[0], cty.NumberIntVal(1)
		if len(args) > 1 {
			at, limit = args[0], args[1]
		}
		if len(args) > 2 {
			step = args[2]
		} else if limit.LessThan(at).True() {
			step = cty.NumberIntVal(-1)
		}
		up := step.GreaterThan(cty.Zero).True()
		if step.Equals(cty.Zero).True() || limit.Equals(at).False() && up != limit.GreaterThan(at).True() {
			return cty.NilVal, function.NewArgErrorf(len(args)-1, "the step must lead from the start to the limit")
		}
		var out []cty.Value
		for ; up && at.LessThan(limit).True() || !up && at.GreaterThan(limit).True(); at = at.Add(step) {
			if out = append(out, at); len(out) > mostNumbers {
				return cty.NilVal, fmt.Errorf("there would be more than %d numbers", mostNumbers)
			}
		}
		if len(out) == 0 {
			return cty.ListValEmpty(cty.Number), nil
		}
		return cty.ListVal(out), nil
	},
})

var sumFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.List(cty.Number)}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		total := cty.Zero
		for it := args[0].ElementIterator(); it.Next(); {
			_, v := it.Element()
			if v.IsNull() {
				return cty.NilVal, function.NewArgErrorf(0, "null cannot be added")
			}
			total = total.Add(v)
		}
		return total, nil
	},
})

// anyToSet converts what tosetFunc does not.
var anyToSet = stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType))

// tosetFunc makes a set of a list. Tuples of one type, as for expressions make them, need no search for a common type,
// which takes the square of their length.
var tosetFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "v", Type: cty.DynamicPseudoType, AllowNull: true}},
	Type: func(args []cty.Value) (cty.Type, error) {
		if t, ok := uniform(args[0].Type()); ok {
			return cty.Set(t), nil
		}
		return anyToSet.ReturnTypeForValues(args)
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if _, ok := uniform(args[0].Type()); ok && !args[0].IsNull() {
			return cty.SetVal(args[0].AsValueSlice()), nil
		}
		return anyToSet.Call(args)
	},
})

// uniform reports the type of all elements of a tuple type, if it is one primitive type.
func uniform(t cty.Type) (cty.Type, bool) {
	if !t.IsTupleType() || t.Length() == 0 {
		return cty.NilType, false
	}
	all := t.TupleElementTypes()
	for _, e := range all {
		if e != all[0] {
			return cty.NilType, false
		}
	}
	return all[0], all[0].IsPrimitiveType()
}

func real1(f func(float64) float64) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "x", Type: cty.Number}},
		Type:   function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			x, _ := args[0].AsBigFloat().Float64()
			y := f(x)
			if math.IsNaN(y) || math.IsInf(y, 0) {
				return cty.NilVal, function.NewArgErrorf(0, "not defined for %v", x)
			}
			return cty.NumberFloatVal(y), nil
		},
	})
}

func text1(f func(string) string) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.StringVal(f(args[0].AsString())), nil
		},
	})
}

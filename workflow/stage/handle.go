package stage

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// Handle stands for an artifact in an expression: the output of a stage that may not have run yet.
type Handle struct {
	// Address of the action: `stage.data` or `stage.data["k"]`, with a module's address before it.
	Address string
	// Output is the declared output.
	Output Output
}

// HandleType is the cty type of handles in expressions.
var HandleType = cty.CapsuleWithOps("artifact", reflect.TypeOf(Handle{}), &cty.CapsuleOps{
	GoString:     func(v any) string { return v.(*Handle).String() },
	TypeGoString: func(reflect.Type) string { return "artifact" },
	RawEquals:    func(a, b any) bool { return a.(*Handle).String() == b.(*Handle).String() },
})

// Value is the handle as expressions see it.
func (h *Handle) Value() cty.Value { return cty.CapsuleVal(HandleType, h) }

// String is the reference that yields the handle, `stage.data.dataset`.
func (h *Handle) String() string { return h.Address + "." + h.Output.Name }

// Input is an artifact or an external file that a Spec reads.
type Input struct {
	// Name is what the Spec calls it: the argument of ws.Input.
	Name string
	// Handle is the artifact; nil for an external file.
	Handle *Handle
	// Path is the absolute path of an external file; "" for an artifact.
	Path string
	// Type is what an external file is taken for; "" if its kind does not say.
	Type Type
	// Schema is the producer's Output.Schema; nil for external files.
	Schema any
	// Range is the expression that named it, for diagnostics.
	Range hcl.Range
}

// Present reports whether an optional input was given.
func (in Input) Present() bool { return in.Handle != nil || in.Path != "" }

// Problem is an error diagnostic at the expression that named the input.
func (in Input) Problem(summary, detail string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: in.Range.Ptr()}
}

// EncodeValue turns a Go value with JSON tags into a plain cty value: structs become objects, slices tuples.
func EncodeValue(v any) (cty.Value, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return cty.NilVal, err
	}
	t, err := ctyjson.ImpliedType(raw)
	if err != nil {
		return cty.NilVal, err
	}
	return ctyjson.Unmarshal(raw, t)
}

// DecodeValue turns a cty value into the Go value dst points to, through JSON. A field dst does not have is an
// error, as is a value that holds a handle or is not wholly known. Numbers arrive as the nearest float64.
func DecodeValue(v cty.Value, dst any) error {
	if !v.IsWhollyKnown() {
		return errors.New("the value is not known before the run")
	}
	if holdsHandle(v) {
		return errors.New("an artifact is not a value; pass one of its stage's inputs instead")
	}
	raw, err := appendJSON(nil, v)
	if err != nil {
		return err
	}
	return decodeStrict(raw, dst)
}

// appendJSON appends a known value as JSON. Numbers that are not whole are written as the nearest float64, which takes a
// thousandth of the time that finding the shortest decimal of a 512-bit number does.
func appendJSON(b []byte, v cty.Value) (out []byte, err error) {
	t := v.Type()
	switch {
	case v.IsMarked():
		return nil, errors.New("the value is marked")
	case v.IsNull():
		return append(b, "null"...), nil
	case t == cty.Bool:
		return strconv.AppendBool(b, v.True()), nil
	case t == cty.String:
		return appendMarshalled(b, v.AsString())
	case t == cty.Number:
		n := v.AsBigFloat()
		if n.IsInt() {
			return n.Append(b, 'f', 0), nil
		}
		f, _ := n.Float64()
		return appendMarshalled(b, f)
	case t.IsObjectType() || t.IsMapType():
		return appendElements(b, v, "{}", true)
	case t.IsTupleType() || t.IsListType() || t.IsSetType():
		return appendElements(b, v, "[]", false)
	}
	return nil, fmt.Errorf("%s is no value to pass on", t.FriendlyName())
}

func appendElements(b []byte, v cty.Value, brackets string, named bool) (out []byte, err error) {
	b = append(b, brackets[0])
	first := true
	for it := v.ElementIterator(); it.Next(); first = false {
		k, e := it.Element()
		if !first {
			b = append(b, ',')
		}
		if named {
			if b, err = appendMarshalled(b, k.AsString()); err != nil {
				return nil, err
			}
			b = append(b, ':')
		}
		if b, err = appendJSON(b, e); err != nil {
			return nil, err
		}
	}
	return append(b, brackets[1]), nil
}

// appendMarshalled is for texts and numbers; infinity is an error.
func appendMarshalled(b []byte, v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	return append(b, raw...), err
}

func holdsHandle(v cty.Value) bool {
	found := false
	_ = cty.Walk(v, func(_ cty.Path, v cty.Value) (bool, error) {
		found = found || v.Type().Equals(HandleType)
		return !found, nil
	})
	return found
}

func decodeStrict(raw []byte, dst any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(dst); err != nil {
		return plainJSONError(err, dst)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more than one JSON value")
	}
	return nil
}

// plainJSONError says what encoding/json says without naming Go types.
func plainJSONError(err error, dst any) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field != "" {
		return fmt.Errorf("%s cannot be a %s", wrong.Field, wrong.Value)
	}
	if quoted, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		name := strings.Trim(quoted, `"`)
		hint := strings.TrimSuffix(DidYouMean(name, jsonFields(reflect.TypeOf(dst), make(map[reflect.Type]bool))), "?")
		if hint != "" {
			hint = ";" + strings.Replace(hint, "Did", "did", 1) + "?"
		}
		return fmt.Errorf("there is no field %s here%s", quoted, hint)
	}
	return err
}

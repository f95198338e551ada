package stage

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// TestDecodeValueIsExact: what goes into a cty value comes out of it, whole numbers of 64 bits and every float64 included,
// and as it would by cty's own JSON.
func TestDecodeValueIsExact(t *testing.T) {
	type inner struct {
		Numbers []float64 `json:"numbers"`
		Text    string    `json:"text"`
	}
	type all struct {
		Seed   uint64           `json:"seed"`
		Small  int64            `json:"small"`
		On     bool             `json:"on"`
		None   *int             `json:"none"`
		Inner  inner            `json:"inner"`
		ByName map[string]inner `json:"by_name"`
		Empty  []int            `json:"empty"`
	}
	random := rand.New(rand.NewPCG(1, 2))
	in := all{Seed: math.MaxUint64, Small: math.MinInt64, On: true, Inner: inner{Text: "a<\"\\é\x01"}, Empty: []int{},
		ByName: map[string]inner{"k": {Numbers: []float64{1e300, 5e-324, -0.1, 1 << 53}, Text: ""}}}
	for range 200 {
		in.Inner.Numbers = append(in.Inner.Numbers, math.Ldexp(random.Float64()-0.5, random.IntN(600)-300))
	}
	v, err := EncodeValue(in)
	if err != nil {
		t.Fatal(err)
	}
	var out, byCty all
	if err := DecodeValue(v, &out); err != nil {
		t.Fatal(err)
	}
	raw, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &byCty); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(in, out) || !reflect.DeepEqual(byCty, out) {
		t.Errorf("in %+v\nout %+v", in, out)
	}
}

// TestDecodeValueRefuses what is no value to pass on.
func TestDecodeValueRefuses(t *testing.T) {
	for name, v := range map[string]cty.Value{
		"infinity": cty.PositiveInfinity, "unknown": cty.ObjectVal(map[string]cty.Value{"a": cty.UnknownVal(cty.Number)}),
		"an artifact": cty.TupleVal([]cty.Value{(&Handle{Address: "stage.a"}).Value()}), "marked": cty.StringVal("a").Mark("secret"),
	} {
		var dst any
		if err := DecodeValue(v, &dst); err == nil {
			t.Errorf("%s was decoded to %v", name, dst)
		}
	}
}

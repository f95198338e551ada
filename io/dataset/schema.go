package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"oceaninv/io/netcdf"
)

// Kinds of file, the values of the attribute oceaninv_schema without its version.
const (
	SchemaDataset       = "dataset"
	SchemaObservation   = "observation"
	SchemaPosterior     = "posterior"
	SchemaModel         = "model"
	SchemaField         = "field"
	SchemaModes         = "modes"
	SchemaTable         = "table"
	SchemaDensity       = "density"
	SchemaEnvironment   = "environment"
	SchemaTimeSeries    = "time_series"
	SchemaInterpolation = "interpolation"
	SchemaDesign        = "design"
)

const (
	schemaAttribute     = "oceaninv_schema"
	schemaVersion       = "1"
	problemAttribute    = "problem"
	truncationAttribute = "truncated_prior"
	conventions         = "CF-1.11"
)

// Units, as UDUNITS spells them.
const (
	metre           = "m"
	second          = "s"
	metrePerSecond  = "m s-1"
	hertz           = "Hz"
	radPerMetre     = "rad m-1"
	kilogramPerM3   = "kg m-3"
	decibel         = "dB"
	micropascal     = "uPa"
	degree          = "degree"
	dimensionless   = "1"
	nepersPerMetre  = "m-1"
	positive        = "positive"
	longName        = "long_name"
	standardName    = "standard_name"
	coordinatesName = "coordinates"
)

// spellings are units that say the same.
var spellings = map[string]string{
	"meter": metre, "meters": metre, "metre": metre, "metres": metre,
	"m/s": metrePerSecond, "m.s-1": metrePerSecond, "m s^-1": metrePerSecond, "meter second-1": metrePerSecond,
	"meters/second": metrePerSecond, "hertz": hertz, "s-1": hertz, "1/s": hertz,
	"rad/m": radPerMetre, "radian m-1": radPerMetre, "kg/m3": kilogramPerM3, "kg/m^3": kilogramPerM3, "kg m^-3": kilogramPerM3,
	"db": decibel, "degrees": degree, "deg": degree, "": dimensionless,
}

// sameUnit reports whether two spellings name one unit.
func sameUnit(a, b string) bool {
	canonical := func(u string) string {
		u = strings.TrimSpace(u)
		if s, ok := spellings[u]; ok {
			return s
		}
		if s, ok := spellings[strings.ToLower(u)]; ok {
			return s
		}
		return u
	}
	return canonical(a) == canonical(b)
}

// writer declares and fills variables; the first failure stops it.
type writer struct {
	file *netcdf.File
	err  error
}

// create begins a file of the given kind.
func create(path, schema, title string) (*writer, error) {
	f, err := netcdf.Create(path)
	if err != nil {
		return nil, err
	}
	w := &writer{file: f}
	w.text("Conventions", conventions)
	w.text("title", title)
	w.text("source", "oceaninv")
	w.text(schemaAttribute, schema+" "+schemaVersion)
	return w, nil
}

// write makes a whole file.
func write(path, schema, title string, define func(*writer)) error {
	w, err := create(path, schema, title)
	if err != nil {
		return err
	}
	defer w.file.Abort()
	define(w)
	if w.err != nil {
		return w.err
	}
	return w.file.Commit()
}

func (w *writer) do(f func() error) {
	if w.err == nil {
		w.err = f()
	}
}

func (w *writer) text(name, value string) {
	w.do(func() error { return w.file.SetAttribute(netcdf.Text(name, value)) })
}

// problem records the description of the problem that a file belongs to.
func (w *writer) problem(p json.RawMessage) {
	if len(p) > 0 {
		w.text(problemAttribute, string(p))
	}
}

func (w *writer) dimension(name string, length int) {
	w.do(func() error { return w.file.AddDimension(name, length) })
}

// variable declares an array; its chunks carry checksums.
func (w *writer) variable(name string, t netcdf.Type, dims []string, attributes ...netcdf.Attribute) *netcdf.Variable {
	var v *netcdf.Variable
	w.do(func() (err error) {
		v, err = w.file.AddVariable(netcdf.Definition{
			Name: name, Type: t, Dimensions: dims, Attributes: attributes, Checksum: len(dims) > 0,
		})
		return err
	})
	return v
}

// float64s declares a variable of doubles and writes it.
func (w *writer) float64s(name string, dims []string, data []float64, attributes ...netcdf.Attribute) {
	v := w.variable(name, netcdf.Double, dims, attributes...)
	w.do(func() error { return netcdf.WriteAll(v, data) })
}

// strings declares a variable of strings and writes it.
func (w *writer) strings(name string, dims []string, data []string, attributes ...netcdf.Attribute) {
	v := w.variable(name, netcdf.String, dims, attributes...)
	w.do(func() error { return v.WriteStrings(data) })
}

// complexes declares <name>_real and <name>_imag and writes them.
func (w *writer) complexes(name string, dims []string, data []complex128, attributes ...netcdf.Attribute) {
	for _, part := range parts {
		v := w.variable(name+part.suffix, netcdf.Double, dims, part.of(attributes)...)
		w.do(func() error { return netcdf.WriteAll(v, part.take(data, nil)) })
	}
}

// parts are the two halves of a complex variable.
var parts = [2]complexPart{
	{"_real", "real part of ", func(c complex128) float64 { return real(c) }},
	{"_imag", "imaginary part of ", func(c complex128) float64 { return imag(c) }},
}

type complexPart struct {
	suffix, prefix string
	get            func(complex128) float64
}

// take copies this part of data into buffer, which grows as needed.
func (p complexPart) take(data []complex128, buffer []float64) []float64 {
	buffer = slices.Grow(buffer[:0], len(data))[:len(data)]
	for i, c := range data {
		buffer[i] = p.get(c)
	}
	return buffer
}

// of are the attributes of this part of a variable, with its long name adapted.
func (p complexPart) of(attributes []netcdf.Attribute) []netcdf.Attribute {
	out := slices.Clone(attributes)
	for i, a := range out {
		if a.Name == longName {
			out[i].Value = p.prefix + a.Text()
		}
	}
	return out
}

// describe are the attributes that most variables have.
func describe(long, units string) []netcdf.Attribute {
	return []netcdf.Attribute{netcdf.Text(longName, long), netcdf.Text("units", units)}
}

// depthAxis are the attributes of a depth coordinate.
func depthAxis(long string) []netcdf.Attribute {
	return append(describe(long, metre), netcdf.Text(standardName, "depth"),
		netcdf.Text(positive, "down"), netcdf.Text("axis", "Z"))
}

func frequencyAxis() []netcdf.Attribute {
	return append(describe("sound frequency", hertz), netcdf.Text(standardName, "sound_frequency"))
}

// reader reads and checks variables; the first failure stops it.
type reader struct {
	file *netcdf.File
	err  error
}

// probe is the trial reading of a file before it is opened; a variable for the test that has
// a trial of its own.
var probe = netcdf.Probe

// open opens a file that may come from anywhere and refuses one that says it is of
// another kind.
func open(path, schema string) (*reader, error) {
	if err := probe(path); err != nil {
		return nil, err
	}
	return openKnown(path, schema)
}

// openKnown is open for a file of our own making.
func openKnown(path, schema string) (*reader, error) {
	f, err := netcdf.Open(path)
	if err != nil {
		return nil, err
	}
	r := &reader{file: f}
	if got := schemaOf(f); got != "" && got != schema {
		f.Close()
		return nil, &netcdf.Error{Path: path, Err: fmt.Errorf("it holds %s, where %s is expected", got, schema)}
	}
	return r, nil
}

// schemaOf is the kind of file, or "" when it does not say.
func schemaOf(f *netcdf.File) string {
	a, _ := f.Attribute(schemaAttribute)
	kind, _, _ := strings.Cut(a.Text(), " ")
	return kind
}

func (r *reader) do(f func() error) {
	if r.err == nil {
		r.err = f()
	}
}

// fail records what is wrong with a variable.
func (r *reader) fail(variable, format string, args ...any) {
	r.do(func() error {
		return &netcdf.Error{Path: r.file.Path(), Variable: variable, Err: fmt.Errorf(format, args...)}
	})
}

// problem is the description of the problem, or nil.
func (r *reader) problem() json.RawMessage { return r.json(problemAttribute) }

// json is a global attribute that holds JSON, or nil without it.
func (r *reader) json(attribute string) json.RawMessage {
	a, ok := r.file.Attribute(attribute)
	if !ok {
		return nil
	}
	if !json.Valid([]byte(a.Text())) {
		r.fail("", "its attribute %q is not JSON", attribute)
	}
	return json.RawMessage(a.Text())
}

// length is the length of a dimension.
func (r *reader) length(dimension string) int {
	var d netcdf.Dimension
	r.do(func() (err error) { d, err = r.file.Dimension(dimension); return err })
	return d.Length
}

// variable finds a variable and checks its dimensions and units; units "" are not
// checked.
func (r *reader) variable(name, units string, dims ...string) *netcdf.Variable {
	var v *netcdf.Variable
	r.do(func() (err error) { v, err = r.file.Variable(name); return err })
	if r.err != nil {
		return nil
	}
	var got []string
	for _, d := range v.Dimensions {
		got = append(got, d.Name)
	}
	if !slices.Equal(got, dims) {
		r.fail(name, "its dimensions are (%s), where (%s) are expected", strings.Join(got, ", "), strings.Join(dims, ", "))
	}
	if units != "" && !sameUnit(v.Units(), units) {
		r.fail(name, "its units are %q, where %q is expected", v.Units(), units)
	}
	return v
}

// float64s reads a variable of finite numbers.
func (r *reader) float64s(name, units string, dims ...string) []float64 {
	data := r.numbers(name, units, dims...)
	r.finite(name, data)
	return data
}

// numbers reads a variable of numbers that may be missing (NaN).
func (r *reader) numbers(name, units string, dims ...string) []float64 {
	v := r.variable(name, units, dims...)
	var data []float64
	r.do(func() (err error) { data, err = v.Float64s(); return err })
	return data
}

func (r *reader) finite(name string, data []float64) {
	for i, x := range data {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			r.fail(name, "its value number %d is %v", i+1, x)
			return
		}
	}
}

// scalar reads a variable without dimensions.
func (r *reader) scalar(name, units string) float64 {
	data := r.float64s(name, units)
	if len(data) != 1 {
		return 0
	}
	return data[0]
}

// strings reads a variable of strings.
func (r *reader) strings(name string, dims ...string) []string {
	v := r.variable(name, "", dims...)
	var data []string
	r.do(func() (err error) { data, err = v.Strings(); return err })
	return data
}

// complexes reads <name>_real and <name>_imag.
func (r *reader) complexes(name, units string, dims ...string) []complex128 {
	re := r.float64s(name+parts[0].suffix, units, dims...)
	im := r.float64s(name+parts[1].suffix, units, dims...)
	return join(re, im)
}

func join(re, im []float64) []complex128 {
	if len(re) != len(im) {
		return nil
	}
	out := make([]complex128, len(re))
	for i := range re {
		out[i] = complex(re[i], im[i])
	}
	return out
}

// done closes the file and returns the first failure.
func (r *reader) done() error {
	return errors.Join(r.err, r.file.Close())
}

// anyVariable finds a variable whatever its dimensions.
func (r *reader) anyVariable(name string) *netcdf.Variable {
	var v *netcdf.Variable
	r.do(func() (err error) { v, err = r.file.Variable(name); return err })
	return v
}

package dataset

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oceaninv/io/netcdf"
)

// observationFile writes an observation file by hand, as another program would,
// with one thing changed.
type observationFile struct {
	depthUnits, pressureUnits string
	dims                      []string
	leaveOut                  string
	pressure                  float64
	schema                    string
}

func (o observationFile) write(path string) error {
	return netcdf.Write(path, func(f *netcdf.File) error {
		if o.schema != "" {
			if err := f.SetAttribute(netcdf.Text("oceaninv_schema", o.schema)); err != nil {
				return err
			}
		}
		for _, d := range []netcdf.Dimension{{Name: "observation", Length: 1}, {Name: "receiver", Length: 2}, {Name: "frequency", Length: 1}} {
			if err := f.AddDimension(d.Name, d.Length); err != nil {
				return err
			}
		}
		put := func(name, units string, values []float64, dims ...string) error {
			if name == o.leaveOut {
				return nil
			}
			v, err := f.AddVariable(netcdf.Definition{Name: name, Type: netcdf.Double, Dimensions: dims, Attributes: []netcdf.Attribute{netcdf.Text("units", units)}})
			if err != nil {
				return err
			}
			return netcdf.WriteAll(v, values)
		}
		return errors.Join(put("receiver_depth", o.depthUnits, []float64{10, 20}, "receiver"), put("frequency", "hertz", []float64{50}, "frequency"),
			put("pressure_real", o.pressureUnits, []float64{1, 2}, o.dims...), put("pressure_imag", o.pressureUnits, []float64{o.pressure, 4}, o.dims...))
	})
}

func TestReadersSayWhatIsWrong(t *testing.T) {
	good := observationFile{depthUnits: "meters", pressureUnits: "1", dims: observationDims, pressure: 3}
	path := filepath.Join(t.TempDir(), "o.nc")
	if err := good.write(path); err != nil {
		t.Fatal(err)
	}
	if o, err := ReadObservations(path); err != nil || o.Pressure[1] != 2+4i || o.ReceiverDepths[1] != 20 {
		t.Errorf("a file of another program: %+v, %v", o, err)
	}
	for want, change := range map[string]func(*observationFile){
		`variable "receiver_depth": its units are "km", where "m" is expected`:                                         func(o *observationFile) { o.depthUnits = "km" },
		`variable "pressure_imag": missing; the file has [receiver_depth frequency pressure_real]`:                     func(o *observationFile) { o.leaveOut = "pressure_imag" },
		`variable "pressure_imag": its value number 1 is NaN`:                                                          func(o *observationFile) { o.pressure = math.NaN() },
		`it holds posterior, where observation is expected`:                                                            func(o *observationFile) { o.schema = "posterior 1" },
		`its dimensions are (observation, frequency, receiver), where (observation, receiver, frequency) are expected`: func(o *observationFile) { o.dims = []string{"observation", "frequency", "receiver"} },
	} {
		o := good
		change(&o)
		if err := o.write(path); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadObservations(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestParameterNames(t *testing.T) {
	for want, p := range map[string]Parameter{
		"letters":         {Name: "water depth", Upper: 1},
		"another meaning": {Name: "frequency", Upper: 1},
		"prior bounds":    {Name: "x"},
	} {
		dir := t.TempDir()
		l := smallLayout()
		l.Parameters = []Parameter{p}
		if _, err := CreateDataset(filepath.Join(dir, "d.nc"), l, 0, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
		if left, _ := os.ReadDir(dir); len(left) != 0 {
			t.Errorf("%v is left", left)
		}
	}
}

func TestDescribe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d.nc")
	writeShard(t, path, smallLayout(), 0, 4)
	d, err := Describe(path)
	if err != nil {
		t.Fatal(err)
	}
	v, ok := d.Variable("pressure_real")
	if d.Schema != SchemaDataset || d.Dimensions["sample"] != 4 || !ok || v.Type != "double" || v.Shape[1] != 3 || v.Units != "1" {
		t.Errorf("got %+v", d)
	}
}

package dataset

import (
	"oceaninv/io/netcdf"
)

// Description is what the header of a file says: enough to check that one stage's
// output fits the next one's input before anything runs.
type Description struct {
	Schema     string                `json:"schema"` // one of the Schema constants, or "" if the file does not say
	Dimensions map[string]int        `json:"dimensions"`
	Variables  []VariableDescription `json:"variables"`
	Attributes map[string]string     `json:"attributes,omitempty"` // those that are text
}

// VariableDescription is what the header says of a variable.
type VariableDescription struct {
	Name       string   `json:"name"`
	Type       string   `json:"type"`
	Dimensions []string `json:"dimensions"`
	Shape      []int    `json:"shape"`
	Units      string   `json:"units,omitempty"`
	LongName   string   `json:"long_name,omitempty"`
}

// Describe reads the header of a NetCDF file, which may come from anywhere.
func Describe(path string) (Description, error) {
	if err := netcdf.Probe(path); err != nil {
		return Description{}, err
	}
	f, err := netcdf.Open(path)
	if err != nil {
		return Description{}, err
	}
	defer f.Close()
	d := Description{Schema: schemaOf(f), Dimensions: map[string]int{}, Attributes: map[string]string{}}
	for _, dim := range f.Dimensions() {
		d.Dimensions[dim.Name] = dim.Length
	}
	for _, a := range f.Attributes() {
		if a.Text() != "" {
			d.Attributes[a.Name] = a.Text()
		}
	}
	for _, v := range f.Variables() {
		long, _ := v.Attribute(longName)
		x := VariableDescription{Name: v.Name, Type: v.Type.String(), Shape: v.Shape(), Units: v.Units(), LongName: long.Text()}
		for _, dim := range v.Dimensions {
			x.Dimensions = append(x.Dimensions, dim.Name)
		}
		d.Variables = append(d.Variables, x)
	}
	return d, nil
}

// Variable finds a variable's description.
func (d Description) Variable(name string) (VariableDescription, bool) {
	for _, v := range d.Variables {
		if v.Name == name {
			return v, true
		}
	}
	return VariableDescription{}, false
}

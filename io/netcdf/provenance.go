package netcdf

import (
	nc "github.com/fhs/go-netcdf/netcdf"
)

// AddProvenance sets global attributes outside the digest in a finished file:
// each name is given [ProvenancePrefix], and a history line, when not empty, is
// put before the file's history as CF has it. It changes the file in place, so it
// is for files that nobody else reads yet; a failure may leave the file damaged.
func AddProvenance(path, history string, values []Attribute) error {
	if err := checkSignature(path); err != nil {
		return err
	}
	f, err := open(path, nc.WRITE)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := call(func() error { return f.addProvenance(history, values) }); err != nil {
		return err
	}
	if err := f.shut(); err != nil {
		return err
	}
	return flush(path)
}

// addProvenance sets the attributes, on the library's thread.
func (f *File) addProvenance(history string, values []Attribute) error {
	if history != "" {
		if old, ok := f.Attribute("history"); ok && old.Text() != "" {
			history += "\n" + old.Text()
		}
		if err := f.setAttribute(Text("history", history)); err != nil {
			return err
		}
	}
	for _, a := range values {
		a.Name = ProvenancePrefix + a.Name
		if err := f.setAttribute(a); err != nil {
			return err
		}
	}
	return nil
}

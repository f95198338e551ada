package envfile

import (
	"fmt"
	"io"
	"reflect"

	"oceaninv/acoustics"
)

// Table is a file beside an environmental file, with what lies above or below its oceans.
type Table struct {
	Extension string // .trc, .brc or .irc
	profile   int    // that has it, from 0
	content   any    // comparable by reflect.DeepEqual
	write     func(io.Writer) error
}

// Write writes the table.
func (t *Table) Write(w io.Writer) error { return t.write(w) }

// Tables are the tables of a file's profiles. The Acoustics Toolbox looks for one file of
// an extension beside an environmental file, whichever profile asks for it, so that profiles
// with different tables are an error.
func Tables(cases []Case) ([]Table, error) {
	var all []Table
	for i := range cases {
		for _, t := range tablesOf(&cases[i].Environment) {
			t.profile = i
			first := -1
			for k := range all {
				if all[k].Extension == t.Extension {
					first = k
				}
			}
			switch {
			case first < 0:
				all = append(all, t)
			case !reflect.DeepEqual(all[first].content, t.content):
				return nil, fmt.Errorf("envfile: profiles %d and %d have different tables, where all profiles of an .env file share the one %s file beside it: "+
					"write each to an .env file of its own (--profile)", all[first].profile+1, i+1, t.Extension)
			}
		}
	}
	return all, nil
}

// tablesOf are the tables of one ocean.
func tablesOf(env *acoustics.Environment) (list []Table) {
	for _, end := range []struct {
		extension string
		b         acoustics.Boundary
	}{{".trc", env.Surface}, {".brc", env.Bottom}} {
		if rows := end.b.Reflections; end.b.Kind == acoustics.Reflection {
			list = append(list, Table{Extension: end.extension, content: rows, write: func(w io.Writer) error { return WriteReflections(w, rows) }})
		}
	}
	if t := env.Bottom.Impedance; env.Bottom.Kind == acoustics.Impedance {
		list = append(list, Table{Extension: ".irc", content: t, write: func(w io.Writer) error { return WriteImpedance(w, t) }})
	}
	return list
}

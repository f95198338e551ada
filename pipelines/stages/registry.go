package stages

import (
	"maps"
	"slices"

	"oceaninv/io/netcdf"
	"oceaninv/workflow/stage"
)

// All returns the registry of every stage kind, definition and file format of the program.
func All() *stage.Registry {
	r := stage.NewRegistry(
		simulateKind(),
		observeKind(),
		trainKind(),
		inferKind(),
		refineKind(),
		interpolateKind(),
		referenceKind(),
		sampleKind(),
		evaluateKind(),
		fieldKind(),
		portraitKind(),
		boundsKind(),
		stopwatchKind(),
		kinematicsKind(),
		lawKind(),
		fitKind(),
		scoreKind(),
		compareKind(),
		studyKind(),
		resultsKind(),
	)
	r.AddDefinitions(environmentDefinition(), problemDefinition())
	r.AddFormats(netcdfFormat())
	r.AddHeaders(headers()...)
	return r
}

// netcdfFormat digests NetCDF files by what they hold, and keeps provenance
// inside them, outside the digest. Numbers are compared within a tolerance.
func netcdfFormat() stage.Format {
	return stage.Format{
		Extension: ".nc",
		Digest:    netcdf.Digest,
		Compare:   netcdf.Compare,
		Annotate: func(path string, provenance map[string]string) error {
			var list []netcdf.Attribute
			for _, name := range slices.Sorted(maps.Keys(provenance)) {
				list = append(list, netcdf.Text(name, provenance[name]))
			}
			return netcdf.AddProvenance(path, "", list)
		},
	}
}

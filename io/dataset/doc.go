// Package dataset gives NetCDF files their meaning: training samples, observations,
// posteriors, models, fields, modes, tables, densities, environments and designs, each
// a Go type with a reader and a writer.
//
// All files are NetCDF-4 with CF-1.11 attributes; a complex quantity is two
// variables, <name>_real and <name>_imag; depth is positive down. The global
// attribute oceaninv_schema names the kind of file and its version.
//
//   - dataset: dimensions sample, receiver, frequency; see [Layout], [Samples].
//   - observation: dimensions observation, receiver, frequency; see [Observations].
//   - posterior: dimensions observation, draw; see [Posterior].
//   - model: every weight a variable, the architecture in attributes; see [Model].
//   - field: dimensions frequency, source_depth, receiver_depth, range; see [WriteField].
//   - time_series: dimensions source_depth, receiver_depth, range, time; see [TimeSeries].
//   - modes: dimensions frequency, mode, depth; see [Modes].
//   - table: columns over one dimension, such as a training history; see [Table].
//   - density: a function on a grid of parameters, such as an exact posterior; see [Density].
//   - design: dimensions parameter, other_parameter, frequency; see [Design].
//   - environment: an ocean; see [WriteEnvironment].
//
// Readers need the variables, dimensions and units, not the schema attribute, so
// that files written by other programs are read too. What is missing or wrong is
// an error that names the file, the variable and what was expected.
//
// # Limitations
//
// Units are compared, not converted: a depth in kilometres is refused. Values must
// be finite unless their documentation says otherwise.
package dataset

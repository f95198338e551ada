// Package figure draws print-quality figures: line charts, posterior marginals,
// joint densities, corner plots, maps with colour bars, transmission loss, mode
// shapes, calibration curves and more. It knows no science: each figure is a struct
// of numbers and labels with a Draw method.
//
//	f, err := figure.Marginals{Panels: panels}.Draw()
//	...
//	err = f.Save("marginals.svg", "marginals.png") // or one of them
//
// All figures share one style: axes carry units, colours are told apart by
// colour-blind readers and in grey print (line styles differ as well), maps are
// perceptually uniform, the legend stands above the data rather than on it. The
// bytes of a figure depend on its input alone. A PNG has 200 dots per inch and says
// so.
//
// # Limitations
//
// Input that is not finite is an error, except where a field is documented to
// take NaN for a missing value. SVG text names its font (Liberation Sans, then
// Arial, which has the same metrics) and does not embed it.
package figure

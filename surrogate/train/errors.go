package train

import "fmt"

// OptionError is a mistake in one option. Path names the field as it is written in HCL and JSON.
type OptionError struct {
	Path    string
	Problem string
}

func (e *OptionError) Error() string { return e.Path + ": " + e.Problem }

// DataError is a fault in the training data.
type DataError struct {
	Row     int // index in the dataset
	Problem string
}

func (e *DataError) Error() string { return fmt.Sprintf("training data, row %d: %s", e.Row, e.Problem) }

// gradientError is a gradient of a critic that no step can be made with.
type gradientError struct{ norm float64 }

func (e *gradientError) Error() string { return fmt.Sprintf("gradient of norm %.4g", e.norm) }

// DivergedError reports a training that has left the rails. Weights of the last finite step are kept.
type DivergedError struct {
	Epoch, Step int
	Loss        float64
	GradNorm    float64
	Advice      string
}

func (e *DivergedError) Error() string {
	return fmt.Sprintf("training diverged at epoch %d, step %d (loss %.4g, gradient norm %.4g): %s",
		e.Epoch, e.Step, e.Loss, e.GradNorm, e.Advice)
}

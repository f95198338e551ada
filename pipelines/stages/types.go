package stages

import "oceaninv/workflow/stage"

// Types of artifact that the science adds to the engine's own.
const (
	typeDataset     stage.Type = "dataset"
	typeObservation stage.Type = "observation"
	typeModel       stage.Type = "model"
	typePosterior   stage.Type = "posterior"
	typeField       stage.Type = "field"
	typeDensity     stage.Type = "density"
)

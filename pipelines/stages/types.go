package stages

import "oceaninv/workflow/stage"

// Types of artifact that the science adds to the engine's own.
const (
	typeDataset       stage.Type = "dataset"
	typeObservation   stage.Type = "observation"
	typeModel         stage.Type = "model"
	typePosterior     stage.Type = "posterior"
	typeField         stage.Type = "field"
	typeDensity       stage.Type = "density"
	typeInterpolation stage.Type = "interpolation"
	typePairs         stage.Type = "samples" // (x, y) of any inverse problem
	typeFlow          stage.Type = "flow"    // fitted to such samples
	typeScores        stage.Type = "scores"
)

package stages

import (
	"errors"

	"github.com/hashicorp/hcl/v2"

	"oceaninv/inversion"
	"oceaninv/io/dataset"
	"oceaninv/workflow/stage"
)

// headers are the checks of files that a user brings, by what they are taken for:
// the readers themselves, which name the variable, its dimensions and its units.
func headers() []stage.Header {
	return []stage.Header{
		headerOf(typeObservation, dataset.ReadObservations),
		headerOf(typePosterior, dataset.ReadPosterior),
		headerOf(typeField, dataset.ReadField),
		headerOf(typeDensity, dataset.ReadDensity),
		headerOf(typeInterpolation, dataset.ReadInterpolation),
		headerOf(typePairs, readPairs),
		headerOf(typeFlow, readFitted),
		headerOf(stage.Metrics, stage.ReadMetrics),
		{Type: typeDataset, Check: func(path string) error {
			s, err := openSamples(path)
			if err != nil {
				return err
			}
			return s.file.Close()
		}},
		{Type: typeModel, Check: func(path string) error {
			_, _, err := readModel(path)
			return err
		}},
	}
}

func headerOf[T any](t stage.Type, read func(path string) (T, error)) stage.Header {
	return stage.Header{Type: t, Check: func(path string) error {
		_, err := read(path)
		return err
	}}
}

// checkObservation compares observations of the user's with the problem they are
// taken for.
func checkObservation(available []stage.Available, p *inversion.Problem) (diags hcl.Diagnostics) {
	for _, a := range available {
		if a.Name != "observation" || a.Path == "" {
			continue
		}
		if obs, err := dataset.ReadObservations(a.Location); err == nil {
			diags = append(diags, unfit(a, dataset.Layout{ReceiverDepths: p.Array.Depths, Frequencies: p.Frequencies}, obs)...)
		}
	}
	return diags
}

// byName finds inputs by what their kind calls them.
func byName(available []stage.Available) map[string]stage.Available {
	at := make(map[string]stage.Available)
	for _, a := range available {
		at[a.Name] = a
	}
	return at
}

// unfit says why observations are not those that are asked for.
func unfit(a stage.Available, l dataset.Layout, obs dataset.Observations) hcl.Diagnostics {
	if why := unsuited(l, obs, 0, obs.Len()); why != "" {
		return hcl.Diagnostics{a.Problem("Observation of something else", a.Path+": "+why+".")}
	}
	return nil
}

// Check compares the observations with the problem.
func (s *referenceStage) Check(a []stage.Available) hcl.Diagnostics {
	return checkObservation(a, &s.Problem)
}

// Check compares the observations with the problem.
func (s *refineStage) Check(a []stage.Available) hcl.Diagnostics {
	return checkObservation(a, &s.Problem)
}

// Check compares the observations with the problem.
func (s *sampleStage) Check(a []stage.Available) hcl.Diagnostics {
	return checkObservation(a, &s.Problem)
}

// Check compares the observations with the problem.
func (s *portrait) Check(a []stage.Available) hcl.Diagnostics { return checkObservation(a, &s.Problem) }

// Check compares the model and the observation of a truncated prior with the problem.
func (s *simulate) Check(a []stage.Available) hcl.Diagnostics {
	diags := checkObservation(a, &s.Problem)
	if s.Truncate != nil && !diags.HasErrors() {
		diags = s.Truncate.check(a, &s.Problem)
	}
	return diags
}

// Check compares the observations with what the model was trained for, where
// both are there already.
func (s *infer) Check(available []stage.Available) hcl.Diagnostics {
	at := byName(available)
	model, both := at["model"]
	observation, there := at["observation"]
	if !both || !there || model.Path == "" && observation.Path == "" {
		return nil
	}
	_, layout, err := readModel(model.Location)
	obs, oerr := dataset.ReadObservations(observation.Location)
	if errors.Join(err, oerr) != nil {
		return nil // told already, or by the task
	}
	return unfit(observation, layout, obs)
}

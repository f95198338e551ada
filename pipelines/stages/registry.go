package stages

import "oceaninv/workflow/stage"

// All returns the registry of every stage kind, definition and file format of the program.
func All() *stage.Registry {
	return stage.NewRegistry()
}

package stages

import (
	"errors"
	"regexp"
	"strings"

	"oceaninv/acoustics"
	"oceaninv/io/dataset"
	"oceaninv/io/envfile"
	"oceaninv/workflow/stage"
)

// environmentDefinition is `environment "x" { … }`: an ocean, from a file or
// written out.
func environmentDefinition() stage.Definition {
	return stage.Definition{
		Name: "environment",
		Doc:  "an ocean: from a NetCDF file (file), an Acoustics Toolbox file (env_file), or written out (water, layer, bottom)",
		Decode: func(d *stage.Decoder) any {
			env := decodeEnvironment(d)
			if d.HasErrors() {
				return nil
			}
			checkEnvironment(d, env)
			return env
		},
	}
}

func decodeEnvironment(d *stage.Decoder) acoustics.Environment {
	var b environmentBlock
	d.Decode(&b)
	if d.HasErrors() {
		return acoustics.Environment{}
	}
	given := 0
	for _, yes := range []bool{b.File != nil, b.EnvFile != nil, b.Water != nil} {
		if yes {
			given++
		}
	}
	if given != 1 {
		d.Errorf("", "Which ocean?", "Give exactly one of file (NetCDF), env_file (Acoustics Toolbox) and a water block.")
		return acoustics.Environment{}
	}
	var env acoustics.Environment
	switch {
	case b.File != nil:
		env = readEnvironment(d, "file", *b.File, dataset.ReadEnvironment)
	case b.EnvFile != nil:
		env = readEnvironment(d, "env_file", *b.EnvFile, readEnvFile)
	case b.Bottom == nil:
		d.Errorf("", "No bottom", "Say what lies below the last layer: bottom { sound_speed = …, density = … }, or bottom { kind = %q }.", acoustics.Rigid)
	default:
		env = b.inline(d)
	}
	env.Name = d.Name
	return env
}

func readEnvironment(d *stage.Decoder, attribute, path string, read func(string) (acoustics.Environment, error)) acoustics.Environment {
	abs, ok := d.File(path, d.Range(attribute))
	if !ok {
		return acoustics.Environment{}
	}
	env, err := read(abs)
	if err != nil {
		// The file as the user named it.
		d.Errorf(attribute, "Cannot read the environment", "%s", strings.ReplaceAll(err.Error(), abs, path))
	}
	return env
}

// readEnvFile reads the first ocean of an Acoustics Toolbox file; a pipeline
// names its own frequencies and geometry.
func readEnvFile(path string) (acoustics.Environment, error) {
	cases, err := envfile.ReadFile(path)
	if err != nil {
		return acoustics.Environment{}, err
	}
	return cases[0].Environment, nil
}

func checkEnvironment(d *stage.Decoder, env acoustics.Environment) {
	var all acoustics.ValidationErrors
	switch err := env.Validate(); {
	case errors.As(err, &all):
		for _, e := range all {
			d.Errorf(blockPath(e.Path), "Impossible ocean", "%s %s.", e.Path, e.Problem)
		}
	case err != nil:
		d.Errorf("", "Impossible ocean", "%v.", err)
	}
}

var (
	layerIndex = regexp.MustCompile(`^(layers|cover)\[(\d+)\]`)
	knotIndex  = regexp.MustCompile(`\.knots(\[\d+\])?`)
	material   = regexp.MustCompile(`\.material\b`)
)

// blockPath turns the path of a field of acoustics.Environment into the path of
// the attribute that a pipeline wrote it in.
func blockPath(path string) string {
	path = layerIndex.ReplaceAllStringFunc(path, func(s string) string {
		m := layerIndex.FindStringSubmatch(s)
		return map[string]string{"layers": "layer", "cover": "ice"}[m[1]] + "." + m[2]
	})
	return material.ReplaceAllString(knotIndex.ReplaceAllString(path, ""), "")
}

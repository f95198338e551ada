package workflow

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/sys/unix"

	"oceaninv/workflow/artifact"
	"oceaninv/workflow/config"
	"oceaninv/workflow/executor"
	"oceaninv/workflow/stage"
)

// Options say which pipeline and where its things are.
type Options struct {
	Registry    *stage.Registry
	Path        string              // the pipeline's file or directory
	Assignments []config.Assignment // values of variables
	Workdir     string              // "" for .oceaninv beside the pipeline
	Results     string              // "" for results/<pipeline name> in the working directory
}

// Project is a loaded pipeline and its places.
type Project struct {
	Pipeline *config.Pipeline
	Workdir  string               // absolute
	Results  string               // absolute
	Files    map[string]*hcl.File // sources, for printing diagnostics
	registry *stage.Registry
	store    *artifact.Store
	byName   map[string]*config.Action
}

// Open loads a pipeline. The project is nil if there are errors among the diagnostics; loaded.Files are for printing
// them. Nothing is written.
func Open(o Options) (p *Project, loaded config.Loaded, diags hcl.Diagnostics) {
	loaded, diags = config.Load(config.Request{Path: o.Path, Assignments: o.Assignments, Registry: o.Registry})
	if loaded.Pipeline == nil {
		return nil, loaded, diags
	}
	p = &Project{Pipeline: loaded.Pipeline, Files: loaded.Files, registry: o.Registry, Workdir: o.Workdir, Results: o.Results}
	if p.Workdir == "" {
		p.Workdir = filepath.Join(p.Pipeline.Dir, ".oceaninv")
	}
	if p.Results == "" {
		p.Results = filepath.Join("results", p.Pipeline.Name)
	}
	for _, dir := range []*string{&p.Workdir, &p.Results} {
		abs, err := filepath.Abs(*dir)
		if err != nil {
			return nil, loaded, append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "No working directory", Detail: err.Error()})
		}
		*dir = abs
	}
	p.store = OpenStore(p.Workdir, o.Registry)
	p.byName = make(map[string]*config.Action, len(p.Pipeline.Actions))
	for _, a := range p.Pipeline.Actions {
		p.byName[a.Address] = a
	}
	return p, loaded, diags
}

// OpenStore opens the store of a working directory for reading.
func OpenStore(workdir string, registry *stage.Registry) *artifact.Store {
	return artifact.OpenExisting(filepath.Join(workdir, "store"), executor.Digester(registry))
}

// Close ends the use of the project.
func (p *Project) Close() { p.store.Close() }

// prepareWorkdir makes the working directory ready for writing.
func (p *Project) prepareWorkdir() error {
	if info, err := os.Stat(p.Workdir); err == nil && !info.IsDir() {
		return &UsageError{p.Workdir + " is not a directory; --workdir names one for the store and the journals"}
	}
	if _, err := artifact.Open(p.store.Dir(), nil); err != nil {
		return err
	}
	for _, dir := range []string{"runs", "pipelines"} {
		if err := os.MkdirAll(filepath.Join(p.Workdir, dir), 0o755); err != nil {
			return fmt.Errorf("cannot use the working directory: %w", err)
		}
		if err := unix.Access(filepath.Join(p.Workdir, dir), unix.W_OK|unix.X_OK); err != nil {
			return &os.PathError{Op: "write into", Path: filepath.Join(p.Workdir, dir), Err: err}
		}
	}
	return nil
}

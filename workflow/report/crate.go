package report

import (
	"encoding/json"
	"io"
	"mime"
	"path"
	"time"
)

// CrateFile is the name an RO-Crate's metadata must have.
const CrateFile = "ro-crate-metadata.json"

// Crate describes a run as a Workflow Run RO-Crate (profile 0.5): the pipeline, its variables and inputs, what it made and
// by which program.
type Crate struct {
	Name, Description string
	Workflow          []string // the pipeline's files, relative to the crate, the main one first
	Variables         []Value
	Inputs            []string // absolute paths of external files
	Files             []File
	Started, Finished time.Time
	Failed            bool
	Run, Version      string
}

type entity map[string]any

func ref(id string) entity { return entity{"@id": id} }

func refs[T any](all []T, id func(T) string) []entity {
	out := make([]entity, len(all))
	for i, v := range all {
		out[i] = ref(id(v))
	}
	return out
}

// Profiles a crate conforms to.
const (
	profileCrate    = "https://w3id.org/ro/crate/1.1"
	profileWorkflow = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
	profileProcess  = "https://w3id.org/ro/wfrun/process/0.5"
	profileRun      = "https://w3id.org/ro/wfrun/workflow/0.5"
	profileFormal   = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"
)

// Write writes the crate's metadata.
func (c Crate) Write(w io.Writer) error {
	graph := []entity{
		{"@id": CrateFile, "@type": "CreativeWork", "about": ref("./"),
			"conformsTo": []entity{ref(profileCrate), ref(profileWorkflow)}},
		c.root(), c.workflow(), c.action(),
		{"@id": "#hcl", "@type": "ComputerLanguage", "name": "HCL", "url": ref("https://github.com/hashicorp/hcl")},
		{"@id": "#oceaninv", "@type": "SoftwareApplication", "name": "oceaninv", "softwareVersion": c.Version},
	}
	for _, p := range []struct{ id, name, version string }{
		{profileProcess, "Process Run Crate", "0.5"}, {profileRun, "Workflow Run Crate", "0.5"}, {profileWorkflow, "Workflow RO-Crate", "1.0"},
	} {
		graph = append(graph, entity{"@id": p.id, "@type": "CreativeWork", "name": p.name, "version": p.version})
	}
	for _, f := range c.Workflow[1:] {
		graph = append(graph, entity{"@id": f, "@type": "File", "name": f, "encodingFormat": "text/plain"})
	}
	for _, v := range c.Variables {
		graph = append(graph,
			entity{"@id": "#variable-" + v.Name, "@type": "FormalParameter", "additionalType": "Text", "name": v.Name,
				"conformsTo": ref(profileFormal)},
			entity{"@id": "#value-" + v.Name, "@type": "PropertyValue", "name": v.Name, "value": v.Text,
				"exampleOfWork": ref("#variable-" + v.Name)})
	}
	for _, in := range c.Inputs {
		graph = append(graph, entity{"@id": "file://" + in, "@type": "File", "name": path.Base(in)})
	}
	for _, f := range c.Files {
		graph = append(graph, f.entity())
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(entity{"@context": []any{profileCrate + "/context",
		entity{"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}}, "@graph": graph})
}

func (c Crate) root() entity {
	parts := refs(c.Workflow, func(f string) string { return f })
	parts = append(parts, refs(c.Files, func(f File) string { return f.Path })...)
	return entity{"@id": "./", "@type": "Dataset", "name": c.Name, "description": c.Description,
		"datePublished": c.Finished.Format(time.RFC3339), "license": "No licence has been stated for these results.",
		"conformsTo": []entity{ref(profileProcess), ref(profileRun), ref(profileWorkflow)},
		"hasPart":    parts, "mainEntity": ref(c.Workflow[0]), "mentions": []entity{ref("#" + c.Run)}}
}

func (c Crate) workflow() entity {
	return entity{"@id": c.Workflow[0], "@type": []string{"File", "SoftwareSourceCode", "ComputationalWorkflow"},
		"name": c.Name, "programmingLanguage": ref("#hcl"), "encodingFormat": "text/plain",
		"input":  refs(c.Variables, func(v Value) string { return "#variable-" + v.Name }),
		"output": []entity{}}
}

func (c Crate) action() entity {
	status := "http://schema.org/CompletedActionStatus"
	if c.Failed {
		status = "http://schema.org/FailedActionStatus"
	}
	objects := refs(c.Variables, func(v Value) string { return "#value-" + v.Name })
	objects = append(objects, refs(c.Inputs, func(in string) string { return "file://" + in })...)
	return entity{"@id": "#" + c.Run, "@type": "CreateAction", "name": "Run " + c.Run + " of " + c.Name,
		"instrument": ref(c.Workflow[0]), "startTime": c.Started.Format(time.RFC3339), "endTime": c.Finished.Format(time.RFC3339),
		"actionStatus": ref(status), "object": objects, "agent": ref("#oceaninv"),
		"result": refs(c.Files, func(f File) string { return f.Path })}
}

func (f File) entity() entity {
	e := entity{"@id": f.Path, "@type": "File", "name": path.Base(f.Path), "description": f.Type + " made by " + f.Action,
		"contentSize": f.Bytes, "sha256": f.SHA256}
	switch ext := path.Ext(f.Path); ext {
	case ".nc":
		e["encodingFormat"] = "application/x-netcdf"
	default:
		if t := mime.TypeByExtension(ext); t != "" {
			e["encodingFormat"] = t
		}
	}
	return e
}

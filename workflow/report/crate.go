package report

import (
	"encoding/json"
	"io"
	"mime"
	"net/url"
	"os/user"
	"path"
	"strconv"
	"time"
)

// CrateFile is the name an RO-Crate's metadata must have.
const CrateFile = "ro-crate-metadata.json"

// Crate describes a run as a Workflow Run RO-Crate (profile 0.5): the pipeline, its variables and inputs, what it made and
// by which program.
//
// Two things it cannot know are left to whoever publishes it: the licence is said not to have been stated, which the
// profile allows, and neither the program nor the pipeline has a URL, which it recommends.
type Crate struct {
	Name, Description string
	Workflow          []string // the pipeline's files, relative to the crate, the main one first
	WorkflowVersion   string
	Variables         []Value
	Inputs            []string // absolute paths of external files
	Files             []File
	Started, Finished time.Time
	Failure           string // what failed; "" for a run that did not
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
	profileMain     = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
	profileFormal   = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"
)

const personID = "#agent"

// Identifiers are URIs: a file's is its path, escaped; what is not a file has one that begins with #.
func fileID(name string) string       { return (&url.URL{Path: name}).String() }
func inputID(name string) string      { return (&url.URL{Scheme: "file", Path: name}).String() }
func valueID(v Value) string          { return fragment("value", v.Name) }
func parameterID(v Value) string      { return fragment("variable", v.Name) }
func fragment(kind, of string) string { return "#" + kind + "-" + url.PathEscape(of) }

// Write writes the crate's metadata.
func (c Crate) Write(w io.Writer) error {
	graph := []entity{
		{"@id": CrateFile, "@type": "CreativeWork", "about": ref("./"),
			"conformsTo": []entity{ref(profileCrate), ref(profileWorkflow)}},
		c.root(), c.workflow(), c.action(), person(),
		{"@id": "#hcl", "@type": "ComputerLanguage", "name": "HCL", "url": ref("https://github.com/hashicorp/hcl")},
		{"@id": "#oceaninv", "@type": "SoftwareApplication", "name": "oceaninv", "softwareVersion": c.Version},
	}
	for _, p := range []struct{ id, name, version string }{
		{profileProcess, "Process Run Crate", "0.5"}, {profileRun, "Workflow Run Crate", "0.5"}, {profileWorkflow, "Workflow RO-Crate", "1.0"},
	} {
		graph = append(graph, entity{"@id": p.id, "@type": "CreativeWork", "name": p.name, "version": p.version})
	}
	for _, f := range c.Workflow[1:] {
		graph = append(graph, entity{"@id": fileID(f), "@type": "File", "name": f, "encodingFormat": "text/plain"})
	}
	for _, v := range c.Variables {
		graph = append(graph, parameter("variable", v.Name, valueType(v.Text), valueID(v)),
			entity{"@id": valueID(v), "@type": "PropertyValue", "name": v.Name, "value": v.Text, "exampleOfWork": ref(parameterID(v))})
	}
	for _, in := range c.Inputs {
		graph = append(graph, parameter("input", in, "File", inputID(in)),
			entity{"@id": inputID(in), "@type": "File", "name": path.Base(in), "encodingFormat": mediaType(in),
				"exampleOfWork": ref(fragment("input", in))})
	}
	for _, f := range c.Files {
		graph = append(graph, parameter("output", f.Path, "File", fileID(f.Path)), f.entity())
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(entity{"@context": []any{profileCrate + "/context",
		entity{"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}}, "@graph": graph})
}

func (c Crate) root() entity {
	parts := refs(c.Workflow, fileID)
	parts = append(parts, refs(c.Inputs, inputID)...)
	parts = append(parts, refs(c.Files, File.id)...)
	return entity{"@id": "./", "@type": "Dataset", "name": c.Name, "description": c.Description,
		"datePublished": timestamp(c.Finished), "license": "No licence has been stated for these results.",
		"conformsTo": []entity{ref(profileProcess), ref(profileRun), ref(profileWorkflow)}, "author": ref(personID),
		"hasPart": parts, "mainEntity": ref(fileID(c.Workflow[0])), "mentions": []entity{ref("#" + c.Run)}}
}

func (c Crate) workflow() entity {
	inputs := refs(c.Variables, parameterID)
	inputs = append(inputs, refs(c.Inputs, func(in string) string { return fragment("input", in) })...)
	return entity{"@id": fileID(c.Workflow[0]), "@type": []string{"File", "SoftwareSourceCode", "ComputationalWorkflow"},
		"name": c.Name, "version": c.WorkflowVersion, "programmingLanguage": ref("#hcl"), "encodingFormat": "text/plain",
		"conformsTo": ref(profileMain), "input": inputs,
		"output": refs(c.Files, func(f File) string { return fragment("output", f.Path) })}
}

// action is the run itself. Its status is a text and its times have a numeric offset, as the profile's validator wants.
func (c Crate) action() entity {
	objects := refs(c.Variables, valueID)
	objects = append(objects, refs(c.Inputs, inputID)...)
	e := entity{"@id": "#" + c.Run, "@type": "CreateAction", "name": "Run " + c.Run + " of " + c.Name, "description": c.Description,
		"instrument": ref(fileID(c.Workflow[0])), "startTime": timestamp(c.Started), "endTime": timestamp(c.Finished),
		"actionStatus": "http://schema.org/CompletedActionStatus", "object": objects, "agent": ref(personID),
		"result": refs(c.Files, File.id)}
	if c.Failure != "" {
		e["actionStatus"], e["error"] = "http://schema.org/FailedActionStatus", c.Failure
	}
	return e
}

func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05-07:00") }

// person is who ran the pipeline, as far as the system knows.
func person() entity {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
		if u.Name != "" {
			name = u.Name
		}
	}
	return entity{"@id": personID, "@type": "Person", "name": name}
}

// parameter is one that the pipeline declares, of which there is an example in the crate.
func parameter(kind, name, valueType, example string) entity {
	return entity{"@id": fragment(kind, name), "@type": "FormalParameter", "additionalType": valueType, "name": path.Base(name),
		"conformsTo": ref(profileFormal), "workExample": ref(example)}
}

// valueType is schema.org's type of a variable's value.
func valueType(text string) string {
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return "Number"
	}
	if text == "true" || text == "false" {
		return "Boolean"
	}
	return "Text"
}

func (f File) id() string { return fileID(f.Path) }

func (f File) entity() entity {
	return entity{"@id": f.id(), "@type": "File", "name": path.Base(f.Path), "description": f.Type + " made by " + f.Action,
		"contentSize": strconv.FormatInt(f.Bytes, 10), "sha256": f.SHA256, "encodingFormat": mediaType(f.Path),
		"exampleOfWork": ref(fragment("output", f.Path))}
}

// mediaType is that of a file's extension. The types of our own files are given here: what the system knows differs.
func mediaType(name string) string {
	switch ext := path.Ext(name); ext {
	case ".nc":
		return "application/x-netcdf"
	case ".md":
		return "text/markdown"
	case ".env", ".flp", ".hcl", ".txt":
		return "text/plain"
	case ".csv":
		return "text/csv"
	default:
		if t, _, err := mime.ParseMediaType(mime.TypeByExtension(ext)); err == nil && t != "" {
			return t
		}
	}
	return "application/octet-stream"
}

package report

import (
	"bytes"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// graph is the metadata of a crate as a reader meets it.
type graph struct {
	*testing.T
	byID map[string]map[string]any
}

func crateGraph(t *testing.T, c Crate) graph {
	t.Helper()
	var b bytes.Buffer
	if err := c.Write(&b); err != nil {
		t.Fatal(err)
	}
	var crate struct {
		Context []any            `json:"@context"`
		Graph   []map[string]any `json:"@graph"`
	}
	if err := json.Unmarshal(b.Bytes(), &crate); err != nil {
		t.Fatal(err)
	}
	if len(crate.Context) == 0 || crate.Context[0] != "https://w3id.org/ro/crate/1.1/context" {
		t.Errorf("context %v", crate.Context)
	}
	g := graph{T: t, byID: make(map[string]map[string]any)}
	for _, e := range crate.Graph {
		id, _ := e["@id"].(string)
		if id == "" || g.byID[id] != nil {
			t.Errorf("the identifier %q is missing or occurs twice", id)
		}
		g.byID[id] = e
	}
	return g
}

func (g graph) types(id string) []string {
	switch v := g.byID[id]["@type"].(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, t := range v {
			all = append(all, t.(string))
		}
		return all
	}
	return nil
}

// is reports whether an entity has one of the types.
func (g graph) is(id string, types ...string) bool {
	return slices.ContainsFunc(g.types(id), func(t string) bool { return slices.Contains(types, t) })
}

// of lists the identifiers of the entities of a type.
func (g graph) of(kind string) []string {
	var ids []string
	for id := range g.byID {
		if g.is(id, kind) {
			ids = append(ids, id)
		}
	}
	return ids
}

// leads requires a property whose references, one at least, are all to entities of one of the types.
func (g graph) leads(id, property string, types ...string) {
	g.Helper()
	targets := references(g.byID[id][property])
	if len(targets) == 0 {
		g.Errorf("%s of %s is missing", property, id)
	}
	for _, target := range targets {
		if !g.is(target, types...) {
			g.Errorf("%s of %s leads to %s, which is none of %v", property, id, target, types)
		}
	}
}

// says requires a property that is a text of a form.
func (g graph) says(id, property, pattern string) {
	g.Helper()
	if text, ok := g.byID[id][property].(string); !ok || !regexp.MustCompile(pattern).MatchString(text) {
		g.Errorf("%s of %s is %v, want a text like %s", property, id, g.byID[id][property], pattern)
	}
}

func references(v any) []string {
	switch v := v.(type) {
	case map[string]any:
		if id, ok := v["@id"].(string); ok {
			return []string{id}
		}
	case []any:
		var all []string
		for _, e := range v {
			all = append(all, references(e)...)
		}
		return all
	}
	return nil
}

// exampleCrates are a run that ended well, with names that need escaping, and one that failed without results.
func exampleCrates() map[string]Crate {
	files := append(slices.Clone(example.Files), File{Path: "figures/dépth of water.svg", Type: "figure", Action: "stage.b"})
	whole := Crate{Name: "study", Description: "d", Workflow: []string{"study.hcl", "more parts.hcl"}, WorkflowVersion: "0123456789ab",
		Variables: []Value{{"n", "3"}, {"keep", "true"}, {"label", "été"}}, Inputs: []string{"/data/ctd 2024.nc"}, Files: files,
		Started: example.Finished, Finished: example.Finished, Run: example.Run, Version: "v1"}
	failed := whole
	failed.Variables, failed.Inputs, failed.Files, failed.Failure = nil, nil, example.Files[:1], "stage.c: no luck"
	return map[string]Crate{"whole": whole, "failed": failed}
}

// eachCrate runs a test on every example.
func eachCrate(t *testing.T, check func(g graph, c Crate)) {
	for name, c := range exampleCrates() {
		t.Run(name, func(t *testing.T) { check(crateGraph(t, c), c) })
	}
}

// TestCrateIsFlatAndLinked: what RO-Crate 1.1 requires of every entity: a type, values that are texts, numbers or plain
// references, identifiers that are URIs; and every reference within the crate leads somewhere.
func TestCrateIsFlatAndLinked(t *testing.T) {
	eachCrate(t, func(g graph, _ Crate) {
		for id, e := range g.byID {
			if len(g.types(id)) == 0 {
				g.Errorf("%s has no type", id)
			}
			if u, err := url.Parse(id); err != nil || u.String() != id {
				g.Errorf("%q is not a URI: %v", id, err)
			}
			for key, v := range e {
				for _, target := range references(v) {
					if g.byID[target] == nil && !strings.HasPrefix(target, "https://") {
						g.Errorf("%s of %s leads to %s, which is not there", key, id, target)
					}
				}
				if !flat(v, true) {
					g.Errorf("%s of %s is nested: %v", key, id, v)
				}
			}
		}
	})
}

// flat reports whether a value is a scalar, a reference that is nothing else, or a list of those.
func flat(v any, lists bool) bool {
	switch v := v.(type) {
	case map[string]any:
		return len(v) == 1 && v["@id"] != nil
	case []any:
		return lists && !slices.ContainsFunc(v, func(e any) bool { return !flat(e, false) })
	}
	return true
}

// TestCrateRoot: the descriptor and the root, as RO-Crate 1.1 and Workflow RO-Crate 1.0 require; every file is a part of the root.
func TestCrateRoot(t *testing.T) {
	eachCrate(t, func(g graph, c Crate) {
		g.leads(CrateFile, "about", "Dataset")
		if !g.is(CrateFile, "CreativeWork") {
			g.Errorf("the descriptor is %v", g.types(CrateFile))
		}
		for _, profile := range []string{profileCrate, profileWorkflow} {
			if !slices.Contains(references(g.byID[CrateFile]["conformsTo"]), profile) {
				g.Errorf("the descriptor does not conform to %s", profile)
			}
		}
		for _, property := range []string{"name", "description", "license"} {
			g.says("./", property, ".")
		}
		g.says("./", "datePublished", `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$`)
		g.leads("./", "hasPart", "File")
		g.leads("./", "author", "Person")
		g.leads("./", "conformsTo", "CreativeWork")
		for _, family := range []string{"process", "workflow"} {
			if !slices.ContainsFunc(references(g.byID["./"]["conformsTo"]), func(id string) bool {
				return strings.HasPrefix(id, "https://w3id.org/ro/wfrun/"+family+"/")
			}) {
				g.Errorf("the root does not conform to the profile of a %s run", family)
			}
		}
		parts := references(g.byID["./"]["hasPart"])
		for _, file := range g.of("File") {
			if !slices.Contains(parts, file) {
				g.Errorf("%s is no part of the crate", file)
			}
			g.says(file, "encodingFormat", `^\w+/[\w.+-]+$`)
		}
	})
}

// TestCrateWorkflow: the main workflow and its parameters, as Workflow Run Crate 0.5 requires: parameters have a type and an
// example, and the example names its parameter.
func TestCrateWorkflow(t *testing.T) {
	eachCrate(t, func(g graph, c Crate) {
		main := references(g.byID["./"]["mainEntity"])
		if len(main) != 1 || main[0] != "study.hcl" {
			g.Fatalf("main entity %v", main)
		}
		for _, kind := range []string{"File", "SoftwareSourceCode", "ComputationalWorkflow"} {
			if !g.is(main[0], kind) {
				g.Errorf("the pipeline is no %s", kind)
			}
		}
		g.leads(main[0], "programmingLanguage", "ComputerLanguage")
		g.says(main[0], "version", ".")
		if !slices.Contains(references(g.byID[main[0]]["conformsTo"]), profileMain) {
			g.Error("the pipeline does not conform to the profile of workflows")
		}
		parameters := append(references(g.byID[main[0]]["input"]), references(g.byID[main[0]]["output"])...)
		if want := len(c.Variables) + len(c.Inputs) + len(c.Files); len(parameters) != want || len(g.of("FormalParameter")) != want {
			g.Errorf("%d parameters, %d of them the pipeline's; want %d", len(g.of("FormalParameter")), len(parameters), want)
		}
		for _, id := range parameters {
			g.leads(id, "workExample", "File", "PropertyValue")
			g.says(id, "name", ".")
			example := references(g.byID[id]["workExample"])[0]
			types := `^(Text|Number|Boolean)$`
			if g.is(example, "File") {
				types = `^File$`
			}
			g.says(id, "additionalType", types)
			if back := references(g.byID[example]["exampleOfWork"]); !slices.Equal(back, []string{id}) {
				g.Errorf("%s is an example of %v, want %s", example, back, id)
			}
		}
	})
}

// TestCrateAction: the run, as Process Run Crate 0.5 requires and recommends.
func TestCrateAction(t *testing.T) {
	eachCrate(t, func(g graph, c Crate) {
		run := references(g.byID["./"]["mentions"])
		if len(run) != 1 || !g.is(run[0], "CreateAction") {
			g.Fatalf("the root mentions %v", run)
		}
		g.leads(run[0], "instrument", "ComputationalWorkflow")
		g.leads(run[0], "agent", "Person")
		g.leads(run[0], "result", "File")
		if len(c.Variables) > 0 {
			g.leads(run[0], "object", "File", "PropertyValue")
		}
		g.says(run[0], "name", ".")
		g.says(run[0], "description", ".")
		for _, when := range []string{"startTime", "endTime"} {
			g.says(run[0], when, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+\d\d:\d\d$`)
		}
		if c.Failure == "" {
			g.says(run[0], "actionStatus", "^http://schema.org/CompletedActionStatus$")
			if g.byID[run[0]]["error"] != nil {
				g.Error("an error without a failure")
			}
		} else {
			g.says(run[0], "actionStatus", "^http://schema.org/FailedActionStatus$")
			g.says(run[0], "error", "no luck")
		}
		for _, application := range g.of("SoftwareApplication") {
			g.says(application, "softwareVersion", ".")
		}
	})
}

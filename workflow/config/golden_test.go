package config_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"oceaninv/workflow/config"
	"oceaninv/workflow/stage"
	"oceaninv/workflow/stage/stagetest"
)

// TestBad holds what is said of each mistake: testdata/bad/*.txtar, whose last file is the text. UPDATE_GOLDEN=1 writes it.
func TestBad(t *testing.T) {
	golden(t, "testdata/bad", func(t *testing.T, dir string, flags []config.Assignment) string {
		loaded, diags := load(dir, flags)
		if !diags.HasErrors() || loaded.Pipeline != nil {
			t.Error("no error was found")
		}
		return diagnosticsText(t, dir, loaded, diags)
	})
}

// TestGood holds what pipelines evaluate to.
func TestGood(t *testing.T) {
	golden(t, "testdata/good", func(t *testing.T, dir string, flags []config.Assignment) string {
		loaded, diags := load(dir, flags)
		text := diagnosticsText(t, dir, loaded, diags)
		if loaded.Pipeline != nil {
			text += describe(t, loaded.Pipeline)
		}
		return text
	})
}

func load(dir string, flags []config.Assignment) (config.Loaded, hcl.Diagnostics) {
	return config.Load(config.Request{Path: filepath.Join(dir, "p.hcl"), Assignments: flags, Registry: stagetest.Registry()})
}

// golden unpacks each archive of a directory and compares the outcome with its file "want". The archive's comment may
// give --var and --var-file flags, and variables of the environment.
func golden(t *testing.T, dir string, outcome func(*testing.T, string, []config.Assignment) string) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in %s: %v", dir, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			at := t.TempDir()
			var want []byte
			for _, f := range archive.Files {
				if f.Name == "want" {
					want = f.Data
					continue
				}
				path := filepath.Join(at, f.Name)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, f.Data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			for line := range strings.Lines(string(archive.Comment)) {
				if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && strings.HasPrefix(name, "OCEANINV_VAR_") {
					t.Setenv(name, value)
				}
			}
			got := outcome(t, at, flagsIn(at, string(archive.Comment)))
			if os.Getenv("UPDATE_GOLDEN") != "" {
				update(t, file, archive, got)
				return
			}
			if got != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func flagsIn(dir, comment string) (flags []config.Assignment) {
	for line := range strings.Lines(comment) {
		line = strings.TrimSpace(line)
		if text, ok := strings.CutPrefix(line, "--var "); ok {
			name, value, _ := strings.Cut(text, "=")
			flags = append(flags, config.Assignment{Name: name, Text: value})
		}
		if file, ok := strings.CutPrefix(line, "--var-file "); ok {
			flags = append(flags, config.Assignment{File: filepath.Join(dir, file)})
		}
	}
	return flags
}

func update(t *testing.T, file string, archive *txtar.Archive, got string) {
	t.Helper()
	for i, f := range archive.Files {
		if f.Name == "want" {
			archive.Files = append(archive.Files[:i], archive.Files[i+1:]...)
			break
		}
	}
	archive.Files = append(archive.Files, txtar.File{Name: "want", Data: []byte(got)})
	if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

// diagnosticsText is what the user sees, with the directory's name taken out.
func diagnosticsText(t *testing.T, dir string, loaded config.Loaded, diags hcl.Diagnostics) string {
	t.Helper()
	var b bytes.Buffer
	if err := hcl.NewDiagnosticTextWriter(&b, loaded.Files, 1000, false).WriteDiagnostics(diags); err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(strings.ReplaceAll(b.String(), dir+"/", ""), dir, "DIR")
}

func describe(t *testing.T, p *config.Pipeline) string {
	t.Helper()
	var b strings.Builder
	for _, a := range p.Actions {
		fmt.Fprintf(&b, "%s %s %s label=%s", a.Address, a.Kind.Name, a.Params, a.Label)
		if len(a.DependsOn) > 0 {
			fmt.Fprintf(&b, " needs %s", strings.Join(a.DependsOn, ", "))
		}
		b.WriteString("\n")
	}
	for _, o := range p.Outputs {
		fmt.Fprintf(&b, "output %s = %s\n", o.Name, valueText(o.Value))
	}
	return b.String()
}

func valueText(v cty.Value) string {
	if v.Type().Equals(stage.HandleType) {
		return v.EncapsulatedValue().(*stage.Handle).String()
	}
	raw, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

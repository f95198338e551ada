package workflow

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"oceaninv/workflow/artifact"
	"oceaninv/workflow/report"
)

// writeCrate copies the pipeline to the results and describes everything there.
func (p *Project) writeCrate(o *Outcome, d report.Data) error {
	c := report.Crate{Name: p.Pipeline.Name, Description: "Results of the oceaninv pipeline " + p.Pipeline.Name + ": " + d.Status + ".",
		Files: d.Files, Finished: d.Finished, Failure: failureText(o), Run: o.Run, Version: o.Version}
	c.Started = c.Finished.Add(-time.Duration(o.Seconds * float64(time.Second)))
	if err := p.copyPipeline(&c); err != nil {
		return err
	}
	for _, v := range p.Pipeline.Variables {
		if !v.Sensitive {
			c.Variables = append(c.Variables, report.Value{Name: v.Name, Text: p.text(v.Value)})
		}
	}
	sources := p.pipelineFiles()
	for _, f := range p.Pipeline.Read {
		if !slices.Contains(sources, f) {
			c.Inputs = append(c.Inputs, f)
		}
	}
	for _, name := range []string{MetricsFile, PageFile} {
		info, err := os.Stat(filepath.Join(p.Results, name))
		if err != nil {
			return err
		}
		hash, err := artifact.HashFile(filepath.Join(p.Results, name))
		if err != nil {
			return err
		}
		c.Files = append(c.Files, report.File{Path: name, Type: "summary", Action: "the engine", Bytes: info.Size(), SHA256: hash})
	}
	var b bytes.Buffer
	if err := c.Write(&b); err != nil {
		return err
	}
	return artifact.WriteFile(filepath.Join(p.Results, report.CrateFile), b.Bytes())
}

// copyPipeline puts the root module's files among the results; the start of their hash is the workflow's version.
func (p *Project) copyPipeline(c *report.Crate) error {
	h := sha256.New()
	for _, f := range p.pipelineFiles() {
		raw, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		name := filepath.Base(f)
		fmt.Fprintf(h, "%s %d\n%s", name, len(raw), raw)
		if err := artifact.WriteFile(filepath.Join(p.Results, name), []byte(p.redact(string(raw)))); err != nil {
			return err
		}
		c.Workflow = append(c.Workflow, name)
	}
	c.WorkflowVersion = hex.EncodeToString(h.Sum(nil)[:6])
	return nil
}

// failureText says what failed, in a line.
func failureText(o *Outcome) string {
	var all []string
	for _, f := range o.Failures {
		line, _, _ := strings.Cut(f.Result.Message, "\n")
		all = append(all, f.Action.Address+": "+line)
	}
	return strings.Join(all, "; ")
}

package stage

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
)

// Metric is one figure a stage reports.
type Metric struct {
	// Name is the key, in lower case with underscores.
	Name string `json:"-"`
	// Value is finite.
	Value float64 `json:"value"`
	// Unit is "" for a pure number.
	Unit string `json:"unit,omitempty"`
	// Error is the standard error of Value, 0 if not known.
	Error float64 `json:"error,omitempty"`
	// Sentence says what the value means to someone who has not read the code.
	Sentence string `json:"sentence"`
	// Headline metrics are printed at the end of a run.
	Headline bool `json:"headline,omitempty"`
}

// WriteMetrics writes metrics as the JSON object {name: {value, unit, error, sentence, headline}}, in their order.
func WriteMetrics(path string, metrics []Metric) error {
	out := []byte("{")
	seen := make(map[string]bool)
	for i, m := range metrics {
		if m.Name == "" || seen[m.Name] {
			panic(fmt.Sprintf("stage: metric name %q is empty or used twice", m.Name))
		}
		seen[m.Name] = true
		if math.IsNaN(m.Value) || math.IsInf(m.Value, 0) {
			return fmt.Errorf("metric %s is %v", m.Name, m.Value)
		}
		name, err := json.Marshal(m.Name)
		if err != nil {
			return err
		}
		value, err := json.Marshal(m)
		if err != nil {
			return fmt.Errorf("metric %s: %w", m.Name, err)
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(append(out, "\n  "...), name...), ": "...), value...)
	}
	return os.WriteFile(path, append(out, "\n}\n"...), 0o666)
}

// ReadMetrics reads what WriteMetrics wrote, in its order.
func ReadMetrics(path string) ([]Metric, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d := json.NewDecoder(f)
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("%s: not a metrics file", path)
	}
	var metrics []Metric
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		m := Metric{Name: name.(string)}
		if err := d.Decode(&m); err != nil {
			return nil, fmt.Errorf("%s: metric %s: %w", path, m.Name, err)
		}
		metrics = append(metrics, m)
	}
	return metrics, nil
}

// CompareMetrics says in one line which metrics of two files differ by more than the tolerance, relative to the larger of
// the two values; "" where none does.
func CompareMetrics(a, b string, tolerance float64) (string, error) {
	first, err := ReadMetrics(a)
	if err != nil {
		return "", err
	}
	second, err := ReadMetrics(b)
	if err != nil {
		return "", err
	}
	now := make(map[string]Metric)
	for _, m := range second {
		now[m.Name] = m
	}
	var all []string
	for _, before := range first {
		after, ok := now[before.Name]
		delete(now, before.Name)
		switch {
		case !ok:
			all = append(all, before.Name+" is only in the first")
		case math.Abs(before.Value-after.Value) > tolerance*max(math.Abs(before.Value), math.Abs(after.Value)) || before.Unit != after.Unit:
			all = append(all, strings.TrimSpace(fmt.Sprintf("%s: %g -> %g %s", before.Name, before.Value, after.Value, after.Unit)))
		}
	}
	for _, m := range second {
		if _, left := now[m.Name]; left {
			all = append(all, m.Name+" is only in the second")
		}
	}
	return strings.Join(all, "; "), nil
}

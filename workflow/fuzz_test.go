package workflow

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"oceaninv/workflow/artifact"
)

// FuzzJournal: whatever is in a journal or a ledger, reading it ends; the trace made of it has its columns, one line for each
// task that ended; and only sealed lines of a ledger count.
func FuzzJournal(f *testing.F) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	var whole []byte
	for _, e := range []Event{
		{Time: at, Event: RunStarted, Run: "r", Message: "p.hcl"},
		{Time: at, Event: TaskSubmitted, Run: "r", Action: `stage.a["k"]`, Task: "run", Attempt: 1, Key: "0123456789abcdef"},
		{Time: at, Event: TaskEnded, Run: "r", Action: `stage.a["k"]`, Task: "run", Attempt: 1, Reason: "oom", Usage: &artifact.Usage{Started: at, Finished: at.Add(time.Second)}},
		{Time: at, Event: RunEnded, Run: "r", Counts: &Counts{Done: 1}},
	} {
		line, err := json.Marshal(e)
		if err != nil {
			f.Fatal(err)
		}
		whole = append(append(whole, line...), '\n')
	}
	f.Add(whole)
	f.Add(whole[:len(whole)-10])
	f.Add([]byte("{\"event\":\"task_ended\"}\n\x00\n{}\n"))
	sealed, err := artifact.Seal(entry{Address: "stage.a", Kind: "make", Key: "abc", Ran: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append(sealed, sealed[:20]...))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, raw []byte) {
		events := ReadJournal(bytes.NewReader(raw))
		ended := 0
		for _, e := range events {
			if e.Event == "" {
				t.Error("an event that is none")
			}
			if e.Event == TaskEnded {
				ended++
			}
		}
		var b bytes.Buffer
		if err := WriteTrace(&b, events); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&b).ReadAll()
		if err != nil || len(rows) != ended+1 || len(rows[0]) != len(traceColumns) {
			t.Errorf("%d rows for %d tasks, %v", len(rows), ended, err)
		}
		path := filepath.Join(dir, "ledger")
		if err := os.WriteFile(path, raw, 0o644); err != nil {
			t.Fatal(err)
		}
		l := readLedger(path)
		for address := range l.entries {
			l.lastTwo(address)
			l.estimate(address, "make")
		}
	})
}

package workflow

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"oceaninv/workflow/artifact"
	"oceaninv/workflow/stage"
)

// Event is something that happened in a run: a line of the journal, and news for whoever watches.
type Event struct {
	Time     time.Time       `json:"time"`
	Event    EventType       `json:"event"`
	Run      string          `json:"run"`
	Action   string          `json:"action,omitempty"` // address
	Stage    string          `json:"stage,omitempty"`
	Task     string          `json:"task,omitempty"` // within the action: run, shard-0-of-4, merge
	Attempt  int             `json:"attempt,omitempty"`
	Key      artifact.Key    `json:"key,omitempty"`
	NativeID string          `json:"native_id,omitempty"`
	Dir      string          `json:"dir,omitempty"`
	Tasks    int             `json:"tasks,omitempty"` // of an action
	Cores    int             `json:"cores,omitempty"`
	Reason   string          `json:"reason,omitempty"`
	Code     int             `json:"code,omitempty"`
	Message  string          `json:"message,omitempty"`
	Log      string          `json:"log,omitempty"`   // the end of a failed task's log
	Delay    float64         `json:"delay,omitempty"` // s
	Usage    *artifact.Usage `json:"usage,omitempty"`
	Progress *stage.Progress `json:"progress,omitempty"`
	Counts   *Counts         `json:"counts,omitempty"`
}

// EventType names what happened.
type EventType string

// Event types.
const (
	RunStarted    EventType = "run_started"
	RunEnded      EventType = "run_ended"
	ActionCached  EventType = "action_cached"
	ActionStarted EventType = "action_started"
	ActionDone    EventType = "action_done"
	ActionFailed  EventType = "action_failed"
	ActionSkipped EventType = "action_skipped"
	TaskSubmitted EventType = "task_submitted"
	TaskStarted   EventType = "task_started"
	TaskProgress  EventType = "task_progress" // not in the journal
	TaskEnded     EventType = "task_ended"
	TaskRetry     EventType = "task_retry"
	Notice        EventType = "notice"
)

// Counts sum up a run.
type Counts struct {
	Done    int `json:"done"`
	Cached  int `json:"cached"`
	Failed  int `json:"failed"`
	Skipped int `json:"skipped"`
	Pending int `json:"pending"` // left when the run was stopped
}

// RunDir is where a run's journal and trace are.
func RunDir(workdir, run string) string { return filepath.Join(workdir, "runs", run) }

// JournalFile is the name of a run's journal in its directory, TraceFile that of its trace.
const (
	JournalFile = "journal.ndjson"
	TraceFile   = "trace.csv"
)

// journal appends events to a file and syncs them. Events are written in batches: append returns at once, and barrier
// when everything appended is on disk.
type journal struct {
	file  *os.File
	mutex sync.Mutex
	ready *sync.Cond
	queue []byte
	added int64 // events appended and written, ever
	done  int64
	err   error
	urge  bool // somebody waits
	ended bool
	wait  sync.WaitGroup
}

// journalPause is how long events gather before they are written and synced, unless somebody waits for that.
const journalPause = 50 * time.Millisecond

func createJournal(dir string) (*journal, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, JournalFile), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	j := &journal{file: f}
	j.ready = sync.NewCond(&j.mutex)
	j.wait.Add(1)
	go j.write()
	return j, nil
}

func (j *journal) append(e Event) {
	line, err := json.Marshal(e)
	if err != nil {
		panic("workflow: " + err.Error())
	}
	j.mutex.Lock()
	defer j.mutex.Unlock()
	j.queue = append(append(j.queue, line...), '\n')
	j.added++
	j.ready.Broadcast()
}

func (j *journal) write() {
	defer j.wait.Done()
	j.mutex.Lock()
	defer j.mutex.Unlock()
	for {
		for len(j.queue) == 0 && !j.ended {
			j.ready.Wait()
		}
		if len(j.queue) == 0 {
			return
		}
		batch, upTo := j.queue, j.added
		j.queue = nil
		j.mutex.Unlock()
		_, err := j.file.Write(batch)
		if err == nil {
			err = j.file.Sync()
		}
		j.mutex.Lock()
		if j.err == nil {
			j.err = err
		}
		j.done = upTo
		j.ready.Broadcast()
		if !j.urge && !j.ended {
			j.mutex.Unlock()
			time.Sleep(journalPause)
			j.mutex.Lock()
		}
	}
}

// barrier waits until everything appended so far is on disk, or cannot be.
func (j *journal) barrier() error {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	j.urge = true
	for upTo := j.added; j.done < upTo; {
		j.ready.Wait()
	}
	j.urge = false
	return j.err
}

func (j *journal) close() error {
	j.mutex.Lock()
	j.ended = true
	j.ready.Broadcast()
	j.mutex.Unlock()
	j.wait.Wait()
	if err := j.file.Close(); j.err == nil {
		j.err = err
	}
	return j.err
}

// ReadJournal reads a journal. Lines that are not whole, as a crash leaves them, are skipped.
func ReadJournal(r io.Reader) []Event {
	var events []Event
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if e, ok := parseEvent(line); ok {
			events = append(events, e)
		}
		if err != nil {
			return events
		}
	}
}

// parseEvent reads a line of a journal.
func parseEvent(line []byte) (e Event, ok bool) {
	return e, json.Unmarshal(line, &e) == nil && e.Event != ""
}

// traceColumns are those of Nextflow's trace file.
var traceColumns = []string{"task_id", "hash", "native_id", "name", "status", "exit", "submit", "duration", "realtime",
	"%cpu", "peak_rss", "rchar", "wchar"}

// WriteTrace writes one line per ended task of a journal.
func WriteTrace(w io.Writer, events []Event) error {
	c := csv.NewWriter(w)
	if err := c.Write(traceColumns); err != nil {
		return err
	}
	submitted := make(map[string]time.Time)
	id := 0
	for _, e := range events {
		task := fmt.Sprintf("%s %s %d", e.Action, e.Task, e.Attempt)
		switch e.Event {
		case TaskSubmitted:
			submitted[task] = e.Time
		case TaskEnded:
			id++
			if err := c.Write(traceRow(id, e, submitted[task])); err != nil {
				return err
			}
		}
	}
	c.Flush()
	return c.Error()
}

func traceRow(id int, e Event, submit time.Time) []string {
	status := "COMPLETED"
	if e.Reason != "" {
		status = "FAILED"
	}
	var u artifact.Usage
	if e.Usage != nil {
		u = *e.Usage
	}
	cpu := 0.0
	if u.Seconds() > 0 {
		cpu = 100 * u.CPU / u.Seconds()
	}
	name := e.Action
	if e.Task != "run" {
		name += " " + e.Task
	}
	return []string{strconv.Itoa(id), e.Key.Short(), e.NativeID, name, status, strconv.Itoa(e.Code),
		submit.Format("2006-01-02 15:04:05.000"), milliseconds(e.Time.Sub(submit)), milliseconds(u.Finished.Sub(u.Started)),
		fmt.Sprintf("%.1f", cpu), strconv.FormatInt(u.PeakRSS, 10), strconv.FormatInt(u.Read, 10), strconv.FormatInt(u.Written, 10)}
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

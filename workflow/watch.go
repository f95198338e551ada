package workflow

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"oceaninv/workflow/artifact"
)

// Watch passes on the events of the pipeline's latest run, those so far and those to come, until the run has ended and
// its driver has written all that it writes, the driver has died, or ctx is done. The driver may be on another host.
func (p *Project) Watch(ctx context.Context, observe func(Event)) (*RunStatus, error) {
	s, err := p.Status()
	if err != nil || s.Run == "" {
		return s, err
	}
	run := s.Run
	f, err := os.Open(filepath.Join(RunDir(p.Workdir, run), JournalFile))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t := tailer{lines: bufio.NewReader(f)}
	for {
		living := p.store.Living(run) // asked first: what a driver wrote before it died is still read
		if err := t.pass(observe); err != nil {
			return nil, err
		}
		if !living || ctx.Err() != nil {
			s, err := p.statusOf(run)
			if err == nil && s.State != "running" {
				err = t.pass(observe) // what came between the two looks
			}
			if err != nil || s.State != "running" || ctx.Err() != nil {
				return s, err
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// tailer reads a journal that grows.
type tailer struct {
	lines *bufio.Reader
	part  []byte // of a line
}

// pass passes on what is new.
func (t *tailer) pass(observe func(Event)) error {
	for {
		piece, err := t.lines.ReadBytes('\n')
		t.part = append(t.part, piece...)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if e, ok := parseEvent(t.part); ok {
			observe(e)
		}
		t.part = nil
	}
}

// cancelFile in a run's directory asks its driver, wherever it is, to stop.
const cancelFile = "cancel"

// Cancel asks the driver of the pipeline's latest run to stop, as Ctrl-C does, and returns when it has, with the run's id;
// "" if no driver lives.
func (p *Project) Cancel(ctx context.Context) (run string, err error) {
	s, err := p.Status()
	if err != nil || s.Run == "" || !p.store.Living(s.Run) {
		return "", err
	}
	if err := artifact.WriteFile(filepath.Join(RunDir(p.Workdir, s.Run), cancelFile), []byte("\n")); err != nil {
		return s.Run, err
	}
	for p.store.Living(s.Run) {
		select {
		case <-ctx.Done():
			return s.Run, fmt.Errorf("run %s has been asked to stop, but its driver is still there: %w", s.Run, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
	return s.Run, nil
}

// cancelled reports whether somebody has asked the run to stop.
func (d *driver) cancelled() bool {
	if d.signal != nil || time.Since(d.asked) < time.Second {
		return false
	}
	d.asked = time.Now()
	_, err := os.Stat(filepath.Join(RunDir(d.Workdir, d.id), cancelFile))
	return err == nil
}

package slurm

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// alive lists the ids of a record's jobs that have not ended. They are found by their name, which is used once.
func (r *record) alive(c client) ([]string, error) {
	rows, err := c.named(r.Name)
	if err != nil {
		return nil, err
	}
	var ids []string
	for id, row := range rows {
		if row.live() {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// Cancelled is what Cancel did.
type Cancelled struct {
	Jobs []string `json:"jobs"` // ids, tasks of arrays apart
}

// Cancel ends all jobs that runs of a pipeline have with SLURM, drivers first, and returns when they have ended. It
// touches nothing else: jobs are known by names that are used once.
func Cancel(workdir, pipeline string, wait time.Duration) (*Cancelled, error) {
	records, err := readRecords(workdir)
	if err != nil {
		return nil, err
	}
	records = slices.DeleteFunc(records, func(r *record) bool { return r.Pipeline != pipeline })
	slices.SortStableFunc(records, func(a, b *record) int {
		switch {
		case a.Driver == b.Driver:
			return 0
		case a.Driver:
			return -1
		}
		return 1
	})
	c := new(Cancelled)
	var failures []error
	for _, r := range records {
		if err := c.end(r, wait); err != nil {
			failures = append(failures, err)
		}
	}
	return c, errors.Join(failures...)
}

// end cancels the jobs of one record.
func (c *Cancelled) end(r *record, wait time.Duration) error {
	var client client
	ids, err := r.alive(client)
	if err != nil {
		return err
	}
	c.Jobs = append(c.Jobs, ids...)
	for deadline := time.Now().Add(wait); len(ids) > 0; {
		if err := client.cancel(ids); err != nil {
			return err
		}
		time.Sleep(200 * time.Millisecond)
		if ids, err = r.alive(client); err != nil {
			return err
		}
		if len(ids) > 0 && time.Now().After(deadline) {
			return fmt.Errorf("jobs %v were cancelled but have not ended yet; see squeue", ids)
		}
	}
	return r.remove()
}

package workflow

import (
	"path/filepath"

	"oceaninv/workflow/artifact"
	"oceaninv/workflow/config"
	"oceaninv/workflow/executor"
	"oceaninv/workflow/stage"
)

// Preview returns the tasks that a run of the plan would hand to an executor if nothing is spared, without writing
// anything. In their directories RUN stands for the run's id, and KEY for keys that depend on what is not done yet.
func (p *Project) Preview(plan *Plan, e executor.Executor) []*executor.Task {
	d := &driver{Project: p, plan: plan, executor: e, id: "RUN"}
	var tasks []*executor.Task
	for _, decision := range plan.Decisions {
		if decision.Status == Cached {
			continue
		}
		j := &job{action: decision.Action, decision: decision, key: decision.Key, shards: 1}
		if s, ok := j.action.Spec.(stage.Sharder); ok {
			j.shards = max(1, s.Shards())
		}
		if j.shards == 1 {
			tasks = append(tasks, d.preview(j, executor.RoleRun, 0))
			continue
		}
		for shard := range j.shards {
			tasks = append(tasks, d.preview(j, executor.RoleShard, shard))
		}
		tasks = append(tasks, d.preview(j, executor.RoleMerge, 0))
	}
	return tasks
}

func (d *driver) preview(j *job, role executor.Role, shard int) *executor.Task {
	t := d.newTask(j, role, shard)
	o := t.order
	o.Address, o.Key = j.action.Address, j.key
	key := j.key
	if key == "" {
		key = artifact.Key("KEY")
	}
	return &executor.Task{Dir: filepath.Join(d.store.WorkDir(key), "tasks", o.Name()+".RUN.1"), Order: &o, Resources: t.limits,
		Queue: queueOf(j.action.Policy.Resources), Group: groupOf(j, role)}
}

func queueOf(r config.Resources) executor.Queue {
	return executor.Queue{Partition: r.Partition, Account: r.Account, QoS: r.QoS, Extra: r.Extra}
}

// groupOf is what like tasks of a stage have in common.
func groupOf(j *job, role executor.Role) string { return j.action.Stage + " " + string(role) }

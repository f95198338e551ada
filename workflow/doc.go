// Package workflow runs pipelines: [Open] reads one, [Project.Plan] decides what has to be done and says why, and
// [Project.Run] does it. It knows no science; what it can run comes in a stage.Registry.
//
// A run is a loop of one goroutine, the driver. An action becomes ready when what it depends on is done; its key is
// computed from its parameters and the content digests of its inputs; if the store has a whole result under that key,
// the action is done. Otherwise the driver takes the key's lease, writes a task file per shard, and hands the tasks to
// an executor, heaviest remaining path first. A task commits its own results, so what is finished stays finished
// whatever happens to the driver; the next run finds it by the same keys, without a flag.
package workflow

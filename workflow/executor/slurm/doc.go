// Package slurm runs tasks as SLURM jobs. Tasks that may run at once and ask for the same become one job array; SLURM
// places, queues, limits and accounts. The driver follows all of them with one squeue per poll and, for what squeue has
// forgotten, one sacct; beside both stands the exit file that every task writes, so that either source may fail for a
// while.
//
// Every submission is on record under <workdir>/slurm before sbatch is called, with a job name that is used once. A driver
// that finds such records for a task it is to submit follows the job that is there instead, whichever driver made it; and
// an id that SLURM has given to another job after a crash of its controller is told by its name.
//
// Jobs never wait for each other inside SLURM: the key of an action depends on the content of what it needs, so a
// dependent is submitted when that is in the store. Hence no job can pend for ever on a dependency that failed.
//
// Limitations: SLURM 20.11 or newer (squeue's -O with suffixes); the working directory must be on a file system that the
// compute nodes share; one task per job, on one node.
package slurm

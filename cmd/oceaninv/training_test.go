package main

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"oceaninv/surrogate/train"
)

// ensemble trains the same small network from two seeds, each task on some of the cores.
const ensemble = `
variable "cores" {
  default = 1
}
environment "pekeris" {
  water {
    depth       = 100
    sound_speed = 1500
  }
  bottom {
    sound_speed = 1700
    density     = 1800
    attenuation = "0.5 dB/wavelength"
  }
}
problem "depth" {
  environment = environment.pekeris
  frequencies = [40]
  source {
    depth = 36
  }
  receivers {
    depths = [25, 75]
    range  = 1000
  }
  parameter "water_depth" {
    prior "uniform" {
      low  = 95
      high = 105
    }
  }
  noise {
    snr   = 15
    draws = 16
  }
}
stage "simulate" "data" {
  problem = problem.depth
  samples = 320
  design  = "sobol"
}
stage "train" "member" {
  for_each = { first = 1, second = 2 }
  dataset  = stage.data.dataset
  seed     = each.value
  inn {
    latent = 2
  }
  flow {
    hidden = 16
    blocks = 2
  }
  training {
    epochs     = 150
    batch_size = 64
    ema        = 0.99
    schedule   = "cosine"
  }
  resources {
    cores = var.cores
  }
}
`

// workdir is a folder in which the program runs a pipeline.
type workdir struct {
	t   *testing.T
	dir string
}

func newWorkdir(t *testing.T, pipeline string) workdir {
	t.Helper()
	w := workdir{t, t.TempDir()}
	if err := os.WriteFile(filepath.Join(w.dir, "p.hcl"), []byte(pipeline), 0o600); err != nil {
		t.Fatal(err)
	}
	return w
}

// command is the program, as it will run in the folder.
func (w workdir) command(args ...string) (*exec.Cmd, *bytes.Buffer) {
	cmd := exec.Command("oceaninv", args...)
	cmd.Dir, cmd.Env = w.dir, append(os.Environ(), "STAGES=all")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	return cmd, &out
}

func (w workdir) run(args ...string) {
	w.t.Helper()
	cmd, out := w.command(append([]string{"run", "p.hcl"}, args...)...)
	if err := cmd.Run(); err != nil {
		w.t.Fatalf("%v\n%s", err, out)
	}
}

// checkpoints lists the last checkpoints of trainings that are not done.
func (w workdir) checkpoints() []string {
	var found []string
	_ = filepath.WalkDir(filepath.Join(w.dir, ".oceaninv"), func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Name() == train.LastCheckpoint {
			found = append(found, path)
		}
		return nil // what vanishes meanwhile is not there
	})
	return found
}

// killed runs the pipeline until a training has left a checkpoint, and kills the driver, with which its tasks die.
func (w workdir) killed() {
	w.t.Helper()
	cmd, out := w.command("run", "p.hcl", "--parallelism", "2")
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for len(w.checkpoints()) == 0 {
		select {
		case err := <-ended:
			w.t.Fatalf("the trainings ended before they could be killed: %v\n%s", err, out)
		case <-time.After(5 * time.Millisecond):
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		w.t.Fatal(err)
	}
	<-ended
	time.Sleep(200 * time.Millisecond) // the kernel kills the tasks when their driver is gone, not before
}

// TestKilledTrainingsContinueToTheSameBits: two trainings side by side, one core each, killed by SIGKILL, driver and all, and
// continued, give the models, weight by weight, and the loss curves of trainings that ran one after the other on two cores
// and were never stopped.
func TestKilledTrainingsContinueToTheSameBits(t *testing.T) {
	stopped := newWorkdir(t, ensemble)
	stopped.killed()
	left := stopped.checkpoints()
	if len(left) == 0 {
		t.Fatal("no training was under way when it was killed")
	}
	stopped.refusesDamage(left[0])
	stopped.run("--parallelism", "2")

	whole := newWorkdir(t, ensemble)
	whole.run("--parallelism", "2", "--var", "cores=2")
	got, want := digests(t, stopped.dir+"/.oceaninv"), digests(t, whole.dir+"/.oceaninv")
	if !maps.Equal(got, want) {
		t.Errorf("stopped and continued: %v\nnever stopped: %v", got, want)
	}
	models := make(map[string]bool)
	for name, digest := range want {
		if strings.HasSuffix(name, " model") {
			models[digest] = true
		}
	}
	if len(models) != 2 {
		t.Errorf("%d different models of two seeds", len(models))
	}
}

// refusesDamage shows that a run does continue from a checkpoint: it fails on one of which a bit is wrong. The checkpoint
// is put right again.
func (w workdir) refusesDamage(path string) {
	w.t.Helper()
	good, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	bad := slices.Clone(good)
	bad[len(bad)/2] ^= 1
	if err := os.WriteFile(path, bad, 0o600); err != nil {
		w.t.Fatal(err)
	}
	cmd, out := w.command("run", "p.hcl")
	var exit *exec.ExitError
	if err := cmd.Run(); !errors.As(err, &exit) || !strings.Contains(out.String(), "damaged (checksum)") {
		w.t.Errorf("with a damaged checkpoint: %v\n%s", err, out)
	}
	if err := os.WriteFile(path, good, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

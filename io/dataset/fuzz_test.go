package dataset

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"oceaninv/io/netcdf"
)

// readFiles in the environment makes the test's program a reader of the files it is named.
const readFiles = "OCEANINV_TEST_READ_FILES"

func TestMain(m *testing.M) {
	if os.Getenv(readFiles) != "" {
		probe = unprobed
		for names := bufio.NewScanner(os.Stdin); names.Scan(); fmt.Println("read") {
			slow := time.AfterFunc(patience, func() { os.Exit(1) }) // some files are read for ever
			readEverything(names.Text())
			slow.Stop()
		}
		return
	}
	os.Exit(m.Run())
}

func unprobed(string) error { return nil }

func readEverything(path string) {
	netcdf.Digest(path)
	ReadObservations(path)
	ReadTable(path)
}

// victim is a process that reads files and may die of one. A fork for each file, as
// [netcdf.Probe] makes, costs ten times as much as reading it.
type victim struct {
	cmd     *exec.Cmd
	names   io.WriteCloser
	answers io.ReadCloser
	files   int // it has read
}

const (
	patience = 5 * time.Second
	mostRead = 200 // files by one process: libnetcdf leaves some that it refuses open
)

// survives reports whether the process reads the file; the next file finds a new process if
// it does not.
func (v *victim) survives(f testing.TB, path string) bool {
	if v.files++; v.files > mostRead {
		v.stop()
	}
	if v.cmd == nil {
		v.start(f)
	}
	var answer [5]byte // "read\n"
	_, err := fmt.Fprintln(v.names, path)
	if err == nil {
		_, err = io.ReadFull(v.answers, answer[:])
	}
	if err != nil {
		v.stop()
	}
	return err == nil
}

func (v *victim) start(f testing.TB) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), readFiles+"=1")
	names, err := cmd.StdinPipe()
	if err != nil {
		f.Fatal(err)
	}
	answers, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		f.Fatal(err)
	}
	*v = victim{cmd: cmd, names: names, answers: answers}
}

func (v *victim) stop() {
	if v.cmd != nil {
		v.cmd.Process.Kill()
		v.names.Close()
		v.cmd.Wait() // killed, or dead of a file
		v.cmd = nil
	}
}

// FuzzReaders changes bytes of a valid file: an error or a result, never a crash. The library
// itself is guarded by the checksums that HDF5 keeps of its headers, and by Probe: a file
// that ends a process which reads it unprobed must be refused by that.
func FuzzReaders(f *testing.F) {
	path := filepath.Join(f.TempDir(), "o.nc")
	if err := (observationFile{depthUnits: "m", pressureUnits: "1", dims: observationDims}).write(path); err != nil {
		f.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	for at := uint32(0); at < uint32(len(content)); at += 997 {
		f.Add(at, byte(0xff), at*7, byte(1))
	}
	var v victim
	probe = unprobed
	f.Cleanup(func() {
		probe = netcdf.Probe
		v.stop()
	})
	f.Fuzz(func(t *testing.T, at uint32, mask byte, at2 uint32, mask2 byte) {
		damaged := append([]byte{}, content...)
		damaged[at%uint32(len(damaged))] ^= mask
		damaged[at2%uint32(len(damaged))] ^= mask2
		path := filepath.Join(t.TempDir(), "d.nc")
		if err := os.WriteFile(path, damaged, 0o644); err != nil {
			t.Fatal(err)
		}
		switch {
		case v.survives(t, path):
			readEverything(path) // here, where fuzzing sees what of the readers it has reached
		case netcdf.Probe(path) != nil:
		case !v.survives(t, path): // the first may have died of what earlier files left in it
			t.Error("the file ends the process that reads it, and Probe lets it pass")
		}
	})
}

// A process that dies of a file is told from one that reads it, and followed by another.
func TestVictim(t *testing.T) {
	var v victim
	defer v.stop()
	path := filepath.Join(t.TempDir(), "o.nc")
	if err := (observationFile{depthUnits: "m", pressureUnits: "1", dims: observationDims}).write(path); err != nil {
		t.Fatal(err)
	}
	if !v.survives(t, path) {
		t.Error("a sound file ended the process")
	}
	v.cmd.Process.Kill()
	if v.survives(t, path) {
		t.Error("a dead process read a file")
	}
	if !v.survives(t, path) {
		t.Error("no process follows")
	}
}

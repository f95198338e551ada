package netcdf

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestDamagedFilesAreRefused(t *testing.T) {
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole.nc")
	sample(t, whole, nil)
	bytes, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"empty":     {nil, "empty"},
		"text":      {[]byte(strings.Repeat("depth,speed\n", 20)), "first bytes"},
		"truncated": {bytes[:len(bytes)-100], "truncated"},
		"head only": {bytes[:60], "truncated"},
		"ten bytes": {bytes[:10], "header is damaged"},
	} {
		path := filepath.Join(dir, "damaged.nc")
		if err := os.WriteFile(path, c.content, 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Open(path)
		if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open(dir); !errors.Is(err, ErrDamaged) {
		t.Errorf("directory: %v", err)
	}
	if _, err := Open(filepath.Join(dir, "none.nc")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
}

// A bit flipped in chunked data is found by its checksum.
func TestChecksumFindsAFlippedBit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.nc")
	sample(t, path, func(c *contents) { c.checksum = true })
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(content), "\x00\x00\x80\x3f\x00\x00\x00\x40") // 1, 2 as float
	if at < 0 {
		t.Fatal("the data are not in the file")
	}
	content[at+2] ^= 1
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Digest(path); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), `"grid"`) {
		t.Errorf("got %v", err)
	}
}

// While another process writes a file, HDF5 refuses it; the message says so.
func TestLockedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.nc")
	sample(t, path, nil)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "another process is writing it") {
		t.Errorf("got %v", err)
	}
}

func TestOpenErrorNamesTheSwitch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.nc")
	sample(t, path, nil)
	if err := openError(path, errHDF); !strings.Contains(err.Error(), "HDF5_USE_FILE_LOCKING=FALSE") {
		t.Errorf("got %v", err)
	}
}

// FuzzHead feeds the check that guards libnetcdf with any first bytes.
func FuzzHead(f *testing.F) {
	path := filepath.Join(f.TempDir(), "a.nc")
	sample(f, path, nil)
	content, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content[:128], int64(len(content)))
	f.Add([]byte("CDF\x01"), int64(4))
	f.Add(append(hdf5Signature, 0), int64(9))
	f.Fuzz(func(t *testing.T, head []byte, size int64) {
		if err := checkHead(head[:min(len(head), 128)], size); err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("got %v", err)
		}
	})
}

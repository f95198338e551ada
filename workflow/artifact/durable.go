package artifact

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// tempPrefix begins the names of files that are being written.
const tempPrefix = ".tmp-"

// WriteFile puts data at path so that after a crash there is all of it or what was there before.
func WriteFile(path string, data []byte) error {
	if err := replaceFile(path, data, true); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// WriteFileSoon is WriteFile for what can be done without after a power cut, and is checked when read: readers never see
// a part of it, but it is left to the system when it reaches the disk.
func WriteFileSoon(path string, data []byte) error { return replaceFile(path, data, false) }

func replaceFile(path string, data []byte, sync bool) error {
	f, err := os.CreateTemp(filepath.Dir(path), tempPrefix+"*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil && sync {
		err = f.Sync()
	}
	if err == nil {
		err = f.Chmod(0o644)
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// syncFile makes the content of a file survive a power cut.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = f.Sync()
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// syncDir makes renames in a directory survive a power cut. File systems that cannot say so.
func syncDir(dir string) error {
	err := syncFile(dir)
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil
	}
	return err
}

// removeTemps deletes what writers that died left in a directory.
func removeTemps(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), tempPrefix) {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

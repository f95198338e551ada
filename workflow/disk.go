package workflow

import (
	"path/filepath"

	"golang.org/x/sys/unix"
)

// freeBytes is what an ordinary user may still write at a path, or at its nearest ancestor that exists; -1 if unknown.
func freeBytes(path string) int64 {
	var s unix.Statfs_t
	for unix.Statfs(path, &s) != nil {
		parent := filepath.Dir(path)
		if parent == path {
			return -1
		}
		path = parent
	}
	return int64(s.Bavail) * int64(s.Bsize)
}

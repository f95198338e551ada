package netcdf

import (
	"runtime"
	"sync"
)

// The library's calls all run on one thread. HDF5 is not thread safe, so they must
// not overlap; and where it was built with locks of its own, it prints its error
// stack from every thread but the one on which libnetcdf silenced it.
var library struct {
	start sync.Once
	calls chan func()
}

// call runs f on the library's thread and waits for it. A panic of f is the
// caller's.
func call(f func() error) (err error) {
	library.start.Do(func() {
		library.calls = make(chan func())
		go func() {
			runtime.LockOSThread()
			for f := range library.calls {
				f()
			}
		}()
	})
	done := make(chan any)
	library.calls <- func() {
		defer func() { done <- recover() }()
		err = f()
	}
	if p := <-done; p != nil {
		panic(p)
	}
	return err
}

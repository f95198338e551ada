package netcdf

// libnetcdf 4.9.0 crashes on some damaged headers that pass every check: where HDF5
// refuses a variable's type, libnetcdf skips the variable but keeps a pointer to
// what it freed. So a copy of this process, which may die, reads a file first.

/*
#cgo pkg-config: netcdf
#include <netcdf.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

// read_attributes reads the attributes of a variable, or of the file.
static void read_attributes(int id, int variable, int count) {
	char name[NC_MAX_NAME + 1];
	nc_type type;
	size_t length, size;
	for (int i = 0; i < count; i++) {
		if (nc_inq_attname(id, variable, i, name) || nc_inq_att(id, variable, name, &type, &length))
			return;
		if (nc_inq_type(id, type, NULL, &size) || length > (1 << 28) / (size ? size : 1))
			return;
		void *value = malloc(length * size + 1);
		if (value != NULL)
			nc_get_att(id, variable, name, value);
		free(value);
	}
}

// read_header does what Open will do.
static void read_header(const char *path) {
	int id, dims, variables, attributes, unlimited, groups, n, ids[NC_MAX_VAR_DIMS];
	char name[NC_MAX_NAME + 1];
	size_t length;
	nc_type type;
	if (nc_open(path, NC_NOWRITE, &id) || nc_inq_grps(id, &groups, NULL) || nc_inq(id, &dims, &variables, &attributes, &unlimited))
		return;
	for (int i = 0; i < dims; i++)
		nc_inq_dim(id, i, name, &length);
	read_attributes(id, NC_GLOBAL, attributes);
	for (int i = 0; i < variables; i++)
		if (nc_inq_var(id, i, name, &type, &n, ids, &attributes) == NC_NOERR)
			read_attributes(id, i, attributes);
	nc_close(id);
}

// probe reads the header of a file in a child process and returns the signal that
// ended the child, or 0. No child (out of memory) is no verdict: 0.
static int probe(const char *path, unsigned seconds) {
	static const int fatal[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGALRM};
	pid_t child = fork();
	if (child < 0)
		return 0;
	if (child == 0) {
		sigset_t none;
		for (unsigned i = 0; i < sizeof fatal / sizeof *fatal; i++)
			signal(fatal[i], SIG_DFL); // not the Go runtime's handlers
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		close(STDERR_FILENO); // malloc complains there before it aborts
		alarm(seconds);
		read_header(path);
		_exit(0);
	}
	int status = 0;
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return 0;
	}
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}
*/
import "C"

import (
	"fmt"
	"syscall"
	"unsafe"
)

// probeSeconds is how long a header may take to read, on the slowest of disks.
const probeSeconds = 20

// Probe reads a file's header in a child process and refuses the file if that ends
// the child, which damaged files have done. It costs a fork, so it is for files
// that come from outside: those of our own are known by their digests.
func Probe(path string) error {
	if err := checkSignature(path); err != nil {
		return err
	}
	cpath := C.CString(path)
	defer C.free(unsafe.Pointer(cpath))
	var signal syscall.Signal
	err := call(func() error { // on the library's thread, so that the child finds the library in order
		signal = syscall.Signal(C.probe(cpath, probeSeconds))
		return nil
	})
	if err != nil || signal == 0 {
		return err
	}
	what := fmt.Sprintf("its header ends libnetcdf (%v)", signal)
	if signal == syscall.SIGALRM {
		what = fmt.Sprintf("its header cannot be read in %d s", probeSeconds)
	}
	return &Error{Path: path, Err: fmt.Errorf("%w: %s", ErrDamaged, what),
		Advice: "write it again, or copy it again from where it came"}
}

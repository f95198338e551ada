//go:build !unix

package bench

import "time"

var began = time.Now()

// processorTime is wall-clock time where the system does not count the processor's.
func processorTime() time.Duration { return time.Since(began) }

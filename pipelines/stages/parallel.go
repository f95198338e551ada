package stages

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// forEach does items 0 to n-1 on the given number of cores. worker is called once
// per core and returns what does an item, so that it may own workspace. Which core
// does an item must not show in the results.
func forEach(ctx context.Context, cores, n int, worker func() (func(ctx context.Context, i int) error, error)) error {
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range min(max(cores, 1), n) {
		g.Go(func() error {
			do, err := worker()
			if err != nil {
				return err
			}
			for {
				i := int(next.Add(1)) - 1
				if i >= n || ctx.Err() != nil {
					return ctx.Err()
				}
				if err := do(ctx, i); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

package stages

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"oceaninv/surrogate"
	"oceaninv/surrogate/train"
	"oceaninv/workflow/stage"
)

// rowFile holds the rows [x, y] that a flow is trained on, in a scratch file, so
// that they need not fit in memory. They are added in double precision as they are
// computed; when the last is known, and with it the moments of the columns, they
// are standardised and kept in single precision.
type rowFile struct {
	dir    string
	nx, ny int
	n      int
	x, y   *surrogate.Moments
	file   *os.File
	out    *bufio.Writer
}

// newRowFile starts without rows of nx and ny columns.
func newRowFile(ws *stage.Workspace, nx, ny int) (*rowFile, error) {
	r := &rowFile{dir: filepath.Dir(ws.Checkpoint("rows")), nx: nx, ny: ny, x: surrogate.NewMoments(nx), y: surrogate.NewMoments(ny)}
	var err error
	if r.file, err = scratchFile(r.dir); err != nil {
		return nil, err
	}
	r.out = bufio.NewWriterSize(r.file, 1<<16)
	return r, nil
}

// scratchFile is a file that vanishes with the process where the system can do
// that, and at the latest with the folder of checkpoints.
func scratchFile(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "rows-*")
	if err != nil {
		return nil, fmt.Errorf("scratch file for training rows: %w", err)
	}
	_ = os.Remove(f.Name())
	return f, nil
}

// add appends rows.
func (r *rowFile) add(x, y []float64) error {
	if err := r.x.Add(x); err != nil {
		return fmt.Errorf("x: %w", err)
	}
	if err := r.y.Add(y); err != nil {
		return fmt.Errorf("y: %w", err)
	}
	for i := range len(x) / r.nx {
		for _, part := range [][]float64{x[i*r.nx : (i+1)*r.nx], y[i*r.ny : (i+1)*r.ny]} {
			for _, v := range part {
				var b [8]byte
				binary.LittleEndian.PutUint64(b[:], math.Float64bits(v))
				if _, err := r.out.Write(b[:]); err != nil {
					return fmt.Errorf("scratch file for training rows: %w", err)
				}
			}
		}
		r.n++
	}
	return nil
}

// standardise replaces the rows by what the standardizers make of them, in single
// precision. It comes once, after the last row.
func (r *rowFile) standardise(sx, sy surrogate.Standardizer) error {
	if err := r.out.Flush(); err != nil {
		return err
	}
	if _, err := r.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	single, err := scratchFile(r.dir)
	if err != nil {
		return err
	}
	from, to := bufio.NewReaderSize(r.file, 1<<16), bufio.NewWriterSize(single, 1<<16)
	wide, row := make([]byte, 8*(r.nx+r.ny)), make([]float64, r.nx+r.ny)
	for range r.n {
		if _, err := io.ReadFull(from, wide); err != nil {
			return errors.Join(err, single.Close())
		}
		for j := range row {
			row[j] = math.Float64frombits(binary.LittleEndian.Uint64(wide[8*j:]))
		}
		sx.Apply(row[:r.nx], row[:r.nx])
		sy.Apply(row[r.nx:], row[r.nx:])
		for j, v := range row {
			binary.LittleEndian.PutUint32(wide[4*j:], math.Float32bits(float32(v)))
		}
		if _, err := to.Write(wide[:4*len(row)]); err != nil {
			return errors.Join(err, single.Close())
		}
	}
	err = errors.Join(to.Flush(), r.file.Close())
	r.file = single
	return err
}

// split cuts the standardised rows into training and held-out data: the last
// samples are held out, all replicates of one together.
func (r *rowFile) split(heldOut float64, replicates int) (training, held train.Dataset[float32]) {
	k := int(heldOut*float64(r.n/replicates)) * replicates
	training = &rowRange{rowFile: r, n: r.n - k}
	if k == 0 {
		return training, nil
	}
	return training, &rowRange{rowFile: r, from: r.n - k, n: k}
}

// close gives the room back.
func (r *rowFile) close() { _ = r.file.Close() }

// rowRange is some of the rows of a file, as a training reads them.
type rowRange struct {
	*rowFile
	from, n int
	buf     []byte
}

func (r *rowRange) Len() int         { return r.n }
func (r *rowRange) Dims() (x, y int) { return r.nx, r.ny }

// Read fetches rows, neighbours together.
func (r *rowRange) Read(_ int, rows []int, x, y []float32) error {
	width := 4 * (r.nx + r.ny)
	for k := 0; k < len(rows); {
		run := 1
		for k+run < len(rows) && rows[k+run] == rows[k]+run {
			run++
		}
		if cap(r.buf) < run*width {
			r.buf = make([]byte, run*width)
		}
		b := r.buf[:run*width]
		if _, err := r.file.ReadAt(b, int64(r.from+rows[k])*int64(width)); err != nil {
			return fmt.Errorf("scratch file of training rows: %w", err)
		}
		for i := k; i < k+run; i++ {
			floats(x[i*r.nx:(i+1)*r.nx], b)
			floats(y[i*r.ny:(i+1)*r.ny], b[4*r.nx:])
			b = b[width:]
		}
		k += run
	}
	return nil
}

func floats(to []float32, b []byte) {
	for j := range to {
		to[j] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*j:]))
	}
}

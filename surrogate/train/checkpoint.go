package train

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"oceaninv/surrogate/nn"
)

// A checkpoint file is: the magic line, the length of a JSON header (8 bytes, little-endian), the header, the
// arrays it names in their order (little-endian), and a CRC-32C of everything before it (4 bytes).
const checkpointMagic = "oceaninv checkpoint 1\n"

// ErrCheckpoint marks a checkpoint that cannot be used: damaged, or of another training.
var ErrCheckpoint = errors.New("unusable checkpoint")

// checkpointHeader is the state of a training that is not arrays.
type checkpointHeader struct {
	Options  Options         `json:"options"`
	Flow     json.RawMessage `json:"flow"`
	Bits     int             `json:"bits"` // of a number
	Rows     int             `json:"rows"` // of the training data
	Progress loopState       `json:"progress"`
	Arrays   []arrayHeader   `json:"arrays"`
}

type arrayHeader struct {
	Name string `json:"name"`
	Len  int    `json:"len"`
}

func bitsOf[T nn.Float]() int { return 8 * binary.Size(T(0)) }

// writeCheckpoint writes to a temporary file in the same folder, syncs and renames, so that a crash leaves the
// old file or the new one.
func writeCheckpoint[T nn.Float](path string, h checkpointHeader, arrays []arena[T]) (err error) {
	h.Bits, h.Arrays = bitsOf[T](), nil
	for _, a := range arrays {
		h.Arrays = append(h.Arrays, arrayHeader{a.name, len(a.v)})
	}
	head, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("checkpoint header: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".tmp*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	w := io.MultiWriter(f, sum)
	var buf bytes.Buffer
	buf.WriteString(checkpointMagic)
	buf.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(head))))
	buf.Write(head)
	if _, err = w.Write(buf.Bytes()); err != nil {
		return err
	}
	for _, a := range arrays {
		if err = binary.Write(w, binary.LittleEndian, a.v); err != nil {
			return err
		}
	}
	if _, err = f.Write(binary.LittleEndian.AppendUint32(nil, sum.Sum32())); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// readCheckpoint checks a file whole before it returns the header and the bytes of the arrays.
func readCheckpoint(path string) (h checkpointHeader, body []byte, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return h, nil, err
	}
	fixed := len(checkpointMagic) + 8
	if len(data) < fixed+4 || string(data[:len(checkpointMagic)]) != checkpointMagic {
		return h, nil, fmt.Errorf("%w: %s is not a checkpoint of this version", ErrCheckpoint, path)
	}
	end := len(data) - 4
	if crc32.Checksum(data[:end], crc32.MakeTable(crc32.Castagnoli)) != binary.LittleEndian.Uint32(data[end:]) {
		return h, nil, fmt.Errorf("%w: %s is damaged (checksum)", ErrCheckpoint, path)
	}
	n := binary.LittleEndian.Uint64(data[len(checkpointMagic):fixed])
	if n > uint64(end-fixed) {
		return h, nil, fmt.Errorf("%w: %s is cut short", ErrCheckpoint, path)
	}
	if err := json.Unmarshal(data[fixed:fixed+int(n)], &h); err != nil {
		return h, nil, fmt.Errorf("%w: %s: %v", ErrCheckpoint, path, err)
	}
	return h, data[fixed+int(n) : end], nil
}

// restoreArrays fills arrays from a checkpoint's body.
func restoreArrays[T nn.Float](h checkpointHeader, body []byte, arrays []arena[T]) error {
	if h.Bits != bitsOf[T]() || len(h.Arrays) != len(arrays) {
		return fmt.Errorf("%w: made with other precision or another loss", ErrCheckpoint)
	}
	size := 0
	for i, a := range arrays {
		if h.Arrays[i].Name != a.name || h.Arrays[i].Len != len(a.v) {
			return fmt.Errorf("%w: %s has %d numbers, the training needs %s with %d", ErrCheckpoint,
				h.Arrays[i].Name, h.Arrays[i].Len, a.name, len(a.v))
		}
		size += len(a.v) * h.Bits / 8
	}
	if size != len(body) {
		return fmt.Errorf("%w: %d bytes of numbers, %d expected", ErrCheckpoint, len(body), size)
	}
	r := bytes.NewReader(body)
	for _, a := range arrays {
		if err := binary.Read(r, binary.LittleEndian, a.v); err != nil {
			return fmt.Errorf("%w: %v", ErrCheckpoint, err)
		}
	}
	return nil
}

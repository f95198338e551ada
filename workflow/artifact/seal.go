package artifact

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// ErrDamaged is what a file that is not whole is reported with; it is treated as absent.
var ErrDamaged = errors.New("damaged")

type sealed struct {
	SHA256  string          `json:"sha256"`
	Content json.RawMessage `json:"content"`
}

// Seal encodes a value with its checksum, as one line.
func Seal(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(raw)
	out, err := json.Marshal(sealed{SHA256: hex.EncodeToString(sum[:]), Content: raw})
	return append(out, '\n'), err
}

// Unseal decodes what Seal made, or reports ErrDamaged.
func Unseal(data []byte, v any) error {
	var s sealed
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("%w: %v", ErrDamaged, err)
	}
	sum := sha256.Sum256(bytes.TrimSpace(s.Content))
	if hex.EncodeToString(sum[:]) != s.SHA256 {
		return fmt.Errorf("%w: the checksum does not match", ErrDamaged)
	}
	if err := json.Unmarshal(s.Content, v); err != nil {
		return fmt.Errorf("%w: %v", ErrDamaged, err)
	}
	return nil
}

package figure

import (
	"bytes"
	"flag"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

var save = flag.String("save", "", "directory to save the gallery in, to look at it")

// Every figure draws in both formats, the same bytes each time.
func TestGalleryIsDeterministic(t *testing.T) {
	again := gallery()
	for name, d := range gallery() {
		for _, format := range []string{"svg", "png"} {
			var first, second bytes.Buffer
			for _, draw := range []struct {
				d drawer
				b *bytes.Buffer
			}{{d, &first}, {again[name], &second}} {
				f, err := draw.d.Draw()
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if err := f.Write(draw.b, format); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
			}
			if !bytes.Equal(first.Bytes(), second.Bytes()) {
				t.Errorf("%s.%s: two drawings differ", name, format)
			}
			if format == "png" {
				if _, err := png.Decode(bytes.NewReader(first.Bytes())); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			if *save != "" {
				if err := os.WriteFile(filepath.Join(*save, name+"."+format), first.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

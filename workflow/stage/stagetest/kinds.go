package stagetest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/hcl/v2"

	"oceaninv/workflow/stage"
)

// Types of artifacts.
const (
	Words stage.Type = "words"
	Book  stage.Type = "book"
)

// Registry returns the kinds make, join, measure and fail, and the definition recipe.
func Registry() *stage.Registry {
	r := stage.NewRegistry(
		stage.Kind{Name: "make", Version: 1, Doc: "Writes words from a seed.", Decode: decodeMake, Load: stage.LoadJSON[Make]},
		stage.Kind{Name: "join", Version: 1, Doc: "Joins words into a book.", Decode: decodeJoin, Load: stage.LoadJSON[Join]},
		stage.Kind{Name: "measure", Version: 1, Doc: "Measures a book.", Decode: decodeMeasure, Load: stage.LoadJSON[Measure]},
		stage.Kind{Name: "fail", Version: 1, Doc: "Fails in the way asked for.", Decode: decodeFail, Load: stage.LoadJSON[Fail]},
	)
	r.AddDefinitions(stage.Definition{Name: "recipe", Doc: "How to make words.", Decode: decodeRecipe})
	r.AddHeaders(stage.Header{Type: Book, Check: func(path string) error {
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			return errors.Join(fmt.Errorf("%s has no title", path), err)
		}
		return nil
	}})
	return r
}

// Recipe is a definition's value.
type Recipe struct {
	Letters string `hcl:"letters" json:"letters"`
	Length  int    `hcl:"length,optional" json:"length"`
}

func decodeRecipe(d *stage.Decoder) any {
	r := Recipe{Length: 5}
	d.Decode(&r)
	if r.Length < 1 {
		d.Errorf("length", "Words need letters", "length is %d; it must be at least 1.", r.Length)
	}
	return r
}

// Make writes Count words, word i from (Seed, i). It begins when the file Until is there, takes Pause per word, and saves a
// checkpoint when stopped.
type Make struct {
	Count  int    `json:"count"`
	Seed   uint64 `json:"seed"`
	Recipe Recipe `json:"recipe"`
	shards int
	pause  time.Duration
	Pause  string `json:"pause"`
	Until  string `json:"until,omitempty"`
}

func decodeMake(d *stage.Decoder) stage.Spec {
	options := struct {
		Count  int            `hcl:"count"`
		Seed   int            `hcl:"seed,optional"`
		Shards int            `hcl:"shards,optional"`
		Pause  string         `hcl:"pause,optional"`
		Until  string         `hcl:"until,optional"`
		Recipe hcl.Expression `hcl:"recipe,optional"`
	}{Shards: 1}
	d.Decode(&options)
	m := &Make{Count: options.Count, Seed: uint64(options.Seed), shards: options.Shards, Pause: options.Pause, Until: options.Until,
		Recipe: Recipe{Letters: "abc", Length: 5}}
	d.Convert(options.Recipe, &m.Recipe)
	if options.Count < 0 {
		d.Errorf("count", "Too few words", "count is %d; it must not be negative.", options.Count)
	}
	if _, err := m.parsed(); err != nil {
		d.Errorf("pause", "Not a time", "%v.", err)
	}
	return m
}

func (m *Make) parsed() (time.Duration, error) {
	if m.Pause == "" {
		return 0, nil
	}
	return time.ParseDuration(m.Pause)
}

// Inputs is none.
func (m *Make) Inputs() []stage.Input { return nil }

// Outputs is the words.
func (m *Make) Outputs() []stage.Output {
	return []stage.Output{{Name: "words", Type: Words, File: "words.txt", Schema: m.Count}}
}

// Shards is as many as the block says.
func (m *Make) Shards() int { return m.shards }

// Run writes the words of a shard.
func (m *Make) Run(ctx context.Context, ws *stage.Workspace) error {
	pause, err := m.parsed()
	if err != nil {
		return err
	}
	if err := await(ctx, m.Until); err != nil {
		return err
	}
	from, to := ws.Rows(m.Count)
	var b strings.Builder
	for i := from; i < to; i++ {
		if pause > 0 {
			select {
			case <-ctx.Done():
				return errors.Join(ctx.Err(), os.WriteFile(ws.Checkpoint("at"), []byte(fmt.Sprint(i)), 0o644))
			case <-time.After(pause):
			}
		}
		var key [32]byte
		binary.LittleEndian.PutUint64(key[:], m.Seed)
		binary.LittleEndian.PutUint64(key[8:], uint64(i))
		random := rand.New(rand.NewChaCha8(key))
		for range m.Recipe.Length {
			b.WriteByte(m.Recipe.Letters[random.IntN(len(m.Recipe.Letters))])
		}
		b.WriteByte('\n')
		ws.Progress(stage.Progress{Done: int64(i + 1 - from), Total: int64(to - from), Unit: "words"})
	}
	return os.WriteFile(ws.Output("words"), []byte(b.String()), 0o644)
}

// await waits for a file to be there; "" is always there.
func await(ctx context.Context, path string) error {
	for path != "" {
		if _, err := os.Stat(path); err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// Merge puts the shards one after the other.
func (m *Make) Merge(_ context.Context, ws *stage.Workspace) error {
	return concatenate(ws.Output("words"), ws.Parts("words"))
}

func concatenate(to string, from []string) error {
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	for _, path := range from {
		in, err := os.Open(path)
		if err != nil {
			return errors.Join(err, out.Close())
		}
		_, err = io.Copy(out, in)
		in.Close()
		if err != nil {
			return errors.Join(err, out.Close())
		}
	}
	return out.Close()
}

// Join makes a book of any number of words, sorted or not.
type Join struct {
	Title string   `json:"title"`
	Notes []string `json:"notes,omitempty"`
	parts []stage.Input
}

func decodeJoin(d *stage.Decoder) stage.Spec {
	options := struct {
		Title string         `hcl:"title,optional"`
		Words hcl.Expression `hcl:"words"`
		Notes []struct {
			Text string `hcl:"text"`
		} `hcl:"note,block"`
	}{Title: "untitled"}
	d.Decode(&options)
	j := &Join{Title: options.Title, parts: d.Artifacts("words", options.Words, Words)}
	for _, n := range options.Notes {
		j.Notes = append(j.Notes, n.Text)
	}
	return j
}

// Inputs is the words.
func (j *Join) Inputs() []stage.Input { return j.parts }

// Outputs is the book.
func (j *Join) Outputs() []stage.Output {
	return []stage.Output{{Name: "book", Type: Book, File: "book.txt"}}
}

// Check refuses words that are empty files.
func (j *Join) Check(available []stage.Available) (diags hcl.Diagnostics) {
	for _, a := range available {
		if info, err := os.Stat(a.Location); err == nil && info.Size() == 0 && a.Path != "" {
			diags = append(diags, a.Problem("Nothing in it", a.Path+" is empty."))
		}
	}
	return diags
}

// Run writes the book.
func (j *Join) Run(_ context.Context, ws *stage.Workspace) error {
	if err := concatenate(ws.Output("book"), ws.Inputs("words")); err != nil {
		return err
	}
	f, err := os.OpenFile(ws.Output("book"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, strings.Join(append([]string{j.Title}, j.Notes...), "\n"))
	return errors.Join(err, f.Close())
}

// Measure counts a book's lines and draws them.
type Measure struct {
	book stage.Input
}

func decodeMeasure(d *stage.Decoder) stage.Spec {
	var options struct {
		Book hcl.Expression `hcl:"book"`
	}
	d.Decode(&options)
	return &Measure{book: d.Artifact("book", options.Book, Book)}
}

// Inputs is the book.
func (m *Measure) Inputs() []stage.Input { return []stage.Input{m.book} }

// Outputs is metrics and a picture.
func (m *Measure) Outputs() []stage.Output {
	return []stage.Output{
		{Name: "metrics", Type: stage.Metrics, File: "metrics.json"},
		{Name: "picture", Type: stage.Figure, File: "picture.svg", Also: "picture.png", Caption: "A bar as long as the book."},
	}
}

// Run counts and draws.
func (m *Measure) Run(_ context.Context, ws *stage.Workspace) error {
	text, err := os.ReadFile(ws.Input("book"))
	if err != nil {
		return err
	}
	lines := strings.Count(string(text), "\n")
	svg := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 40"><rect width="%d" height="40"/></svg>`, lines)
	var bar bytes.Buffer
	if err := png.Encode(&bar, image.NewGray(image.Rect(0, 0, max(lines, 1), 40))); err != nil {
		return err
	}
	for i, path := range ws.Forms("picture") {
		if err := os.WriteFile(path, [][]byte{[]byte(svg), bar.Bytes()}[i], 0o644); err != nil {
			return err
		}
	}
	return stage.WriteMetrics(ws.Output("metrics"), []stage.Metric{
		{Name: "lines", Value: float64(lines), Sentence: "Lines in the book.", Headline: true},
		{Name: "bytes", Value: float64(len(text)), Unit: "B", Sentence: "Its size."},
	})
}

// Fail fails in a given way, as many times as told; it counts its tries in its checkpoint.
type Fail struct {
	How   string `json:"how"`
	Times int    `json:"times"`
}

func decodeFail(d *stage.Decoder) stage.Spec {
	f := &Fail{How: "error", Times: 1 << 30}
	options := struct {
		How   string         `hcl:"how,optional"`
		Times int            `hcl:"times,optional"`
		After hcl.Expression `hcl:"after,optional"`
	}{How: f.How, Times: f.Times}
	d.Decode(&options)
	f.How, f.Times = options.How, options.Times
	return f
}

// Inputs is none.
func (f *Fail) Inputs() []stage.Input { return nil }

// Outputs is words, should it succeed.
func (f *Fail) Outputs() []stage.Output {
	return []stage.Output{{Name: "words", Type: Words, File: "words.txt"}}
}

// Run fails, or writes a word when it has failed often enough.
func (f *Fail) Run(ctx context.Context, ws *stage.Workspace) error {
	tries, _ := os.ReadFile(ws.Checkpoint("tries")) // absent at first
	if len(tries) >= f.Times {
		return os.WriteFile(ws.Output("words"), []byte("finally\n"), 0o644)
	}
	if err := os.WriteFile(ws.Checkpoint("tries"), append(tries, '.'), 0o644); err != nil {
		return err
	}
	switch f.How {
	case "bad input":
		return stage.BadInput(errors.New("the data are no good"))
	case "crash":
		return syscall.Kill(os.Getpid(), syscall.SIGSEGV)
	case "kill":
		return syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "panic":
		panic("out of ideas")
	case "hang":
		<-ctx.Done()
		return ctx.Err()
	case "deaf": // to whoever asks it to stop
		ws.Progress(stage.Progress{Done: 1, Total: 2})
		time.Sleep(10 * time.Minute)
	case "memory":
		var hoard [][]byte
		for range 1 << 9 {
			block := make([]byte, 1<<20)
			for i := range block {
				block[i] = byte(i)
			}
			hoard = append(hoard, block)
			time.Sleep(time.Millisecond)
		}
		<-ctx.Done() // whoever watches memory may be slow to look
		return fmt.Errorf("%d MB were not too much", len(hoard))
	case "nothing written":
		return nil
	}
	ws.Log.Info("about to fail", "tries", len(tries)+1)
	return errors.New("no luck")
}

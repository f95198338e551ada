package figure

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Figure is a drawing, ready to be saved.
type Figure struct {
	title         string
	width, height vg.Length
	panels        [][]*plot.Plot // rows; nil is an empty place
	legend        legend
	bar           *colourBar
}

// one is a figure of one panel.
func one(title string, p *plot.Plot, l legend) *Figure {
	return &Figure{title: title, width: pageWidth, height: pageHeight, panels: [][]*plot.Plot{{p}}, legend: l}
}

// Save writes the figure to each path in the format that its extension names: .png
// or .svg. A file appears whole or not at all, and none does if one of the formats is
// refused.
func (f *Figure) Save(paths ...string) error {
	files := make([]bytes.Buffer, len(paths))
	for i, path := range paths {
		if err := f.Write(&files[i], strings.TrimPrefix(filepath.Ext(path), ".")); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	for i, path := range paths {
		if err := install(path, files[i].Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// install makes a file of the content under a temporary name, and then gives it its own.
func install(path string, content []byte) error {
	t, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(t.Name()) // fails once the file has its name
	_, err = t.Write(content)
	for _, step := range []func() error{func() error { return t.Chmod(0o644) }, t.Sync, t.Close} {
		if e := step(); err == nil {
			err = e
		}
	}
	if err != nil {
		return err
	}
	return os.Rename(t.Name(), path)
}

// Write writes the figure as "png" or "svg". Where labels leave a panel no room the
// figure grows until there is some.
func (f *Figure) Write(w io.Writer, format string) error {
	for range 12 {
		content, err := f.render(strings.ToLower(format))
		if errors.As(err, new(noRoom)) {
			f.width, f.height = 1.25*f.width, 1.25*f.height
			continue
		}
		if err == nil {
			_, err = w.Write(content)
		}
		return err
	}
	return fmt.Errorf("figure: %q has labels that leave no room for its panels", f.title)
}

// render draws the figure in its present size.
func (f *Figure) render(format string) ([]byte, error) {
	var b bytes.Buffer
	switch format {
	case "png":
		c := vgimg.NewWith(vgimg.UseWH(f.width, f.height), vgimg.UseDPI(dotsPerIn))
		if err := f.draw(draw.New(c)); err != nil {
			return nil, err
		}
		_, err := (vgimg.PngCanvas{Canvas: c}).WriteTo(&b)
		return sized(b.Bytes()), err
	case "svg":
		c := vgsvg.New(f.width, f.height)
		if err := f.draw(draw.New(c)); err != nil {
			return nil, err
		}
		_, err := c.WriteTo(&b)
		return portable(b.Bytes()), err
	}
	return nil, fmt.Errorf("figures are written as .png or .svg, not %q", format)
}

// noRoom is a panel without a positive width and height.
type noRoom struct{ row, column int }

func (e noRoom) Error() string {
	return fmt.Sprintf("figure: no room for the panel in row %d, column %d", e.row+1, e.column+1)
}

// sized puts the resolution into a PNG, as pixels per metre in a pHYs chunk behind the
// header, so that it is printed in the size it was drawn for.
func sized(png []byte) []byte {
	const header = 8 + 4 + 4 + 13 + 4 // signature; length, type, data and CRC of IHDR
	perMetre := uint32(math.Round(dotsPerIn / 0.0254))
	chunk := binary.BigEndian.AppendUint32([]byte("pHYs"), perMetre)
	chunk = append(binary.BigEndian.AppendUint32(chunk, perMetre), 1)
	out := append(bytes.Clone(png[:header]), 0, 0, 0, 9)
	out = append(out, chunk...)
	out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(chunk))
	return append(out, png[header:]...)
}

// portable mends gonum's SVG: it names one font only; it calls the PNG of a raster
// image a JPEG, which librsvg and others then do not show; and it does not say that the
// image fills its rectangle, so that viewers keep its proportions and put the data in
// the wrong place.
func portable(svg []byte) []byte {
	for _, r := range [][2]string{
		{"font-family:Liberation Sans;", "font-family:'Liberation Sans',Arial,Helvetica,sans-serif;"},
		{"data:image/jpg;base64,iVBOR", "data:image/png;base64,iVBOR"},
		{"<image ", `<image preserveAspectRatio="none" `},
	} {
		svg = bytes.ReplaceAll(svg, []byte(r[0]), []byte(r[1]))
	}
	return svg
}

// labelRoom is the part of its tile that a label may take: less than the axes do, for
// gonum makes these shorter, each panel's by its own measure, to have a label fit.
const labelRoom = 0.55

// draw lays out, from the top down: title, legend, panels; the colour bar stands
// at the right. It returns noRoom for a panel without: gonum would draw it at
// coordinates that are not numbers, and its rasteriser never come to an end.
func (f *Figure) draw(c draw.Canvas) error {
	c.SetColor(paper)
	c.Fill(c.Rectangle.Path())
	c = draw.Crop(c, 6, -6, 6, -6)
	if f.title != "" {
		style := sans(titleSize)
		style.XAlign, style.YAlign = text.XCenter, text.YTop
		c.FillText(style, vg.Point{X: c.Center().X, Y: c.Max.Y}, f.title)
		c.Max.Y -= style.Height(f.title) + 5
	}
	c.Max.Y -= f.legend.draw(c)
	if f.bar != nil {
		bar := c
		bar.Min.X = c.Max.X - f.bar.width()
		c.Max.X = bar.Min.X - 8
		defer func(data *draw.Canvas) { f.bar.draw(bar, data.Min.Y, data.Max.Y) }(&c)
	}
	tiles := draw.Tiles{Rows: len(f.panels), Cols: len(f.panels[0]), PadX: 10, PadY: 10, PadRight: 8, PadTop: 4}
	for _, row := range f.panels {
		for _, p := range row {
			if p != nil {
				width, height := c.Size().X/vg.Length(tiles.Cols), c.Size().Y/vg.Length(tiles.Rows)
				fitTicks(p, width, height)
				fitLabel(&p.X, labelRoom*width)
				fitLabel(&p.Y, labelRoom*height)
			}
		}
	}
	labels, show := f.hideLogLabels()
	defer show()
	for i, row := range f.layout(tiles, c) {
		for j, canvas := range row {
			if p := f.panels[i][j]; p != nil {
				data := p.DataCanvas(canvas)
				if size := data.Size(); !(size.X > 0 && size.Y > 0) {
					return noRoom{i, j}
				}
				p.Draw(canvas)
				for _, l := range labels[p] {
					l.draw(canvas, data, p)
				}
				c.Min.Y, c.Max.Y = data.Min.Y, data.Max.Y // the bar is as high as the last panel
			}
		}
	}
	return nil
}

// layout gives the axes of a column of panels one left and one right end, and those of a
// row one lower and one upper. gonum aligns what labels took before it moved them.
func (f *Figure) layout(tiles draw.Tiles, c draw.Canvas) [][]draw.Canvas {
	canvases := plot.Align(f.panels, tiles, c)
	for range 4 { // the room of labels changes a little as canvases do
		columns, rows := map[int]vg.Rectangle{}, map[int]vg.Rectangle{}
		each := func(do func(i, j int, data vg.Rectangle)) {
			for i, row := range f.panels {
				for j, p := range row {
					if p != nil {
						do(i, j, p.DataCanvas(canvases[i][j]).Rectangle)
					}
				}
			}
		}
		each(func(i, j int, data vg.Rectangle) {
			columns[j], rows[i] = common(columns, j, data), common(rows, i, data)
		})
		each(func(i, j int, data vg.Rectangle) {
			c := &canvases[i][j].Rectangle
			c.Min.X += columns[j].Min.X - data.Min.X
			c.Max.X += columns[j].Max.X - data.Max.X
			c.Min.Y += rows[i].Min.Y - data.Min.Y
			c.Max.Y += rows[i].Max.Y - data.Max.Y
		})
	}
	return canvases
}

// common is what the rectangle of a key and another share.
func common(of map[int]vg.Rectangle, key int, r vg.Rectangle) vg.Rectangle {
	have, ok := of[key]
	if !ok {
		return r
	}
	return vg.Rectangle{
		Min: vg.Point{X: max(have.Min.X, r.Min.X), Y: max(have.Min.Y, r.Min.Y)},
		Max: vg.Point{X: min(have.Max.X, r.Max.X), Y: min(have.Max.Y, r.Max.Y)},
	}
}

// finite refuses values that are not numbers, naming them.
func finite(name string, values []float64) error {
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("figure: %s: value number %d is %v", name, i+1, v)
		}
	}
	return nil
}

// alike refuses lists of different lengths.
func alike(name string, lists ...[]float64) error {
	for _, l := range lists[1:] {
		if len(l) != len(lists[0]) {
			return fmt.Errorf("figure: %s: lists of %d and %d values", name, len(lists[0]), len(l))
		}
	}
	return nil
}

// checked is the first of the errors, or nil.
func checked(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// label writes a tick's value with the digits its step needs.
func label(v, step float64) string {
	if math.Abs(v) < step/2 {
		return "0"
	}
	if a := math.Abs(v); a >= 1e6 || a < 1e-4 {
		return strings.Replace(strconv.FormatFloat(v, 'g', 4, 64), "e-0", "e-", 1)
	}
	digits := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	return strconv.FormatFloat(v, 'f', digits, 64)
}

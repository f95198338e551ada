package stages

import (
	"oceaninv/io/figure"
	"oceaninv/workflow/stage"
)

// lineFigure declares a figure of lines and text, as SVG and PNG. A report shows the SVG, which stays sharp.
func lineFigure(name, caption string) stage.Output {
	return stage.Output{Name: name, Type: stage.Figure, File: name + ".svg", Also: name + ".png", Caption: caption}
}

// rasterFigure declares a figure of an image, as PNG and SVG. A report shows the PNG, which is as sharp as its data.
func rasterFigure(name, caption string) stage.Output {
	return stage.Output{Name: name, Type: stage.Figure, File: name + ".png", Also: name + ".svg", Caption: caption}
}

type drawable interface {
	Draw() (*figure.Figure, error)
}

// save draws a figure once and writes the output of that name in all its formats.
func save(ws *stage.Workspace, name string, d drawable) error {
	f, err := d.Draw()
	if err != nil {
		return err
	}
	return f.Save(ws.Forms(name)...)
}

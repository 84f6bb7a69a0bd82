// SPDX-License-Identifier: Apache-2.0

// Chart draws curves: it reads what to draw from standard input, as JSON, and writes a picture
// (SVG) to standard output. The same input gives the same bytes.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"image/color"
	"io"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// picture is what to draw.
type picture struct {
	Title, X, Y string
	// Log: both axes are logarithmic. Else they begin at zero.
	Log    bool
	Curves []struct {
		Name   string
		Points [][2]float64
	}
}

const (
	width, height = 16 * vg.Centimeter, 10 * vg.Centimeter
	margin        = 3 * vg.Millimeter
)

// colours that differ for those, too, who see few.
var colours = []color.RGBA{
	{R: 213, G: 94, A: 255}, {R: 230, G: 159, A: 255}, {G: 114, B: 178, A: 255},
	{G: 158, B: 115, A: 255}, {R: 86, G: 180, B: 233, A: 255}, {R: 120, G: 120, B: 120, A: 255},
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "chart:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	var what picture
	d := json.NewDecoder(in)
	d.DisallowUnknownFields()
	if err := d.Decode(&what); err != nil {
		return err
	}
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = what.Title, what.X, what.Y
	p.BackgroundColor = color.White
	p.Legend.Left, p.Legend.Top = true, true
	if what.Log {
		p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
		p.X.Tick.Marker, p.Y.Tick.Marker = plot.LogTicks{Prec: -1}, plot.LogTicks{Prec: -1}
	} else {
		p.X.Min, p.Y.Min = 0, 0
	}
	p.Add(plotter.NewGrid())
	for i, c := range what.Curves {
		if err := add(p, c.Name, c.Points, i, !what.Log); err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
	}
	c := vgsvg.New(width, height)
	// Without a margin the last number of an axis is cut.
	p.Draw(draw.Crop(draw.New(c), margin, -2*margin, margin, -margin))
	_, err := c.WriteTo(out)
	return err
}

// add draws one curve, with its points unless there are many.
func add(p *plot.Plot, name string, points [][2]float64, i int, many bool) error {
	if len(points) == 0 {
		return errors.New("it has no points")
	}
	xys := make(plotter.XYs, len(points))
	for i, point := range points {
		xys[i].X, xys[i].Y = point[0], point[1]
	}
	line, dots, err := plotter.NewLinePoints(xys)
	if err != nil {
		return err
	}
	line.Width = vg.Points(1.5)
	line.Color = colours[i%len(colours)]
	dots.Color, dots.Shape, dots.Radius = line.Color, draw.CircleGlyph{}, vg.Points(2.5)
	p.Add(line)
	if !many {
		p.Add(dots)
	}
	p.Legend.Add(name, line)
	return nil
}

// SPDX-License-Identifier: Apache-2.0

package panels

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"slices"
)

// mostBytes is what a picture in the docs may have.
const mostBytes = 150 << 10

// crop writes a part of a picture, in the 256 colours that most of its points have.
func crop(picture []byte, part image.Rectangle, file string) error {
	whole, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return err
	}
	part = part.Intersect(whole.Bounds())
	points := map[color.RGBA]int{}
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(whole.At(x, y)).(color.RGBA) }
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			points[at(x, y)]++
		}
	}
	colours := slices.SortedFunc(maps.Keys(points), func(a, b color.RGBA) int { return points[b] - points[a] })
	var palette color.Palette
	for _, c := range colours[:min(len(colours), 256)] {
		palette = append(palette, c)
	}
	nearest := map[color.RGBA]uint8{}
	for _, c := range colours {
		nearest[c] = uint8(palette.Index(c))
	}
	out := image.NewPaletted(image.Rect(0, 0, part.Dx(), part.Dy()), palette)
	for y := range part.Dy() {
		for x := range part.Dx() {
			out.SetColorIndex(x, y, nearest[at(part.Min.X+x, part.Min.Y+y)])
		}
	}
	var b bytes.Buffer
	e := png.Encoder{CompressionLevel: png.BestCompression}
	if err := e.Encode(&b, out); err != nil {
		return err
	}
	if b.Len() > mostBytes {
		return fmt.Errorf("%s would have %d bytes, and may have %d", file, b.Len(), mostBytes)
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}

// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kingpin/v2"
	"golang.org/x/term"
)

// drawing is the flag of commands whose text has more than ASCII.
type drawing struct{ onlyASCII bool }

func (d *drawing) flags(c *kingpin.CmdClause, verb string) {
	c.Flag("ascii", verb+" ASCII only; the default unless the locale is UTF-8.").BoolVar(&d.onlyASCII)
}

// ascii reports whether the text is to be ASCII.
func (d *drawing) ascii() bool { return d.onlyASCII || !utf8Locale() }

// terminalWidth is 0 if standard output is no terminal.
func terminalWidth() int {
	width, _, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// utf8Locale follows the order of setlocale(3).
func utf8Locale() bool {
	v := cmp.Or(os.Getenv("LC_ALL"), os.Getenv("LC_CTYPE"), os.Getenv("LANG"))
	v = strings.ToLower(v)
	return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
}

// buffered keeps the write of a large result from being many.
func buffered(w io.Writer, write func(io.Writer) error) error {
	b := bufio.NewWriterSize(w, 64<<10)
	if err := write(b); err != nil {
		return err
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}

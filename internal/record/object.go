// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// reader reads one value: JSON text that is valid, without space around it.
type reader func(value string) error

// member is one member of an object that is known.
type member struct {
	name     string
	required bool
	read     reader
	// element is the reader of the elements of an array that is too large to be held as
	// text, and there reports whether the file has it.
	element reader
	there   *bool
}

func required(name string, r reader) member { return member{name: name, required: true, read: r} }
func optional(name string, r reader) member { return member{name: name, read: r} }

func array(name string, there *bool, element reader) member {
	return member{name: name, element: element, there: there}
}

// seen notes which members of an object were there, one bit for each. Unlike
// package json it takes names as they are written, each once.
type seen uint64

// note returns the index of a name in members, or -1 if it is not known.
func (s *seen) note(members []member, name string) (int, error) {
	for i := range members {
		if members[i].name != name {
			continue
		}
		if *s&(1<<i) != 0 {
			return 0, within(name, errors.New("stands there twice"))
		}
		*s |= 1 << i
		return i, nil
	}
	return -1, nil
}

func (s *seen) missing(members []member) error {
	for i, m := range members {
		if m.required && *s&(1<<i) == 0 {
			return within(m.name, errors.New("missing"))
		}
	}
	return nil
}

// stream reads an object member by member.
func stream(dec *json.Decoder, members ...member) error {
	if err := delimiter(dec, '{'); err != nil {
		return err
	}
	var s seen
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return err
		}
		name, ok := token.(string)
		if !ok {
			return errors.New("a member without a name")
		}
		i, err := s.note(members, name)
		switch {
		case err != nil:
		case i >= 0 && members[i].element != nil:
			*members[i].there = true
			err = within(name, streamList(dec, members[i].element))
		default:
			var raw json.RawMessage
			if err = dec.Decode(&raw); err == nil && i >= 0 {
				err = members[i].read(string(raw))
			}
			err = within(name, err)
		}
		if err != nil {
			return err
		}
	}
	if err := delimiter(dec, '}'); err != nil {
		return err
	}
	return s.missing(members)
}

func streamList(dec *json.Decoder, element reader) error {
	if err := delimiter(dec, '['); err != nil {
		return err
	}
	for i := 0; dec.More(); i++ {
		var raw json.RawMessage
		err := dec.Decode(&raw)
		if err == nil {
			err = element(string(raw))
		}
		if err != nil {
			return within(fmt.Sprintf("[%d]", i), err)
		}
	}
	return delimiter(dec, ']')
}

func delimiter(dec *json.Decoder, want json.Delim) error {
	token, err := dec.Token()
	if err != nil {
		return err
	}
	if token != want {
		return fmt.Errorf("want %s, not %.40q", want, fmt.Sprint(token))
	}
	return nil
}

// object reads an object.
func object(value string, members ...member) error {
	if value[0] != '{' {
		return fmt.Errorf("want {, not %.40q", value)
	}
	var s seen
	for c := (cursor{value, 1}); c.more(); {
		name, err := unquote(c.next())
		if err != nil {
			return err
		}
		value := c.next()
		i, err := s.note(members, name)
		if err == nil && i >= 0 {
			err = within(name, members[i].read(value))
		}
		if err != nil {
			return err
		}
	}
	return s.missing(members)
}

// objectOf reads an object, and objectOrNull one or nothing at all.
func objectOf(members ...member) reader {
	return func(value string) error { return object(value, members...) }
}

func objectOrNull(members ...member) reader { return orNull(objectOf(members...)) }

// list reads an array with a reader of its elements.
func list(element reader) reader {
	return func(value string) error {
		if value[0] != '[' {
			return fmt.Errorf("want [, not %.40q", value)
		}
		c := cursor{value, 1}
		for i := 0; c.more(); i++ {
			if err := element(c.next()); err != nil {
				return within(fmt.Sprintf("[%d]", i), err)
			}
		}
		return nil
	}
}

// cursor walks over the values of one array or object, names and values by turns.
// The text was found valid before: what stands between values are one comma or
// colon and space.
type cursor struct {
	text string
	at   int
}

const between = " \t\r\n,:"

// more goes to the next value, if there is one.
func (c *cursor) more() bool {
	c.skip()
	return c.at < len(c.text) && c.text[c.at] != ']' && c.text[c.at] != '}'
}

func (c *cursor) skip() {
	for c.at < len(c.text) && strings.IndexByte(between, c.text[c.at]) >= 0 {
		c.at++
	}
}

// next returns the next value and goes behind it.
func (c *cursor) next() string {
	c.skip()
	from, depth := c.at, 0
	for c.at < len(c.text) {
		switch b := c.text[c.at]; {
		case b == '"':
			c.at = endOfText(c.text, c.at)
		case b == '{' || b == '[':
			depth++
			c.at++
			continue
		case b == '}' || b == ']':
			depth--
			c.at++
		case depth > 0:
			c.at++
			continue
		default: // a number or a word
			for c.at < len(c.text) && strings.IndexByte(between+"]}", c.text[c.at]) < 0 {
				c.at++
			}
		}
		if depth == 0 {
			break
		}
	}
	return c.text[from:c.at]
}

// endOfText returns the place behind the quote that ends the text that begins at from.
func endOfText(s string, from int) int {
	for i := from + 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s)
}

// within puts the place in front of an error: "processes[3].pid: ...".
func within(place string, err error) error {
	if err == nil {
		return nil
	}
	var p *placeError
	if !errors.As(err, &p) {
		return &placeError{place, err}
	}
	dot := "."
	if strings.HasPrefix(p.place, "[") {
		dot = ""
	}
	return &placeError{fmt.Sprintf("%.40s%s%s", place, dot, p.place), p.err}
}

// placeError is an error with where it was found.
type placeError struct {
	place string
	err   error
}

func (e *placeError) Error() string { return e.place + ": " + e.err.Error() }
func (e *placeError) Unwrap() error { return e.err }

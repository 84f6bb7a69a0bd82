// SPDX-License-Identifier: Apache-2.0

package recorded

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/untrusted"
)

// decoder reads JSON into the structs that it is written from, more strictly than
// package json: a member stands there, once, under exactly its name, and null only for a
// pointer or a domain's ID. The rest is in a struct's tags:
//
//	read:"no"        the member follows from others: it is not read
//	read:"optional"  it may be missing
//	min:"1" max:"9"  bounds of a number, or of text in bytes (else maxName)
type decoder struct {
	*jsontext.Decoder
	plans map[reflect.Type]*plan
}

// checked is an object of which more must hold than of each of its members.
type checked interface{ check() error }

// plan is how an object is read.
type plan struct {
	members []member
	index   map[string]int
	checked bool
}

type member struct {
	name     string
	at       []int // in its struct
	optional bool
	quoted   bool // a number that is written as text
	plain    bool // package json needs no method of what it is, or of its elements
	// least and most bound a number, or the length of text in bytes.
	least, most int64
}

func (p *plan) add(m member) {
	p.index[m.name] = len(p.members)
	p.members = append(p.members, m)
}

func (d *decoder) planOf(t reflect.Type) *plan {
	if p := d.plans[t]; p != nil {
		return p
	}
	p := &plan{index: map[string]int{}, checked: has[checked](t)}
	d.plans[t] = p
	if t == reflect.TypeFor[rightsJSON]() {
		for c := range access.NumClasses {
			p.add(member{name: c.String(), at: []int{int(c)}, most: math.MaxInt64})
		}
		return p
	}
	for _, f := range reflect.VisibleFields(t) {
		name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
		read := f.Tag.Get("read")
		if name == "" || read == "no" {
			continue
		}
		m := member{
			name: name, at: f.Index, optional: read == "optional", quoted: option == "string",
			plain: isPlain(f.Type), least: math.MinInt64, most: math.MaxInt64,
		}
		if f.Type == reflect.TypeFor[untrusted.Text]() || f.Type == reflect.TypeFor[*untrusted.Text]() {
			m.most = maxName
		}
		for tag, bound := range map[string]*int64{"min": &m.least, "max": &m.most} {
			if n, err := strconv.ParseInt(f.Tag.Get(tag), 10, 64); err == nil {
				*bound = n
			}
		}
		p.add(m)
	}
	return p
}

// isPlain reports whether values of a type, or those that it points to or is a list of, have no
// methods that read them.
func isPlain(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return !has[encoding.TextUnmarshaler](t) && !has[json.Unmarshaler](t)
}

// has reports whether a pointer to a type has the methods of an interface.
func has[Methods any](t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[Methods]())
}

// find returns the place of the member with a name, as it stands in the text. Mostly it is the
// next one.
func (p *plan) find(name jsontext.Value, next int) (place int, known bool) {
	plain := name[1 : len(name)-1]
	if next < len(p.members) && p.members[next].name == string(plain) {
		return next, true
	}
	if bytes.IndexByte(plain, '\\') >= 0 {
		plain, _ = jsontext.AppendUnquote(nil, name) // the decoder has seen that it can be
	}
	place, known = p.index[string(plain)]
	return place, known
}

// value reads the next value.
func (d *decoder) value(to reflect.Value, m *member) error {
	if to.Type() == reflect.TypeFor[elements]() {
		e := to.Addr().Interface().(*elements)
		e.there = true
		return d.list(e.read)
	}
	switch to.Kind() {
	case reflect.Pointer:
		if d.PeekKind() == 'n' {
			return d.SkipValue()
		}
		to.Set(reflect.New(to.Type().Elem()))
		return d.value(to.Elem(), m)
	case reflect.Struct, reflect.Array:
		return d.object(to)
	case reflect.Slice:
		return d.list(func() error {
			if to.Len() == maxTasks {
				return errors.New("too many elements")
			}
			to.Grow(1)
			to.SetLen(to.Len() + 1)
			return d.value(to.Index(to.Len()-1), m)
		})
	default:
		return d.scalar(to, m)
	}
}

func (d *decoder) object(to reflect.Value) error {
	if err := d.open('{'); err != nil {
		return err
	}
	p := d.planOf(to.Type())
	var seen uint64
	next := 0
	for d.PeekKind() != '}' {
		name, err := d.ReadValue()
		if err != nil {
			return err
		}
		i, known := p.find(name, next)
		if !known {
			if err := d.SkipValue(); err != nil {
				return err
			}
			continue
		}
		next = i + 1
		m := &p.members[i]
		if seen>>i&1 != 0 {
			return within(m.name, errors.New("stands there twice"))
		}
		seen |= 1 << i
		if to.Kind() == reflect.Array {
			err = d.value(to.Index(m.at[0]), m)
		} else {
			err = d.value(to.FieldByIndex(m.at), m)
		}
		if err != nil {
			return within(m.name, err)
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for i, m := range p.members {
		if !m.optional && seen>>i&1 == 0 {
			return within(m.name, errors.New("missing"))
		}
	}
	if p.checked {
		return to.Addr().Interface().(checked).check()
	}
	return nil
}

// elements is an array that is too large to be held: read takes the next element.
type elements struct {
	read  func() error
	there bool
}

// each reads an array one element after the other.
func each[T any](d *decoder, take func(*T) error) elements {
	var element T // one for all: take keeps nothing of it but what it points to
	return elements{read: func() error {
		element = *new(T)
		if err := d.value(reflect.ValueOf(&element).Elem(), nil); err != nil {
			return err
		}
		return take(&element)
	}}
}

func (d *decoder) list(element func() error) error {
	if err := d.open('['); err != nil {
		return err
	}
	for i := 0; d.PeekKind() != ']'; i++ {
		if err := element(); err != nil {
			return within(fmt.Sprintf("[%d]", i), err)
		}
	}
	_, err := d.ReadToken()
	return err
}

func (d *decoder) open(want jsontext.Kind) error {
	token, err := d.ReadToken()
	if err == nil && token.Kind() != want {
		err = fmt.Errorf("want %c, not %.40q", want, token.String())
	}
	return err
}

// scalar reads a value that has no others in it.
func (d *decoder) scalar(to reflect.Value, m *member) error {
	kind := d.PeekKind()
	text, err := d.ReadValue()
	if err != nil {
		return err
	}
	if !m.quick(to, text) {
		value := to.Addr().Interface()
		err := json.Unmarshal(text, value, json.StringifyNumbers(m.quoted))
		var semantic *json.SemanticError
		_, isID := value.(*domainid.ID)
		switch {
		case kind == 'n' && !isID, errors.As(err, &semantic) && semantic.Err == nil:
			return fmt.Errorf("a %s where none may stand", kind)
		case err != nil:
			return err
		}
	}
	n := int64(0)
	switch {
	case to.Kind() == reflect.String:
		n = int64(to.Len())
	case to.CanInt():
		n = to.Int()
	case to.CanUint():
		n = int64(min(to.Uint(), math.MaxInt64))
	}
	switch {
	case n < m.least:
		return fmt.Errorf("%d, but %d is the least", n, m.least)
	case n > m.most && to.Kind() == reflect.String:
		return fmt.Errorf("text of %d bytes, but %d are the most", n, m.most)
	case n > m.most:
		return fmt.Errorf("%d, but %d is the most", n, m.most)
	}
	return nil
}

// quick sets a value as package json does, and reports whether it did: what is written in another
// way than ours, and what is wrong, is left to that.
func (m *member) quick(to reflect.Value, text jsontext.Value) bool {
	inner, quoted := []byte(text), text[0] == '"'
	if quoted {
		inner = text[1 : len(text)-1]
	}
	escaped := bytes.IndexByte(inner, '\\') >= 0
	if !m.plain {
		switch u := to.Addr().Interface().(type) {
		case json.Unmarshaler:
			return u.UnmarshalJSON(text) == nil
		case encoding.TextUnmarshaler:
			return quoted && !escaped && u.UnmarshalText(inner) == nil
		}
		return false
	}
	switch {
	case to.Kind() == reflect.String && quoted && !escaped:
		to.SetString(string(inner))
		return true
	case to.Kind() == reflect.Bool && (text[0] == 't' || text[0] == 'f'):
		to.SetBool(text[0] == 't')
		return true
	}
	n, ok := digits(inner)
	switch {
	case !ok || quoted != m.quoted:
	case to.CanUint() && !to.OverflowUint(n):
		to.SetUint(n)
		return true
	case to.CanInt() && !to.OverflowInt(int64(n)):
		to.SetInt(int64(n))
		return true
	}
	return false
}

// digits returns a number of which nothing but its digits stands in the text.
func digits(text []byte) (n uint64, ok bool) {
	const most = 18 // of them are below 2^63
	if len(text) == 0 || len(text) > most || text[0] == '0' && len(text) > 1 {
		return 0, false
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return n, true
}

// placeError is an error with where it was found.
type placeError struct {
	place string
	err   error
}

func (e *placeError) Error() string { return e.place + ": " + e.err.Error() }
func (e *placeError) Unwrap() error { return e.err }

// within puts the place in front of an error: "processes[3].pid: ...".
func within(place string, err error) error {
	var p *placeError
	var syntax *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.As(err, &p):
		return &placeError{strings.ReplaceAll(place+"."+p.place, ".[", "["), p.err}
	case errors.As(err, &syntax): // it has its place in it, with any names
		err = syntax.Err
	case errors.As(err, &semantic):
		err = semantic.Err
	}
	return &placeError{place, err}
}

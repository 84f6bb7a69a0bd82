// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"bytes"
	"time"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/denials"
)

// parser parses records. Nothing that it returns lives in the record's memory, and
// nothing is allocated. A record is hostile in all its texts; one that makes no
// sense at all is passed over.
type parser struct {
	names   denials.Names
	decoded [maxRecord / 2]byte
}

func newParser() *parser { return &parser{names: denials.NewNames()} }

// stamp names an event: all records of one system call have the same.
type stamp struct {
	serial uint64
	time   time.Time
}

// parseStamp cuts "audit(1795322249.177:2): " off a record.
func parseStamp(b []byte) (s stamp, rest []byte, ok bool) {
	b, ok = bytes.CutPrefix(b, []byte("audit("))
	if !ok {
		return s, nil, false
	}
	head, rest, ok := bytes.Cut(b, []byte("):"))
	if !ok {
		return s, nil, false
	}
	when, serial, ok := bytes.Cut(head, []byte(":"))
	if !ok {
		return s, nil, false
	}
	seconds, milli, ok := bytes.Cut(when, []byte("."))
	if !ok {
		return s, nil, false
	}
	sec, ok1 := number(seconds, 10)
	ms, ok2 := number(milli, 10)
	n, ok3 := number(serial, 10)
	if !ok1 || !ok2 || !ok3 || sec >= 1<<40 || ms >= 1000 {
		return s, nil, false
	}
	return stamp{n, time.Unix(int64(sec), int64(ms)*1e6)}, rest, true
}

// access parses what follows the stamp of a record of type 1423 into e, which the
// caller has cleared:
//
//	domain=1e67bda0b blockers=fs.read_file path="/etc/passwd" dev="vda" ino=817
func (p *parser) access(b []byte, e *denials.Event) bool {
	for len(b) > 0 {
		var key, value []byte
		var quoted bool
		key, value, quoted, b = cutField(b)
		n, isNumber := number(value, 10)
		switch string(key) {
		case "domain":
			id, ok := number(value, 16)
			if !ok || id == 0 || len(value) > 16 {
				return false
			}
			e.Domain = domainid.ID(id)
		case "blockers":
			p.blockers(value, &e.Blockers)
		case "path", "name":
			p.path(value, quoted, &e.Object)
		case "opid":
			e.Object.Kind = denials.Task
			e.Object.PID = pid(n, isNumber)
		case "ocomm":
			e.Object.Kind = denials.Task
			e.Object.Text.Set(p.text(value, quoted))
		case "lport", "fport", "src", "dest":
			if isNumber && n <= 0xffff && n != 0 {
				e.Object.Kind, e.Object.Port = denials.Port, uint16(n)
			}
		}
	}
	return e.Domain != 0 && e.Blockers != denials.Blockers{}
}

func (p *parser) blockers(list []byte, to *denials.Blockers) {
	for len(list) > 0 {
		var name []byte
		name, list, _ = bytes.Cut(list, []byte(","))
		to.Add(p.names.Lookup(name))
	}
}

// path sets the object to a file or, if the text begins with a NUL as only the
// name of an abstract Unix socket does, to a socket. One with a path looks like a
// file here.
func (p *parser) path(value []byte, quoted bool, o *denials.Object) {
	text := p.text(value, quoted)
	o.Kind = denials.File
	if len(text) > 0 && text[0] == 0 {
		text[0] = '@' // it is decoded, and so in the parser's own memory
		o.Kind = denials.Socket
	}
	o.Text.Set(text)
}

func (p *parser) text(value []byte, quoted bool) []byte {
	if quoted {
		return value
	}
	return decode(value, p.decoded[:])
}

// creator is what a record of type 1424 gives of who made a domain.
type creator struct {
	domain    domainid.ID
	pid       int32
	comm, exe denials.Text
}

// domain parses what follows the stamp of a record of type 1424, of a domain that
// is reported for the first time:
//
//	domain=1e67bda0b status=allocated mode=enforcing pid=14665 uid=0 exe="/usr/bin/app" comm="app"
func (p *parser) domain(b []byte, c *creator) bool {
	allocated := false
	for len(b) > 0 {
		var key, value []byte
		var quoted bool
		key, value, quoted, b = cutField(b)
		n, isNumber := number(value, 10)
		switch string(key) {
		case "domain":
			if id, ok := number(value, 16); ok && len(value) <= 16 {
				c.domain = domainid.ID(id)
			}
		case "status":
			allocated = string(value) == "allocated"
		case "pid":
			c.pid = pid(n, isNumber)
		case "exe":
			c.exe.Set(p.text(value, quoted))
		case "comm":
			c.comm.Set(p.text(value, quoted))
		}
	}
	return allocated && c.domain != 0
}

// syscall parses what follows the stamp of a record of type 1300, which comes after
// the denials of a system call, as far as it is about who made the call.
func (p *parser) syscall(b []byte, e *denials.Event) bool {
	for len(b) > 0 {
		var key, value []byte
		var quoted bool
		key, value, quoted, b = cutField(b)
		n, isNumber := number(value, 10)
		switch string(key) {
		case "pid": // of the process, not of the task
			e.PID = pid(n, isNumber)
		case "comm":
			e.Comm.Set(p.text(value, quoted))
		case "exe":
			e.Exe.Set(p.text(value, quoted))
		}
	}
	return e.PID != 0
}

// config parses what follows the stamp of a record of type 1305, and reports whether
// audit was switched, and on or off.
func config(b []byte) (on, told bool) {
	for len(b) > 0 {
		var key, value []byte
		key, value, _, b = cutField(b)
		if string(key) == "audit_enabled" {
			return string(value) != "0", true
		}
	}
	return false, false
}

func pid(n uint64, ok bool) int32 {
	if !ok || n > 1<<30 {
		return 0
	}
	return int32(n)
}

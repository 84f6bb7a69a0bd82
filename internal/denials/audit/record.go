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
	b, begins := bytes.CutPrefix(b, []byte("audit("))
	head, rest, ends := bytes.Cut(b, []byte("):"))
	when, serial, _ := bytes.Cut(head, []byte(":"))
	seconds, milli, _ := bytes.Cut(when, []byte("."))
	sec, ok1 := number(seconds, 10)
	ms, ok2 := number(milli, 10)
	n, ok3 := number(serial, 10)
	if !begins || !ends || !ok1 || !ok2 || !ok3 || sec >= 1<<40 || ms >= 1000 {
		return s, nil, false
	}
	return stamp{n, time.Unix(int64(sec), int64(ms)*1e6)}, rest, true
}

// access parses what follows the stamp of a record of type 1423 into e, which the
// caller has cleared:
//
//	domain=1e67bda0b blockers=fs.read_file path="/etc/passwd" dev="vda" ino=817
func (p *parser) access(b []byte, e *denials.Event) bool {
	for f := range fields(b) {
		switch string(f.key) {
		case "domain":
			if e.Domain = f.domain(); e.Domain == domainid.None {
				return false
			}
		case "blockers":
			p.blockers(f.value, &e.Blockers)
		case "path", "name":
			p.path(f, &e.Object)
		case "opid":
			e.Object.Kind = denials.Task
			e.Object.PID = f.pid()
		case "ocomm":
			e.Object.Kind = denials.Task
			e.Object.Text.Set(f.text(p.decoded[:]))
		case "lport", "fport", "src", "dest":
			if n, ok := f.number(10); ok && n <= 0xffff && n != 0 {
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
func (p *parser) path(f field, o *denials.Object) {
	text := f.text(p.decoded[:])
	o.Kind = denials.File
	if len(text) > 0 && text[0] == 0 {
		text[0] = '@' // it is decoded, and so in the parser's own memory
		o.Kind = denials.Socket
	}
	o.Text.Set(text)
}

// creator is what a record of type 1424 gives of who made a domain.
type creator struct {
	domain    domainid.ID
	comm, exe denials.Text
}

// domain parses what follows the stamp of a record of type 1424, of a domain that
// is reported for the first time:
//
//	domain=1e67bda0b status=allocated mode=enforcing pid=14665 uid=0 exe="/usr/bin/app" comm="app"
func (p *parser) domain(b []byte, c *creator) bool {
	allocated := false
	for f := range fields(b) {
		switch string(f.key) {
		case "domain":
			c.domain = f.domain()
		case "status":
			allocated = string(f.value) == "allocated"
		case "exe":
			c.exe.Set(f.text(p.decoded[:]))
		case "comm":
			c.comm.Set(f.text(p.decoded[:]))
		}
	}
	return allocated && c.domain != 0
}

// syscall parses what follows the stamp of a record of type 1300, which comes after
// the denials of a system call, as far as it is about who made the call.
func (p *parser) syscall(b []byte, e *denials.Event) bool {
	for f := range fields(b) {
		switch string(f.key) {
		case "pid": // of the process, not of the task
			e.PID = f.pid()
		case "comm":
			e.Comm.Set(f.text(p.decoded[:]))
		case "exe":
			e.Exe.Set(f.text(p.decoded[:]))
		}
	}
	return e.PID != 0
}

// config parses what follows the stamp of a record of type 1305, and reports whether
// audit was switched, and on or off.
func config(b []byte) (on, switched bool) {
	for f := range fields(b) {
		if string(f.key) == "audit_enabled" {
			return string(f.value) != "0", true
		}
	}
	return false, false
}

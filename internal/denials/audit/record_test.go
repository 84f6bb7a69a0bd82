// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/denials"
)

const at = "audit(1795322249.177:7): "

func TestAccess(t *testing.T) {
	for _, c := range []struct {
		text, blockers, object string
	}{
		{`domain=18d26955d blockers=fs.read_file path="/etc/passwd" dev="vda" ino=817`, "fs.read_file", `file "/etc/passwd" 0 0`},
		{`domain=18d26955d blockers=fs.read_file path=2F746D702F782079C3A9 dev="vda" ino=9`, "fs.read_file", `file "/tmp/x yé" 0 0`},
		{`domain=1 blockers=fs.remove_file,fs.refer path="/a b" dev=76 ino=1`, "fs.remove_file fs.refer", `file "/a b" 0 0`},
		{`domain=1 blockers=fs.change_topology name="/" dev="tmpfs" ino=1`, "fs.change_topology", `file "/" 0 0`},
		{`domain=1 blockers=fs.ioctl_dev path="/dev/null" dev="devtmpfs" ino=4 ioctlcmd=0x4c4c`, "fs.ioctl_dev", `file "/dev/null" 0 0`},
		{`domain=1 blockers=net.bind_tcp saddr=127.0.0.1 src=18`, "net.bind_tcp", `port "" 18 0`},
		{`domain=1 blockers=net.connect_tcp lport=5 daddr=::1 dest=65535`, "net.connect_tcp", `port "" 65535 0`},
		{`domain=1 blockers=net.connect_tcp daddr=::1 dest=65536`, "net.connect_tcp", `unknown "" 0 0`},
		{`domain=1 blockers=scope.abstract_unix_socket path=0061206200`, "scope.abstract_unix_socket", `socket "@a b\x00" 0 0`},
		{`domain=1 blockers=scope.signal opid=123 ocomm="a"`, "scope.signal", `task "a" 0 123`},
		{`domain=1 blockers=ptrace opid=-1 ocomm=6120`, "ptrace", `task "a " 0 0`},
		{`domain=ffffffffffffffff blockers=unknown`, "unknown", `unknown "" 0 0`},
		{`domain=1 blockers=fs.not_yet,net.what,fs.execute`, "fs.execute unknown", `unknown "" 0 0`},
		{`domain=1 blockers=fs.bit17,fs.bit31`, "fs.bit17 fs.bit31", `unknown "" 0 0`},
		{`domain=1 blockers=fs.execute path=(null)`, "fs.execute", `file "(null)" 0 0`},
		{`domain=1 blockers=fs.execute path="/cut off`, "fs.execute", `file "/cut off" 0 0`},
		{`domain=1 blockers=fs.execute path="` + strings.Repeat("/", 300) + `end"`, "fs.execute", fmt.Sprintf("file %q 0 0", strings.Repeat("/", 252)+"end")},
		// A text that looks like fields is in digits, or inside quotes.
		{`domain=1 blockers=fs.execute path="/x domain=2 blockers=ptrace opid=1" dev="a"`, "fs.execute", `file "/x domain=2 blockers=ptrace opid=1" 0 0`},
	} {
		var e denials.Event
		if !newParser().access([]byte(c.text), &e) {
			t.Errorf("%s is refused", c.text)
			continue
		}
		o := &e.Object
		got := fmt.Sprintf("%v %q %d %d", o.Kind, o.Text.String(), o.Port, o.PID)
		if blockers := strings.Join(e.Blockers.Names(), " "); blockers != c.blockers || got != c.object {
			t.Errorf("%s:\n%s, %s, want\n%s, %s", c.text, blockers, got, c.blockers, c.object)
		}
	}
	for _, text := range []string{
		"", " ", "domain=1", "blockers=ptrace", "domain= blockers=ptrace", "domain=0 blockers=ptrace", "domain=g blockers=ptrace",
		"domain=10000000000000000 blockers=ptrace", "domain=1 blockers=", `domain="`, "=", "= = =",
	} {
		if e := (denials.Event{}); newParser().access([]byte(text), &e) {
			t.Errorf("%q is taken: %v", text, e.Blockers.Names())
		}
	}
}

func TestStamp(t *testing.T) {
	s, rest, ok := parseStamp([]byte("audit(1795322249.177:42): domain=1"))
	if !ok || s.serial != 42 || !s.time.Equal(time.UnixMilli(1795322249177)) || string(rest) != " domain=1" {
		t.Errorf("%+v %q %v", s, rest, ok)
	}
	for _, text := range []string{
		"", "audit(", "audit():", "audit(1:2):", "audit(1.2):", "audit(1.2:):", "audit(1.2:3)", "audit(x.2:3):", "audit(1.1000:3):",
		"audit(99999999999999999999.0:3):", "audit(1.2:99999999999999999999999):", "AUDIT(1.2:3):", "audit(-1.2:3):",
	} {
		if _, _, ok := parseStamp([]byte(text)); ok {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestConfig(t *testing.T) {
	for text, want := range map[string][2]bool{
		" op=set audit_enabled=0 old=1 auid=0 ses=1 res=1": {false, true},
		" op=set audit_enabled=1 old=1":                    {true, true},
		" op=set audit_enabled=2 old=1":                    {true, true},
		" op=set audit_backlog_limit=64 old=65536":         {},
		"": {},
		` op=add_rule key="audit_enabled=0" list=4 res=1`:            {},
		` auid=0 op="audit_enabled=0 x" audit_failure=1 old=2 res=1`: {},
	} {
		if on, told := config([]byte(text)); [2]bool{on, told} != want {
			t.Errorf("%q: %v %v", text, on, told)
		}
	}
}

// records feeds texts to a correlator, by their types.
func records(c *correlator, texts ...string) {
	for _, text := range texts {
		kind := unix.AUDIT_LANDLOCK_ACCESS
		switch {
		case strings.Contains(text, "status="):
			kind = unix.AUDIT_LANDLOCK_DOMAIN
		case strings.Contains(text, "syscall="):
			kind = unix.AUDIT_SYSCALL
		}
		c.take(uint16(kind), []byte(text))
	}
}

func describe(e *denials.Event) string {
	return fmt.Sprintf("%v %v pid=%d %s %s %s", e.Domain, e.Blockers.Names(), e.PID, e.Comm.String(), e.Exe.String(), e.Object.Text.String())
}

func TestCorrelator(t *testing.T) {
	stamp := func(serial int, ms int) string { return fmt.Sprintf("audit(1000.%03d:%d): ", ms, serial) }
	var got []string
	c := newCorrelator(func(e *denials.Event) { got = append(got, describe(e)) })
	expect := func(what string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n%q, want\n%q", what, got, want)
		}
		got = nil
	}
	records(c, stamp(5, 1)+`domain=a blockers=fs.execute path="/x"`,
		stamp(5, 1)+`domain=a status=allocated mode=enforcing pid=1 uid=0 exe="/launcher" comm=6120`)
	expect("nothing is told before the system call is")
	records(c, stamp(6, 1)+`arch=c000003e syscall=257 success=no exit=-13 ppid=1 pid=9 comm="other" exe="/other"`)
	expect("another system call")
	records(c, stamp(5, 1)+`arch=c000003e syscall=257 success=no ppid=1 pid=7 comm="app" exe=2F6120`)
	expect("its system call", "a [fs.execute] pid=7 app /a  /x")
	records(c, stamp(5, 1)+`syscall=1 pid=7 comm="app"`)
	expect("a record that comes twice")

	records(c, stamp(8, 1)+`domain=a blockers=fs.refer path="/y"`, stamp(9, 1)+`domain=b blockers=ptrace opid=3 ocomm="z"`)
	c.flush()
	expect("no system call is told", "a [fs.refer] pid=0 a  /launcher /y", "b [ptrace] pid=0   z")

	// Two denials of one system call; PTRACE_TRACEME denies the parent.
	records(c, stamp(10, 1)+`domain=a blockers=fs.refer path="/1"`, stamp(10, 1)+`domain=a blockers=fs.refer path="/2"`, stamp(10, 1)+`syscall=1 pid=7 comm="m" exe="/m"`)
	expect("two at once", "a [fs.refer] pid=7 m /m /1", "a [fs.refer] pid=7 m /m /2")
	records(c, stamp(11, 1)+`domain=b blockers=ptrace opid=7 ocomm="c"`, stamp(11, 1)+`syscall=101 pid=7 comm="c" exe="/c"`)
	expect("PTRACE_TRACEME", "b [ptrace] pid=0   c")

	// Serials go back to 0, and no denial waits for ever.
	records(c, stamp(0, 1)+`domain=b blockers=ptrace opid=7 ocomm="c"`, stamp(0, 1)+`syscall=101 pid=8 comm="d" exe="/d"`)
	expect("serial 0", "b [ptrace] pid=8 d /d c")
	records(c, stamp(20, 1)+`domain=b blockers=ptrace`, "audit(1001.500:30): syscall=1 pid=3")
	expect("too late", "b [ptrace] pid=0   ")

	for i := range maxPending + 3 {
		records(c, stamp(100+i, 1)+`domain=b blockers=ptrace`)
	}
	if len(got) != 3 || c.n == 0 {
		t.Errorf("%d of %d were told", len(got), maxPending+3)
	}
	got = nil
	c.flush()
	if len(got) != maxPending || c.n > 0 {
		t.Errorf("%d of %d were told in the end", len(got), maxPending)
	}
}

func TestCreatorsAreBounded(t *testing.T) {
	var last string
	c := newCorrelator(func(e *denials.Event) { last = describe(e) })
	for i := 1; i <= 3*maxCreators; i++ {
		records(c, fmt.Sprintf(at+`domain=%x status=allocated pid=%d exe="/e%d" comm="c"`, i, i, i))
	}
	if len(c.creators) != maxCreators || len(c.order) != maxCreators {
		t.Errorf("%d creators are kept", len(c.creators))
	}
	for i, want := range map[int]string{3 * maxCreators: " /e3072 ", 2*maxCreators + 1: " /e2049 ", 2 * maxCreators: "   "} {
		records(c, fmt.Sprintf(at+`domain=%x blockers=ptrace`, i))
		c.flush()
		if !strings.Contains(last, want) {
			t.Errorf("domain %d: %q, want %q", i, last, want)
		}
	}
}

// A flood of denials, with all their records, allocates nothing.
func TestRecordsAllocateNothing(t *testing.T) {
	n := 0
	c := newCorrelator(func(*denials.Event) { n++ })
	texts := [][]byte{
		[]byte(at + `domain=18d26955d blockers=fs.read_file,fs.execute path=2F746D702F782079C3A9 dev="vda" ino=817`),
		[]byte(at + `arch=c000003e syscall=257 success=no exit=-13 a0=ffffff9c a1=7ff2 items=0 ppid=657 pid=700 comm="python3" exe="/usr/bin/python3" key=(null)`),
	}
	allocs := testing.AllocsPerRun(100, func() {
		c.take(unix.AUDIT_LANDLOCK_ACCESS, texts[0])
		c.take(unix.AUDIT_SYSCALL, texts[1])
	})
	if allocs != 0 || n == 0 {
		t.Errorf("%v allocations for a denial; %d were told", allocs, n)
	}
}

func TestParseState(t *testing.T) {
	message := func(kind uint16, words ...uint32) []byte {
		b := make([]byte, 16)
		binary.NativeEndian.PutUint16(b[4:], kind)
		for _, w := range words {
			b = binary.NativeEndian.AppendUint32(b, w)
		}
		return b
	}
	got, err := parseState(message(unix.AUDIT_GET, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10))
	if want := (State{Enabled: true, Daemon: 3, RateLimit: 4, BacklogLimit: 5, Lost: 6, Backlog: 7}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	minus1 := ^uint32(0)
	for name, b := range map[string][]byte{"empty": nil, "header": message(unix.AUDIT_GET), "short": message(unix.AUDIT_GET, 1, 2), "denied": message(2, minus1), "other": message(7, 1, 2, 3, 4, 5, 6, 7, 8)} {
		if s, err := parseState(b); err == nil {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func FuzzRecord(f *testing.F) {
	for _, text := range []string{
		at + `domain=18d26955d blockers=fs.read_file path="/etc/passwd" dev="vda" ino=817`,
		at + `domain=18d26955d status=allocated mode=enforcing pid=700 uid=0 exe="/usr/bin/python3.11" comm=707974686F6E`,
		at + `domain=18d26955d status=deallocated denials=5`,
		at + `arch=c000003e syscall=257 success=no exit=-13 ppid=657 pid=700 comm="python3" exe="/usr/bin/python3"`,
		at + `domain=1 blockers=scope.abstract_unix_socket path=0061206200`,
		at + ` op=set audit_enabled=0 old=1 auid=0`,
		"audit(", "", "\x00",
	} {
		for _, kind := range []uint16{unix.AUDIT_SYSCALL, unix.AUDIT_CONFIG_CHANGE, unix.AUDIT_LANDLOCK_ACCESS, unix.AUDIT_LANDLOCK_DOMAIN, 0} {
			f.Add(kind, []byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, kind uint16, text []byte) {
		r := &Reader{}
		told := 0
		c := newCorrelator(func(e *denials.Event) {
			told++
			if e.Domain == 0 || len(e.Blockers.Names()) == 0 || e.PID < 0 || e.Object.PID < 0 {
				t.Errorf("%q makes %s", text, describe(e))
			}
		})
		message := make([]byte, 16, 16+len(text))
		binary.NativeEndian.PutUint16(message[4:], kind)
		r.record(c, append(message, text...))
		r.record(c, text)
		c.flush()
		if told > 2 || len(c.creators) > 2 {
			t.Errorf("%q makes %d denials and %d domains", text, told, len(c.creators))
		}
	})
}

// What the kernel writes of a text is what comes back.
func FuzzText(f *testing.F) {
	f.Add([]byte("/etc/passwd"))
	f.Add([]byte("a b"))
	f.Add([]byte(`"`))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 250 {
			return
		}
		record := fmt.Sprintf(`domain=1 blockers=ptrace ocomm=%s opid=5`, untrusted(text))
		var e denials.Event
		if !newParser().access([]byte(record), &e) || !bytes.Equal(e.Object.Text.Bytes(), text) || e.Object.PID != 5 {
			t.Errorf("%q became %q (%s)", text, e.Object.Text.String(), record)
		}
	})
}

// untrusted is audit_log_n_untrustedstring() of kernel/audit.c.
func untrusted(text []byte) string {
	for _, b := range text {
		if b == '"' || b < 0x21 || b > 0x7e {
			return fmt.Sprintf("%X", text)
		}
	}
	return `"` + string(text) + `"`
}

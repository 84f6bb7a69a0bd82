// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"encoding/binary"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/denials"
)

// eventOf returns struct event with a kind, blockers and a text.
func eventOf(kind, blockers uint32, text string, change ...func([]byte)) []byte {
	b := make([]byte, textAt, textAt+len(text)+7)
	binary.NativeEndian.PutUint64(b[domainAt:], 0x1e67bda0b)
	binary.NativeEndian.PutUint64(b[timeAt:], uint64(5*time.Second))
	binary.NativeEndian.PutUint64(b[startAt:], 70)
	binary.NativeEndian.PutUint32(b[pidAt:], 7)
	binary.NativeEndian.PutUint32(b[tidAt:], 8)
	binary.NativeEndian.PutUint32(b[kindAt:], kind)
	binary.NativeEndian.PutUint32(b[blockersAt:], blockers)
	binary.NativeEndian.PutUint32(b[targetAt:], 9)
	binary.NativeEndian.PutUint16(b[portAt:], 80)
	binary.NativeEndian.PutUint16(b[lengthAt:], uint16(len(text)))
	copy(b[commAt:textAt], "comm")
	for _, f := range change {
		f(b)
	}
	return append(append(b, text...), "padding"...)
}

func TestParse(t *testing.T) {
	booted := time.Unix(1000, 0)
	for _, c := range []struct {
		b              []byte
		blockers, want string
	}{
		{eventOf(kindFS, 1|1<<31, "/x"), "fs.execute fs.bit31", `file "/x" 0 0`},
		{eventOf(kindFS, 0, "/x"), "fs.change_topology", `file "/x" 0 0`},
		{eventOf(kindNet, 2, ""), "net.connect_tcp", `port "" 80 0`},
		{eventOf(kindPtrace, 5, "victim"), "ptrace", `task "victim" 0 9`},
		{eventOf(kindSignal, 0, ""), "scope.signal", `task "" 0 9`},
		{eventOf(kindAbstract, 0, "\x00a b\x00"), "scope.abstract_unix_socket", `socket "@a b\x00" 0 0`},
		{eventOf(kindAbstract, 0, "/a"), "scope.abstract_unix_socket", `socket "/a" 0 0`},
	} {
		e := denials.Event{Exe: denials.Text{}}
		if !parse(c.b, booted, &e) {
			t.Errorf("%q is refused", c.b)
			continue
		}
		o := &e.Object
		got := fmt.Sprintf("%v %q %d %d", o.Kind, o.Text.String(), o.Port, o.PID)
		if blockers := strings.Join(e.Blockers.Names(), " "); blockers != c.blockers || got != c.want {
			t.Errorf("%s, %s, want %s, %s", blockers, got, c.blockers, c.want)
		}
		if e.Domain != 0x1e67bda0b || !e.Time.Equal(time.Unix(1005, 0)) || e.PID != 7 || e.TID != 8 || e.Start != 70 || e.Comm.String() != "comm" {
			t.Errorf("%+v", e)
		}
	}
	var e denials.Event
	nobody := eventOf(kindPtrace, 0, "v", func(b []byte) { binary.NativeEndian.PutUint32(b[pidAt:], 0) })
	if !parse(nobody, booted, &e) || e.PID != 0 || e.Start != 0 || e.Comm.String() != "" {
		t.Errorf("a denial of nobody that is known: %+v", e)
	}
	long := eventOf(kindFS, 1, "/x", func(b []byte) { binary.NativeEndian.PutUint16(b[lengthAt:], 60000) })
	if !parse(long, booted, &e) || !strings.HasPrefix(e.Object.Text.String(), "/x") {
		t.Errorf("a text beyond its record: %q", e.Object.Text.String())
	}
	for _, b := range [][]byte{nil, make([]byte, textAt-1), eventOf(5, 0, "")} {
		if parse(b, booted, &e) {
			t.Errorf("%q is taken", b)
		}
	}
	b := eventOf(kindFS, 1, "/x")
	if n := testing.AllocsPerRun(100, func() { parse(b, booted, &e) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParse(f *testing.F) {
	for kind := range uint32(6) {
		f.Add(eventOf(kind, 3, "/x"))
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		var e denials.Event
		if parse(b, time.Unix(0, 0), &e) && b[kindAt] != kindNet && len(e.Blockers.Names()) == 0 {
			t.Errorf("%q was denied by nothing", b)
		}
	})
}

// The two sides agree on where things are.
func TestLayout(t *testing.T) {
	header, err := os.ReadFile("bpf/event.h")
	if err != nil {
		t.Fatal(err)
	}
	constant := func(name string) int {
		t.Helper()
		m := regexp.MustCompile(`(?m)\b` + name + `(?: =)? ([0-9 +*()]+)`).FindSubmatch(header)
		if m == nil {
			t.Fatalf("event.h has no %s", name)
		}
		sum := 0
		for term := range strings.SplitSeq(strings.Trim(string(m[1]), "() "), "+") {
			product := 1
			for factor := range strings.SplitSeq(term, "*") {
				n, err := strconv.Atoi(strings.TrimSpace(factor))
				if err != nil {
					t.Fatal(err)
				}
				product *= n
			}
			sum += product
		}
		return sum
	}
	for name, want := range map[string]int{
		"COUNT_FS": int(denials.RightBlocker(access.FS, 0)), "COUNT_NET": int(denials.RightBlocker(access.Net, 0)),
		"COUNT_PTRACE": int(denials.Ptrace), "COUNT_TOPOLOGY": int(denials.ChangeTopology), "COUNT_LOST": lostAt,
		"COUNT_ABSTRACT": int(denials.RightBlocker(access.Scope, scopeAbstractUnixSocket)),
		"COUNT_SIGNAL":   int(denials.RightBlocker(access.Scope, scopeSignal)),
		"COUNTS":         len(counts{}), "RING_SIZE": ringSize,
	} {
		if got := constant(name); got != want {
			t.Errorf("%s is %d, want %d", name, got, want)
		}
	}
	spec, err := loadObject()
	if err != nil {
		t.Fatal(err)
	}
	var event *btf.Struct
	if err := spec.Types.TypeByName("event", &event); err != nil {
		t.Fatal(err)
	}
	at := map[string]int{
		"domain": domainAt, "time": timeAt, "start": startAt, "pid": pidAt, "tid": tidAt, "kind": kindAt, "blockers": blockersAt,
		"target": targetAt, "port": portAt, "length": lengthAt, "comm": commAt, "text": textAt,
	}
	for _, m := range event.Members {
		if want, ok := at[m.Name]; !ok || want != int(m.Offset.Bytes()) {
			t.Errorf("%s is at %d, want %d", m.Name, m.Offset.Bytes(), want)
		}
		delete(at, m.Name)
	}
	if len(at) > 0 {
		t.Errorf("struct event lacks %v", at)
	}
	if m := spec.Maps[objectMapEvents]; m.Type != ebpf.RingBuf || m.MaxEntries != ringSize {
		t.Errorf("%v", m)
	}
}

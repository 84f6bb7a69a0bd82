// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/denials"
)

// eventOf returns struct event with a kind, blockers and a text.
func eventOf(kind objectKind, blockers uint32, text string, change ...func(*objectEvent)) []byte {
	e := objectEvent{
		Domain: 0x1e67bda0b, Time: uint64(5 * time.Second), Start: 70, Pid: 7, Tid: 8, Kind: uint32(kind),
		Blockers: blockers, Target: 9, Port: 80, Length: uint16(len(text)),
	}
	copy(e.Comm[:], "comm")
	for _, f := range change {
		f(&e)
	}
	b, err := binary.Append(nil, binary.NativeEndian, e)
	if err != nil {
		panic(err)
	}
	return append(append(b[:textAt], text...), "padding"...)
}

const textAt = int(unsafe.Offsetof(objectEvent{}.Text))

func TestParse(t *testing.T) {
	booted := time.Unix(1000, 0)
	for _, c := range []struct {
		b              []byte
		blockers, want string
	}{
		{eventOf(objectKindKIND_FS, 1|1<<31, "/x"), "fs.execute fs.bit31", `file "/x" 0 0`},
		{eventOf(objectKindKIND_FS, 0, "/x"), "fs.change_topology", `file "/x" 0 0`},
		{eventOf(objectKindKIND_NET, 2, ""), "net.connect_tcp", `port "" 80 0`},
		{eventOf(objectKindKIND_PTRACE, 5, "victim"), "ptrace", `task "victim" 0 9`},
		{eventOf(objectKindKIND_SIGNAL, 0, ""), "scope.signal", `task "" 0 9`},
		{eventOf(objectKindKIND_ABSTRACT, 0, "\x00a b\x00"), "scope.abstract_unix_socket", `socket "@a b\x00" 0 9`},
		{eventOf(objectKindKIND_ABSTRACT, 0, "/a"), "scope.abstract_unix_socket", `socket "/a" 0 9`},
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
	nobody := eventOf(objectKindKIND_PTRACE, 0, "v", func(e *objectEvent) { e.Pid = 0 })
	if !parse(nobody, booted, &e) || e.PID != 0 || e.Start != 0 || e.Comm.String() != "" {
		t.Errorf("a denial of nobody that is known: %+v", e)
	}
	for flag, want := range []access.Answer{access.Unknown, access.No, access.Yes, access.Unknown} {
		b := eventOf(objectKindKIND_FS, 1, "/x", func(e *objectEvent) {
			e.SameExec, e.Logged = uint32(flag), uint32(flag)
		})
		if !parse(b, booted, &e) || e.SameExec != want || e.Logged != want {
			t.Errorf("flags of %d are %v and %v, want %v", flag, e.SameExec, e.Logged, want)
		}
	}
	long := eventOf(objectKindKIND_FS, 1, "/x", func(e *objectEvent) { e.Length = 60000 })
	if !parse(long, booted, &e) || !strings.HasPrefix(e.Object.Text.String(), "/x") {
		t.Errorf("a text beyond its record: %q", e.Object.Text.String())
	}
	for _, b := range [][]byte{nil, make([]byte, textAt-1), eventOf(5, 0, "")} {
		if parse(b, booted, &e) {
			t.Errorf("%q is taken", b)
		}
	}
	b := eventOf(objectKindKIND_FS, 1, "/x")
	if n := testing.AllocsPerRun(100, func() { parse(b, booted, &e) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParse(f *testing.F) {
	for kind := range objectKind(6) {
		f.Add(eventOf(kind, 3, "/x"))
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		var e denials.Event
		if parse(b, time.Unix(0, 0), &e) && e.Object.Kind != denials.NoObject && e.Object.Kind != denials.Port && len(e.Blockers.Names()) == 0 {
			t.Errorf("%q was denied by nothing", b)
		}
	})
}

func scopeBlocker(right uint32) denials.Blocker {
	return denials.RightBlocker(access.Scope, uint8(bits.TrailingZeros32(right)))
}

// The counts stand where package denials has its blockers.
func TestCounts(t *testing.T) {
	for got, want := range map[objectCount]denials.Blocker{
		objectCountCOUNT_FS:       denials.RightBlocker(access.FS, 0),
		objectCountCOUNT_NET:      denials.RightBlocker(access.Net, 0),
		objectCountCOUNT_ABSTRACT: scopeBlocker(unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET),
		objectCountCOUNT_SIGNAL:   scopeBlocker(unix.LANDLOCK_SCOPE_SIGNAL),
		objectCountCOUNT_PTRACE:   denials.Ptrace,
		objectCountCOUNT_TOPOLOGY: denials.ChangeTopology,
	} {
		if denials.Blocker(got) != want {
			t.Errorf("the programs count blocker %d at %d", want, got)
		}
	}
	if objectCountCOUNT_LOST < objectCount(denials.NumBlockers) {
		t.Error("lost events are counted as a blocker's")
	}
	spec, err := loadObject()
	if err != nil {
		t.Fatal(err)
	}
	if m := spec.Maps[objectMapEvents]; m.Type != ebpf.RingBuf || m.MaxEntries != ringSize {
		t.Errorf("%v", m)
	}
}

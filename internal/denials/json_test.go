// SPDX-License-Identifier: Apache-2.0

package denials

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
)

func TestDenialJSON(t *testing.T) {
	zone := time.FixedZone("", 3600)
	for want, e := range map[string]*Event{
		`{"time":"1970-01-01T00:00:00Z","count":1,"domain":"1e67bda0b","blockers":["ptrace"],"pid":7,"tid":null,"start_ns":"70","comm":"a\\xff\u001b\u202e","exe":null,"object":"task","path":null,"port":null,"target_pid":9,"same_exec":false,"logged":true}`: denied(0x1e67bda0b, Ptrace, func(e *Event) {
			e.Time = time.Unix(0, 0).In(zone)
			e.Comm.Set([]byte("a\xff\x1b\u202e"))
			e.Object.Kind, e.Object.PID = Task, 9
			e.SameExec, e.Logged = access.No, access.Yes
		}),
		`{"time":"1970-01-01T00:00:01Z","count":1,"domain":"2","blockers":["net.bind_tcp"],"pid":7,"tid":8,"start_ns":"70","comm":null,"exe":"/a\\\\b","object":"port","path":null,"port":0,"target_pid":null,"same_exec":null,"logged":null}`: denied(2, RightBlocker(access.Net, 0), func(e *Event) {
			e.Time, e.TID = time.Unix(1, 0).In(zone), 8
			e.Exe.Set([]byte(`/a\b`))
			e.Object.Kind = Port
		}),
		`{"time":"0001-01-01T00:00:00Z","count":1,"domain":null,"blockers":[],"pid":null,"tid":null,"start_ns":null,"comm":null,"exe":null,"object":"unknown","path":null,"port":null,"target_pid":null,"same_exec":null,"logged":null}`: {},
	} {
		r := &Recent{}
		r.Add(e)
		d := r.Snapshot()[0]
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if string(b) != want {
			t.Errorf("%s\nwant\n%s", b, want)
		}
		var back Denial
		if err := json.Unmarshal(b, &back); err != nil {
			t.Errorf("%s: %v", b, err)
		}
		d.Time = d.Time.UTC()
		if len(back.Blockers) == 0 {
			back.Blockers = nil
		}
		if !reflect.DeepEqual(d, back) {
			t.Errorf("%+v came back as %+v", d, back)
		}
	}
}

func TestDenialJSONRefuses(t *testing.T) {
	good := `{"time":"1970-01-01T00:00:00Z","domain":"1","start_ns":"1","object":"file","path":"/x","blockers":["fs.new_right"]}`
	if err := json.Unmarshal([]byte(good), new(Denial)); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{
		`"file"`: `"dog"`, `"/x"`: `"\\y"`, `"domain":"1"`: `"domain":"0"`, `"start_ns":"1"`: `"start_ns":1`, `1970-`: `x`, `/x"`: `/x`,
		`"fs.new_right"`: `"fs new"`, `fs.new_right`: `\u001b`, `new_right`: strings.Repeat("x", 40), `"fs.new_right"]`: `""]`,
	} {
		if err := json.Unmarshal([]byte(strings.Replace(good, from, to, 1)), new(Denial)); err == nil {
			t.Errorf("%s was accepted for %s", to, from)
		}
	}
}

// FuzzDenialJSON: whatever a denial's text is, it comes back as it was, and no byte
// of it can act on a terminal.
func FuzzDenialJSON(f *testing.F) {
	f.Add([]byte("cat"), []byte("/bin/cat"), []byte("/etc/shadow"), uint64(1), int32(7))
	f.Add([]byte("\x00\\x\\"), []byte("\xff\xfe"), []byte("\u202e\U000e0041\x1b[2J"), uint64(1<<63), int32(-1))
	f.Fuzz(func(t *testing.T, comm, exe, path []byte, id uint64, pid int32) {
		e := Event{Domain: domainid.ID(id), PID: pid, Start: id}
		e.Comm.Set(comm)
		e.Exe.Set(exe)
		e.Object.Kind = File
		e.Object.Text.Set(path)
		e.Blockers.Add(Unknown)
		r := &Recent{}
		r.Add(&e)
		want := r.Snapshot()[0]
		b, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range b {
			if c < ' ' || c == 0x7f {
				t.Fatalf("control character in %q", b)
			}
		}
		var got Denial
		if err := json.Unmarshal(b, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v came back as %+v, %v", want, got, err)
		}
	})
}

// SPDX-License-Identifier: Apache-2.0

package runs

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/hosts"
)

func TestEndedJSON(t *testing.T) {
	zone := time.FixedZone("", 3600)
	for want, e := range map[string]Ended{
		`{"time":"1970-01-01T00:00:00Z","count":3,"kind":"run","pid":7,"start_ns":"70","age":0.25,"comm":"a\\xff\u001b\u202e","exe":"/a\\\\b","exe_cut":false,"exe_deleted":true,"exe_origin":"user","uid":0,"workload":"a.service","state":"partial","depth":0,"rules":[{"rule":"web","severity":"critical","result":"violating","reason":"partial"},{"rule":"db","severity":"info","result":"unknown","reason":null}]}`: {
			Time: time.Unix(0, 0).In(zone), Count: 3, PID: 7, Start: 70, Age: 250 * time.Millisecond,
			Comm: "a\xff\x1b\u202e", Exe: `/a\b`, ExeDeleted: true, ExeOrigin: scan.OfUser,
			Workload: "a.service", State: scan.Partial,
			Rules: []EndedRule{{"web", "critical", "violating", "partial"}, {"db", "info", "unknown", ""}},
		},
		`{"time":"0001-01-01T00:00:00Z","count":1,"kind":"launch","pid":null,"start_ns":null,"age":null,"comm":null,"exe":null,"exe_cut":true,"exe_deleted":false,"exe_origin":"unknown","uid":null,"workload":null,"state":"unknown","depth":null,"rules":[]}`: {
			Count: 1, Kind: Launch, ExeCut: true, UID: scan.NoUser,
		},
	} {
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		if string(b) != want {
			t.Errorf("%s\nwant\n%s", b, want)
		}
		var back Ended
		if err := json.Unmarshal(b, &back); err != nil {
			t.Errorf("%s: %v", b, err)
		}
		if e.Time = e.Time.UTC(); !reflect.DeepEqual(e, back) {
			t.Errorf("%+v came back as %+v", e, back)
		}
	}
}

func TestEndedJSONRefuses(t *testing.T) {
	good := `{"time":"1970-01-01T00:00:00Z","kind":"run","pid":1,"start_ns":"1","age":1,"exe":"/x","exe_origin":"host","state":"partial","rules":[{"rule":"a","severity":"info","result":"new_word","reason":null}]}`
	if err := json.Unmarshal([]byte(good), new(Ended)); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{
		`"run"`: `"walk"`, `1970-`: `x`, `"pid":1`: `"pid":0`, `"1"`: `1`, `"age":1`: `"age":-1`, `"age":1,`: `"age":1e10,`,
		`/x"`: `\\y"`, `"host"`: `"moon"`, `"partial"`: `"free"`, `"a"`: `""`, `"info"`: `"\u001b"`,
		`new_word`: strings.Repeat("x", 65), `:null`: `:"a b"`, `[{`: `[[{`,
	} {
		bad := strings.Replace(good, from, to, 1)
		if err := json.Unmarshal([]byte(bad), new(Ended)); err == nil || bad == good {
			t.Errorf("%s was accepted for %s", to, from)
		}
	}
}

// FuzzEndedJSON: whatever the text of what ended is, it comes back as it was, and no byte of
// it can act on a terminal.
func FuzzEndedJSON(f *testing.F) {
	f.Add("cat", "/bin/cat", "a.service", uint64(1), int32(7), uint32(0))
	f.Add("\x00\\x\\", "\xff\xfe", "\u202e\U000e0041\x1b[2J", uint64(1<<63), int32(-1), scan.NoUser)
	f.Fuzz(func(t *testing.T, comm, exe, workload string, start uint64, pid int32, uid uint32) {
		e := Ended{
			Time: time.Unix(int64(uid), 0).UTC(), Count: start, Kind: Kind(uid & 1), PID: max(pid, 0),
			Start: start, Comm: comm, Exe: exe, UID: uid, Workload: workload,
		}
		if start != 0 {
			e.Age = time.Duration(start & math.MaxUint32)
		}
		if e.State = scan.State(uid & 3); e.State != scan.Unknown {
			e.Depth = uint16(start)
		}
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		if what := hosts.Unsafe(string(b)); what != "" {
			t.Fatalf("%q has %s", b, what)
		}
		var got Ended
		if err := json.Unmarshal(b, &got); err != nil || !reflect.DeepEqual(got, e) {
			t.Fatalf("%+v came back as %+v, %v", e, got, err)
		}
	})
}

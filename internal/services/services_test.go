// SPDX-License-Identifier: Apache-2.0

package services

import (
	"bytes"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/table"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/hosts"
)

var update = flag.Bool("update", false, "write testdata anew")

// office is a host with a service in every state.
func office() *hosts.Host {
	h := hosts.New()
	h.Uptime = 90 * 24 * time.Hour
	h.Source.Rules = "read"
	whole := h.Domain(0xa, domainid.Outermost)
	h.Domains[whole].Handled = access.Supported(7)
	h.Domains[whole].Ruleset = &domainid.Ruleset{Rules: 4}
	read := h.Domain(0xb, domainid.Outermost)
	h.Domains[read].Handled = access.Rights{access.FS: 0xc}
	inner := h.Domain(0xc, whole)
	h.Domains[inner].Handled = access.Rights{access.Scope: 2}
	idle := h.Domain(0xd, domainid.Outermost)
	h.Domains[idle].Handled = access.Rights{access.FS: 4}
	all, none, nested, reads := h.View(idle, 0xffff), h.View(whole, 0), h.View(inner, 0, 0), h.View(read, 0)
	names := []string{"good.service", "half.service", "idle.service", "nested.service", "plain.service", "secret.service", "wrong.service"}
	for _, name := range names {
		h.Workloads = append(h.Workloads, scan.Workload{Name: name, FullName: name, Kind: scan.Unit, Unit: name, Slice: "system.slice", Cgroup: "/system.slice/" + name})
	}
	add := func(pid int32, name string, tasks ...scan.Task) {
		p := h.Process(pid, 1, strings.TrimSuffix(name, ".service"), tasks...)
		p.Workload = int32(slices.Index(names, name))
	}
	add(10, "good.service", hosts.Seen(whole, none))
	add(11, "good.service", hosts.Seen(whole, none), hosts.Seen(whole, none))
	add(20, "half.service", hosts.Seen(read, reads))
	add(21, "half.service", hosts.Free())
	add(30, "idle.service", hosts.Seen(idle, all))
	add(40, "nested.service", hosts.Seen(whole, none))
	add(41, "nested.service", hosts.Seen(inner, nested))
	add(50, "plain.service", hosts.Free())
	add(60, "secret.service", hosts.Unknown(scan.Denied))
	add(70, "wrong.service", hosts.Free())
	h.Assets = []domainid.Asset{{Name: "others", Signal: true}, {Name: "ssh", TCP: []uint16{22}, Connect: true}, {Name: "secrets", Paths: []string{"/x"}, Read: true}}
	h.Objects = []domainid.Object{{Asset: 2, Path: "/x", Parent: -1, Kind: domainid.ObjectAbsent}}
	h.Kernel.Ways = 2 // past net.connect_tcp
	h.Conclude()
	return h
}

const rules = `rules:
  - name: good
    match: {unit: [good.service, nested.service]}
    expect: {state: [sandboxed]}
  - name: wrong
    match: {unit: [wrong.service, half.service]}
    expect: {state: [sandboxed]}
  - name: deep
    match: {unit: ["*.service"]}
    except: [{unit: [plain.service, idle.service, half.service, wrong.service]}]
    expect: {min_depth: 1}
`

func judged(t *testing.T, h *hosts.Host, assets ...int) []Service {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := policy.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	e := policy.New(config, policy.Options{ByWorkload: true})
	return Of(&h.Snapshot, e.Evaluate(&h.Snapshot).ByWorkload, assets...)
}

func TestGolden(t *testing.T) {
	h := office()
	all := judged(t, h, 0, 1, 2)
	for file, write := range map[string]func(*bytes.Buffer) error{
		"table.txt": func(b *bytes.Buffer) error {
			plain := judged(t, h)
			Sort(plain, "state")
			return Text(b, &h.Snapshot, plain, table.Style{Width: 80}, false)
		},
		"wide.txt":  func(b *bytes.Buffer) error { return Text(b, &h.Snapshot, all, table.Style{}, true) },
		"json.json": func(b *bytes.Buffer) error { return JSON(b, &h.Snapshot, all, "scan") },
	} {
		Sort(all, "state")
		var got bytes.Buffer
		if err := write(&got); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", file)
		if *update {
			if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(path); err != nil || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: %v, got\n%s\nwant\n%s", file, err, got.Bytes(), want)
		}
	}
}

func TestSort(t *testing.T) {
	all := judged(t, office())
	for by, want := range map[string]string{
		"state":     "half wrong plain secret idle good nested",
		"workload":  "good half idle nested plain secret wrong",
		"processes": "good half nested idle plain secret wrong",
		"depth":     "half plain secret wrong good idle nested",
		"age":       "good half idle nested plain secret wrong",
	} {
		Sort(all, by)
		var names []string
		for i := range all {
			names = append(names, strings.TrimSuffix(all[i].Name, ".service"))
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("by %s: %s, want %s", by, got, want)
		}
	}
}

// TestRandomHosts: what is written has the form of the schema, adds up to the host's processes,
// and does nothing to a terminal.
func TestRandomHosts(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../docs/schema/services-v1.json")
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(8, 9))
	for range 100 {
		h := hosts.RandomNames(r, r.IntN(30))
		h.NameWorkloads()
		// What a file that was recorded may have: a name that no configuration takes.
		h.Assets = []domainid.Asset{{Name: "\x1b[2J\u202e", AbstractUnix: true}, {Name: "others", Signal: true}}
		all := Of(&h.Snapshot, nil, 1, 0)
		n := 0
		for i := range all {
			n += all[i].Processes.Total()
			for _, r := range all[i].Reach {
				if got := slices.Max([]int{r.Processes[1] + r.Processes[2] + r.Processes[3], r.Processes[domainid.Absent]}); got != all[i].Processes.Total() {
					t.Fatalf("%s: %v of %v", all[i].Name, r, all[i].Processes)
				}
			}
		}
		if n != len(h.Processes) {
			t.Fatalf("%d of %d processes", n, len(h.Processes))
		}
		var text, whole, lines bytes.Buffer
		for _, style := range []table.Style{{Width: 80}, {ASCII: true, Width: 1}} {
			if err := Text(&text, &h.Snapshot, all, style, style.ASCII); err != nil {
				t.Fatal(err)
			}
		}
		hosts.CheckSafe(t, text.String())
		if err := JSON(&whole, &h.Snapshot, all, "file"); err != nil {
			t.Fatal(err)
		}
		hosts.CheckSafe(t, whole.String())
		value, err := jsonschema.UnmarshalJSON(&whole)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Fatalf("%#v", err)
		}
		if err := JSONLines(&lines, &h.Snapshot, all); err != nil {
			t.Fatal(err)
		}
		read := json.NewDecoder(&lines)
		for i := range all {
			var one struct{ Workload string }
			if err := read.Decode(&one); err != nil || one.Workload == "" {
				t.Fatalf("line %d: %+v, %v", i, one, err)
			}
		}
	}
}

func TestAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 59 * time.Second: "59s", time.Hour - 1: "59m", 47 * time.Hour: "47h", 48 * time.Hour: "2d",
	} {
		if got := ageText(d); got != want {
			t.Errorf("%s: %s, want %s", d, got, want)
		}
	}
	all := Of(&hosts.Mixed().Snapshot, nil)
	if _, known := all[0].Age(&hosts.Mixed().Snapshot); known {
		t.Error("without an uptime ages are not known")
	}
}

// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

func textOf(t *testing.T, e *Explanation) string {
	t.Helper()
	var b bytes.Buffer
	if err := e.Text(&b, true, 0); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// stateOf returns the line that has the state.
func stateOf(t *testing.T, e *Explanation) string {
	t.Helper()
	_, text, _ := strings.Cut(textOf(t, e), "\n\n")
	line, _, _ := strings.Cut(text, "\n")
	return line
}

func wants(t *testing.T, text string, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
}

func never(t *testing.T, text string, none ...string) {
	t.Helper()
	for _, bad := range none {
		if strings.Contains(text, bad) {
			t.Errorf("it says %q:\n%s", bad, text)
		}
	}
}

// reading is one domain that handles the reading of files.
func reading() []domainid.Domain {
	return []domainid.Domain{layer(-1, access.Rights{access.FS: readFile}, domainid.Ruleset{})}
}

// TestStateLine: what is most important of the state stands there.
func TestStateLine(t *testing.T) {
	hollow := layer(-1, access.Rights{access.FS: readFile}, domainid.Ruleset{})
	for name, c := range map[string]struct {
		change func(*scan.Snapshot)
		want   string
	}{
		"effective": {func(*scan.Snapshot) {}, "sandboxed at depth 1\n"},
		"ineffective": {
			func(s *scan.Snapshot) { s.Views[0].Everywhere = []uint32{readFile | access.Refer} },
			"sandboxed at depth 1, but restricted in nothing (ineffective)\n",
		},
		"unknown": {
			func(s *scan.Snapshot) { s.Views[0].Doubt = domainid.RootChanging },
			"sandboxed at depth 1; whether it is restricted in anything is not known: its root " +
				"directory was moved while it was looked at\n",
		},
		"deeper": {
			func(s *scan.Snapshot) { s.Domains[0].Lineage = domainid.LineageInferred },
			"sandboxed at depth 1 or deeper; whether it is restricted in anything is not known: " +
				"not all of its layers are known\n",
		},
		"changing": {func(s *scan.Snapshot) {
			s.Processes[0].State, s.Processes[0].Reason = scan.Unknown, scan.Changing
		}, "unknown (changing)\n"},
		"off": {func(s *scan.Snapshot) {
			s.Kernel.Landlock, s.Processes[0].State = scan.Disabled, scan.Unsandboxed
			s.Tasks = []scan.Task{{State: scan.Unsandboxed, Domain: -1, View: -1}}
		}, "unsandboxed\n"},
	} {
		s, p := host([]domainid.Domain{hollow}, 0)
		c.change(s)
		line := stateOf(t, Of(s, p))
		if line+"\n" != "Process 100 (sh) is "+c.want {
			t.Errorf("%s: %q, want %q", name, line, c.want)
		}
	}
}

// TestPartial: every statement about a process that is partly free names the threads
// that are meant.
func TestPartial(t *testing.T) {
	s, p := host(reading(), 0, -1, -1, 0)
	text := textOf(t, Of(s, p))
	wants(t, text, "is partial: 2 of its 4 threads are in a domain\n",
		"Landlock keeps 100 (sh) from nothing: of its 4 threads, 2 in no domain may do everything.\n\n",
		"\nSandbox of 2 threads (100, 103), 1 layer\n",
		"\nWhat its 2 threads in this domain may still do, as far as Landlock goes; of its "+
			"other threads, 2 are in no domain and may do everything:\n")
	never(t, text, "What it may still do", "ineffective")
	s.Tasks[1].State = scan.Unknown
	wants(t, textOf(t, Of(s, p)),
		"of its other threads, 1 is in no domain and may do everything, of 1 it is not known:\n")
}

// TestWhole: the text of a process that has several sandboxes has what it may do as
// a whole.
func TestWhole(t *testing.T) {
	s, p := host([]domainid.Domain{
		layer(-1, access.Rights{access.FS: readFile | writeFile}, domainid.Ruleset{}),
		layer(-1, access.Rights{access.FS: readFile, access.Scope: 2}, domainid.Ruleset{}),
	}, 0, 1)
	text := textOf(t, Of(s, p))
	wants(t, text,
		"\nAs a whole it may do what any of its threads may, which share memory and open files.\n",
		"\n  In all of them this is restricted: fs.read_file, fs.refer.\n",
		"\nWhat its 1 thread in this domain may still do, as far as Landlock goes; of its other "+
			"threads, 1 in other sandboxes may do what those let do:\n")
	never(t, text, "Whether this is, is not known")

	s.Views[1].Doubt = domainid.RootDetached
	wants(t, textOf(t, Of(s, p)), "\n  In all of them this is restricted: nothing.\n",
		"\n  Whether this is, is not known: fs.read_file, fs.refer (its root directory is cut "+
			"off from the top of its mount).\n")
	s.Views[1].Doubt = 0
	s.Source.Rules = "unread"
	wants(t, textOf(t, Of(s, p)), "\n  In all of them this is handled: fs.read_file, fs.refer.\n")
	s.Source.Rules = "read"

	// One domain, two root directories.
	s, p = host(reading(), 0, 0, 0)
	s.Domains[0].Ruleset.Rules = 1
	s.Views = append(s.Views, domainid.View{Everywhere: []uint32{readFile | access.Refer}})
	s.Tasks[1].View = 1
	text = textOf(t, Of(s, p))
	wants(t, text, "but restricted in nothing (ineffective)",
		"handles 2 rights, restricts 2, has 1 rule", "handles 2 rights, restricts 0, has 1 rule",
		"\nSandbox of 2 threads (100, 102), 1 layer\n", "\nSandbox of 1 thread (101), 1 "+
			"layer\n", "In all of them this is restricted: nothing.")
}

// TestUnknownDomain: the text of a domain that is not known has only that.
func TestUnknownDomain(t *testing.T) {
	s, p := host(reading(), 0)
	s.Kernel.Ways = ^access.Ways(0)
	s.Domains[0].Lineage = domainid.LineageInferred
	wants(t, textOf(t, Of(s, p)), "\nSandbox of 1 thread, 1 layer or more\n")
	s.Tasks[0].Domain, s.Tasks[0].View, s.Tasks[0].DepthExact = domainid.Outermost, domainid.NoView, false
	text := textOf(t, Of(s, p))
	wants(t, text, "sandboxed at depth 1 or deeper; whether it is restricted in anything is not known: ",
		"\nSandbox of 1 thread, 1 layer or more\n  its domain is not known\n",
		"\n    - connect to TCP ports: not known: not all of its layers are known\n",
		"\n    - bind UDP ports: all (this kernel cannot restrict it; Linux 7.2 can)\n")
	never(t, text, "0 layers", "but by")

	// What a budget left out: its depth is known.
	s.Tasks[0].Depth, s.Tasks[0].DepthExact, s.DomainsUnread = 15, true, 7
	wants(t, textOf(t, Of(s, p)), "\nSandbox of 1 thread, 15 layers\n  its domain is not "+
		"known: this scan left it out to stay within a budget\n")
	s, p = host(reading(), 0, 0)
	for i := range s.Tasks {
		s.Tasks[i].Domain, s.Tasks[i].View = domainid.Outermost, domainid.NoView
		s.Tasks[i].Depth = uint16(i + 2)
	}
	wants(t, textOf(t, Of(s, p)), "\nSandbox of 1 thread (100), 2 layers\n",
		"\nSandbox of 1 thread (101), 3 layers\n")
}

// TestManySandboxes: threads in different domains that let do the same are described
// together, however many there are.
func TestManySandboxes(t *testing.T) {
	const kinds, each = 100, 3
	var domains []domainid.Domain
	var tasks []int32
	for i := range int32(kinds * each) {
		rules := domainid.Ruleset{Ports: []domainid.PortRule{{Port: uint16(1 + i%kinds), Net: 1}}}
		domains = append(domains, layer(-1, access.Rights{access.Net: 1}, rules))
		tasks = append(tasks, i)
	}
	s, p := host(domains, tasks...)
	e := Of(s, p)
	if len(e.Sandboxes) != kinds {
		t.Fatalf("%d sandboxes, want %d", len(e.Sandboxes), kinds)
	}
	for i := range e.Sandboxes {
		b := &e.Sandboxes[i]
		if len(b.TIDs) != each || len(b.In) != each || !slices.IsSorted(b.TIDs) || b.Domains()[0] != int32(i) {
			t.Errorf("sandbox %d: threads %v in %v", i, b.TIDs, b.In)
		}
	}
	wants(t, textOf(t, e), "in 100 sandboxes that differ\n", "\n92 more sandboxes: -o json has them\n")
}

// TestWorkers: what acts outside is named, also where permissions are described.
func TestWorkers(t *testing.T) {
	s, p := host(reading(), 0)
	inside := scan.Place{State: scan.Sandboxed, Domain: 0}
	free := scan.Place{State: scan.Unsandboxed, Domain: -1}
	s.Workers = []scan.Worker{
		{TID: 7, Real: inside, Acting: inside},
		{TID: 8, Real: inside, Acting: free},
		{TID: 9, Real: free, Acting: free},
		{TID: 10, Real: inside, Acting: scan.Place{Domain: -1}},
	}
	p.NumWorkers = 1
	never(t, textOf(t, Of(s, p)), "orker")
	p.NumWorkers = 2
	wants(t, textOf(t, Of(s, p)),
		"\nA worker that the kernel made for it (thread 8) may act outside of its domains: what "+
			"the process could do before it entered them, it still can do by it.\n",
		"as far as Landlock goes and but for what its workers may do:\n")
	p.FirstWorker, p.NumWorkers = 3, 1
	wants(t, textOf(t, Of(s, p)),
		"(thread 10) may act outside of its domains, or not: it is not known in which "+
			"it is.\n", "which is not known:\n")
	p.FirstWorker, p.NumWorkers = 0, 4
	wants(t, textOf(t, Of(s, p)), "\n2 workers that the kernel made for it (threads 8, 9)",
		"(thread 10)")
	var b bytes.Buffer
	if err := Of(s, p).JSON(&b); err != nil {
		t.Fatal(err)
	}
	var j struct {
		OutsideWorker string `json:"outside_worker"`
		Workers       []struct {
			TID     int
			Outside string
			Acting  struct{ Domain *string }
		}
	}
	if err := json.Unmarshal(b.Bytes(), &j); err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, w := range j.Workers {
		said = append(said, w.Outside)
	}
	if j.OutsideWorker != "yes" || strings.Join(said, " ") != "no yes yes unknown" ||
		j.Workers[0].Acting.Domain == nil || j.Workers[1].Acting.Domain != nil {
		t.Errorf("%+v", j)
	}
}

// TestBefore: every process in a sandbox has a note of what cannot be read.
func TestBefore(t *testing.T) {
	s, p := host([]domainid.Domain{layer(-1, access.Rights{access.FS: 1}, domainid.Ruleset{})}, 0)
	const title = "\nWhat cannot be read, and may let it do more:\n"
	if text := textOf(t, Of(s, p)); strings.Count(text, title) != 1 {
		t.Errorf("%s", text)
	}
	s, p = host(nil, -1)
	p.State = scan.Unsandboxed
	never(t, textOf(t, Of(s, p)), "What cannot be read")
}

// TestRunsAs: users and hardening are those of all threads.
func TestRunsAs(t *testing.T) {
	s, p := host(reading(), 0, 0)
	for i, hardened := range []scan.Hardening{scan.NoNewPrivs | scan.SeccompFilter, 0} {
		s.Tasks[i].Hardening = hardened
	}
	s.Tasks[0].UID, p.UID, p.UIDsDiffer = 65534, 65534, true
	p.NoNewPrivs, p.Seccomp = scan.OfSome, scan.OfSome
	wants(t, textOf(t, Of(s, p)),
		"  runs as     users 0, 65534 (threads differ), no_new_privs in 1 of 2 threads only, "+
			"seccomp in 1 of 2 threads only\n")
}

// TestRoots: a root directory of its own is named.
func TestRoots(t *testing.T) {
	s, p := host(reading(), 0, 0)
	s.Domains[0].Ruleset.Inodes = []domainid.InodeRule{{Dev: 1, Ino: 1, FS: readFile}}
	e := Of(s, p)
	never(t, textOf(t, e), "  root  ", "Paths")
	for _, c := range []struct {
		roots Roots
		want  []string
		never []string
	}{
		{Roots{NotKnown: "gone\x1b"}, []string{"  root        not known: \"gone\\x1b\"\n"},
			[]string{"Paths"}},
		{Roots{All: []Root{{Path: "/"}}}, nil, []string{"  root  ", "Paths"}},
		{
			Roots{All: []Root{{Path: "/", OtherMounts: true}}},
			[]string{"  Paths are as the process sees them, in its mount namespace.\n"}, []string{"  root  "},
		},
		{Roots{All: []Root{{Path: "/srv/jail", Own: true}}}, []string{
			"  root        /srv/jail, a directory of its own\n",
			"  Paths are as the process sees them, from its root directory /srv/jail.\n",
		}, nil},
		{Roots{All: []Root{{Path: "/", Own: true, OtherMounts: true,
			Mounted: &Mounted{"/var/jail", "ext4", "8:1"}}}}, []string{
			"  root        a directory of its own: /var/jail of the ext4 filesystem on device " +
				"8:1, in a mount namespace of its own\n",
			"  Paths are as the process sees them, from its own root directory.\n",
		}, nil},
		{Roots{All: []Root{{Path: "/a", Own: true, TIDs: []int32{101}},
			{Path: "/", TIDs: []int32{100}}}}, []string{
			"  root        /a, a directory of its own, of thread 101\n",
			"  root        /, of thread 100\n",
			"  Paths are as thread 101 sees them, from its root directory /a.\n",
		}, nil},
	} {
		e.Roots = &c.roots
		text := textOf(t, e)
		wants(t, text, c.want...)
		never(t, text, c.never...)
	}
}

// TestAgrees: for random snapshots, the text on rights, thread by thread and as a
// whole, agrees with what the sandbox means, and layer lines with the permissions below
// them.
func TestAgrees(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(1500) {
		r := rand.New(rand.NewPCG(seed, 7))
		s, p := randomHost(r)
		m := s.Meaning()
		e := Of(s, p)
		said := map[int32]*Sandbox{}
		for i := range e.Sandboxes {
			for _, tid := range e.Sandboxes[i].TIDs {
				if said[tid] != nil {
					t.Fatalf("seed %d: thread %d is in two sandboxes", seed, tid)
				}
				said[tid] = &e.Sandboxes[i]
			}
		}
		whole, inside := s.SandboxOf(p)
		everywhere := map[string]bool{} // for some thread in a domain
		for i := range s.Tasks {
			task := &s.Tasks[i]
			b := said[task.TID]
			if (b != nil) != (task.State == scan.Sandboxed) {
				t.Fatalf("seed %d: thread %d is %v, in a sandbox: %v", seed, task.TID, task.State,
					b != nil)
			}
			if b == nil {
				continue
			}
			means := m.Task(task.Domain, task.View, task.Depth, task.DepthExact)
			rights := 0
			for _, d := range b.Permissions {
				for _, right := range d.Rights {
					rights++
					seen[d.Effect.String()]++
					restricts := means.Restricts.Of(right)
					everywhere[right.Name] = everywhere[right.Name] ||
						d.Effect == domainid.Everywhere
					var fits bool
					switch d.Effect {
					case domainid.Everywhere:
						fits = restricts == access.No ||
							d.Reason == domainid.KernelCannot && restricts != access.Yes
					case domainid.EffectUnknown:
						fits = restricts == access.Unknown
					default:
						fits = restricts == access.Yes
					}
					if !fits {
						t.Fatalf("seed %d: thread %d is restricted in %s: %v, but %+v", seed,
							task.TID, right, restricts, d)
					}
				}
			}
			if want := access.Supported(99).Union(means.Handles.Sure).Count(); rights != want {
				t.Fatalf("seed %d: thread %d: %d rights of %d", seed, task.TID, rights, want)
			}
			checkLayer(t, seed, e, b)
		}
		for _, right := range access.All() {
			if inside && p.State == scan.Sandboxed && whole.Restricts.Of(right) == access.Yes &&
				everywhere[right.Name] {
				t.Fatalf("seed %d: %s is restricted as a whole, but not for some thread", seed,
					right)
			}
			if inside && p.State == scan.Sandboxed && whole.Restricts.Of(right) == access.No &&
				!everywhere[right.Name] {
				t.Fatalf("seed %d: %s is not restricted as a whole, but for every thread", seed,
					right)
			}
		}
		ineffective := s.Ineffective(p)
		seen["ineffective "+ineffective.String()]++
		line := stateOf(t, e)
		if got := strings.HasSuffix(line, "(ineffective)"); got != (ineffective == access.Yes) {
			t.Fatalf("seed %d: ineffective: %v, but %q", seed, ineffective, line)
		}
		if got := strings.Contains(line, "is not known"); got != (ineffective == access.Unknown) {
			t.Fatalf("seed %d: ineffective: %v, but %q", seed, ineffective, line)
		}
	}
	for _, what := range []string{"unknown", "everywhere", "limited", "nowhere", "ineffective yes",
		"ineffective no", "ineffective unknown"} {
		if seen[what] < 50 {
			t.Errorf("%s was said %d times: this says little", what, seen[what])
		}
	}
}

var layerLine = regexp.MustCompile(`; handles (\d+) rights?, restricts (\d+)[,;]`)

// checkLayer compares the line of a sandbox's only layer with its permissions.
func checkLayer(t *testing.T, seed uint64, e *Explanation, b *Sandbox) {
	t.Helper()
	if len(b.Layers) != 1 || b.Means.Doubt != 0 {
		return
	}
	restricted := 0
	for _, d := range b.Permissions {
		if d.Effect == domainid.Limited || d.Effect == domainid.Nowhere {
			restricted += len(d.Rights)
		}
	}
	w := &textWriter{e: e}
	found := layerLine.FindStringSubmatch(w.layerText(&b.Layers[0]) + ";")
	if found == nil || found[2] != strconv.Itoa(restricted) {
		t.Fatalf("seed %d: %d rights are restricted, but %q", seed, restricted, found)
	}
}

// randomHost is a host with one process whose threads are in domains with views, of
// which not everything is known.
func randomHost(r *rand.Rand) (*scan.Snapshot, *scan.Process) {
	var domains []domainid.Domain
	few := func() uint32 { return r.Uint32() & r.Uint32() & r.Uint32() }
	for i := range 1 + r.IntN(4) {
		handled := access.Rights{access.FS: few() & 0x10ffff, access.Net: few() & 3,
			access.Scope: few() & 3}
		if handled.Empty() {
			handled[access.FS] = 1
		}
		rs := domainid.Ruleset{Rules: 3, EveryPort: handled[access.Net] & few()}
		if r.IntN(2) == 0 {
			rs.Ports = []domainid.PortRule{{Port: 80, Net: handled[access.Net] & r.Uint32()}}
		}
		if r.IntN(2) == 0 {
			rs.Inodes = []domainid.InodeRule{{Dev: 1, Ino: 1, FS: handled[access.FS] & r.Uint32()}}
		}
		d := layer(int32(r.IntN(i+1))-1, handled, rs)
		if d.ID = domainid.ID(i + 1); d.Parent >= 0 {
			d.Depth = domains[d.Parent].Depth + 1
		}
		if r.IntN(8) == 0 {
			d.Ruleset = nil
		}
		domains = append(domains, d)
	}
	tasks := make([]int32, 1+r.IntN(4))
	free := r.IntN(4) == 0
	for i := range tasks {
		if tasks[i] = int32(r.IntN(len(domains))); free && r.IntN(2) == 0 {
			tasks[i] = -1
		}
	}
	if !slices.ContainsFunc(tasks, func(d int32) bool { return d >= 0 }) {
		tasks[0] = 0
	}
	s, p := host(domains, tasks...)
	for i := range domains { // a view in which much is granted
		v := domainid.View{Domain: int32(i)}
		for range domains[i].Depth {
			v.Everywhere = append(v.Everywhere, r.Uint32()|r.Uint32())
		}
		switch r.IntN(6) {
		case 0:
			v = domainid.View{Domain: int32(i), Doubt: domainid.RootChanging}
		case 1, 2:
			for n := range v.Everywhere {
				v.Everywhere[n] = ^uint32(0)
			}
		}
		s.Views = append(s.Views, v)
	}
	for i := range s.Tasks {
		task := &s.Tasks[i]
		switch {
		case task.State != scan.Sandboxed:
		case r.IntN(12) == 0:
			task.View = domainid.NoView
		case r.IntN(12) == 0:
			task.Domain, task.View, task.DepthExact = domainid.Outermost, domainid.NoView, false
		case r.IntN(3) != 0:
			task.View = int32(len(domains)) + task.Domain
		}
	}
	return s, p
}

// Whose word a path is stands behind it, unless it is that of a file of the host.
func TestExecutableInWords(t *testing.T) {
	for origin, want := range map[scan.Origin]string{
		scan.OfHost:        "/bin/x",
		scan.OfImage:       "/bin/x, below another root directory than the host's",
		scan.OfUser:        "/bin/x, by the word of its user: not necessarily that file of the host",
		scan.OriginUnknown: "/bin/x, it is not known by whose word",
	} {
		w := &textWriter{}
		if got := w.executable(&scan.Process{Exe: "/bin/x", ExeOrigin: origin}); got != want {
			t.Errorf("%s: %q, want %q", origin, got, want)
		}
	}
}

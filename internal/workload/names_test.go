// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/scan"
)

// node is a host with Kubernetes: cgroups of containers, and their logs.
type node struct {
	*bench
	t  *testing.T
	tr tree
	// processes are one in each container.
	processes []scan.Process
	uptime    time.Duration
}

func newNode(t *testing.T) *node {
	tr := newTree(t)
	return &node{bench: newBench(t, &tr, nil), t: t, tr: tr}
}

// start starts a container in a pod, or in none if the UID is empty.
func (n *node) start(uid, id string) {
	n.t.Helper()
	path := "docker/" + id
	if uid != "" {
		path = "kubepods/pod" + uid + "/" + id
	}
	n.processes = append(n.processes, in(n.tr.make(path), "/bin/x"))
}

func (n *node) log(name string) {
	n.t.Helper()
	if stem, ok := strings.CutSuffix(name, ".log"); ok && len(stem) > longestStem {
		name = stem[:longestStem] + ".log" // as kubelet does it
	}
	if err := os.WriteFile(filepath.Join(n.logs, name), nil, 0o644); err != nil {
		n.t.Fatal(err)
	}
}

// podDir makes the directory of a pod's logs.
func (n *node) podDir(path string) {
	n.t.Helper()
	if err := os.MkdirAll(filepath.Join(filepath.Dir(n.logs), "pods", path), 0o755); err != nil {
		n.t.Fatal(err)
	}
}

// after lets time pass, and returns what all containers are called: by their name in
// Kubernetes, "none" if it is known that they have none, and "" if it is not known.
func (n *node) after(d time.Duration) string {
	n.t.Helper()
	var s *scan.Snapshot
	for range max(1, d/time.Second) {
		s = snapshot(n.processes...)
		s.Uptime = n.uptime
		n.Assign(s)
		n.now = n.now.Add(min(d, time.Second))
	}
	var all []string
	for i := range s.Processes {
		w := s.WorkloadOf(&s.Processes[i])
		name := w.Container.Name
		switch {
		case name != "" && (w.Container.Unnamed || w.Name != w.Container.Namespace+"/"+name):
			n.t.Errorf("%+v: %+v", *w, *w.Container)
		case w.Container.Unnamed:
			name = "none"
		}
		all = append(all, name)
	}
	return strings.Join(all, ",")
}

func (n *node) expect(d time.Duration, want string) {
	n.t.Helper()
	if got := n.after(d); got != want {
		n.t.Errorf("after %v: %q, want %q", d, got, want)
	}
}

var (
	webID   = strings.Repeat("ab12", 16)
	pauseID = strings.Repeat("34cd", 16)
	jobID   = strings.Repeat("56ef", 16)
	pod2    = "1e4e3ffb-7b3c-4a9f-8a53-9a2d1f0c7e22"
)

func TestOtherContainersHaveNoName(t *testing.T) {
	n := newNode(t)
	n.start("", webID)
	n.expect(5*time.Second, "")
	n.expect(20*time.Second, "none")
	// A name that comes late is taken all the same.
	n.log("a_prod_web-" + webID + ".log")
	n.expect(2*time.Minute, "web")
}

// One look is enough where processes are old.
func TestOldContainersHaveNoName(t *testing.T) {
	for _, c := range []struct {
		age, uptime time.Duration
		want        string
	}{
		{logGrace, time.Hour, "none,none,web"}, {logGrace - 1, time.Hour, ",,web"},
		{-time.Hour, time.Hour, ",,web"}, {2 * time.Hour, time.Hour, ",,web"},
	} {
		n := newNode(t)
		n.start("", jobID)
		n.start(pod, pauseID)
		n.start(pod, webID)
		n.log("a_prod_web-" + webID + ".log")
		for i := range n.processes {
			n.processes[i].Start = uint64(c.uptime - c.age)
		}
		n.uptime = c.uptime
		n.expect(0, c.want)
	}
}

func TestSandboxHasNoName(t *testing.T) {
	n := newNode(t)
	n.start(pod, pauseID)
	n.start(pod, webID)
	n.expect(time.Minute, ",") // which of them is the sandbox?
	n.log("a_prod_web-" + webID + ".log")
	n.expect(2*time.Minute, "none,web")
	// It is the sandbox for good.
	n.processes = n.processes[:1]
	n.expect(2*time.Minute, "none")
}

// A pod with one container without a log: is it the sandbox, or has the container
// none? CRI-O makes no sandbox where it can do without.
func TestOneContainerWithoutLog(t *testing.T) {
	n := newNode(t)
	n.start(pod, pauseID)
	n.expect(2*time.Minute, "")
	// A container of the pod has started, and has a log.
	n.podDir("prod_a_" + pod + "/web")
	n.expect(2*time.Minute, "")
	n.log("a_prod_web-" + webID + ".log") // of one that has ended
	n.expect(2*time.Minute, "none")

	n = newNode(t)
	n.start(pod, pauseID)
	n.podDir("prod_a_" + pod) // no container of the pod has ever started
	n.podDir("prod_b_" + pod2 + "/web")
	n.expect(2*time.Minute, "none")
}

func TestNoLogs(t *testing.T) {
	n := newNode(t)
	if err := os.Remove(n.logs); err != nil {
		t.Fatal(err)
	}
	n.start("", jobID)
	n.start(pod, pauseID)
	n.start(pod, webID)
	// Where there is a pod, there is a kubelet with a directory that is not seen.
	n.expect(2*time.Minute, "none,,")
	// It comes later than landlockd.
	if err := os.Mkdir(n.logs, 0o755); err != nil {
		t.Fatal(err)
	}
	n.log("a_prod_web-" + webID + ".log")
	n.expect(2*time.Minute, "none,none,web")
	// And is replaced.
	if err := os.RemoveAll(n.logs); err != nil {
		t.Fatal(err)
	}
	n.start("", id)
	n.expect(time.Second, "none,none,web,none")
	if err := os.Mkdir(n.logs, 0o755); err != nil {
		t.Fatal(err)
	}
	n.log("b_prod_late-" + id + ".log")
	n.expect(2*time.Minute, "none,none,web,late")
}

func TestUnreadableLogs(t *testing.T) {
	n := newNode(t)
	if err := os.Remove(n.logs); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(n.logs, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	n.start("", jobID)
	n.start(pod, pauseID)
	n.expect(2*time.Minute, ",")
}

// longPod is the name of a pod for which this many digits of a container's ID are
// left in the name of its log.
func longPod(container string, left int) string {
	return strings.Repeat("p", longestStem-len("_prod_")-len(container)-len("-")-left)
}

func TestCutLogs(t *testing.T) {
	container := "web" + strings.Repeat("x", 60)
	for _, c := range []struct {
		name string
		left int // digits of the ID
		dir  string
		want string
	}{
		{"many digits are left", 12, "", "none,web"},
		{"few are left", 3, "", ","},
		{"few, but the pod's directory tells", 3, "prod_POD_" + pod + "/web", "none,web"},
		{"it has no such container", 12, "prod_POD_" + pod + "/other", ","},
		{"it is of another pod", 12, "prod_POD_" + pod2 + "/web", "none,web"},
		{"it has another name", 12, "prod_b_" + pod + "/web", ","},
		{"none is left", 0, "prod_POD_" + pod + "/web", ","},
		{"not all of the container's name is", -2, "prod_POD_" + pod + "/web", ","},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := newNode(t)
			n.start(pod, pauseID)
			n.start(pod, webID)
			// A pod's directory bounds its name, so that the container's is long.
			long := func(s string) string { return strings.ReplaceAll(s, "web", container) }
			name := longPod(container, c.left)
			n.log(name + "_prod_" + container + "-" + webID + ".log")
			if c.dir != "" {
				n.podDir(strings.Replace(long(c.dir), "POD", name, 1))
			}
			n.expect(3*time.Minute, long(c.want))
		})
	}
}

// What is left of an ID must be of one container on the host.
func TestCutLogsOfTwo(t *testing.T) {
	n := newNode(t)
	twin := webID[:32] + strings.Repeat("0", 32)
	n.start(pod, webID)
	n.start(pod2, twin)
	name := longPod("web", 12)
	n.log(name + "_prod_web-" + webID + ".log")
	n.expect(2*time.Minute, ",")
	// One of them is gone.
	n.processes = n.processes[:1]
	n.expect(2*time.Minute, "web")
}

// Whoever may make pods can choose names that end like an ID of his.
func TestForgedCutLogs(t *testing.T) {
	n := newNode(t)
	n.podDir("evil_" + "mine" + "_" + pod + "/job")
	n.start(pod, jobID)
	// A pod of another name has a container "web-PREFIX", and its log is cut after it.
	prefix := jobID[:10]
	stem := strings.Repeat("p", longestStem-len("_prod_web-")-len(prefix)) + "_prod_web-" + prefix
	n.log(stem + ".log")
	n.expect(2*time.Minute, "")
}

// A log that is cut leaves only the sandbox of its own pod unknown.
func TestCutLogOfAnotherPod(t *testing.T) {
	n := newNode(t)
	n.start(pod, pauseID)
	n.start(pod, webID)
	n.log("a_prod_web-" + webID + ".log")
	n.log(longPod("job", 2) + "_prod_job-" + jobID + ".log")
	n.expect(2*time.Minute, "none,web")
}

func TestManyCutLogs(t *testing.T) {
	n := newNode(t)
	n.start("", webID)
	for i := range maxCut + 2 {
		n.log(fmt.Sprintf("%0*d.log", longestStem, i))
	}
	n.expect(time.Minute, "")
}

func FuzzParseCut(f *testing.F) {
	f.Add(longPod("web", 5) + "_prod_web-abcde")
	f.Fuzz(func(t *testing.T, stem string) {
		if c, ok := parseCut(stem); ok && c.Pod+"_"+c.Namespace+"_"+c.Name+"-"+c.ID != stem {
			t.Fatalf("%q: %+v", stem, c)
		}
	})
}

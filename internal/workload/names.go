// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"errors"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/dirent"
	"github.com/landlockd/landlockd/scan"
)

const (
	// logGrace is how much later than a container its log may appear.
	logGrace = 10 * time.Second
	// leastPrefix is how many digits of a container's ID must be left in the name of
	// a log, where only they show that it is this container's.
	leastPrefix = 8
)

// look is one look at the logs, for the containers that have no name.
type look struct {
	now time.Time
	// named has what full names give, by ID; with an empty ID if nothing yet.
	named map[string]scan.Container
	// ids are those of all live containers in pods.
	ids map[string]bool
	// pods are those with a container that has no name, by UID.
	pods map[string]*podNames
	cut  []string
	// taken are those of cut that are of a container with a name.
	taken map[string]bool
	err   error // why not all logs could be read
}

// podNames is what is known of the containers of one pod.
type podNames struct {
	// dir has no path if it cannot be seen, and no names either if they are not known.
	dir podDir
	// nameless are the IDs of its live containers without a name.
	nameless map[string]bool
	// logged reports whether some container of it has a log.
	logged bool
}

// nameContainers looks for the names of containers that have none.
func (r *Resolver) nameContainers() {
	began := r.clock()
	l := look{now: r.now, named: map[string]scan.Container{}, ids: map[string]bool{},
		pods: map[string]*podNames{}, taken: map[string]bool{}}
	r.eachContainer(l.want)
	readPods(r.o.PodLogs, l.pods)
	l.read(r.o.Logs)
	r.eachContainer(l.sibling)
	clear(r.v2.rows)
	clear(r.v1.rows)
	r.eachContainer(l.name)
	r.nextLogs = pause(began, r.clock())
}

// eachContainer calls f with each cgroup of a container with an ID, and whether a
// process is in it.
func (r *Resolver) eachContainer(f func(c *cgroup, live bool)) {
	for _, in := range r.both() {
		for _, c := range in.byID {
			if of := c.facts.Container; of != nil && isID(of.ID) {
				f(c, c.isUsed(r.scan, &r.table))
			}
		}
	}
}

// want notes what is to be looked for.
func (l *look) want(c *cgroup, live bool) {
	of := c.facts.Container
	if of.PodUID != "" && live {
		l.ids[of.ID] = true
	}
	if !c.awaitsName {
		return
	}
	l.named[of.ID] = scan.Container{}
	if of.PodUID == "" || !live {
		return
	}
	p := l.pods[of.PodUID]
	if p == nil {
		p = &podNames{nameless: map[string]bool{}}
		l.pods[of.PodUID] = p
	}
	p.nameless[of.ID] = true
}

// read reads the logs' names. It opens no log.
func (l *look) read(dir string) {
	// pods are those that are wanted, by what logs call them.
	pods := map[[2]string]*podNames{}
	for _, p := range l.pods {
		pods[[2]string{p.dir.namespace, p.dir.pod}] = p
	}
	n := 0
	for d, err := range dirent.ReadPath(dir, make([]byte, 32<<10)) {
		if n++; err == nil && (n > maxLogs || len(l.cut) > maxCut) {
			err = errManyLogs
		}
		if err != nil {
			l.err = err
			return
		}
		name := string(d.Name)
		c, ok := parseLog(name)
		if stem, isLog := strings.CutSuffix(name, ".log"); !ok && isLog && len(stem) == longestStem {
			l.cut = append(l.cut, stem)
		}
		if _, wanted := l.named[c.ID]; ok && wanted {
			l.named[c.ID] = c
		}
		if p := pods[[2]string{c.Namespace, c.Pod}]; ok && p != nil {
			p.logged = true
		}
	}
}

// sibling notes what is known of a pod from a container that has a name.
func (l *look) sibling(c *cgroup, live bool) {
	of := *c.facts.Container
	if found := l.named[of.ID]; found.ID != "" {
		of.Pod, of.Namespace, of.Name = found.Pod, found.Namespace, found.Name
	}
	if of.Name == "" || !live {
		return
	}
	if stem := of.Pod + "_" + of.Namespace + "_" + of.Name + "-" + of.ID; len(stem) > longestStem {
		l.taken[stem[:longestStem]] = true
	}
	p := l.pods[of.PodUID]
	if p == nil {
		return
	}
	p.logged = true
	delete(p.nameless, of.ID)
	if p.dir.pod == "" {
		p.dir.namespace, p.dir.pod = of.Namespace, of.Pod
	}
}

// name names a container, or notes that it has no name.
func (l *look) name(c *cgroup, live bool) {
	if !c.awaitsName {
		return
	}
	of := c.facts.Container
	found := l.named[of.ID]
	if found.ID == "" && of.PodUID != "" && live {
		found = l.byCut(of)
	}
	c.name(found, l.now)
	if found.ID == "" && !of.Unnamed && l.isUnnamed(c, live) {
		unnamed := *of // the old one may be in a snapshot
		unnamed.Unnamed = true
		c.facts.Container = &unnamed
		c.clear()
	}
}

// isUnnamed reports whether it is known that no container in Kubernetes is called
// like this one.
func (l *look) isUnnamed(c *cgroup, live bool) bool {
	uid := c.facts.Container.PodUID
	switch {
	case uid == "" && errors.Is(l.err, unix.ENOENT):
		return true // there is no Kubernetes
	case l.err != nil || l.now.Sub(c.since) < logGrace:
		return false
	case uid == "":
		return true
	}
	// Of a pod it may be the sandbox, which has no log: if all others have one.
	p := l.pods[uid]
	if p == nil || !live || len(p.nameless) > 1 || l.mayBeCut(p.dir, c.facts.Container.ID) {
		return false
	}
	return p.logged || p.dir.path != "" && p.dir.isEmpty()
}

// mayBeCut reports whether a name that is cut may be that of the log of a container
// in a pod.
func (l *look) mayBeCut(d podDir, id string) bool {
	for _, stem := range l.cut {
		prefix := d.pod + "_" + d.namespace + "_"
		ofPod := d.pod == "" || strings.HasPrefix(stem, prefix) || strings.HasPrefix(prefix, stem)
		if !ofPod || l.taken[stem] {
			continue
		}
		c, ok := parseCut(stem)
		if another := ok && !strings.HasPrefix(id, c.ID) && d.path != "" &&
			d.has(c.Name) && !d.has(c.Name+"-"+c.ID); !another {
			return true
		}
	}
	return false
}

// byCut returns what a cut name of a log gives of a container in a pod, if the log is
// this one's for certain. The directory of the pod's logs shows that, or else enough
// digits of the ID that no other container on the host has.
func (l *look) byCut(of *scan.Container) (found scan.Container) {
	dir := l.pods[of.PodUID].dir
	for _, stem := range l.cut {
		c, ok := parseCut(stem)
		if !ok || !strings.HasPrefix(of.ID, c.ID) || !l.isUnique(c.ID) ||
			dir.pod != "" && (c.Pod != dir.pod || c.Namespace != dir.namespace) ||
			dir.path != "" && !dir.has(c.Name) || dir.path == "" && len(c.ID) < leastPrefix {
			continue
		}
		if found.ID != "" {
			return scan.Container{} // two
		}
		found = c
		found.ID = of.ID
	}
	return found
}

// isUnique reports whether one live container in a pod has an ID that begins so.
func (l *look) isUnique(prefix string) bool {
	n := 0
	for id := range l.ids {
		if strings.HasPrefix(id, prefix) {
			n++
		}
	}
	return n == 1
}

// SPDX-License-Identifier: Apache-2.0

package places

// share is of directories that are looked at in turn with those of other shares, so that however
// many there are of one kind, as of cgroups, or that a user makes, the others are looked at, too.
type share struct {
	dev uint64
	// root: root owns them.
	root bool
}

// turns has the directories that are still to be looked at, of each share the highest first.
type turns struct {
	queues []*queue
	of     map[share]*queue
}

type queue struct {
	dirs []string
	// looks is how many entries were looked at.
	looks int
}

func (t *turns) queue(s share) *queue {
	q := t.of[s]
	if q == nil {
		if t.of == nil {
			t.of = map[share]*queue{}
		}
		q = &queue{}
		t.of[s], t.queues = q, append(t.queues, q)
	}
	return q
}

// next takes a directory of the share of which the least was looked at, or none.
func (t *turns) next() (dir string, from *queue) {
	for _, q := range t.queues {
		if len(q.dirs) > 0 && (from == nil || q.looks < from.looks) {
			from = q
		}
	}
	if from == nil {
		return "", nil
	}
	dir, from.dirs = from.dirs[0], from.dirs[1:]
	from.looks++
	return dir, from
}

// SPDX-License-Identifier: Apache-2.0

package places

// share is of directories that are looked at in turn with those of other shares, so that however
// many there are of one kind, as of cgroups, or that a user makes, the others are looked at, too.
type share struct {
	dev uint64
	// root: root owns them; rest: they are what earlier turns have left of long ones.
	root, rest bool
}

// turns has the directories that are still to be looked at, of each share the highest first.
type turns struct {
	queues []*queue
	of     map[share]*queue
}

type queue struct {
	dirs []part
	// looks is how many entries were looked at.
	looks int
}

// part is a directory from an offset on: of one with very many entries each turn has some.
type part struct {
	path string
	from int64
}

func (q *queue) add(path string, from int64) { q.dirs = append(q.dirs, part{path, from}) }

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

// next takes a directory of the share of which the least was looked at. from is nil if none is
// left.
func (t *turns) next() (dir part, from *queue) {
	for _, q := range t.queues {
		if len(q.dirs) > 0 && (from == nil || q.looks < from.looks) {
			from = q
		}
	}
	if from == nil {
		return part{}, nil
	}
	dir, from.dirs = from.dirs[0], from.dirs[1:]
	from.looks++
	return dir, from
}

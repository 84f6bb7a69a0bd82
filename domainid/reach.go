// SPDX-License-Identifier: Apache-2.0

package domainid

import "github.com/landlockd/landlockd/access"

// Reach is whether Landlock keeps tasks from an asset.
type Reach uint8

const (
	// Absent: the host does not have the asset.
	Absent Reach = iota
	// OutOfReach: Landlock keeps them from all of it.
	OutOfReach
	// ReachUnknown: it is not known.
	ReachUnknown
	// WithinReach: Landlock does not keep them from it, or not from all of it.
	WithinReach
)

func (r Reach) String() string {
	return [...]string{"absent", "out_of_reach", "unknown", "within_reach"}[r&3]
}

// MarshalText encodes the word.
func (r Reach) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Reached is what is concluded of tasks and one asset.
type Reached struct {
	Reach Reach
	// Reason is why. Of an asset that is Absent it has no meaning.
	Reason Reason
	// Rights are those that are not denied, or may not be, where Reach is WithinReach or
	// ReachUnknown: of one object, port or kind.
	Rights access.Rights
	// Object is the place of that object, or -1; Port is that port, or 0.
	Object int32
	Port   uint16
	// Ways are those past Rights that the kernel leaves open, or may.
	Ways access.Ways
	// Doubt is why Reach is ReachUnknown; otherwise 0.
	Doubt Doubt
}

// rank orders what is concluded, from the best sandbox to the worst. Of what is within reach
// it is better that no sandbox on this kernel could change that.
func (r *Reached) rank() uint64 {
	if r.Reach == WithinReach && r.Reason != KernelCannot {
		return rankOpen
	}
	return uint64(r.Reach)
}

const (
	rankKernel = uint64(WithinReach)
	rankOpen   = rankKernel + 1
)

// Add takes what is concluded of one more part of the asset, or of more tasks.
func (r *Reached) Add(part Reached) {
	if part.rank() > r.rank() {
		*r = part
	} else if part.Reach == r.Reach {
		r.Doubt |= part.Doubt
	}
}

// Reaches is what is concluded of all assets, for one task or for all tasks of a process: what
// any of them reaches is within reach. It is a value: equal ones mean the same. The zero value
// is that of no assets.
type Reaches struct {
	// ranks has 3 bits for each asset.
	ranks uint64
	// Doubt is why something of this is unknown, or would be; 0 if nothing is.
	Doubt Doubt
}

const rankBits = 3

func (r Reaches) rank(asset int) uint64 { return r.ranks >> (rankBits * asset) & (1<<rankBits - 1) }

func (r *Reaches) raise(asset int, rank uint64) {
	if rank > r.rank(asset) {
		r.ranks += (rank - r.rank(asset)) << (rankBits * asset)
	}
}

// Of returns whether the asset in a place is in reach, and whether that is so only for what
// this kernel cannot restrict.
func (r Reaches) Of(asset int) (reach Reach, byKernel bool) {
	rank := r.rank(asset)
	return Reach(min(rank, rankKernel)), rank == rankKernel
}

// And returns what tasks in r and in o together reach.
func (r Reaches) And(o Reaches) Reaches {
	both := Reaches{r.ranks, r.Doubt | o.Doubt}
	if r.ranks != o.ranks {
		for i := range MaxAssets {
			both.raise(i, o.rank(i))
		}
	}
	return both
}

// Beside returns what a process reaches beside a worker that may act outside of its domains,
// or of which that is not known: no asset of the host is out of reach then.
func (r Reaches) Beside(outside access.Answer) Reaches {
	if outside == access.No {
		return r
	}
	least := rankOpen
	if outside == access.Unknown {
		least = uint64(ReachUnknown)
	}
	for i := range MaxAssets {
		if r.rank(i) != uint64(Absent) {
			r.raise(i, least)
		}
	}
	return r
}

// Assets are those that are asked for, and what they were in a scan.
type Assets struct {
	Assets []Asset
	// Objects are what their paths were, and Scenes what domains deny on them; none if
	// that was not found out.
	Objects []Object
	Scenes  []Scene
}

// Reaches returns which assets Landlock keeps a task from. domain and scene are as of
// [Meaning.Reached].
func (m *Meaning) Reaches(domain, scene int32) Reaches {
	if len(m.assets.Assets) == 0 {
		return Reaches{}
	}
	if m.reaches == nil {
		m.reaches = make([]Reaches, 1+len(m.domains)+len(m.assets.Scenes))
		m.reached = make([]bool, len(m.reaches))
	}
	at := 0 // of a domain that is not known
	if domain >= 0 && int(domain) < len(m.domains) {
		if at = 1 + int(domain); m.scene(domain, scene) != nil {
			at = len(m.domains) + int(scene)
		}
	}
	if !m.reached[at] {
		m.reached[at] = true
		all := m.conclusions(domain, scene)
		for i := range m.assets.Assets {
			m.reaches[at].raise(i, all[i].rank())
			if all[i].Reach == ReachUnknown {
				m.reaches[at].Doubt |= all[i].Doubt
			}
		}
	}
	return m.reaches[at]
}

// Reached returns what is concluded of each asset for tasks in a domain, or Outermost if it
// is not known which one, with a scene of it as Task.Scene has it, or NoScene.
func (m *Meaning) Reached(domain, scene int32) []Reached {
	all := m.conclusions(domain, scene)
	return all[:len(m.assets.Assets)]
}

// scene returns a scene of a domain, or nil if it is none.
func (m *Meaning) scene(domain, scene int32) *Scene {
	if scene <= NoScene || int(scene) > len(m.assets.Scenes) ||
		m.assets.Scenes[scene-1].Domain != domain {
		return nil
	}
	return &m.assets.Scenes[scene-1]
}

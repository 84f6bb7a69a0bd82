// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"

	"github.com/landlockd/landlockd/domainid"
)

// deriver names domains on kernels that do not (before Linux 6.15). The
// kernel's address of a domain tells it apart from all others that live at the same
// instant, but addresses are used again within seconds and must not leave the
// daemon. So the name is a keyed hash of the address and a generation.
//
// What makes this sound is that a task never leaves a domain: while it lives,
// the address stays that domain's. (From ABI 8 on another thread of its process can
// take it out, see judge, but none can out of what all of them are in: only that is
// carried over then.) A task that was under an address in the last
// scan, and is still, carries the generation over, and vouches for it up to the
// instant at which it was seen. A task that is new under an address is in that
// generation if somebody vouches for a later instant than it was seen at. Where
// nobody does, the address is in doubt, and all tasks under it are looked at
// again in one more pass: those that are found under it then were so at one instant, the
// beginning of that pass, and so in one domain. Names may thus split in time,
// they never merge.
type deriver struct {
	secret  [32]byte
	scan    uint64
	domains map[uint64]*derived
	// last and now are each task's innermost address in the last scan and in
	// this one.
	last, now map[taskKey]uint64
	// again are the tasks that were found in the pass for addresses in doubt, with the
	// addresses that they were under then.
	again map[taskKey][]uint64
	// gen is the last generation given out. It counts all addresses
	// together, so that one that is forgotten never gets an old one again.
	gen uint64
}

// derived is one address. All but the ID are of the scan named by scan.
type derived struct {
	id   domainid.ID
	scan uint64
	// known: a task carried the generation over.
	known bool
	// named: id belongs to this scan.
	named bool
	// vouched is the last instant for which a task vouches, newest the last at
	// which a new one was seen; instants are counted from 1.
	vouched, newest int
	// voucher is the first task that was seen, if none is known.
	voucher taskKey
	// knownAgain: a task that carried the generation over was found again.
	knownAgain bool
}

// doubtful reports whether a task may be under another domain at the same address.
func (e *derived) doubtful() bool { return e.newest > e.vouched }

func newDeriver() *deriver {
	d := &deriver{
		domains: map[uint64]*derived{}, last: map[taskKey]uint64{}, now: map[taskKey]uint64{},
		again: map[taskKey][]uint64{},
	}
	rand.Read(d.secret[:])
	return d
}

// begin starts a scan.
func (d *deriver) begin() {
	d.scan++
	d.last, d.now = d.now, d.last
	clear(d.now)
	clear(d.again)
}

// see notes that at an instant, which only grows, a task was under a chain of
// addresses, the innermost first.
func (d *deriver) see(instant int, by taskKey, chain []uint64) {
	before, known := d.last[by], false
	for _, address := range chain {
		// From the domain that it was in on, it was in all of these before.
		known = known || address == before
		e := d.domains[address]
		if e == nil {
			e = &derived{}
			d.domains[address] = e
		}
		if e.scan != d.scan {
			*e = derived{id: e.id, scan: d.scan}
		}
		switch {
		case known:
			e.known = true
			e.vouched = instant
		case e.voucher == by && !e.known:
			e.vouched = instant // the first that was seen, seen again
		case e.vouched == 0 && e.newest == 0:
			e.vouched, e.voucher = instant, by
		default:
			e.newest = instant
		}
	}
}

// inDoubt reports whether a chain has an address under which the tasks of this scan may
// be in several domains.
func (d *deriver) inDoubt(chain []uint64) bool {
	return slices.ContainsFunc(chain, func(address uint64) bool {
		e := d.seen(address)
		return e != nil && e.doubtful()
	})
}

// seen returns an address that was seen in this scan, or nil.
func (d *deriver) seen(address uint64) *derived {
	if e := d.domains[address]; e != nil && e.scan == d.scan {
		return e
	}
	return nil
}

// seeAgain notes that a task was found in the pass for addresses in doubt.
func (d *deriver) seeAgain(by taskKey, chain []uint64) {
	d.again[by] = slices.Clone(chain)
	before, known := d.last[by], false
	for _, address := range chain {
		known = known || address == before
		if e := d.seen(address); known && e != nil {
			e.knownAgain = true
		}
	}
}

// settle reports whether it is proven that a task is under the domains that have the
// names of its chain's addresses in this scan. If so, it carries over to the next the one that it
// stays in, if that is among them, and those that this one is nested in.
func (d *deriver) settle(by taskKey, chain []uint64, stays uint64) bool {
	again := d.again[by]
	for _, address := range chain {
		e := d.seen(address)
		// Found again is not enough: another thread may have taken it out (frees).
		if e == nil || e.doubtful() && !slices.Contains(again, address) {
			return false
		}
	}
	if slices.Contains(chain, stays) {
		d.now[by] = stays
	}
	return true
}

// id returns the name of an address that was seen in this scan. All tasks of
// the scan have been seen before the first call.
func (d *deriver) id(address uint64) domainid.ID {
	e := d.seen(address)
	if e == nil {
		return domainid.None
	}
	goesOn := e.known
	if e.doubtful() {
		goesOn = e.knownAgain
	}
	// One that goes on may have no name: nobody asked for it in the scan before.
	if (!goesOn || e.id == domainid.None) && !e.named {
		d.gen++
		e.id = d.hash(address, d.gen)
	}
	e.named = true
	return e.id
}

// forgetBurst gives back the memory of maps that were much larger.
func (d *deriver) forgetBurst() {
	d.domains = maps.Collect(maps.All(d.domains))
	d.now = maps.Collect(maps.All(d.now))
	d.last, d.again = map[taskKey]uint64{}, map[taskKey][]uint64{}
}

// end forgets what was not seen in this scan.
func (d *deriver) end() {
	maps.DeleteFunc(d.domains, func(_ uint64, e *derived) bool { return e.scan != d.scan })
}

func (d *deriver) hash(address, gen uint64) domainid.ID {
	mac := hmac.New(sha256.New, d.secret[:])
	_ = binary.Write(mac, binary.NativeEndian, []uint64{address, gen})
	return max(1, domainid.ID(binary.NativeEndian.Uint64(mac.Sum(nil)))) // 0 is no name
}

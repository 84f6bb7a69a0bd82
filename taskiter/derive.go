// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"

	"github.com/landlockd/landlockd/domainid"
)

// deriver names domains on kernels that do not (before Linux 6.15). The
// kernel's address of a domain tells it from all others that live now, but
// addresses are used again within seconds and must not leave the daemon. So the
// name is a keyed hash of the address and a generation, and a generation lasts
// only while a witness stays: one task that was under the address in one scan
// and still is in the next. A task never leaves a domain, so its domain cannot
// have gone meanwhile. Names may thus split in time, they never merge.
type deriver struct {
	secret  [32]byte
	pass    uint64
	domains map[uint64]*derived
	// gen is the last generation given out. It counts all addresses
	// together, so that one that is forgotten never gets an old one again.
	gen uint64
}

type derived struct {
	id      domainid.ID
	witness taskKey
	// pass is the last in which the domain was seen; confirmed, the last in
	// which its witness was.
	pass, confirmed uint64
	// next is the witness for the next pass: the oldest task seen in this one.
	next taskKey
}

func newDeriver() *deriver {
	d := &deriver{domains: map[uint64]*derived{}}
	rand.Read(d.secret[:])
	return d
}

// begin starts a scan.
func (d *deriver) begin() { d.pass++ }

// see notes that a task is under an address, in its domain or nested in it.
func (d *deriver) see(address uint64, by taskKey) {
	e := d.domains[address]
	if e == nil {
		e = &derived{}
		d.domains[address] = e
	}
	if e.pass != d.pass {
		e.pass = d.pass
		e.next = by
	}
	if by == e.witness {
		e.confirmed = d.pass
	}
	// The oldest is the likeliest to stay.
	if by.start < e.next.start {
		e.next = by
	}
}

// id returns the name of an address that was seen in this scan. All tasks of
// the scan have been seen before the first call.
func (d *deriver) id(address uint64) domainid.ID {
	e := d.domains[address]
	if e == nil || e.pass != d.pass {
		return domainid.None
	}
	if e.id == domainid.None || e.confirmed != d.pass {
		d.gen++
		e.id = d.hash(address, d.gen)
		e.confirmed = d.pass
	}
	e.witness = e.next
	return e.id
}

// end forgets what was not seen in this scan.
func (d *deriver) end() {
	for a, e := range d.domains {
		if e.pass != d.pass {
			delete(d.domains, a)
		}
	}
}

func (d *deriver) hash(address, gen uint64) domainid.ID {
	mac := hmac.New(sha256.New, d.secret[:])
	var b [16]byte
	binary.NativeEndian.PutUint64(b[:], address)
	binary.NativeEndian.PutUint64(b[8:], gen)
	mac.Write(b[:])
	id := domainid.ID(binary.NativeEndian.Uint64(mac.Sum(nil)))
	if id == domainid.None {
		id = 1
	}
	return id
}

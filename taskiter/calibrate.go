// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"errors"
	"fmt"
	"math/bits"
	"math/rand/v2"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/landlock"
	"github.com/landlockd/landlockd/internal/thread"
)

// Calibration finds where Landlock keeps its part of a task's credentials. The offset
// depends on which security modules are enabled in which order, and is not in the type
// information. So helpers are put in domains of known depth, each layer with random
// handled rights, and the credentials are searched for the one place that holds exactly
// those. Helpers in fewer layers than these were ambiguous on hosts with many
// sandboxes.
const (
	slots          = int(objectLimitSLOTS) // places searched, 8 bytes apart
	helperLayers   = int(objectLimitHELPER_LAYERS)
	shallowLayers  = 3
	minRounds      = 2
	maxRounds      = 8
	bytesOfPointer = 8
)

// helper is a thread of this process in a domain of its own making. The thread
// ends, and the domain with it, when release is called.
type helper struct {
	tid     int32
	masks   []access.Rights // of its layers, innermost first
	release func()
}

// startHelper starts a thread and restricts it by a number of layers beyond
// those that this process is in.
func startHelper(layers int, supported access.Rights) (*helper, error) {
	h := &helper{}
	ready, stop := make(chan error), make(chan struct{})
	wait := thread.Run(func() {
		h.tid = int32(unix.Gettid())
		ready <- restrictLayers(h, layers, supported)
		<-stop
	})
	h.release = func() { close(stop); wait() }
	if err := <-ready; err != nil {
		h.release()
		return nil, err
	}
	return h, nil
}

func restrictLayers(h *helper, layers int, supported access.Rights) error {
	if layers == 0 {
		return nil
	}
	if err := landlock.NoNewPrivs(); err != nil {
		return err
	}
	for range layers {
		rights := randomRights(supported)
		fd, err := landlock.CreateRuleset(rights)
		if err != nil {
			return err
		}
		err = landlock.RestrictThread(fd)
		unix.Close(fd)
		if errors.Is(err, unix.E2BIG) {
			return fmt.Errorf("this process is itself in so many domains that %d more are refused: %w", layers, err)
		}
		if err != nil {
			return err
		}
		h.masks = append([]access.Rights{rights}, h.masks...)
	}
	return nil
}

// randomRights returns some of the supported rights, with at least one of the
// filesystem if there is any. Refer, if supported, is among them: kernels differ in
// whether they store it as handled if it was not asked for.
func randomRights(supported access.Rights) access.Rights {
	var r access.Rights
	for class, mask := range supported {
		r[class] = rand.Uint32() & mask
	}
	r[access.FS] |= supported[access.FS] & access.Refer
	if r[access.FS] == 0 {
		r[access.FS] = supported[access.FS] & -supported[access.FS] // the first
	}
	return r
}

// calibrator runs rounds of helpers.
type calibrator struct {
	supported access.Rights
	format    maskFormat
	control   *control
	// signs are those of helpers' domains, by the slot where they would be.
	signs [slots]uint32
	// objects are where a helper's root directory has its object, and end is the last record,
	// both of the last round.
	objects []uint32
	end     endResult
	// read runs the calibrate program once.
	read func(sink) error
}

// find returns the offset, in bytes, of Landlock's part in the credentials.
func (c *calibrator) find() (uint32, error) {
	left := uint32(1<<slots - 1)
	for round := range maxRounds {
		found, err := c.round()
		if err != nil {
			return 0, err
		}
		left &= found
		if left == 0 {
			return 0, errors.New("no place in the credentials held the helpers' domains")
		}
		if bits.OnesCount32(left) == 1 && round+1 >= minRounds {
			return uint32(bits.TrailingZeros32(left)) * bytesOfPointer, nil
		}
	}
	return 0, fmt.Errorf("after %d rounds several places in the credentials still look right (set %#x)", maxRounds, left)
}

// round returns the set of slots that fit one group of fresh helpers.
func (c *calibrator) round() (uint32, error) {
	var r roundResult
	for i, layers := range []int{0, shallowLayers, helperLayers} {
		h, err := startHelper(layers, c.supported)
		if err != nil {
			return 0, fmt.Errorf("helper with %d layers: %w", layers, err)
		}
		defer h.release()
		r.helpers[i] = h
		c.control.Helpers[i] = uint32(h.tid)
	}
	if err := c.read(&r); err != nil {
		return 0, err
	}
	c.objects, c.end = r.objects, r.end
	for i := range c.signs {
		c.signs[i] |= r.found[1][i].Signs | r.found[2][i].Signs
	}
	return r.fitting(c.format)
}

// holdObject has Landlock keep an object of the root directory until release is called. A
// ruleset alone is enough.
func holdObject() (release func(), err error) {
	root, err := unix.Open("/", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open the root directory: %w", err)
	}
	defer unix.Close(root)
	const readDir = unix.LANDLOCK_ACCESS_FS_READ_DIR
	ruleset, err := landlock.CreateRuleset(access.FS.Rights(readDir))
	if err != nil {
		return nil, err
	}
	if err := landlock.AllowBeneath(ruleset, root, readDir); err != nil {
		unix.Close(ruleset)
		return nil, err
	}
	return func() { unix.Close(ruleset) }, nil
}

// object returns the offset, in bytes, of Landlock's object in what security modules keep of
// an inode: where there is a pointer to what points back at the inode, as the last round found
// it, of one whose object is held.
func (c *calibrator) object() (uint32, error) {
	if len(c.objects) != 1 {
		return 0, fmt.Errorf("%d places of an inode's blob point back at it, expected 1", len(c.objects))
	}
	return c.objects[0] * bytesOfPointer, nil
}

// roundResult collects what the calibrate program returned of one round's helpers:
// a free one, a shallow one and a deep one, and of kthreadd; and where the root directory of
// the first one has its object.
type roundResult struct {
	helpers [3]*helper
	found   [3][slots]slotRecord
	kthread [slots]slotRecord
	seen    [3]int
	objects []uint32
	end     endResult
}

func (r *roundResult) take(record any, names []byte) {
	if o, ok := record.(*objectRecord); ok && o.Tid == r.helpers[0].tid && o.Proven != 0 {
		r.objects = append(r.objects, o.Slot)
	}
	r.end.take(record, names)
	s, ok := record.(*slotRecord)
	if !ok || s.Slot >= uint32(slots) {
		return
	}
	if s.Kthread != 0 {
		r.kthread[s.Slot] = *s
		return
	}
	for i, h := range r.helpers {
		if s.Tid == h.tid {
			r.found[i][s.Slot] = *s
			r.seen[i]++
		}
	}
}

// fitting returns the set of slots at which everything is as it must be.
func (r *roundResult) fitting(f maskFormat) (uint32, error) {
	for i, n := range r.seen {
		if n != slots {
			return 0, fmt.Errorf("the iterator returned %d of %d places of helper %d", n, slots, i)
		}
	}
	var set uint32
	for i := range slots {
		free, shallow, deep := &r.found[0][i], &r.found[1][i], &r.found[2][i]
		own := int(shallow.NumLayers) - shallowLayers // this process's own depth
		if shallow.holds(r.helpers[1], f) && deep.holds(r.helpers[2], f) &&
			own >= 0 && int(deep.NumLayers)-helperLayers == own &&
			(free.Set != 0) == (own > 0) &&
			(free.Set == 0 || int(free.NumLayers) == own && free.NumLayers == free.Chain) && r.kthread[i].Set == 0 {
			set |= 1 << i
		}
	}
	return set, nil
}

// holds reports whether the slot holds a domain that ends with the helper's layers.
func (s *slotRecord) holds(h *helper, f maskFormat) bool {
	if s.Set == 0 || s.NumLayers != s.Chain || int(s.NumLayers) < len(h.masks) {
		return false
	}
	for i, want := range h.masks {
		if f.decode(s.Masks[i]) != want {
			return false
		}
	}
	return true
}

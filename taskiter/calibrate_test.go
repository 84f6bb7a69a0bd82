// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/landlock"
	"github.com/landlockd/landlockd/scan"
)

var testFormat = formatOf(0, bitRange{0, 16}, bitRange{16, 2}, bitRange{18, 2})

// newRound makes what the program returns where the process itself is own layers deep
// and the domain is in one slot; everywhere else is nothing.
func newRound(own int, slot int) *roundResult {
	r := &roundResult{}
	for i, layers := range []int{0, shallowLayers, helperLayers} {
		h := &helper{tid: int32(100 + i)}
		for j := range layers {
			h.masks = append(h.masks, access.Rights{access.FS: uint32(1 + 16*i + j)})
		}
		r.helpers[i] = h
		r.seen[i] = slots
	}
	r.place(own, slot)
	return r
}

// place puts the helpers' domains in a slot.
func (r *roundResult) place(own, slot int) {
	for i, h := range r.helpers {
		s := slotRecord{Tid: h.tid, Slot: uint32(slot)}
		if n := own + len(h.masks); n > 0 {
			s.Set, s.NumLayers, s.Chain = 1, uint32(n), uint32(n)
		}
		for j, m := range h.masks {
			s.Masks[j] = m[access.FS]
		}
		r.found[i][slot] = s
	}
}

func TestFitting(t *testing.T) {
	for _, c := range []struct {
		name   string
		own    int
		change func(*roundResult)
		want   uint32
	}{
		{"clear", 0, func(*roundResult) {}, 1 << 3},
		{"this process is nested itself", 2, func(*roundResult) {}, 1 << 3},
		{"as deep as helpers still fit", 9, func(*roundResult) {}, 1 << 3},
		{"two places", 0, func(r *roundResult) { r.place(0, 9) }, 1<<3 | 1<<9},
		{"first and last", 0, func(r *roundResult) { r.place(0, 0); r.place(0, slots-1) }, 1 | 1<<3 | 1<<(slots-1)},
		{"another's domain elsewhere", 0, func(r *roundResult) {
			for i := range r.found {
				r.found[i][5] = slotRecord{Set: 1, NumLayers: 3, Chain: 3, Masks: [helperLayers]uint32{9, 9, 9}}
			}
		}, 1 << 3},
		{"a free thread has something there", 0, func(r *roundResult) { r.found[0][3].Set = 1 }, 0},
		{"a kernel thread has", 0, func(r *roundResult) { r.kthread[3].Set = 1 }, 0},
		{"a nested process's free thread has nothing", 2, func(r *roundResult) { r.found[0][3] = slotRecord{} }, 0},
		{"a nested process's free thread is deeper", 2, func(r *roundResult) { r.found[0][3].NumLayers, r.found[0][3].Chain = 3, 3 }, 0},
		{"a nested process's free thread has a short chain", 2, func(r *roundResult) { r.found[0][3].Chain = 1 }, 0},
		{"a chain longer than the layers", 0, func(r *roundResult) { r.found[2][3].Chain++ }, 0},
		{"a chain shorter than the layers", 0, func(r *roundResult) { r.found[1][3].Chain-- }, 0},
		{"helpers of different base", 0, func(r *roundResult) { r.found[2][3].NumLayers++; r.found[2][3].Chain++ }, 0},
		{"fewer layers than the helper made", 0, func(r *roundResult) { r.found[1][3].NumLayers, r.found[1][3].Chain = 2, 2 }, 0},
		{"one right of one layer is another", 0, func(r *roundResult) { r.found[2][3].Masks[helperLayers-1] ^= 1 << 15 }, 0},
		{"the other helper's domain", 0, func(r *roundResult) { r.found[1][3] = r.found[2][3] }, 0},
		{"nothing", 0, func(r *roundResult) { r.found[1][3] = slotRecord{} }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRound(c.own, 3)
			c.change(r)
			got, err := r.fitting(testFormat)
			if err != nil || got != c.want {
				t.Errorf("got %#x, %v; want %#x", got, err, c.want)
			}
		})
	}
}

// TestFittingIncomplete: a helper that the iterator did not show is a failure,
// not a place that does not fit.
func TestFittingIncomplete(t *testing.T) {
	for i := range 3 {
		for _, n := range []int{0, slots - 1, 2 * slots} {
			r := newRound(0, 3)
			r.seen[i] = n
			if _, err := r.fitting(testFormat); err == nil {
				t.Errorf("helper %d was shown at %d places: accepted", i, n)
			}
		}
	}
}

// TestRoundResultSlot: what the sink makes of the program's records.
func TestRoundResultSlot(t *testing.T) {
	r := newRound(0, 3)
	r.seen, r.found = [3]int{}, [3][slots]slotRecord{}
	r.take(&slotRecord{Tid: 101, Slot: 4, Set: 1, NumLayers: 9}, nil)
	r.take(&slotRecord{Tid: 2, Slot: 4, Set: 1, Kthread: 1}, nil)
	r.take(&slotRecord{Tid: 999, Slot: 4, Set: 1}, nil)
	r.take(&slotRecord{Tid: 101, Slot: uint32(slots), Set: 1}, nil)
	r.take(&slotRecord{Tid: 101, Slot: ^uint32(0), Set: 1}, nil)
	if r.seen != [3]int{0, 1, 0} || r.found[1][4].NumLayers != 9 || r.kthread[4].Set == 0 {
		t.Errorf("seen %v, found %+v, kernel thread %+v", r.seen, r.found[1][4], r.kthread[4])
	}
}

// fakeCalibrator shows the helpers' domains in the slots that places returns
// for each round.
func fakeCalibrator(t *testing.T, places func(round int) []int) *calibrator {
	t.Helper()
	if _, err := landlock.ABI(); err != nil {
		t.Fatalf("this test needs Landlock: %v", err)
	}
	supported := landlock.Rights().Sure
	round := -1
	return &calibrator{
		supported: supported, format: testFormat, control: &control{controlBlock: &controlBlock{}},
		read: func(to sink) error {
			round++
			r := to.(*roundResult)
			for _, h := range r.helpers {
				for slot := range uint32(slots) {
					to.take(&slotRecord{Tid: h.tid, Slot: slot}, nil)
				}
			}
			for _, p := range places(round) {
				for _, h := range r.helpers {
					n := uint32(len(h.masks))
					s := slotRecord{Tid: h.tid, Slot: uint32(p), Set: min(n, 1), NumLayers: n, Chain: n}
					for j, m := range h.masks {
						s.Masks[j] = m[access.FS] | m[access.Net]<<16 | m[access.Scope]<<18
					}
					r.found[indexOf(r, h)][p] = s
				}
			}
			return nil
		},
	}
}

func indexOf(r *roundResult, h *helper) int {
	for i := range r.helpers {
		if r.helpers[i] == h {
			return i
		}
	}
	return -1
}

func TestCalibratorFind(t *testing.T) {
	for _, c := range []struct {
		name   string
		places func(int) []int
		want   uint32
		fails  string
	}{
		{"clear", func(int) []int { return []int{3} }, 24, ""},
		{"slot 0", func(int) []int { return []int{0} }, 0, ""},
		{"last slot", func(int) []int { return []int{slots - 1} }, uint32(slots-1) * 8, ""},
		{"a false hit in each round", func(round int) []int { return []int{2, 4 + round} }, 16, ""},
		{"false hits in all rounds but the last", func(round int) []int { return []int{2, 5}[:min(2, maxRounds-round)] }, 16, ""},
		{"two forever", func(int) []int { return []int{2, 5} }, 0, "several places"},
		{"none", func(int) []int { return nil }, 0, "no place"},
		{"right once", func(round int) []int { return []int{2}[:1-min(round, 1)] }, 0, "no place"},
		{"another place each time", func(round int) []int { return []int{round} }, 0, "no place"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := fakeCalibrator(t, c.places).find()
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Errorf("got %d, %v; want an error that says %q", got, err, c.fails)
				}
				return
			}
			if err != nil || got != c.want {
				t.Errorf("got %d, %v; want %d", got, err, c.want)
			}
		})
	}
}

// TestRandomRights: each layer handles a filesystem right, refer always among them
// where it exists, and only what the kernel knows.
func TestRandomRights(t *testing.T) {
	supported := access.Rights{access.FS: 0xffff, access.Net: 3, access.Scope: 3}
	different := map[access.Rights]bool{}
	for range 1000 {
		r := randomRights(supported)
		if r[access.FS]&access.Refer == 0 || r.Union(supported) != supported {
			t.Fatalf("%+v", r)
		}
		different[r] = true
		if r := randomRights(access.Rights{access.FS: 0x1fff}); r[access.FS] == 0 || r[access.FS]&access.Refer != 0 {
			t.Fatalf("ABI 1: %+v", r)
		}
		if r := randomRights(access.Rights{access.FS: 0x10}); r != (access.Rights{access.FS: 0x10}) {
			t.Fatalf("a kernel with one right: %+v", r)
		}
	}
	if len(different) < 500 {
		t.Errorf("only %d of 1000 differ", len(different))
	}
}

// calibrateRepeatedly opens and closes a source n times and returns how often which
// offset came out.
func calibrateRepeatedly(n int) (map[int]int, error) {
	offsets := map[int]int{}
	for range n {
		s, err := Open(Options{})
		if err != nil {
			return offsets, err
		}
		offsets[s.CredentialsOffset()]++
		if err := s.Close(); err != nil {
			return offsets, err
		}
	}
	return offsets, nil
}

// TestCalibrationBesideManySandboxes: the hosts on which lower helpers were
// ambiguous. Four at once, since Open mostly waits for the kernel, and so that
// each stands beside the others' helpers too.
func TestCalibrationBesideManySandboxes(t *testing.T) {
	t.Parallel()
	needPrivileges(t)
	const atOnce = 4
	processes, rounds := 1500, 100
	if testing.Short() {
		processes, rounds = 100, 8
	}
	startActor(t, "many", strconv.Itoa(processes), "7")
	began := time.Now()
	var wg sync.WaitGroup
	var all [atOnce]map[int]int
	var errs [atOnce]error
	for i := range atOnce {
		wg.Go(func() { all[i], errs[i] = calibrateRepeatedly(rounds / atOnce) })
	}
	wg.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	offsets := map[int]int{}
	for _, m := range all {
		for offset, n := range m {
			offsets[offset] += n
		}
	}
	t.Logf("%d times beside %d sandboxed processes: %v, in %v", rounds, processes, offsets, time.Since(began))
	if len(offsets) != 1 {
		t.Errorf("different offsets: %v", offsets)
	}
}

// TestCalibrationFromInsideDomains: this process itself two layers deep, and as
// deep as it can be beside the helpers.
func TestCalibrationFromInsideDomains(t *testing.T) {
	t.Parallel()
	free := openSource(t, Options{}).CredentialsOffset()
	startActor(t, "many", "200", "7")
	rounds := 2
	for _, own := range []int{1, 2, 9} {
		out := runRole(t, []string{actorPath(t), "run", strconv.Itoa(own)}, "calibrate-nested", strconv.Itoa(rounds), strconv.Itoa(own))
		if want := fmt.Sprintf("map[%d:%d]\n", free, rounds); out != want {
			t.Errorf("%d layers deep: offsets %q, want %q", own, out, want)
		}
	}
}

// TestCalibrationTooDeep: where the helpers do not fit, it is a stated failure.
func TestCalibrationTooDeep(t *testing.T) {
	needPrivileges(t)
	out := runRole(t, []string{actorPath(t), "run", "10"}, "calibrate-nested", "1", "too deep")
	if !strings.Contains(out, "calibration: ") || !strings.Contains(out, "so many domains") {
		t.Errorf("printed %q", out)
	}
}

func roleCalibrateNested(args []string) error {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	offsets, err := calibrateRepeatedly(n)
	if args[1] == "too deep" {
		if e := (*scan.Error)(nil); errors.As(err, &e) {
			fmt.Printf("%s: %v\n", e.Reason, e)
		}
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Println(offsets)
	return nil
}

// TestHelperLayers: the helpers' threads end, and with them what they made.
func TestHelperLayers(t *testing.T) {
	if _, err := landlock.ABI(); err != nil {
		t.Fatalf("this test needs Landlock: %v", err)
	}
	supported := landlock.Rights().Sure
	for _, layers := range []int{0, 1, 1 + rand.IntN(6)} {
		h, err := startHelper(layers, supported)
		if err != nil {
			t.Fatal(err)
		}
		if len(h.masks) != layers {
			t.Errorf("%d layers, want %d", len(h.masks), layers)
		}
		tid := h.tid
		h.release()
		awaitThreadGone(t, tid)
	}
}

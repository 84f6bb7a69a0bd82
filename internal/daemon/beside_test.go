// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"errors"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/reader"
	"github.com/landlockd/landlockd/internal/sources"
	"github.com/landlockd/landlockd/procattr"
	"github.com/landlockd/landlockd/scan"
)

// A reader that could look at no other user's processes does not start, unless there is
// nothing to be looked at.
func TestReaderKeeps(t *testing.T) {
	for _, landlock := range []scan.Availability{scan.NotBuilt, scan.Disabled, scan.Enabled} {
		keep, err := readerKeeps(landlock, true)
		if err != nil || !slices.Equal(keep, []int{unix.CAP_SYS_PTRACE}) {
			t.Errorf("%s: %v, %v", landlock, keep, err)
		}
		keep, err = readerKeeps(landlock, false)
		refused := err != nil && strings.Contains(err.Error(), "CAP_SYS_PTRACE")
		if keep != nil || refused != (landlock == scan.Enabled) {
			t.Errorf("%s, without the privilege: %v, %v", landlock, keep, err)
		}
	}
}

// A reader that says why it cannot read is done without. One that ends before it says
// anything, as it does where a user has taken all process IDs, takes another start.
func TestMeetReader(t *testing.T) {
	failure := &scan.Error{Reason: procattr.NoProcFS, Missing: "x"}
	for name, greets := range map[string]bool{"it says why": true, "it ends": false} {
		ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		theirs := os.NewFile(uintptr(ends[1]), "reader")
		if greets {
			go func() {
				_ = reader.Serve(theirs, reader.Greeting{Failure: failure}, scan.Unusable(failure))
				theirs.Close()
			}()
		} else {
			theirs.Close()
		}
		d := &Daemon{
			o: Options{Logger: slog.New(slog.DiscardHandler)},
			opened: &opened{
				attribute: os.NewFile(uintptr(ends[0]), "reader"),
				found:     sources.Found{Attribute: true, Kernel: &scan.Kernel{}, Tried: map[string]string{}},
			},
		}
		err = d.meetReader()
		if greets != (err == nil) || err != nil && !errors.Is(err, errReaderGone) {
			t.Errorf("%s: %v", name, err)
		}
		if reason := d.found.Tried[sources.ProcAttr]; greets && reason != procattr.NoProcFS || d.found.Attribute == greets {
			t.Errorf("%s: it is missing for %q, and is there: %v", name, reason, d.found.Attribute)
		}
	}
}

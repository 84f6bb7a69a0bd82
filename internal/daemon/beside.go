// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/confine"
	"github.com/landlockd/landlockd/internal/reader"
	"github.com/landlockd/landlockd/internal/seccomp"
	"github.com/landlockd/landlockd/scan"
)

// readerEnv is set for the process that reads the attribute beside the serving stage, to a
// readerHandoff. Nobody gains by setting it: that process only uses what it was started with.
const readerEnv = "LANDLOCKD_READER"

// greetingTime is how long the serving stage waits for that process: on a busy host it
// starts as slowly as all else.
const greetingTime = 30 * time.Second

// readerHandoff is what the first stage knows, and the reader cannot find out.
type readerHandoff struct {
	// Socket is the descriptor by which it is asked.
	Socket int         `json:"socket"`
	Kernel scan.Kernel `json:"kernel"`
	confine.Goal
	// Confined reports whether it is: the reader is executed twice, as landlockd is.
	Confined bool              `json:"confined"`
	Failed   []confine.Failure `json:"failed,omitempty"`
}

func (h *readerHandoff) env() (string, error) {
	text, err := json.Marshal(h)
	return readerEnv + "=" + string(text), err
}

// startReader starts the process that reads the attribute. Its user is the one that serves:
// a second one would have to be there on each host, and what the serving stage could do to
// a process of its own user (signals, limits, priorities) are system calls that it is refused.
func (d *Daemon) startReader() error {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socketpair(2): %w", err)
	}
	d.attribute = os.NewFile(uintptr(ends[0]), "reader")
	theirs := os.NewFile(uintptr(ends[1]), "reader")
	defer theirs.Close()
	const firstExtra = 3 // of exec.Cmd.ExtraFiles
	h := readerHandoff{Socket: firstExtra, Kernel: *d.found.Kernel, Goal: d.goal}
	h.NoLandlock = true
	h.Keep, err = readerKeeps(h.Kernel.Landlock, confine.Permitted(unix.CAP_SYS_PTRACE))
	if err != nil {
		return err
	}
	env, err := h.env()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(context.Background(), "/proc/self/exe") // it outlives this stage
	cmd.Args, cmd.Env = d.o.Args, append(servingEnv(os.Environ()), env)
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the process that reads the attribute: %w", err)
	}
	return nil
}

// readerKeeps returns the capabilities of the reader. Without Landlock it only serves to read
// what else there is of others' processes, such as their executables.
func readerKeeps(landlock scan.Availability, permitted bool) ([]int, error) {
	switch {
	case permitted:
		return []int{unix.CAP_SYS_PTRACE}, nil
	case landlock == scan.Enabled:
		return nil, errors.New("the attribute shows other users' tasks only to whoever has " +
			"CAP_SYS_PTRACE: start landlockd with it (docs/install.md), or with --source=taskiter")
	default:
		return nil, nil
	}
}

// meetReader waits until the reader is ready, in the serving stage. What holds of one of
// both processes alone does not hold. One that says why it cannot read is done without; one that
// does not come is an error: users can delay a start, or leave no process ID for it, and another
// start mends that.
func (d *Daemon) meetReader() error {
	if d.attribute == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), greetingTime)
	defer cancel()
	conn, err := net.FileConn(d.attribute)
	d.attribute.Close()
	if err == nil {
		var source *reader.Source
		if source, err = reader.Open(ctx, conn, *d.found.Kernel); err == nil {
			d.status = d.status.And(source.Greeting().Status)
			d.found.Remote, d.readerGone = source, source.Gone()
			return nil
		}
		conn.Close() // the reader ends
	}
	if scan.FailureReason(err) == reader.Reason {
		return fmt.Errorf("%w (%w)", errReaderGone, err)
	}
	d.o.Logger.Error("The attribute cannot be read", "err", err)
	d.found.NoAttribute(err)
	return nil
}

// errReaderGone ends the serving stage: it may start no other process.
var errReaderGone = errors.New("the process that reads the attribute is gone: landlockd " +
	"must be started again, which service managers do")

// IsReader reports whether this process is to be the one that reads the attribute.
func IsReader() bool { return os.Getenv(readerEnv) != "" }

// Read confines this process and then reads the attribute for the serving stage, until that
// ends. It only returns then, or if it cannot.
func Read(o Options) error {
	h := readerHandoff{}
	if err := json.Unmarshal([]byte(os.Getenv(readerEnv)), &h); err != nil {
		return UsageError{fmt.Errorf("%s is set, but not by landlockd: %w", readerEnv, err)}
	}
	if h.Confined {
		return h.read(o)
	}
	return fmt.Errorf("confine the reader of the attribute: %w", h.exec(o))
}

// exec confines this process as far as it can be, and executes this program again: whether
// that is enough, the serving stage decides.
func (h *readerHandoff) exec(o Options) error {
	socket := os.NewFile(uintptr(h.Socket), "reader")
	env := append(servingEnv(os.Environ()), "")
	last := len(env) - 1
	h.Confined, h.Bounding = true, confine.Effective(unix.CAP_SETPCAP)
	var err error
	if env[last], err = h.env(); err != nil {
		return err
	}
	runtime.LockOSThread()
	// No network but what it makes of its own, and the filter keeps it from that, too. Few
	// may do this: where it is refused, the filter is enough.
	_ = unix.Unshare(unix.CLONE_NEWNET)
	return confine.Plan{
		Goal: h.Goal, Files: []*os.File{socket}, Args: o.Args, Env: env,
		Failed: func(f confine.Failure, err error) error {
			o.Logger.Warn("The reader of the attribute cannot be confined in every way",
				"mechanism", f.Mechanism.String(), "reason", f.Reason.String(), "err", err)
			h.Failed = append(h.Failed, f)
			env[last], err = h.env() // of the plan, too
			return err
		},
	}.Exec()
}

// read is the reader, confined.
func (h *readerHandoff) read(o Options) error {
	failed := append(h.Failed, confine.InspectKeyring())
	if err := seccomp.Install(seccomp.Reading()); err != nil {
		o.Logger.Warn("System calls of the reader of the attribute are not restricted", "err", err)
		failed = append(failed, confine.FailureOf(confine.Seccomp, err))
	}
	// It ends with the serving stage: service managers and terminals signal both.
	signal.Ignore(unix.SIGTERM, unix.SIGINT)
	unix.CloseOnExec(h.Socket) // it goes no further
	socket := os.NewFile(uintptr(h.Socket), "reader")
	keepHeapSmall()
	var g reader.Greeting
	var err error
	if g.Status, err = confine.Inspect(h.Goal, failed...); err != nil {
		return fmt.Errorf("check the confinement of the reader: %w", err)
	}
	source, err := o.Sources.OpenAttribute(&h.Kernel)
	if err != nil {
		g.Failure = scan.Flatten(err)
		return reader.Serve(socket, g, scan.Unusable(err))
	}
	g.Source = source.Info()
	return reader.Serve(socket, g, &thrifty{Source: source})
}

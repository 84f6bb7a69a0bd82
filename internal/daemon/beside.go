// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/confine"
	"github.com/landlockd/landlockd/internal/seccomp"
	"github.com/landlockd/landlockd/scan"
)

// besideEnv is set for a process beside the serving stage, to a besideHandoff. Nobody gains by
// setting it: that process only uses what it was started with.
const besideEnv = "LANDLOCKD_BESIDE"

// role is what a process beside the serving stage is for, and the end of its name.
type role string

const (
	reads    role = "read"  // the attribute
	resolves role = "paths" // what assets are
)

// besideHandoff is what the first stage knows, and such a process cannot find out.
type besideHandoff struct {
	Role role `json:"role"`
	// Socket is the descriptor by which it is asked.
	Socket int `json:"socket"`
	// Kernel is for the reader.
	Kernel scan.Kernel `json:"kernel,omitzero"`
	confine.Goal
	// Confined reports whether it is: it is executed twice, as landlockd is.
	Confined bool              `json:"confined"`
	Failed   []confine.Failure `json:"failed,omitempty"`
}

func (h *besideHandoff) env() (string, error) {
	text, err := json.Marshal(h)
	return besideEnv + "=" + string(text), err
}

// startBeside starts a process, and returns the socket by which it is asked, and its PID. Its
// user is the one that serves: a second one would have to be there on each host, and what the
// serving stage could do to a process of its own user (signals, limits, priorities) are
// system calls that it is refused.
func (d *Daemon) startBeside(h besideHandoff) (socket *os.File, pid int, err error) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, 0, fmt.Errorf("socketpair(2): %w", err)
	}
	socket = os.NewFile(uintptr(ends[0]), string(h.Role))
	theirs := os.NewFile(uintptr(ends[1]), string(h.Role))
	defer theirs.Close()
	const firstExtra = 3 // of exec.Cmd.ExtraFiles
	h.Socket = firstExtra
	env, err := h.env()
	if err == nil {
		cmd := exec.CommandContext(context.Background(), "/proc/self/exe") // it outlives this stage
		cmd.Args, cmd.Env = d.o.Args, append(servingEnv(os.Environ()), env)
		cmd.ExtraFiles = []*os.File{theirs}
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		if err = cmd.Start(); err == nil {
			return socket, cmd.Process.Pid, nil
		}
	}
	socket.Close()
	return nil, 0, fmt.Errorf("start the process landlockd-%s: %w", h.Role, err)
}

// IsBeside reports whether this process is to be one beside the serving stage.
func IsBeside() bool { return os.Getenv(besideEnv) != "" }

// Beside confines this process and then does what it is for, until the serving stage ends. It
// only returns then, or if it cannot.
func Beside(o Options) error {
	h, err := parseBeside()
	switch {
	case err != nil:
		return UsageError{fmt.Errorf("%s is set, but not by landlockd: %w", besideEnv, err)}
	case !h.Confined:
		return fmt.Errorf("confine the process landlockd-%s: %w", h.Role, h.exec(o))
	case h.Role == resolves:
		return h.resolve(o)
	default:
		return h.read(o)
	}
}

func parseBeside() (h besideHandoff, err error) {
	if err = json.Unmarshal([]byte(os.Getenv(besideEnv)), &h); err == nil &&
		h.Role != reads && h.Role != resolves {
		err = fmt.Errorf("%q is no role", h.Role)
	}
	return h, err
}

// exec confines this process as far as it can be, and executes this program again: that
// decides whether it is enough, or the serving stage does.
func (h *besideHandoff) exec(o Options) error {
	socket := os.NewFile(uintptr(h.Socket), string(h.Role))
	env := append(servingEnv(os.Environ()), "")
	last := len(env) - 1
	h.Confined, h.Bounding = true, confine.Effective(unix.CAP_SETPCAP)
	var err error
	if env[last], err = h.env(); err != nil {
		return err
	}
	plan := confine.Plan{
		Goal: h.Goal, Files: []*os.File{socket}, Args: o.Args, Env: env,
		Failed: func(f confine.Failure, err error) error {
			o.Logger.Warn("The process landlockd-"+string(h.Role)+" cannot be confined in every way",
				"mechanism", f.Mechanism.String(), "reason", f.Reason.String(), "err", err)
			h.Failed = append(h.Failed, f)
			env[last], err = h.env() // of the plan, too
			return err
		},
	}
	if h.Role == resolves {
		if plan.ListBelow, err = trees(o.Sources.RootFS); err != nil {
			return err
		}
	}
	runtime.LockOSThread()
	// No network but what it makes of its own, and the filter keeps it from that, too. Few
	// may do this: where it is refused, the filter is enough.
	_ = unix.Unshare(unix.CLONE_NEWNET)
	wakeLater()
	return plan.Exec()
}

// begin is the begin of such a process, confined: it returns how it is, and its socket.
func (h *besideHandoff) begin(o Options, calls seccomp.Calls) (confine.Status, *os.File, error) {
	failed := append(h.Failed, confine.InspectKeyring())
	if err := seccomp.Install(calls); err != nil {
		o.Logger.Warn("System calls of the process landlockd-"+string(h.Role)+" are not restricted",
			"err", err)
		failed = append(failed, confine.FailureOf(confine.Seccomp, err))
	}
	// It ends with the serving stage: service managers and terminals signal both.
	signal.Ignore(unix.SIGTERM, unix.SIGINT)
	unix.CloseOnExec(h.Socket) // it goes no further
	socket := os.NewFile(uintptr(h.Socket), string(h.Role))
	status, err := confine.Inspect(h.Goal, failed...)
	if err != nil {
		err = fmt.Errorf("check the confinement of landlockd-%s: %w", h.Role, err)
	}
	return status, socket, err
}

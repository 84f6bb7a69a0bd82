// SPDX-License-Identifier: Apache-2.0

// Package daemon serves metrics, and facts of single processes to those who may see
// them, until it is stopped.
//
// It runs in two stages. [Open] does what needs privileges; then it executes this
// program again, without any. There Open takes over what the first stage opened, and
// [Daemon.Serve] serves it.
package daemon

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/internal/metrics"
	"github.com/landlockd/landlockd/internal/sources"
	"github.com/landlockd/landlockd/internal/web"
	"github.com/landlockd/landlockd/internal/workload"
)

// Options are what a daemon does. Errors call them by the names that they have for
// users, which stand behind them here.
type Options struct {
	// Sources are how domains are read.
	Sources sources.Options
	// Workloads are how workloads are named. ProcFS and CgroupFS belong to Sources'.
	Workloads workload.Options
	// Metrics are which are exported.
	Metrics metrics.Options
	// Denials counts what Landlock denies.
	Denials bool
	// Runs counts processes that end.
	Runs bool
	// MinInterval is how long a scan's result is served again: scan.SharedOptions.
	MinInterval time.Duration

	// Listen are the TCP addresses to serve metrics at: --web.listen-address.
	Listen []string
	// UsualAddress: nobody asked for Listen, so that the log shows how to.
	UsualAddress bool
	// SystemdSocket takes the sockets that systemd passes instead:
	// --web.systemd-socket.
	SystemdSocket bool
	// WebConfig is the file that configures TLS and authentication, or empty:
	// --web.config.file.
	WebConfig string
	// Web is what is served and how, but for what the daemon sets itself.
	Web web.Options
	// Lifecycle lets clients load the rules again.
	Lifecycle bool

	// Socket is the path of the API's Unix socket; empty for no API: --api.socket.
	Socket string
	// SocketRequired ends the start if there can be no socket.
	SocketRequired bool

	// ConfigFile is the configuration; if empty, rules are sought in the usual places:
	// --config.file.
	ConfigFile string

	// Confine is how the serving stage is confined; BestEffort if empty.
	Confine Confinement
	// User is what the serving stage runs as if started as root: see confine.User;
	// --user.
	User string
	// Args are those of this program, its name first, to execute it again.
	Args []string

	Build  collector.Build
	Logger *slog.Logger
}

// Confinement is what to do if the serving stage cannot be confined in every way.
type Confinement string

// The values are those of --confine.
const (
	// Require scans nothing then, and reports that and nothing else.
	Require Confinement = "require"
	// BestEffort serves, and reports it.
	BestEffort Confinement = "best-effort"
	// Off does not confine: there is one stage, as privileged as it was started.
	Off Confinement = "off"
)

// UsageError is what whoever starts a daemon can mend: an option or the configuration.
type UsageError struct{ error }

func (e UsageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return UsageError{fmt.Errorf(format, args...)} }

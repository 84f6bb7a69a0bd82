// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/coreos/go-systemd/v22/activation"
)

// openListeners returns the sockets that metrics are served at.
func openListeners(o Options) ([]net.Listener, error) {
	if o.SystemdSocket {
		ls, err := systemdListeners()
		if err != nil {
			return nil, fmt.Errorf("--web.systemd-socket: %w", err)
		}
		return ls, nil
	}
	var ls []net.Listener
	for _, address := range o.Listen {
		l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
		if err != nil {
			for _, l := range ls {
				l.Close()
			}
			err = fmt.Errorf("--web.listen-address %q: %w", address, err)
			var parse *net.AddrError
			var name *net.DNSError
			if errors.As(err, &parse) || errors.As(err, &name) && strings.HasPrefix(name.Name, "tcp/") {
				return nil, UsageError{err}
			}
			return nil, err
		}
		ls = append(ls, l)
	}
	return ls, nil
}

func systemdListeners() ([]net.Listener, error) {
	ls, err := activation.Listeners()
	if err != nil {
		return nil, err
	}
	if len(ls) == 0 {
		return nil, usagef("systemd passed no socket; start landlockd through its socket unit")
	}
	for i, l := range ls {
		if l == nil {
			return nil, usagef("descriptor %d that systemd passed is no listening stream socket "+
				"(ListenStream=)", 3+i)
		}
	}
	return ls, nil
}

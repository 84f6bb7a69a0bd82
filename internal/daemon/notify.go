// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"fmt"
	"net"
	"os"
)

// notifyEnv names the service manager's socket.
const notifyEnv = "NOTIFY_SOCKET"

// dialNotify connects to the service manager (sd_notify(3)), in the first
// stage: the second may not reach the socket. It returns nil if nobody asked.
func dialNotify() (*os.File, error) {
	path := os.Getenv(notifyEnv)
	if path == "" {
		return nil, nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("NOTIFY_SOCKET: %w", err)
	}
	defer conn.Close()
	f, err := conn.File()
	if err != nil {
		return nil, fmt.Errorf("NOTIFY_SOCKET: %w", err)
	}
	return f, nil
}

// notify sends a state to the service manager, if there is one. Nothing depends on
// its arrival.
func notify(manager *os.File, state string) {
	if manager != nil {
		_, _ = manager.WriteString(state)
	}
}

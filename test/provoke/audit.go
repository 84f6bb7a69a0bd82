// SPDX-License-Identifier: Apache-2.0

package provoke

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// Audit is what SetAudit sets.
type Audit struct {
	Enabled bool
	// RateLimit is in records a second, 0 for none; BacklogLimit is the number
	// of records that may wait in the kernel.
	RateLimit, BacklogLimit uint32
}

// SetAudit changes the kernel's audit. It needs CAP_AUDIT_CONTROL, and a test that
// calls it sets back what was before.
func SetAudit(a Audit) error {
	// include/uapi/linux/audit.h: AUDIT_SET and struct audit_status.
	const (
		set                      = 1001
		words                    = 11
		maskAt, enabledAt        = 0, 1
		rateAt, backlogAt        = 4, 5
		masks             uint32 = 1<<0 | 1<<3 | 1<<4
	)
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_AUDIT)
	if err != nil {
		return fmt.Errorf("socket(NETLINK_AUDIT): %w", err)
	}
	defer unix.Close(fd)
	message := make([]byte, unix.SizeofNlMsghdr+4*words)
	binary.NativeEndian.PutUint32(message[0:], uint32(len(message)))
	binary.NativeEndian.PutUint16(message[4:], set)
	binary.NativeEndian.PutUint16(message[6:], unix.NLM_F_REQUEST|unix.NLM_F_ACK)
	word := func(i int, v uint32) { binary.NativeEndian.PutUint32(message[unix.SizeofNlMsghdr+4*i:], v) }
	word(maskAt, masks)
	if a.Enabled {
		word(enabledAt, 1)
	}
	word(rateAt, a.RateLimit)
	word(backlogAt, a.BacklogLimit)
	if err := unix.Sendto(fd, message, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("set audit: %w", err)
	}
	answer := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, answer, 0)
	if err != nil {
		return fmt.Errorf("set audit: %w", err)
	}
	if n < unix.SizeofNlMsghdr+4 || binary.NativeEndian.Uint16(answer[4:]) != unix.NLMSG_ERROR {
		return fmt.Errorf("set audit: the kernel answers %x", answer[:n])
	}
	if errno := -int32(binary.NativeEndian.Uint32(answer[unix.SizeofNlMsghdr:])); errno != 0 {
		return fmt.Errorf("set audit: %w", unix.Errno(errno))
	}
	return nil
}

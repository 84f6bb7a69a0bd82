// SPDX-License-Identifier: Apache-2.0

package record

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/view"
)

// maxRules is the largest number of rules that a file may have in all.
const maxRules = 1 << 22

func (l *loader) ruleset(value string) error {
	var r domainid.Ruleset
	err := object(value,
		required("rules", integer(&r.Rules, 0, 1<<32-1)),
		required("every_port", mask(&r.EveryPort)),
		required("ports", list(func(value string) error {
			var p domainid.PortRule
			err := object(value, required("port", integer(&p.Port, 0, 1<<16-1)), required("net", mask(&p.Net)))
			if n := len(r.Ports); err == nil && n > 0 && r.Ports[n-1].Port > p.Port {
				err = errors.New("does not ascend")
			}
			r.Ports = append(r.Ports, p)
			return errors.Join(err, l.count())
		})),
		required("inodes", list(func(value string) error {
			var n domainid.InodeRule
			err := object(value, required("dev", device(&n.Dev)), required("ino", decimal(&n.Ino)),
				required("fs", mask(&n.FS)), required("filesystem_root", boolean(&n.FSRoot)))
			r.Inodes = append(r.Inodes, n)
			return errors.Join(err, l.count())
		})),
		required("ports_left_out", integer(&r.PortsLeftOut, 0, 1<<32-1)),
		required("inodes_left_out", integer(&r.InodesLeftOut, 0, 1<<32-1)),
	)
	if err != nil {
		return err
	}
	l.rulesets = append(l.rulesets, &r)
	return l.count()
}

// count counts rules and rulesets.
func (l *loader) count() error {
	if l.rules++; l.rules > maxRules {
		return errors.New("too many rules")
	}
	return nil
}

// rightsMembers are the members of a set of rights: a mask for each class.
func rightsMembers(to *access.Rights) []member {
	members := make([]member, len(to))
	for c := range to {
		members[c] = required(access.Class(c).String(), mask(&to[c]))
	}
	return members
}

// device reads a device such as "8:1".
func device(to *uint64) reader {
	return func(s string) error {
		t, err := unquote(s)
		if err != nil {
			return err
		}
		major, minor, _ := strings.Cut(t, ":")
		ma, err1 := strconv.ParseUint(major, 10, 32)
		mi, err2 := strconv.ParseUint(minor, 10, 32)
		*to = unix.Mkdev(uint32(ma), uint32(mi))
		if err1 != nil || err2 != nil || view.DeviceText(*to) != t {
			return fmt.Errorf("%.40q is no device such as \"8:1\"", s)
		}
		return nil
	}
}

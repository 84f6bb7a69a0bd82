// SPDX-License-Identifier: Apache-2.0

package record

import (
	"errors"
	"fmt"

	"github.com/landlockd/landlockd/domainid"
)

func (l *loader) view(value string) error {
	var v domainid.View
	var domain domainid.ID
	known := false
	err := object(value,
		required("domain", orNull(identifier(&domain))),
		required("everywhere", orNull(func(value string) error {
			known = true
			return list(func(value string) error {
				var granted uint32
				if err := mask(&granted)(value); err != nil {
					return err
				}
				v.Everywhere = append(v.Everywhere, granted)
				return l.count()
			})(value)
		})),
		required("doubt", list(func(value string) error {
			var reason string
			if err := word(&reason)(value); err != nil {
				return err
			}
			d, ok := domainid.ParseDoubt(reason)
			if !ok {
				return fmt.Errorf("%.40q is no doubt", reason)
			}
			v.Doubt |= d
			return nil
		})),
	)
	switch {
	case err != nil:
		return err
	case known != (v.Doubt == 0):
		return errors.New("what is granted everywhere is known and in doubt, or neither")
	case len(l.snap.Views) == maxTasks:
		return errors.New("too many views")
	}
	l.snap.Views = append(l.snap.Views, v)
	l.viewed = append(l.viewed, domain)
	return nil
}

// SPDX-License-Identifier: Apache-2.0

package record

import (
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"

	"github.com/landlockd/landlockd/scan"
)

func (l *loader) workload(value string) error {
	var w scan.Workload
	var kind string
	var container string
	err := object(value,
		required("name", text(&w.Name, maxName)),
		required("full_name", text(&w.FullName, maxName)),
		required("kind", word(&kind)),
		required("unit", orNull(encoded(&w.Unit, maxName))),
		required("slice", orNull(encoded(&w.Slice, maxName))),
		required("cgroup", orNull(encoded(&w.Cgroup, maxPath))),
		required("delegated", boolean(&w.Delegated)),
		required("container", func(value string) error { container = value; return nil }),
	)
	if err != nil {
		return err
	}
	if err := w.Kind.UnmarshalText([]byte(kind)); err != nil {
		return err
	}
	// These alone are shown as they are.
	if !isName(w.Name) || !isName(w.FullName) {
		return fmt.Errorf("%.40q is no name of a workload", w.Name)
	}
	if all := l.snap.Workloads; len(all) > 0 && all[len(all)-1].Name > w.Name {
		return fmt.Errorf("%.40q does not ascend", w.Name)
	}
	if (w.Kind == scan.InContainer) != (container != null) {
		return errors.New("it is a container without being one, or the other way round")
	}
	if w.Kind == scan.InContainer {
		w.Container = &scan.Container{}
		if err := readContainer(container, w.Container); err != nil {
			return within("container", err)
		}
	}
	if len(l.snap.Workloads) == maxTasks {
		return errors.New("too many workloads")
	}
	l.snap.Workloads = append(l.snap.Workloads, w)
	return nil
}

func readContainer(value string, c *scan.Container) error {
	err := object(value,
		required("id", orNull(encoded(&c.ID, maxName))),
		required("runtime", orNull(encoded(&c.Runtime, maxName))),
		required("namespace", orNull(encoded(&c.Namespace, maxName))),
		required("pod", orNull(encoded(&c.Pod, maxName))),
		required("pod_uid", orNull(encoded(&c.PodUID, maxName))),
		required("name", orNull(encoded(&c.Name, maxName))),
		required("unnamed", boolean(&c.Unnamed)),
	)
	if err == nil && c.Unnamed && c.Name != "" {
		err = errors.New("it is unnamed, and has a name")
	}
	return err
}

// isName reports whether text is what scan.Workload.Name promises.
func isName(text string) bool {
	const longest = 128
	if text == "" || len(text) > longest || !utf8.ValidString(text) {
		return false
	}
	for _, r := range text {
		if unicode.IsControl(r) {
			return false
		}
	}
	return true
}

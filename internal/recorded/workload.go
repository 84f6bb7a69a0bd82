// SPDX-License-Identifier: Apache-2.0

package recorded

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

type workloadJSON struct {
	Name      untrusted.Text    `json:"name"`
	FullName  untrusted.Text    `json:"full_name"`
	Kind      scan.WorkloadKind `json:"kind"`
	Unit      *untrusted.Text   `json:"unit"`
	Slice     *untrusted.Text   `json:"slice"`
	Cgroup    *untrusted.Text   `json:"cgroup" max:"4160"`
	Delegated bool              `json:"delegated"`
	Container *containerJSON    `json:"container"`
	// State is nil if it has no processes.
	State     *scan.State `json:"state" read:"no"`
	Processes *statesJSON `json:"processes" read:"no"`
}

type containerJSON struct {
	ID        *untrusted.Text `json:"id"`
	Runtime   *untrusted.Text `json:"runtime"`
	Namespace *untrusted.Text `json:"namespace"`
	Pod       *untrusted.Text `json:"pod"`
	PodUID    *untrusted.Text `json:"pod_uid"`
	Name      *untrusted.Text `json:"name"`
	Unnamed   bool            `json:"unnamed"`
}

func newWorkloadJSON(w *scan.Workload, processes scan.ByState) *workloadJSON {
	j := &workloadJSON{
		Name:      untrusted.Text(w.Name),
		FullName:  untrusted.Text(w.FullName),
		Kind:      w.Kind,
		Unit:      untrusted.OrNull(w.Unit),
		Slice:     untrusted.OrNull(w.Slice),
		Cgroup:    untrusted.OrNull(w.Cgroup),
		Delegated: w.Delegated,
		Processes: newStatesJSON(processes),
	}
	if state := processes.State(); processes.Total() > 0 {
		j.State = &state
	}
	if c := w.Container; c != nil {
		j.Container = &containerJSON{
			ID:        untrusted.OrNull(c.ID),
			Runtime:   untrusted.OrNull(c.Runtime),
			Namespace: untrusted.OrNull(c.Namespace),
			Pod:       untrusted.OrNull(c.Pod),
			PodUID:    untrusted.OrNull(c.PodUID),
			Name:      untrusted.OrNull(c.Name),
			Unnamed:   c.Unnamed,
		}
	}
	return j
}

// processesOf counts the processes of each workload.
func processesOf(s *scan.Snapshot) []scan.ByState {
	all := make([]scan.ByState, len(s.Workloads))
	for i := range s.Processes {
		if p := &s.Processes[i]; s.WorkloadOf(p) != nil {
			all[p.Workload][p.State&3]++
		}
	}
	return all
}

func (j *containerJSON) check() error {
	if j.Unnamed && orZero(j.Name) != "" {
		return errors.New("it is unnamed, and has a name")
	}
	return nil
}

func (r *reader) workload(j *workloadJSON) error {
	w := scan.Workload{
		Name:      string(j.Name),
		FullName:  string(j.FullName),
		Kind:      j.Kind,
		Unit:      string(orZero(j.Unit)),
		Slice:     string(orZero(j.Slice)),
		Cgroup:    string(orZero(j.Cgroup)),
		Delegated: j.Delegated,
	}
	if c := j.Container; c != nil {
		w.Container = &scan.Container{
			ID:        string(orZero(c.ID)),
			Runtime:   string(orZero(c.Runtime)),
			Namespace: string(orZero(c.Namespace)),
			Pod:       string(orZero(c.Pod)),
			PodUID:    string(orZero(c.PodUID)),
			Name:      string(orZero(c.Name)),
			Unnamed:   c.Unnamed,
		}
	}
	all := r.snap.Workloads
	switch {
	case !isName(w.Name) || !isName(w.FullName): // these alone are shown as they are
		return fmt.Errorf("%.40q is no name of a workload", w.Name)
	case len(all) > 0 && all[len(all)-1].Name > w.Name:
		return fmt.Errorf("%.40q does not ascend", w.Name)
	case (w.Kind == scan.InContainer) != (w.Container != nil):
		return errors.New("it is a container without being one, or the other way round")
	case len(all) == maxTasks:
		return errors.New("too many workloads")
	}
	r.snap.Workloads = append(all, w)
	return nil
}

// isName reports whether text is what scan.Workload.Name promises.
func isName(text string) bool {
	const longest = 128
	return text != "" && len(text) <= longest && utf8.ValidString(text) &&
		!strings.ContainsFunc(text, unicode.IsControl)
}

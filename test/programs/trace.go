// SPDX-License-Identifier: Apache-2.0

package programs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/landlockd/landlockd/access"
)

// Layer is a ruleset that a task asked for.
type Layer struct {
	Handled access.Rights
	Rules   []Rule
}

// Task is a live task and the layers that it is in, the outermost first.
type Task struct {
	TID    int32
	Layers []Layer
}

// Trace is what strace has written of a program until some moment.
type Trace struct {
	// Tasks are those that live, ascending by TID.
	Tasks []Task
	// Settled: no task is in one of the system calls that matter, and all tasks are
	// known.
	Settled bool
}

// Deepest returns the task with the most layers.
func (t Trace) Deepest() Task {
	return slices.MaxFunc(t.Tasks, func(a, b Task) int { return len(a.Layers) - len(b.Layers) })
}

// ReadTrace reads the files that strace -ff writes, one for each task. Whatever it
// does not understand is an error.
func ReadTrace(dir, prefix string) (Trace, error) {
	paths, err := filepath.Glob(filepath.Join(dir, prefix+".*"))
	if err != nil {
		return Trace{}, err
	}
	texts := map[int32]string{}
	for _, path := range paths {
		tid, err := strconv.ParseInt(strings.TrimPrefix(filepath.Ext(path), "."), 10, 32)
		if err != nil {
			return Trace{}, fmt.Errorf("%s is not named as strace does: %w", path, err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return Trace{}, err
		}
		texts[int32(tid)] = string(text)
	}
	return parseTrace(texts)
}

// parseTrace reads the files of tasks, by tid.
func parseTrace(texts map[int32]string) (Trace, error) {
	t := Trace{Settled: len(texts) > 0}
	tasks := make(map[int32]*story, len(texts))
	for tid, text := range texts {
		s, err := readStory(text)
		if err != nil {
			return Trace{}, fmt.Errorf("task %d: %w", tid, err)
		}
		tasks[tid] = s
		// strace writes the beginning of a line when a system call begins.
		t.Settled = t.Settled && (s.complete || s.ended)
	}
	for tid, s := range tasks {
		for _, birth := range s.children {
			child := tasks[birth.tid]
			switch {
			case child == nil:
				t.Settled = false
			case child.parent != nil:
				// A number that is used again is more than this can follow.
				return Trace{}, fmt.Errorf("task %d was made twice", birth.tid)
			case birth.tid == tid:
				return Trace{}, fmt.Errorf("task %d made itself", tid)
			default:
				child.parent, child.inherits = s, birth.layers
			}
		}
	}
	first := 0
	for tid, s := range tasks {
		if s.parent == nil {
			first++
		}
		if !s.ended {
			layers, err := s.layers(len(tasks))
			if err != nil {
				return Trace{}, fmt.Errorf("task %d: %w", tid, err)
			}
			t.Tasks = append(t.Tasks, Task{tid, layers})
		}
	}
	t.Settled = t.Settled && first == 1
	slices.SortFunc(t.Tasks, func(a, b Task) int { return int(a.TID) - int(b.TID) })
	return t, nil
}

// story is what the file of one task says.
type story struct {
	// own are the layers that it added to those that it was born with.
	own      []Layer
	children []birth
	ended    bool
	// complete: the last line has its end.
	complete bool
	// parent is nil for the first task of all; inherits is how many of the parent's
	// own layers there were already.
	parent   *story
	inherits int
}

// birth is a task that was made when its parent had so many layers of its own.
type birth struct {
	tid    int32
	layers int
}

func readStory(text string) (*story, error) {
	s := &story{complete: text == "" || strings.HasSuffix(text, "\n")}
	rulesets := map[int]*Layer{}
	for line := range strings.Lines(text) {
		if !strings.HasSuffix(line, "\n") {
			break
		}
		if s.ended {
			return nil, errors.New("strace: a line after the task's end")
		}
		e, err := parseLine(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, err
		}
		if e.made != nil {
			rulesets[e.fd] = e.made
		}
		ruleset := rulesets[e.fd]
		if ruleset == nil && (e.rule != nil || e.restricted) {
			return nil, fmt.Errorf("ruleset %d was not made by this task", e.fd)
		}
		switch {
		case e.rule != nil:
			ruleset.Rules = append(ruleset.Rules, *e.rule)
		case e.restricted:
			// What is added to the ruleset later is not in the domain.
			s.own = append(s.own, Layer{ruleset.Handled, slices.Clone(ruleset.Rules)})
		case e.child != 0:
			s.children = append(s.children, birth{e.child, len(s.own)})
		case e.ended:
			s.ended = true
		}
	}
	return s, nil
}

// layers returns all layers of a task, of a number of tasks.
func (s *story) layers(tasks int) ([]Layer, error) {
	var all []Layer
	n := len(s.own)
	for range tasks {
		all = slices.Concat(s.own[:n], all)
		if s.parent == nil {
			return all, nil
		}
		s, n = s.parent, s.inherits
	}
	return nil, errors.New("it descends from itself")
}

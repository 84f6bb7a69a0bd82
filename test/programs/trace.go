// SPDX-License-Identifier: Apache-2.0

package programs

import (
	"cmp"
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
func parseTrace(files map[int32]string) (Trace, error) {
	texts, numbers, err := supersede(files)
	if err != nil || texts == nil {
		return Trace{}, err
	}
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
				child.parent, child.inherits, child.shares = s, birth.layers, birth.shares
			}
		}
	}
	if err := share(tasks); err != nil {
		if t.Settled {
			return Trace{}, err
		}
		return Trace{}, nil // the line of who made it may be still to come
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
			t.Tasks = append(t.Tasks, Task{cmp.Or(numbers[tid], tid), layers})
		}
	}
	t.Settled = t.Settled && first == 1
	slices.SortFunc(t.Tasks, func(a, b Task) int { return int(a.TID) - int(b.TID) })
	return t, nil
}

// supersede gives each task what it did itself. A thread that executes a program becomes the
// first of its process: it goes on with the number and in the file of that one, which is gone.
// It returns the texts by the number that a task was made with, and the number that it has now if
// that is another one; no texts if a thread's was read before it had written all that it did.
func supersede(
	files map[int32]string,
) (texts map[int32]string, numbers map[int32]int32, err error) {
	texts, numbers = make(map[int32]string, len(files)), map[int32]int32{}
	for tid, file := range files {
		parts := superseded.Split(file, -1)
		for i := range parts[1:] {
			parts[i] += "+++ exited with 0 +++\n"
		}
		texts[tid] = parts[0] + texts[tid]
		for i, m := range superseded.FindAllStringSubmatch(file, -1) {
			by, err := strconv.ParseInt(m[1], 10, 32)
			thread := int32(by)
			if _, twice := numbers[thread]; err != nil || twice || thread == tid {
				return nil, nil, fmt.Errorf("task %d: strace: not understood: %.300q", tid, m[0])
			}
			if own, made := files[thread]; !made || own != "" && !strings.HasSuffix(own, "\n") {
				return nil, nil, nil
			}
			texts[thread] += parts[i+1]
			numbers[thread] = tid
		}
	}
	return texts, numbers, nil
}

// story is what the file of one task says.
type story struct {
	// own are the layers that it added to those that it was born with.
	own      []taken
	children []birth
	ended    bool
	// complete: the last line has its end.
	complete bool
	// parent is nil for the first task of all; inherits is how many of the parent's
	// own layers there were already.
	parent   *story
	inherits int
	// shares: its descriptors are its parent's.
	shares bool
	// made are the rulesets that it made, by their descriptors, and others are what it did
	// with those of tasks that share its descriptors.
	made   map[int][]*madeSet
	others []use
}

// madeSet is what a task made, with the rules of its own, and those of others.
type madeSet struct {
	Layer
	others []Rule
}

// taken is a ruleset as a task was restricted by it: its maker, when it had so many rules of
// the maker's; others, with all that it ever had.
type taken struct {
	*madeSet
	rules int
	all   bool
}

func (t taken) layer() Layer {
	rules := t.Rules
	if !t.all {
		rules = rules[:t.rules]
	}
	return Layer{t.Handled, slices.Concat(rules, t.others)}
}

// use is what a task did with a ruleset that it did not make itself.
type use struct {
	fd int
	// rule was added to it; nil if it is the one of a layer of the task's own.
	rule *Rule
	at   int
}

// birth is a task that was made when its parent had so many layers of its own.
type birth struct {
	tid    int32
	layers int
	shares bool
}

// share fills in which rulesets tasks used that they did not make. As nobody wrote down what
// of two tasks came first, there may be one alone with such a descriptor, and its rules are
// all that it ever had.
func share(tasks map[int32]*story) error {
	type descriptor struct {
		of *story
		fd int
	}
	known := map[descriptor][]*madeSet{}
	top := func(s *story) *story {
		for range len(tasks) {
			if !s.shares || s.parent == nil {
				return s
			}
			s = s.parent
		}
		return s
	}
	for _, s := range tasks {
		for fd, all := range s.made {
			d := descriptor{top(s), fd}
			known[d] = append(known[d], all...)
		}
	}
	for tid, s := range tasks {
		for _, u := range s.others {
			one := known[descriptor{top(s), u.fd}]
			switch {
			case len(one) != 1:
				return fmt.Errorf("task %d: %d rulesets were made that can be %d", tid, len(one), u.fd)
			case u.rule != nil:
				one[0].others = append(one[0].others, *u.rule)
			default:
				s.own[u.at] = taken{madeSet: one[0], all: true}
			}
		}
	}
	return nil
}

func readStory(text string) (*story, error) {
	s := &story{complete: text == "" || strings.HasSuffix(text, "\n"), made: map[int][]*madeSet{}}
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
			s.made[e.fd] = append(s.made[e.fd], &madeSet{Layer: *e.made})
		}
		var last *madeSet // the last one with this descriptor
		if all := s.made[e.fd]; len(all) > 0 {
			last = all[len(all)-1]
		}
		switch {
		case last == nil && e.rule != nil:
			s.others = append(s.others, use{fd: e.fd, rule: e.rule})
		case last == nil && e.restricted:
			s.others = append(s.others, use{fd: e.fd, at: len(s.own)})
			s.own = append(s.own, taken{})
		case e.rule != nil:
			last.Rules = append(last.Rules, *e.rule)
		case e.restricted:
			// What is added to the ruleset later is not in the domain.
			s.own = append(s.own, taken{madeSet: last, rules: len(last.Rules)})
		case e.child != 0:
			s.children = append(s.children, birth{e.child, len(s.own), e.shares})
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
		for _, t := range slices.Backward(s.own[:n]) {
			all = append(all, t.layer())
		}
		if s.parent == nil {
			slices.Reverse(all)
			return all, nil
		}
		s, n = s.parent, s.inherits
	}
	return nil, errors.New("it descends from itself")
}

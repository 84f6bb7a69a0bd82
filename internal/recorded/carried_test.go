// SPDX-License-Identifier: Apache-2.0

package recorded

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

const (
	renumbered = "counts places, which are others: TestReadKeepsFacts compares what is there"
	guard      = "is for the guard of a running daemon: nobody asks it of a file"
)

// notCarried has the members that are not in a file, each with the reason.
var notCarried = map[string]string{
	"Credentials.GID":       guard,
	"Credentials.Owner":     guard,
	"Credentials.OneID":     guard,
	"Credentials.NoCaps":    guard,
	"Credentials.SysPtrace": guard,
	"Credentials.Dumpable":  guard,
	"Task.TID":              "left out where all tasks of a process are alike",
	"Task.Start":            "left out where all tasks of a process are alike",
	"Task.Domain":           renumbered,
	"Task.View":             renumbered,
	"Place.Domain":          renumbered,
	"Domain.Parent":         renumbered,
	"View.Domain":           renumbered,
	"Scene.Domain":          renumbered,
}

// TestEveryMemberIsCarried: each member of a snapshot, and of all that is in it, is read
// as it was written, or is known not to be. A new member that this package forgets fails
// here by name, and one that random hosts do not have, because nothing shows that it
// is carried then.
func TestEveryMemberIsCarried(t *testing.T) {
	c := carried{set: map[string]bool{}, lost: map[string]string{}}
	for seed := range uint64(300) {
		s := random(rand.New(rand.NewPCG(seed, 5)))
		got, err := Read(bytes.NewReader(encode(t, s)))
		if err != nil {
			t.Fatal(err)
		}
		if !s.Source.CountsDenials() {
			for i := range s.Domains {
				s.Domains[i].Denials = 0
			}
		}
		c.compare("", reflect.ValueOf(inOneOrder(*s)), reflect.ValueOf(inOneOrder(*got)))
	}
	for name, how := range c.lost {
		t.Errorf("%s is not carried: %s", name, how)
	}
	all := map[string]bool{}
	members("", reflect.TypeFor[scan.Snapshot](), all)
	for name := range all {
		if !c.set[name] && notCarried[name] == "" {
			t.Errorf("%s is 0 in every random host: set it there (random_test.go)", name)
		}
	}
	for name := range notCarried {
		if !all[name] {
			t.Errorf("%s is no member", name)
		}
	}
	if len(all) < 60 {
		t.Errorf("only %d members were found", len(all))
	}
}

// inOneOrder returns a snapshot whose domains and views are in an order of their own.
func inOneOrder(s scan.Snapshot) scan.Snapshot {
	id := func(v domainid.View) string {
		return fmt.Sprint(s.Domains[v.Domain].ID, v.Everywhere, v.Doubt)
	}
	views := slices.SortedFunc(slices.Values(s.Views), func(a, b domainid.View) int {
		return strings.Compare(id(a), id(b))
	})
	s.Views = views
	s.Domains = slices.SortedFunc(slices.Values(s.Domains), func(a, b domainid.Domain) int {
		return cmp.Compare(a.ID, b.ID)
	})
	return s
}

// members collects the members of a type that have no others in them, by name.
func members(name string, t reflect.Type, all map[string]bool) {
	switch {
	case t.Kind() == reflect.Slice, t.Kind() == reflect.Pointer:
		members(name, t.Elem(), all)
	case !isObject(t):
		all[name] = true
	default:
		for _, f := range reflect.VisibleFields(t) {
			if name := t.Name() + "." + f.Name; f.IsExported() {
				members(name, f.Type, all)
			}
		}
	}
}

func isObject(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]()
}

// carried notes which members were set, and which are read as something else.
type carried struct {
	set  map[string]bool
	lost map[string]string
}

func (c *carried) compare(name string, was, is reflect.Value) {
	if notCarried[name] != "" {
		return
	}
	switch {
	case was.Kind() == reflect.Pointer && !was.IsNil() && !is.IsNil():
		c.compare(name, was.Elem(), is.Elem())
	case was.Kind() == reflect.Slice && was.Len() == is.Len():
		for i := range was.Len() {
			c.compare(name, was.Index(i), is.Index(i))
		}
	case isObject(was.Type()):
		for _, f := range reflect.VisibleFields(was.Type()) {
			if f.IsExported() {
				c.compare(was.Type().Name()+"."+f.Name, was.FieldByIndex(f.Index), is.FieldByIndex(f.Index))
			}
		}
	default:
		c.set[name] = c.set[name] || !was.IsZero()
		if a, b := plain(was), plain(is); a != b {
			c.lost[name] = fmt.Sprintf("%.80s becomes %.80s", a, b)
		}
	}
}

// plain is a value in which what means the same is the same.
func plain(v reflect.Value) string {
	switch v := v.Interface().(type) {
	case time.Time:
		return v.UTC().String()
	case scan.Comm:
		return v.String()
	}
	if v.Kind() == reflect.Pointer {
		return fmt.Sprint(v.IsNil())
	}
	return fmt.Sprintf("%v", v)
}

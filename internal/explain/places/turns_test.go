// SPDX-License-Identifier: Apache-2.0

package places

import (
	"fmt"
	"testing"
)

// However many directories a share has, those of others are looked at as well.
func TestTurns(t *testing.T) {
	var turns turns
	if dir, from := turns.next(); from != nil {
		t.Fatalf("found %v where nothing is", dir)
	}
	many := turns.queue(share{dev: 1})
	for i := range 1000 {
		many.add(fmt.Sprintf("/many/%d", i), 0)
	}
	few := turns.queue(share{dev: 1, root: true})
	few.add("/few", 0)
	var looked []string
	for range 10 {
		dir, from := turns.next()
		if from == nil {
			t.Fatal("nothing is left")
		}
		if looked = append(looked, dir.path); from == few {
			few.add(dir.path+"/x", 0) // one more below
			few.looks += 10
		} else {
			many.looks += 30
		}
	}
	// Of each about the same number of entries is looked at, so of what is small more directories.
	want := "[/many/0 /few /few/x /few/x/x /many/1 /few/x/x/x /few/x/x/x/x /few/x/x/x/x/x /many/2 " +
		"/few/x/x/x/x/x/x]"
	if fmt.Sprint(looked) != want {
		t.Errorf("looked at %s, want %s", looked, want)
	}
	if turns.queue(share{dev: 1}) != many {
		t.Error("a share has two queues")
	}
}

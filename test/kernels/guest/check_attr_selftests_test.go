// SPDX-License-Identifier: Apache-2.0

package main

import (
	"reflect"
	"testing"
)

func TestParseTAP(t *testing.T) {
	const plan = "TAP version 13\n1..3\n"
	got, err := parseTAP([]byte(plan + "#  RUN           global.form ...\nok 1 global.form\n" +
		"# a.c:1:x:Expected 1 (1) == 0 (0)\nnot ok 2 global.self\nok 3 global.yama # SKIP Yama is not enabled\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := tap{1, []string{"self"}, []tapSkip{{"yama", "Yama is not enabled"}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, wrong := range []string{
		"", "ok 1 a\n", plan, plan + "ok 1 a\nok 2 b\n", plan + "ok 1 a\nok 3 c\nok 2 b\n",
		plan + "ok 1 a\nok 2 b\nok 3 c\nok 4 d\n",
	} {
		if _, err := parseTAP([]byte(wrong)); err == nil {
			t.Errorf("%q is taken for whole", wrong)
		}
	}
}

// SPDX-License-Identifier: Apache-2.0

package main

import "testing"

func TestUTF8Locale(t *testing.T) {
	for _, c := range []struct {
		all, ctype, lang string
		want             bool
	}{
		{"", "", "", false}, {"", "", "C", false}, {"", "", "POSIX", false}, {"", "", "en_US", false},
		{"", "", "C.UTF-8", true}, {"", "", "de_DE.utf8", true}, {"", "", "en_US.UTF-8@euro", true},
		{"C", "C.UTF-8", "C.UTF-8", false}, {"C.UTF-8", "C", "C", true}, {"", "C", "C.UTF-8", false}, {"", "C.utf8", "C", true},
	} {
		t.Setenv("LC_ALL", c.all)
		t.Setenv("LC_CTYPE", c.ctype)
		t.Setenv("LANG", c.lang)
		if got := utf8Locale(); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

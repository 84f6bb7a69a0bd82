// SPDX-License-Identifier: Apache-2.0

package enum

import "testing"

type answer uint8

func TestWords(t *testing.T) {
	words := Words[answer]{"unknown", "no", "yes"}
	for i, word := range words {
		v := answer(9)
		if err := words.Parse(&v, []byte(word), "answer"); err != nil || int(v) != i {
			t.Errorf("%s is %d, %v", word, v, err)
		}
		if got := words.Of(answer(i)); got != word {
			t.Errorf("%d is %s", i, got)
		}
	}
	if got := words.Of(3); got != "unknown" {
		t.Errorf("3 is %s", got)
	}
	v := answer(2)
	err := words.Parse(&v, []byte("maybe\n"), "answer")
	if want := `answer "maybe\n": want unknown, no or yes`; err == nil || err.Error() != want || v != 2 {
		t.Errorf("%v, %d", err, v)
	}
}

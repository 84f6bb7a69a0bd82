// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

func in(id domainid.ID, layers uint8) answer {
	return answer{state: scan.Sandboxed, id: id, layers: layers}
}

func TestParse(t *testing.T) {
	bad := answerMalformed
	for _, c := range []struct {
		form Form
		text string
		want answer
	}{
		{Landlocked, "landlocked:1", in(0, 0)},
		{Landlocked, "landlocked:0\n", answerOut},
		{Landlocked, "landlocked:2", bad},
		{Landlocked, "landlocked:", bad},
		{Landlocked, "", bad},
		{Empty, "none", answerOut},
		{Empty, "none\x00", answerOut},
		{Empty, "", in(0, 0)},
		{Empty, "\n", in(0, 0)},
		{Empty, "None", bad},
		{Empty, "1", bad},
		{Presence, "", in(0, 0)},
		{Presence, "whatever", in(0, 0)},
		{Words, "unrestricted", answerOut},
		{Words, "restricted\n", in(0, 0)},
		{Words, "unknown\x00", answer{reason: scan.Hidden}},
		{Words, "restricted1", bad},
		{Words, "", bad},
		{Hex, "none\n", answerOut},
		{Hex, "1e67bda0b\n", in(0x1e67bda0b, 0)},
		{Hex, "0x1E67BDA0B", in(0x1e67bda0b, 0)},
		{Hex, "ffffffffffffffff\n", in(0xffffffffffffffff, 0)},
		{Hex, "10000000000000000", bad},
		{Hex, "00000000000000001e67bda0b", bad},
		{Hex, "0x", bad},
		{Hex, "0", bad},
		{Hex, "40", bad}, // 64 may be a number of layers
		{Hex, "41", in(0x41, 0)},
		{Hex, "1e67bda0b\n\n", bad},
		{Hex, "1e67bda0b \n", bad},
		{Hex, "-1", bad},
		{Hex, "", bad},
		{Versioned, "none", answerOut},
		{Versioned, "123.0", in(123<<8, 0)},
		{Versioned, "123.255\n", in(123<<8|255, 0)},
		{Versioned, "123.256", bad},
		{Versioned, "0.1", bad},
		{Versioned, "123", bad},
		{Versioned, "123.", bad},
		{Versioned, ".1", bad},
		{Versioned, "1.2.3", bad},
		{Versioned, "99999999999999999999.0", bad},
		{Layers, "0\n", answerOut},
		{Layers, "3", in(0, 3)},
		{Layers, "64\x00", in(0, 64)},
		{Layers, "65", bad},
		{Layers, "03", bad},
		{Layers, "none", bad},
		{NoForm, "none", bad},
	} {
		if got := parse(c.form, []byte(c.text)); got != c.want {
			t.Errorf("%v %q: %+v, want %+v", c.form, c.text, got, c.want)
		}
	}
}

// attributes are texts of every form, and near them. Any bytes give one of a few
// well-formed answers, in every form.
var attributes = []string{"landlocked:1", "none\n", "", "restricted", "0x1e67bda0b\n", "123.0", "16", "ffffffffffffffff\x00"}

// checkParse fails if the parser's answer to a text contradicts itself.
func checkParse(t *testing.T, f Form, b []byte) {
	t.Helper()
	a := parse(f, b)
	switch {
	case a.state == scan.Unknown:
		if a.reason == scan.NoReason || a.id != 0 || a.layers != 0 {
			t.Fatalf("%v, %q: %+v", f, b, a)
		}
	case a.reason != scan.NoReason, a.state == scan.Partial,
		a.state == scan.Unsandboxed && a != answerOut,
		(a.id != 0) != (a.state == scan.Sandboxed && f.hasIDs()),
		(a.layers != 0) != (a.state == scan.Sandboxed && f == Layers), a.layers > maxLayers:
		t.Fatalf("%v, %q: %+v", f, b, a)
	}
	if f == Hex && a.state == scan.Sandboxed {
		text := strings.TrimRight(strings.ToLower(string(b)), "\n\x00")
		text = strings.TrimLeft(strings.TrimPrefix(text, "0x"), "0")
		if a.id.String() != text {
			t.Fatalf("%q read as %v", b, a.id)
		}
	}
}

// TestParseTenMillion sends the attribute's parser ten million texts: those above
// with up to four bytes changed, put in or left out. The seed is new in each run.
func TestParseTenMillion(t *testing.T) {
	if testing.Short() {
		t.Skip("10 million executions")
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	const alphabet = "0123456789abcdefxABCDEF.:\n\x00 -lndockdrestiun\xff"
	buf := make([]byte, 0, 64)
	var said [4]int // by state
	for n := range 10_000_000 {
		f := Form(n % int(Presence+1))
		buf = append(buf[:0], attributes[r.IntN(len(attributes))]...)
		for range r.IntN(5) {
			c, at := alphabet[r.IntN(len(alphabet))], r.IntN(len(buf)+1)
			switch {
			case at == len(buf) || r.IntN(3) == 0:
				buf = slices.Insert(buf, at, c)
			case r.IntN(2) == 0:
				buf[at] = c
			default:
				buf = slices.Delete(buf, at, at+1)
			}
		}
		checkParse(t, f, buf)
		said[parse(f, buf).state]++
	}
	if said[scan.Sandboxed] == 0 || said[scan.Unsandboxed] == 0 || said[scan.Unknown] == 0 {
		t.Errorf("some answer never came: %v", said)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range attributes {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := string(b)
		for f := NoForm; f <= Presence; f++ {
			checkParse(t, f, b)
		}
		if string(b) != before {
			t.Fatal("the text was changed")
		}
		parseStatus(b)
		parseCgroup(b, 1)
		if entries, err := numbers(b[:len(b):len(b)], nil); err == nil {
			for _, e := range entries {
				if e.id <= 0 {
					t.Fatalf("entry %+v", e)
				}
			}
		}
	})
}

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

var (
	landlocked = named("landlocked:0|1")
	empty      = named("none or empty")
	words      = named("unrestricted|restricted|unknown")
	hexID      = named("domain ID or none")
	versioned  = named("domain ID and version")
	counted    = named("number of layers")
	presence   = named("presence of the file")
)

func named(name string) *form {
	for _, f := range forms {
		if f.name == name {
			return f
		}
	}
	panic("no form is called " + name)
}

func in(id domainid.ID, layers uint8) answer {
	return answer{state: scan.Sandboxed, id: id, layers: layers}
}

func TestParse(t *testing.T) {
	bad := answerMalformed
	for _, c := range []struct {
		form *form
		text string
		want answer
	}{
		{landlocked, "landlocked:1", in(0, 0)},
		{landlocked, "landlocked:0\n", answerOut},
		{landlocked, "landlocked:2", bad},
		{landlocked, "landlocked:", bad},
		{landlocked, "", bad},
		{empty, "none", answerOut},
		{empty, "none\x00", answerOut},
		{empty, "", in(0, 0)},
		{empty, "\n", in(0, 0)},
		{empty, "None", bad},
		{empty, "1", bad},
		{presence, "", in(0, 0)},
		{presence, "whatever", in(0, 0)},
		{words, "unrestricted", answerOut},
		{words, "restricted\n", in(0, 0)},
		{words, "unknown\x00", answer{reason: scan.Hidden}},
		{words, "restricted1", bad},
		{words, "", bad},
		{hexID, "none\n", answerOut},
		{hexID, "1e67bda0b\n", in(0x1e67bda0b, 0)},
		{hexID, "0x1E67BDA0B", in(0x1e67bda0b, 0)},
		{hexID, "ffffffffffffffff\n", in(0xffffffffffffffff, 0)},
		{hexID, "10000000000000000", bad},
		{hexID, "00000000000000001e67bda0b", bad},
		{hexID, "0x", bad},
		{hexID, "0", bad},
		{hexID, "40", bad}, // 64 may be a number of layers
		{hexID, "41", in(0x41, 0)},
		{hexID, "1e67bda0b\n\n", bad},
		{hexID, "1e67bda0b \n", bad},
		{hexID, "-1", bad},
		{hexID, "", bad},
		{versioned, "none", answerOut},
		{versioned, "123.0", in(123<<8, 0)},
		{versioned, "123.255\n", in(123<<8|255, 0)},
		{versioned, "123.256", bad},
		{versioned, "0.1", bad},
		{versioned, "123", bad},
		{versioned, "123.", bad},
		{versioned, ".1", bad},
		{versioned, "1.2.3", bad},
		{versioned, "99999999999999999999.0", bad},
		{counted, "0\n", answerOut},
		{counted, "3", in(0, 3)},
		{counted, "64\x00", in(0, 64)},
		{counted, "65", bad},
		{counted, "03", bad},
		{counted, "none", bad},
	} {
		if got := c.form.read([]byte(c.text)); got != c.want {
			t.Errorf("%s %q: %+v, want %+v", c.form.name, c.text, got, c.want)
		}
	}
}

// attributes are texts of every form, and near them. Any bytes give one of a few
// well-formed answers, in every form.
var attributes = []string{"landlocked:1", "none\n", "", "restricted", "0x1e67bda0b\n", "123.0", "16", "ffffffffffffffff\x00"}

// checkParse fails if the parser's answer to a text contradicts itself.
func checkParse(t *testing.T, f *form, b []byte) {
	t.Helper()
	a := f.read(b)
	switch {
	case a.state == scan.Unknown:
		if a.reason == scan.NoReason || a.id != 0 || a.layers != 0 {
			t.Fatalf("%s, %q: %+v", f.name, b, a)
		}
	case a.reason != scan.NoReason, a.state == scan.Partial,
		a.state == scan.Unsandboxed && a != answerOut,
		(a.id != 0) != (a.state == scan.Sandboxed && f.ids),
		(a.layers != 0) != (a.state == scan.Sandboxed && f.layers), a.layers > maxLayers:
		t.Fatalf("%s, %q: %+v", f.name, b, a)
	}
	if f == hexID && a.state == scan.Sandboxed {
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
		f := forms[n%len(forms)]
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
		said[f.read(buf).state]++
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
		for _, f := range forms {
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

// SPDX-License-Identifier: Apache-2.0

package recorded

import (
	"reflect"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// TestQuick: what is set without package json is what that sets, and our own way to write is quick.
func TestQuick(t *testing.T) {
	texts := []string{
		`"a"`, `""`, `"\u0061"`, `"\n"`, `"é"`, `true`, `false`, `null`,
		`0`, `7`, `12`, `-1`, `-0`, `1.0`, `1e2`, `255`, `256`, `65536`, `2147483648`,
		`999999999999999999`, `1000000000000000000`, `9223372036854775808`,
		`18446744073709551615`, `18446744073709551616`,
		`"0"`, `"12"`, `"012"`, `"-1"`, `"+1"`, `"1 "`, `"1.0"`, `"18446744073709551615"`,
		`"sandboxed"`, `"unknown"`, `"0x1f"`, `"0x01f"`, `"1dbe1013b"`, `"01"`, `"A"`, `"\u0031"`,
		`"none"`, `"host"`,
	}
	quick := map[string]int{}
	for _, zero := range []any{
		"", false, int32(0), int64(0), uint16(0), uint32(0), uint64(0), untrusted.Text(""), domainid.ID(0), mask(0),
		nanoseconds(0), scan.State(0), scan.Origin(0),
	} {
		for _, quoted := range []bool{false, true} {
			m := &member{quoted: quoted, plain: isPlain(reflect.TypeOf(zero))}
			for _, text := range texts {
				got, want := reflect.New(reflect.TypeOf(zero)), reflect.New(reflect.TypeOf(zero))
				if !m.quick(got.Elem(), []byte(text)) {
					continue
				}
				quick[got.Type().Elem().String()]++
				err := json.Unmarshal([]byte(text), want.Interface(), json.StringifyNumbers(quoted))
				if err != nil || !reflect.DeepEqual(got.Interface(), want.Interface()) {
					t.Errorf("%s as %T, quoted %v: %v, want %v, %v", text, zero, quoted, got.Elem(), want.Elem(), err)
				}
			}
		}
	}
	if len(quick) != 13 {
		t.Errorf("only these are quick: %v", quick)
	}
}

// SPDX-License-Identifier: Apache-2.0

package aptroot

import (
	"strings"
	"testing"
)

func TestParsePackages(t *testing.T) {
	const list = `Package: linux-image-6.12.9-cloud-amd64
Source: linux-signed-amd64
Version: 6.12.9-1
Architecture: amd64
Description: Linux 6.12 for x86-64 cloud
 The Linux kernel 6.12 for use on cloud platforms.
Size: 34402644
SHA256: 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff

Package: bash
Version: 5.2-1
Architecture: amd64

Package: linux-source-6.12
Version: 6.12.9-1
Architecture: all`
	got, err := parsePackages(strings.NewReader(list), func(name string) bool { return name != "bash" })
	if err != nil || len(got) != 2 {
		t.Fatalf("parsePackages: %+v, %v", got, err)
	}
	want := Package{
		Name: "linux-image-6.12.9-cloud-amd64", Version: "6.12.9-1", Architecture: "amd64", Size: 34402644,
		SHA256: "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
	}
	if got[0] != want {
		t.Errorf("got %+v, want %+v", got[0], want)
	}
	if key := got[0].Key(); key != "linux-image-6.12.9-cloud-amd64_6.12.9-1_amd64_0011223344556677" {
		t.Errorf("Key() = %q", key)
	}
	if got[1].Name != "linux-source-6.12" || got[1].Architecture != "all" {
		t.Errorf("got %+v", got[1])
	}
}

func TestSourcesList(t *testing.T) {
	list := sourcesList([]source{
		{"Debian", "http://mirror.invalid/debian/", "bookworm"},
		{"Debian-Security", "http://mirror.invalid/debian-security/", "bookworm-security"},
	}, Architectures)
	for _, want := range []string{"/debian/ bookworm main", "/debian-security/ bookworm-security main", "/debian/ sid main"} {
		if strings.Count(list, want+"\n") != 1 {
			t.Errorf("%q is not once in\n%s", want, list)
		}
	}
	if strings.Contains(list, "/debian-security/ sid") {
		t.Errorf("sid is looked for in the wrong archive:\n%s", list)
	}
}

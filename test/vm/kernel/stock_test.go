// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"testing"

	"github.com/landlockd/landlockd/test/vm/aptroot"
)

func TestFind(t *testing.T) {
	const mega = 1 << 20
	var packages []aptroot.Package
	add := func(name, version, arch string, size int64) {
		packages = append(packages, aptroot.Package{Name: name, Version: version, Architecture: arch, Size: size})
	}
	add("linux-image-6.1.0-47-cloud-amd64", "6.1.170-3", "amd64", 26*mega)
	add("linux-image-6.1.0-50-cloud-amd64", "6.1.176-1", "amd64", 26*mega)
	add("linux-image-6.1.0-50-amd64", "6.1.176-1", "amd64", 70*mega)
	add("linux-image-6.1.0-50-cloud-amd64-dbg", "6.1.176-1", "amd64", 900*mega)
	add("linux-image-6.12.107+deb13-cloud-amd64", "6.12.107-1", "amd64", 34*mega)
	add("linux-image-6.12.94+deb13-cloud-amd64", "6.12.94-1", "amd64", 34*mega)
	add("linux-image-6.12.94+deb13-rt-amd64", "6.12.94-1", "amd64", 95*mega)
	add("linux-image-6.12.200+deb13-rt-amd64-unsigned", "6.12.200-1", "amd64", 95*mega)
	add("linux-image-6.12.200+deb13-cloud-amd64-unsigned", "6.12.200-1", "amd64", 34*mega)
	add("linux-image-7.3.4+deb13-cloud-amd64", "7.3.4-1~bpo13+1", "amd64", 1928)
	add("linux-binary-7.3.4+deb13-cloud-amd64", "7.3.4-1~bpo13+1", "amd64", 13*mega)
	add("linux-binary-7.3.4+deb13-cloud-arm64", "7.3.4-1~bpo13+1", "arm64", 13*mega)
	add("linux-binary-7.3-cloud-amd64", "7.3~rc7-1~exp1", "amd64", 13*mega)
	add("linux-binary-7.2.13+deb14-s390x", "7.2.13-1", "s390x", 9*mega)
	add("linux-image-cloud-amd64", "7.4-1", "amd64", 13*mega)
	for _, c := range []struct {
		series  string
		flavour Flavour
		arch    string
		want    string
	}{
		{"6.1", Cloud, "amd64", "linux-image-6.1.0-50-cloud-amd64"},
		{"6.12", Cloud, "amd64", "linux-image-6.12.107+deb13-cloud-amd64"},
		{"6.12", RT, "amd64", "linux-image-6.12.94+deb13-rt-amd64"},
		{"7.3", Cloud, "amd64", "linux-binary-7.3.4+deb13-cloud-amd64"},
		{"7.3", Cloud, "arm64", "linux-binary-7.3.4+deb13-cloud-arm64"},
		{"6.1", Generic, "amd64", "linux-image-6.1.0-50-amd64"},
		{"7.3", RT, "amd64", ""},
		{"7.3", Generic, "amd64", ""},
		{"7.2", Generic, "s390x", "linux-binary-7.2.13+deb14-s390x"},
		{"6.16", Cloud, "amd64", ""},
		{"7.4", Cloud, "amd64", ""},
	} {
		p, ok := find(packages, c.series, c.flavour, c.arch)
		if p.Name != c.want || ok != (c.want != "") {
			t.Errorf("find(%q, %q, %q) = %q, %v; want %q", c.series, c.flavour, c.arch, p.Name, ok, c.want)
		}
	}
}

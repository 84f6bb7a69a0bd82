// SPDX-License-Identifier: Apache-2.0

package kernels

// Tools are what guests need beside [vm.Tools] and kernels.
var Tools = map[string]string{
	"qemu-system-aarch64":               "qemu-system-arm",
	"mmdebstrap":                        "mmdebstrap",
	"gcc":                               "gcc",
	"aarch64-linux-gnu-gcc":             "gcc-aarch64-linux-gnu",
	"/usr/aarch64-linux-gnu/lib/libc.a": "libc6-dev-arm64-cross",
}

// toolsS390x are what the guest of s390x needs, too.
var toolsS390x = map[string]string{
	"qemu-system-s390x":               "qemu-system-misc",
	"s390x-linux-gnu-gcc":             "gcc-s390x-linux-gnu",
	"/usr/s390x-linux-gnu/lib/libc.a": "libc6-dev-s390x-cross",
}

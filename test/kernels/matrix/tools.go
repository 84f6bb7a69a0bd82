// SPDX-License-Identifier: Apache-2.0

package matrix

// Tools are the files that a run needs, programs by their name and others by
// their path, and the Debian packages that have them.
var Tools = map[string]string{
	"qemu-system-x86_64":                "qemu-system-x86",
	"qemu-system-aarch64":               "qemu-system-arm",
	"gcc":                               "gcc",
	"aarch64-linux-gnu-gcc":             "gcc-aarch64-linux-gnu",
	"/usr/aarch64-linux-gnu/lib/libc.a": "libc6-dev-arm64-cross",
	"make":                              "make",
	"patch":                             "patch",
	"flex":                              "flex",
	"bison":                             "bison",
	"bc":                                "bc",
	"perl":                              "perl",
	"python3":                           "python3",
	"pahole":                            "dwarves",
	"xz":                                "xz-utils",
	"/usr/include/libelf.h":             "libelf-dev",
	"/usr/share/seabios/bios-256k.bin":  "seabios",
	"/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
}

// SPDX-License-Identifier: Apache-2.0

package kernel

// StockTools are what Archive.Stock needs, PatchedTools what Archive.Patched needs
// beside: files, programs by their name and others by their path, and the Debian
// packages that have them.
var (
	StockTools = map[string]string{
		"zstd": "zstd",
		"lz4":  "lz4",
		"/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
	}
	PatchedTools = map[string]string{
		"gcc":                           "gcc",
		"make":                          "make",
		"patch":                         "patch",
		"flex":                          "flex",
		"bison":                         "bison",
		"bc":                            "bc",
		"perl":                          "perl",
		"python3":                       "python3",
		"pahole":                        "dwarves",
		"xz":                            "xz-utils",
		"/usr/include/libelf.h":         "libelf-dev",
		"/usr/include/sys/capability.h": "libcap-dev",
	}
)

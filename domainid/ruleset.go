// SPDX-License-Identifier: Apache-2.0

package domainid

// Ruleset is what the rules of one layer grant, of the rights that the layer
// handles. It never changes; domains and snapshots share it.
type Ruleset struct {
	// Rules is the number of rules.
	Rules uint32
	// EveryPort is the mask of the rights to ports that are granted on every port
	// but 0, which is none to connect to and to bind to any that is free.
	EveryPort uint32
	// Ports are the rules on ports, ascending by port, and Inodes those on
	// files, ascending by device and inode. Only so many are kept: PortsLeftOut
	// and InodesLeftOut count the others, of which none is on port 0.
	Ports                       []PortRule
	Inodes                      []InodeRule
	PortsLeftOut, InodesLeftOut uint32
}

// PortRule grants rights on one port, TCP or UDP by the right.
type PortRule struct {
	Port uint16
	// Net is the mask of what is granted, as Rights.Net.
	Net uint32
}

// InodeRule grants rights on a file, or on a directory and all that is below it.
type InodeRule struct {
	// Dev is the device of the file's filesystem as it has it itself. Some (btrfs) give
	// stat(2) another one.
	Dev uint64
	Ino uint64
	// FS is the mask of what is granted, as Rights.FS.
	FS uint32
	// FSRoot: it is the root of its filesystem, which is mounted anywhere.
	FSRoot bool
}

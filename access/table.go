// SPDX-License-Identifier: Apache-2.0

package access

// Refer is the mask of fs.refer, LANDLOCK_ACCESS_FS_REFER. From Linux 5.19 on
// every layer that handles a filesystem right denies it too unless a rule
// allows it, and newer kernels store it as handled, asked for or not.
const Refer uint32 = 1 << 13

// Implied returns what a layer handles that was asked for some rights, on a
// kernel with a version of the Landlock interface.
func Implied(handled Rights, abi int) Rights {
	if abi >= 2 && handled[FS] != 0 {
		handled[FS] |= Refer
	}
	return handled
}

// table has every right with a name, each class from bit 0 on without a gap. It
// is never written. Sources: include/uapi/linux/landlock.h (bits, ABI) and, in
// security/landlock, audit.c (names) and ACCESS_FILE in fs.c (OnFile).
var table = [...]Right{
	{FS, 0, "fs.execute", 1, true, "execute a file"},
	{FS, 1, "fs.write_file", 1, true, "open a file for writing"},
	{FS, 2, "fs.read_file", 1, true, "open a file for reading"},
	{FS, 3, "fs.read_dir", 1, false, "list a directory"},
	{FS, 4, "fs.remove_dir", 1, false, "remove or rename an empty directory"},
	{FS, 5, "fs.remove_file", 1, false, "remove or rename a file"},
	{FS, 6, "fs.make_char", 1, false, "make a character device"},
	{FS, 7, "fs.make_dir", 1, false, "make a directory"},
	{FS, 8, "fs.make_reg", 1, false, "make a regular file"},
	{FS, 9, "fs.make_sock", 1, false, "make a Unix socket that has a path"},
	{FS, 10, "fs.make_fifo", 1, false, "make a named pipe"},
	{FS, 11, "fs.make_block", 1, false, "make a block device"},
	{FS, 12, "fs.make_sym", 1, false, "make a symbolic link"},
	{FS, 13, "fs.refer", 2, false, "link or rename a file from one directory to another"},
	{FS, 14, "fs.truncate", 3, true, "truncate a file"},
	{FS, 15, "fs.ioctl_dev", 5, true, "use ioctl(2) on a device"},
	{FS, 16, "fs.resolve_unix", 9, true,
		"connect or send to a Unix socket that has a path and was made outside the domain"},
	{Net, 0, "net.bind_tcp", 4, false, "bind a TCP socket to a port"},
	{Net, 1, "net.connect_tcp", 4, false, "connect a TCP socket to a port"},
	{Net, 2, "net.bind_udp", 10, false, "bind a UDP socket to a port"},
	{Net, 3, "net.connect_send_udp", 10, false, "connect or send from a UDP socket to a port"},
	{Scope, 0, "scope.abstract_unix_socket", 6, false,
		"connect or send to an abstract Unix socket that was made outside the domain"},
	{Scope, 1, "scope.signal", 6, false, "signal a process outside the domain"},
}

// Release returns the Linux release that brought a version of the Landlock
// interface, "6.12", or an empty string for one that is not known.
func Release(abi int) string {
	releases := [...]string{
		"5.13", "5.19", "6.2", "6.7", "6.10", "6.12", "6.15", "7.0", "7.1", "7.2", "7.3",
	}
	if abi < 1 || abi > len(releases) {
		return ""
	}
	return releases[abi-1]
}

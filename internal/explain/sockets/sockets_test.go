// SPDX-License-Identifier: Apache-2.0

package sockets

import (
	"encoding/binary"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/explain/target"
)

// What this process listens on is found, with the file that it is bound to.
func TestListeners(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s\x1b")
	abstract := "landlockd-sockets-" + filepath.Base(filepath.Dir(path))
	for _, name := range []string{path, "@" + abstract} {
		l, err := net.Listen("unix", name)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		d, err := net.ListenPacket("unixgram", name+"-datagrams")
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		// One that is connected takes datagrams of its peer alone.
		c, err := net.DialUnix("unixgram", &net.UnixAddr{Net: "unixgram", Name: name + "-connected"},
			&net.UnixAddr{Net: "unixgram", Name: name + "-datagrams"})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	all, err := listeners()
	if err != nil {
		t.Fatal(err)
	}
	find := func(name string) *listener {
		i := slices.IndexFunc(all, func(l listener) bool { return strings.TrimRight(l.name, "\x00") == name })
		if i < 0 {
			t.Fatalf("%q is not among %d", name, len(all))
		}
		return &all[i]
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	if l := find(path); !l.hasFile || l.fileIno != uint32(st.Ino) || l.fileDev != kernelDev(target.FileOf(&st).Dev) {
		t.Errorf("%+v is not file %d on %#x", l, st.Ino, st.Dev)
	}
	if l := find("\x00" + abstract); l.hasFile || l.inode == 0 || l.datagram {
		t.Errorf("%+v", l)
	}
	if !find(path+"-datagrams").datagram || !find("\x00"+abstract+"-datagrams").datagram {
		t.Error("a socket of datagrams is none")
	}
	for i := range all {
		if strings.Contains(all[i].name, abstract+"-connected") {
			t.Errorf("%+v", all[i])
		}
	}
}

const procUnix = `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 20001 /run/a b
0000000000000000: 00000002 00000000 00010000 0005 01 20002 @abs@tract
0000000000000000: 00000002 00000000 00010000 0001 01 20003
0000000000000000: 00000003 00000000 00000000 0001 03 20004 /run/connected
0000000000000000: 00000002 00000000 00000000 0002 01 20006 /run/log
0000000000000000: 00000003 00000000 00000000 0002 03 20007 /run/peer
0000000000000000: 00000002 00000000 00010000 0001 01 20005 /run/x
y
`

func TestParseProcUnix(t *testing.T) {
	want := []listener{{inode: 20001, name: "/run/a b"}, {inode: 20002, name: "\x00abs@tract"}, {inode: 20006, name: "/run/log", datagram: true}, {inode: 20007, name: "/run/peer", datagram: true}, {inode: 20005, name: "/run/x"}}
	if got := parseProcUnix(procUnix); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	// What both ways tell of this host agrees, but for the files.
	byDiag, err := listeners()
	if err != nil {
		t.Skipf("no sock_diag: %v", err)
	}
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	text, err := os.ReadFile("/proc/thread-self/net/unix")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, l := range parseProcUnix(string(text)) {
		i := slices.IndexFunc(byDiag, func(o listener) bool { return o.inode == l.inode })
		if i >= 0 && strings.ReplaceAll(strings.TrimRight(byDiag[i].name, "\x00"), "\x00", "@") == strings.ReplaceAll(l.name, "\x00", "@") {
			found++
		}
	}
	t.Logf("%d of %d sockets in both", found, len(byDiag))
	if found == 0 && len(byDiag) > 0 {
		t.Error("none is in both")
	}
}

func FuzzParseProcUnix(f *testing.F) {
	f.Add(procUnix)
	f.Fuzz(func(t *testing.T, text string) {
		for _, l := range parseProcUnix(text) {
			if l.name == "" || len(l.name) > len(text) {
				t.Errorf("%+v", l)
			}
		}
	})
}

const status = "Name:\tx\\nUid: 1\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t9 10 \nCapEff:\t00000000a80425fb\n"

func TestParseStatus(t *testing.T) {
	c, err := parseStatus([]byte(status))
	if err != nil || c.uid != 4 || c.gid != 8 || !slices.Equal(c.groups, []int{9, 10}) || c.caps != 0xa80425fb {
		t.Errorf("%+v, %v", c, err)
	}
	for _, line := range []string{"Uid:\t1\t2\t3\t4\n", "Groups:\t9 10 \n", "CapEff:\t00000000a80425fb\n"} {
		if c, err := parseStatus([]byte(strings.Replace(status, line, "", 1))); err == nil {
			t.Errorf("without %q: %+v", line, c)
		}
		if c, err := parseStatus([]byte(status + line)); err == nil {
			t.Errorf("with %q twice: %+v", line, c)
		}
	}
	for _, change := range [][2]string{{"\t4\n", "\t-4\n"}, {"\t4\n", "\n"}, {"9 10", "9 x"}, {"00000000a80425fb", "g"}} {
		if c, err := parseStatus([]byte(strings.Replace(status, change[0], change[1], 1))); err == nil {
			t.Errorf("%q: %+v", change, c)
		}
	}
}

func FuzzParseStatus(f *testing.F) {
	f.Add(status)
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := parseStatus([]byte(text)); err == nil && (c.uid < 0 || c.gid < 0) {
			t.Errorf("%+v", c)
		}
	})
}

func FuzzParseDiag(f *testing.F) {
	ne := binary.NativeEndian
	body := []byte{unix.AF_UNIX, unix.SOCK_STREAM, tcpListen, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	body = append(body, 6, 0, unixDiagName, 0, '/', 'x', 0, 0, 12, 0, unixDiagVFS, 0, 1, 0, 0, 0, 2, 0, 0, 0)
	head := ne.AppendUint32(nil, uint32(unix.SizeofNlMsghdr+len(body)))
	head = ne.AppendUint16(head, sockDiagByFamily)
	message := append(append(head, make([]byte, unix.SizeofNlMsghdr-len(head))...), body...)
	f.Add(message)
	f.Fuzz(func(t *testing.T, b []byte) {
		n := 0
		_, err := parseDiag(b, func(l listener) {
			if n++; len(l.name) > len(b) || n > len(b) {
				t.Errorf("%+v", l)
			}
		})
		if err == nil && string(b) == string(message) && n != 1 {
			t.Errorf("%d sockets of one", n)
		}
	})
}

// What a thread does as another process stays with it.
func TestDoubleChangesNothingElse(t *testing.T) {
	if os.Geteuid() != 0 {
		if testing.Short() {
			t.Skip("needs root; skipped because of -short")
		}
		t.Fatal("needs root: run the tests as root, or with -short to leave this one out")
	}
	dir := t.TempDir()
	root, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	mnt, err := os.Open("/proc/self/ns/mnt")
	if err != nil {
		t.Fatal(err)
	}
	defer mnt.Close()
	runApart(func() {
		c := credentials{uid: 65534, gid: 65534, groups: []int{7}}
		if err := c.take(mnt, root); err != nil {
			t.Error(err)
			return
		}
		groups, _ := unix.Getgroups()
		if unix.Geteuid() != 65534 || unix.Getegid() != 65534 || !slices.Equal(groups, []int{7}) {
			t.Errorf("user %d, group %d, groups %v", unix.Geteuid(), unix.Getegid(), groups)
		}
		if _, err := os.Stat("/etc/passwd"); err == nil {
			t.Error("it finds files outside of its root directory")
		}
		if err := unix.Mkdir("/x", 0o700); err != unix.EACCES {
			t.Errorf("it may write where it may not: %v", err)
		}
	})
	if _, err := os.Stat("/etc/passwd"); err != nil || unix.Geteuid() != 0 {
		t.Errorf("another thread has changed: user %d, %v", unix.Geteuid(), err)
	}
}

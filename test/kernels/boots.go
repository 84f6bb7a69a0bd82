// SPDX-License-Identifier: Apache-2.0

package kernels

import (
	"slices"
	"strings"

	"github.com/landlockd/landlockd/test/vm/kernel"
)

// Guest is one kernel, which is booted several times.
type Guest struct {
	// Series is that of the kernel, "6.12".
	Series string
	// Arch is Debian's name of the architecture.
	Arch string
	// Flavour of a stock kernel; none is [kernel.Cloud].
	Flavour kernel.Flavour
	// Patched: not Debian's kernel, but one built with the patch for the series.
	Patched bool
	// Daemon: a patched kernel that landlockd itself runs on, with task iterators.
	Daemon bool
	// Mandatory: that the mirror lacks it is a failure.
	Mandatory bool
	Boots     []Boot
	// Long are boots that make test has no time for: they are run only where boots are selected
	// by name.
	Long []Boot
}

// Name is the guest's name in output and flags: "6.12", "6.12-rt", "6.12-patched", "7.3-arm64".
func (g Guest) Name() string {
	name := g.Series
	if g.Flavour != "" && g.Arch != "s390x" { // which has but one flavour
		name += "-" + string(g.Flavour)
	}
	if g.Arch != "amd64" {
		name += "-" + g.Arch
	}
	if g.Patched {
		name += "-patched"
	}
	return name
}

// Boot is one start of a guest.
type Boot struct {
	Name string
	// CommandLine is added to the kernel's.
	CommandLine string
	// Checks are run in this order: a name of the guest's registry, and
	// arguments behind colons (protocol.CommandLine).
	Checks []string
}

// one is for boots that one processor is enough for: to emulate a second takes a
// fifth to a half more.
const one = "maxcpus=1 "

// leftOut is on every command line: certificates for modules, the jitter
// generator and crypto's tests of itself have no part in what is checked, and
// take an emulated processor a second at each boot.
const leftOut = " initcall_blacklist=load_system_certificate_list,jent_mod_init cryptomgr.notests"

// The boots. Every one ends with a look into the kernel's log.
var (
	// plain has the security modules as Debian orders them: Landlock is the
	// first that has a part in the credentials.
	plain = Boot{"default", one, []string{"report", "order:first=1", "scan", "rules:sandboxes=25", "reach:sandboxes=50", "sockets", "truth:seeds=2", "runs", "handoff", "daemon", "legacy"}}

	// orders puts Landlock's part of the credentials at other offsets.
	orders = []Boot{
		{"landlock-last", one + "lsm=yama,apparmor,landlock", []string{"order:before=yama+apparmor", "scan"}},
		{"behind-selinux", one + "lsm=selinux,landlock,yama selinux=1", []string{"order:before=selinux", "scan", "legacy"}},
	}

	// off and lockdown are two reasons of a kernel's own to see nothing. Without a vDSO,
	// the time is a system call.
	off      = Boot{"landlock-off", one + "lsm=yama,apparmor vdso=0", []string{"off", "daemon:expect=off"}}
	lockdown = Boot{"lockdown", one + "lockdown=confidentiality", []string{"lockdown", "daemon:expect=lockdown"}}

	// denials have audit on, or tracepoints. As many as this take seconds;
	// make test-denials has many more.
	denialsAudit = Boot{"denials", "", []string{"denials:way=audit:n=100", "denials:way=audit:flood=3000:backlog=64"}}
	denialsTrace = Boot{"denials", "", []string{"denials:n=100", "denials:flood=20000"}}

	// attributes are the boots of patched kernels, and selinux of one that has it.
	attributes = []Boot{
		{"attr-landlock-first", "lsm=landlock,yama,apparmor", []string{"order:first=1", "attr:current=apparmor", "attrselftests", "procattr", "daemon:source=procattr:socket=unix"}},
		{"attr-behind-apparmor", one + "lsm=yama,apparmor,landlock", []string{"order:before=apparmor", "attr:current=apparmor"}},
		{"attr-alone", one + "lsm=landlock", []string{"order:first=1", "attr:current=none"}},
		{"attr-off", one + "lsm=yama,apparmor", []string{"attroff:current=apparmor", "attrselftests:off=1"}},
	}
	selinux = []Boot{
		{"attr-before-selinux", one + "lsm=landlock,selinux selinux=1", []string{"order:first=1", "attr:current=selinux"}},
		{"attr-behind-selinux", one + "lsm=selinux,landlock,yama selinux=1", []string{"order:before=selinux", "attr:current=selinux"}},
	}

	// ownFew are those of the kernel's own tests of Landlock that are quick.
	ownFew = Boot{"selftests-few", one, []string{"kernelselftests:tests=base_test+ptrace_test+scoped_test+scoped_signal_test+scoped_abstract_unix_test"}}

	// real has programs as Debian has them, which start slowly there.
	real = Boot{"programs", one, []string{"programs"}}

	// realTime and realTimeSkips are for PREEMPT_RT, where processes interrupt each other in the
	// kernel: before 7.0 no program of a tracepoint, and from then on these, too.
	realTime      = Boot{"default", "", []string{"report", "scan", "truth:seeds=1", "runs", "daemon"}}
	realTimeSkips = Boot{"default", "", []string{"report", "scan", "runs:skips=1", "denials:flood=20000:processes=4"}}

	// installed has Debian's systemd, and landlockd's package.
	installed = Boot{"deb", one, []string{"deb:limit=15m"}}

	// generic is for what most machines have: configured otherwise than for clouds, with the
	// same code.
	generic = Boot{"default", one, []string{"report", "scan", "truth:seeds=1", "runs", "daemon"}}

	// bigEndian is for Debian's s390x, which is built without a compiler of BPF programs.
	bigEndian = Boot{"default", one, []string{"report", "nocompiler", "daemon:expect=nocompiler"}}

	// both is for a patched kernel with task iterators.
	both = Boot{"both", "lsm=landlock,yama,apparmor", []string{"report", "attr:current=apparmor", "attrselftests", "procattr", "scan", "same", "both:seeds=20", "daemon:source=both"}}
)

// selftestsBoot is the boot whose results are kept.
const selftestsBoot = "selftests"

// own are all of the kernel's own tests of Landlock, while denials are counted in a way. With two
// processors the emulator breaks a kernel whose tracepoints come and go, as they do in some of
// these tests.
func own(way string) []Boot {
	check := "kernelselftests:limit=1h"
	if way != "" {
		check += ":way=" + way
	}
	return []Boot{{selftestsBoot, one, []string{check}}}
}

// whole is plain and more: short-lived domains one after the other, and how
// the daemon is run.
func whole(domains, daemon string) Boot {
	return Boot{"default", "", []string{
		"report", "order:first=1", "scan", "rules:sandboxes=100", "reach:sandboxes=100", "sockets", "truth:seeds=3",
		"churn:pids=400", "runs", "ids:domains=" + domains, "handoff", "caps", "noattr", daemon, "clock", "inside",
	}}
}

// Matrix returns every guest: the oldest and the newest get most boots. IDs that
// are derived (before 6.15) are made of addresses, which must not come out and
// must not be taken for domains.
func Matrix() []Guest {
	others := slices.Concat(orders, []Boot{off, lockdown})
	few := []Boot{plain}
	guests := []Guest{
		// First, so that they are built while the others run.
		{Series: "6.12", Arch: "amd64", Patched: true, Mandatory: true, Boots: attributes},
		{Series: "7.3", Arch: "amd64", Patched: true, Daemon: true, Mandatory: true, Boots: slices.Concat([]Boot{both}, attributes[1:], selinux)},
		{Series: "6.18", Arch: "amd64", Patched: true, Long: attributes},
		{Series: "6.1", Arch: "amd64", Mandatory: true, Boots: slices.Concat([]Boot{whole("1000", "daemon:readable=1:addresses=1")}, others), Long: own("")},
		{Series: "6.12", Arch: "amd64", Mandatory: true, Boots: slices.Concat([]Boot{whole("1000", "daemon:readable=1")}, orders, []Boot{real, ownFew}), Long: own("")},
		{Series: "6.12", Arch: "amd64", Flavour: kernel.RT, Mandatory: true, Boots: []Boot{realTime}},
	}
	for _, series := range strings.Fields("6.16 6.17 6.18 6.19 7.0 7.1 7.2") {
		g := Guest{Series: series, Arch: "amd64", Boots: few}
		switch series {
		case "6.18":
			g.Boots, g.Long = []Boot{plain, denialsAudit}, own("audit")
		case "7.2":
			g.Long = own("audit")
		}
		guests = append(guests, g)
	}
	return append(guests,
		Guest{Series: "7.3", Arch: "amd64", Boots: slices.Concat([]Boot{whole("100", "daemon:readable=1")}, others, []Boot{denialsTrace, real}), Long: own("tracepoints")},
		Guest{Series: "7.3", Arch: "amd64", Flavour: kernel.RT, Boots: []Boot{realTimeSkips}},
		Guest{Series: "7.3", Arch: "arm64", Boots: []Boot{{"default", one, append(slices.Clone(plain.Checks), "inside")}}, Long: []Boot{installed}},
		Guest{Series: "6.12", Arch: "amd64", Flavour: kernel.Generic, Long: []Boot{generic}},
		Guest{Series: "7.3", Arch: "amd64", Flavour: kernel.Generic, Long: []Boot{generic}},
		Guest{Series: "7.2", Arch: "s390x", Flavour: kernel.Generic, Long: []Boot{bigEndian}},
	)
}

// SPDX-License-Identifier: Apache-2.0

package programs

// Program is a way to start a program so that it, or a process of its own, goes
// into a sandbox and stays there.
type Program struct {
	// Name is the program's and that of the way, "xz, pipe".
	Name string
	// Package is Debian's with the program; or of npm, then NPM is what is asked for there.
	Package, NPM string
	// Setup is a script that runs before, untraced; Run is the one that is traced.
	// Both run in a home directory of their own, by sh -e.
	Setup, Run string
	// Uses are the files of the tree that its scripts need, beside libraries, as shell
	// patterns; empty for a program that needs much more, and is not for guests.
	Uses []string
	// Root: it runs as root, because it is of no use to others.
	Root bool
	// Layers is how many a task must have before anything is compared.
	Layers int
	// Stop: a task is stopped as soon as it has so many layers, because it would end
	// or go wrong; 0 for a program that stays by itself.
	Stop int
}

// Catalog returns the programs.
func Catalog() []Program {
	return []Program{
		{
			Name: "xz, file to file", Package: "xz-utils", Layers: 1, Stop: 1,
			Uses:  []string{"usr/bin/xz", "usr/bin/head"},
			Setup: "head -c 100000 /dev/urandom > file",
			Run:   "exec xz file",
		},
		{
			Name: "xz, pipe", Package: "xz-utils", Layers: 3,
			Uses: []string{"usr/bin/xz", "usr/bin/sleep"},
			Run:  "sleep 600 | xz > out",
		},
		{
			Name: "suricata", Package: "suricata", Layers: 1,
			Run: "exec suricata --set security.landlock.enabled=yes " +
				"--unix-socket=$HOME/socket -l $HOME",
		},
		sslh("sslh"),
		sslh("sslh-select"),
		sslh("sslh-ev"),
		{
			// It is stopped where only its main thread is in the sandbox: it goes on
			// to draw, which this display cannot do for what is in one.
			Name: "zathura-sandbox", Package: "zathura", Layers: 1, Stop: 1,
			Run: "broadwayd :1 &\n" +
				"listens() { while read -r line; do case $line in *broadway2.socket) return 0; esac; done\n" +
				"return 1; }\n" +
				"until listens < /proc/net/unix; do sleep 0.1; done\n" +
				"export GDK_BACKEND=broadway BROADWAY_DISPLAY=:1; exec zathura-sandbox",
		},
		{
			Name: "got", Package: "got", Layers: 1, Stop: 1,
			Uses: []string{"usr/bin/got", "usr/bin/gotadmin", "usr/bin/mkdir", "usr/libexec/got-*"},
			Setup: "export GOT_AUTHOR='a <a@localhost>'; mkdir tree; echo text > tree/file\n" +
				"gotadmin init repository; got import -m first -r repository tree",
			Run: "exec got log -r repository",
		},
		{
			Name: "setpriv", Package: "util-linux", Layers: 1,
			Uses: []string{"usr/bin/setpriv", "usr/bin/sleep"},
			Run: "exec setpriv --no-new-privs --landlock-access fs " +
				"--landlock-rule path-beneath:read-file,read-dir:/ " +
				"--landlock-rule path-beneath:execute:/usr " +
				"--landlock-rule path-beneath:write-file:/tmp sleep 600",
		},
		{
			Name: "setpriv, write only", Package: "util-linux", Layers: 1,
			Uses: []string{"usr/bin/setpriv", "usr/bin/sleep"},
			Run: "exec setpriv --no-new-privs --landlock-access fs:write,make-reg " +
				"--landlock-rule path-beneath:write,make-reg:$HOME sleep 600",
		},
		{
			Name: "setpriv, twice", Package: "util-linux", Layers: 2,
			Uses: []string{"usr/bin/setpriv", "usr/bin/sleep"},
			Run: "exec setpriv --no-new-privs --landlock-access fs " +
				"--landlock-rule path-beneath:read-file,read-dir,execute:/ " +
				"setpriv --landlock-access fs:write,truncate " +
				"--landlock-rule path-beneath:write:/tmp sleep 600",
		},
		{
			Name: "firejail", Package: "firejail", Layers: 1, Root: true,
			Uses: []string{
				"usr/bin/firejail", "usr/bin/sleep", "usr/lib/*/firejail/*", "etc/firejail/firejail.config",
			},
			Run: "exec firejail --quiet --noprofile --landlock.enforce --landlock.fs.read=/ " +
				"--landlock.fs.execute=/usr --landlock.fs.write=/tmp sleep 600",
		},
		{
			// Without --best-effort it refuses kernels that are older than it. It is not for
			// guests: from Linux 7.0 on it restricts all threads by one call, which is more
			// than a trace is followed by.
			Name: "landrun", Package: "landrun", Layers: 1,
			Run: "exec landrun --best-effort --rox /usr --rw /tmp sleep 600",
		},
		{
			Name: "localsearch-extractor-3", Package: "tracker-extract", Layers: 1,
			Setup: "mkdir Documents .config; echo text > Documents/file.txt\n" +
				`echo 'XDG_DOCUMENTS_DIR="$HOME/Documents"' > .config/user-dirs.dirs`,
			Run: "exec dbus-run-session -- /usr/libexec/localsearch-3 --initial-sleep=0",
		},
		{
			// The last version that does, without the script of npm's package that starts it.
			Name: "codex", Package: "@openai/codex", NPM: "@openai/codex@0.114.0-linux-x64", Layers: 1,
			Run: "exec /usr/lib/node_modules/@openai/codex/vendor/*/codex/codex sandbox linux sleep 600",
		},
	}
}

// sslh serves on a port of a network of its own.
func sslh(name string) Program {
	return Program{
		Name: name, Package: "sslh", Layers: 1,
		Uses: []string{"usr/sbin/" + name},
		Run: "exec " + name + " --foreground --listen 127.0.0.1:44443 " +
			"--ssh 127.0.0.1:22 --tls 127.0.0.1:44444",
	}
}

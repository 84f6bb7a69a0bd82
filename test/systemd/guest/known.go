// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// knownTime is how long it is waited for one verdict: programs start slowly in an emulator.
const knownTime = 10 * time.Minute

// knownProgram is a unit that is started, and what "landlockd rules known" says then.
type knownProgram struct {
	program, verdict, says string
	start                  func(t *T)
}

// checkKnown starts real programs, as their packages install them, and sees what the command says
// of each, asking the service of landlockd's package.
func (h *host) checkKnown(t *T) {
	must(t, "systemctl", "stop", "sslh.service", "suricata.service")
	must(t, "dpkg", "--install", "/payload/landlockd.deb")
	h.packageServes(t)
	for _, k := range []knownProgram{
		{"suricata", "not_running", "", func(*T) {}},
		{"suricata", "off", "security.landlock.enabled: yes", startSuricata},
		{"suricata", "sandboxed", "", switchSuricataOn},
		{"sslh", "sandboxed", "", startSSLH},
		{"localsearch-extractor", "sandboxed", "", startLocalsearch},
		{"zathura-sandbox", "partial", "", startZathura},
		{"codex", "sandboxed", "0.114.0", startOldCodex},
		{"codex", "other_version", "0.171.0", startNewCodex},
	} {
		began := time.Now()
		k.start(t)
		k.expect(t)
		t.Fact("info", fmt.Sprintf("%s: %s, after %.0f s", k.program, k.verdict, time.Since(began).Seconds()))
	}
	for line := range strings.Lines(must(t, "landlockd", "rules", "known")) {
		t.Fact("said", line)
	}
}

// expect waits until the command has the verdict, and says what it should, in its table or below.
func (k knownProgram) expect(t *T) {
	within(t, knownTime, k.program+" is "+k.verdict, func() error {
		out, err := output(exec.Command("landlockd", "rules", "known", "-o", "json"))
		if err != nil {
			return err
		}
		var said struct {
			Origin   string
			Programs []struct {
				Program, Verdict string
				Reasons          []string
			}
		}
		t.Must(json.Unmarshal([]byte(out), &said))
		if said.Origin != "daemon" {
			return fmt.Errorf("the %s was asked, not the daemon", said.Origin)
		}
		err = fmt.Errorf("nothing is said of it: %s", out)
		for _, p := range said.Programs {
			if p.Program == k.program {
				err = nil
				if p.Verdict != k.verdict {
					err = fmt.Errorf("it is %s: %q", p.Verdict, p.Reasons)
				}
			}
		}
		if err == nil && !strings.Contains(out, k.says) {
			err = fmt.Errorf("not said: %s: %s", k.says, out)
		}
		return err
	})
}

// startUnit starts a unit of Debian's with another command line, as nothing of this guest is as
// its own wants it.
func startUnit(t *T, unit, settings string) {
	write(t, "/etc/systemd/system/"+unit+".d/test.conf", "[Service]\nExecStart=\n"+settings)
	must(t, "systemctl", "daemon-reload")
	must(t, "systemctl", "restart", unit)
}

// suricataConfig is as Debian installs it.
const suricataConfig = "/etc/suricata/suricata.yaml"

// startSuricata has it listen to a socket in place of a network's card.
func startSuricata(t *T) {
	startUnit(t, "suricata.service", "Type=simple\nPIDFile=\nExecStart=/usr/bin/suricata -c "+
		suricataConfig+" --unix-socket=/run/suricata-test.socket\n")
}

// landlockOff is the setting of suricata's that keeps it free.
var landlockOff = regexp.MustCompile(`(?m)^( +landlock:\n +enabled: )no$`)

// switchSuricataOn does what the command says of it.
func switchSuricataOn(t *T) {
	b, err := os.ReadFile(suricataConfig)
	t.Must(err)
	on := landlockOff.ReplaceAllString(string(b), "${1}yes")
	if on == string(b) {
		t.Fatalf("%s has no setting to switch on", suricataConfig)
	}
	write(t, suricataConfig, on)
	must(t, "systemctl", "restart", "suricata.service")
}

func startSSLH(t *T) {
	startUnit(t, "sslh.service", "ExecStart=/usr/sbin/sslh --foreground --listen 127.0.0.1:44443 "+
		"--ssh 127.0.0.1:22 --tls 127.0.0.1:44444\n")
}

// runAs runs a script of alice's as a unit.
func runAs(t *T, unit, script string) {
	must(t, "systemd-run", "--unit="+unit, "--uid=alice", "--working-directory=/home/alice",
		"--setenv=HOME=/home/alice", "/bin/sh", "-e", "-c", script)
}

// startLocalsearch has it read files that come, one after the other: it ends when there are none.
func startLocalsearch(t *T) {
	runAs(t, "localsearch", "mkdir -p Documents .config\n"+
		`echo 'XDG_DOCUMENTS_DIR="$HOME/Documents"' > .config/user-dirs.dirs`+"\n"+
		"(n=0; while n=$((n + 1)); do echo text > Documents/$n.txt; sleep 2; done) &\n"+
		"exec dbus-run-session -- /usr/libexec/localsearch-3 --initial-sleep=0")
}

// startZathura stops it where it has restricted its main thread: it goes on to draw, which this
// display cannot do for what is in a sandbox.
func startZathura(t *T) {
	runAs(t, "zathura", "mkdir -p run; export XDG_RUNTIME_DIR=$HOME/run; chmod 700 run\n"+
		"broadwayd :1 &\n"+
		"until grep -q broadway2.socket /proc/net/unix; do sleep 0.2; done\n"+
		"export GDK_BACKEND=broadway BROADWAY_DISPLAY=:1\n"+
		"exec strace --follow-forks --output=trace --trace=landlock_restrict_self "+
		"--inject=landlock_restrict_self:signal=SIGSTOP:when=1 zathura-sandbox")
}

// Where npm installs codex for all users.
const codexDir = "/usr/lib/node_modules/@openai/codex"

func startOldCodex(t *T) { startCodexOf(t, "old", "codex/codex sandbox linux sleep 36000") }

func startNewCodex(t *T) {
	must(t, "systemctl", "stop", "codex-old.service")
	t.Must(os.RemoveAll(codexDir))
	startCodexOf(t, "new", "bin/codex sandbox sleep 36000")
}

// startCodexOf starts one that is in /payload, without the script of npm's package that does so.
func startCodexOf(t *T, which, command string) {
	t.Must(os.MkdirAll(filepath.Dir(codexDir), 0o755))
	t.Must(os.Rename("/payload/codex-"+which, codexDir))
	runAs(t, "codex-"+which, "exec "+codexDir+"/node_modules/@openai/codex-linux-x64/vendor/*/"+command)
	// What it starts is in a sandbox of whatever kind once it is there.
	within(t, knownTime, "it starts something", func() error {
		for _, p := range processes(t) {
			if p.comm == "sleep" && strings.HasSuffix(p.cgroup, "/codex-"+which+".service") {
				return nil
			}
		}
		return errors.New(journal("codex-" + which + ".service"))
	})
}

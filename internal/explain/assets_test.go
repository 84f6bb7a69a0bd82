// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// Each asset is named, with what lets the process reach it, or why that is not known.
func TestAssets(t *testing.T) {
	const secrets, programs, runtime, ssh, web, signals, absent, unread = 0, 1, 2, 3, 4, 5, 6, 7
	d := layer(-1, access.Rights{access.FS: readFile | writeFile, access.Net: 3, access.Scope: 2}, domainid.Ruleset{
		Ports:  []domainid.PortRule{{Port: 443, Net: 2}},
		Inodes: []domainid.InodeRule{{Dev: 8, Ino: 2, FS: writeFile}, {Dev: 8, Ino: 3, FS: readFile}},
	})
	s, p := host([]domainid.Domain{d}, 0)
	connect, _ := access.Lookup("net.connect_tcp")
	mptcp, _ := access.LookupWay(connect, "mptcp")
	s.Assets = []domainid.Asset{
		secrets:  {Name: "secrets", Paths: []string{"/etc/shadow"}, Read: true},
		programs: {Name: "programs", Paths: []string{"/usr"}, Write: true},
		runtime:  {Name: "runtime", Unix: []string{"/run/docker.sock"}},
		ssh:      {Name: "ssh", TCP: []uint16{22}, Connect: true},
		web:      {Name: "web", TCP: []uint16{443}, Connect: true},
		signals:  {Name: "signals", Signal: true},
		absent:   {Name: "absent", Paths: []string{"/x"}, Read: true},
		unread:   {Name: "unread", Paths: []string{"/y"}, Read: true},
	}
	s.Objects = []domainid.Object{
		{Asset: secrets, Path: "/etc/shadow", Kind: domainid.ObjectFile, Parent: -1},
		{Asset: programs, Path: "/usr", Kind: domainid.ObjectDirectory, Parent: -1},
		{Asset: runtime, Path: "/run/docker.sock", Kind: domainid.ObjectSocket, Parent: -1},
		{Asset: absent, Path: "/x", Kind: domainid.ObjectAbsent, Parent: -1},
		{Asset: unread, Path: "/y", Kind: domainid.ObjectUnreadable, Parent: -1},
	}
	all := domainid.FileRights{Sure: 1<<16 - 1, May: 1<<16 - 1}
	but := domainid.FileRights{Sure: all.Sure &^ writeFile, May: all.May &^ writeFile}
	s.Scenes = []domainid.Scene{{Places: []domainid.Place{
		{Denied: all, Below: all}, {Denied: all, Below: but}, {Denied: all, Below: all}, {}, {},
	}}}
	s.Tasks[0].Scene = 1
	e := Of(s, p)
	e.Places = map[File]string{{8, 2}: "/usr/\x1blocal", {8, 3}: "/srv"}
	text := func(e *Explanation) string {
		var b bytes.Buffer
		if err := e.Text(&b, true, 0); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	got := text(e)
	for _, want := range []string{
		"\nAssets of the configuration, as far as Landlock goes:\n",
		"- secrets: Landlock keeps it from this\n",
		"- programs: Landlock does not keep it from this: fs.write_file on /usr or below, by the rule on " +
			`"/usr/\x1blocal"` + "\n",
		"- runtime: Landlock does not keep it from this: no sandbox on this kernel restricts fs.resolve_unix on /run/docker.sock\n",
		"- ssh: Landlock keeps it from this\n",
		"- web: Landlock does not keep it from this: its rules grant net.connect_tcp on port 443\n",
		"- signals: Landlock keeps it from this\n",
		"- absent: this host does not have it\n",
		"- unread: not known: it could not be read what the asset is\n",
		"Not looked at: Unix permissions",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	var b bytes.Buffer
	if err := e.JSON(&b); err != nil {
		t.Fatal(err)
	}
	var j struct {
		Assets []struct {
			Name, Reach string
			Path        *string
			Port        *uint16
			Rights      []string
			By          []string `json:"granted_by"`
		}
	}
	if err := json.Unmarshal(b.Bytes(), &j); err != nil {
		t.Fatal(err)
	}
	if a := j.Assets[programs]; a.Name != "programs" || a.Reach != "within_reach" || *a.Path != "/usr" ||
		len(a.By) != 1 || a.Rights[0] != "fs.write_file" {
		t.Errorf("%+v", a)
	}
	if a := j.Assets[web]; a.Port == nil || *a.Port != 443 || a.Path != nil {
		t.Errorf("%+v", a)
	}

	s.Kernel.Ways = mptcp.Ways()
	free := scan.Place{State: scan.Unsandboxed, Domain: domainid.Outermost}
	s.Workers, p.NumWorkers = []scan.Worker{{TID: 200, Real: free, Acting: free}}, 1
	got = text(Of(s, p))
	for _, want := range []string{
		"- ssh: Landlock does not keep it from this: this kernel leaves MPTCP open, past net.connect_tcp on port 22\n",
		"- secrets: Landlock does not keep it from this: a worker may act outside of its domains\n",
		"- absent: this host does not have it\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

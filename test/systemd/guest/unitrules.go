// SPDX-License-Identifier: Apache-2.0

package main

import "strings"

// aboutNothing is how many of these rules have nothing to say: container-x, other-unit,
// users-unit and origin-private.
const aboutNothing = 4

// unitRules are about the services of the scenario "units". What comes of each is in
// unitSays.
const unitRules = `
defaults: {grace: 3s, severity: warning}
rules:
  - name: delegated-exe
    match: {exe: [/opt/t/delegated]}
    expect: {state: [unsandboxed]}
  - name: container-x
    match: {container: [x]}
  - name: other-unit
    match: {unit: [other.service]}
  - name: users-unit
    match: {unit: ["user@*/*"]}
  - name: containers
    match: {container: ["*"]}
  - name: prod-web
    match: {namespace: [prod], container: [web]}
  - name: k3s
    match: {unit: [k3s.service]}
  - name: quadlet-a
    match: {unit: [web-a.service]}
  - name: quadlet-b
    match: {unit: [web-b.service]}
  - name: nspawn
    match: {unit: ["systemd-nspawn@deb.service"]}
  - name: origin-exe
    match: {exe: [/opt/t/origin]}
    expect: {state: [unsandboxed]}
  - name: origin-unit
    match: {unit: ["o-*.service"], exe: [/opt/t/origin]}
    expect: {state: [unsandboxed]}
  - name: origin-private
    match: {unit: [o-private.service], exe: [/opt/t/origin]}
  - name: origin-anywhere
    match: {exe: [/opt/t/origin], mntns: any}
    expect: {state: [unsandboxed]}
  - name: free
    match: {unit: [web-a.service]}
    expect: {state: [unsandboxed]}
  - name: depth-2
    match: {unit: [n-deep.service]}
    expect: {max_depth: 2}
  - name: depth-3
    match: {unit: [n-deep.service]}
    expect: {max_depth: 3}
  - name: started
    match: {ancestor_exe: [/opt/t/agent]}
`

// unitSays is what these rules have to say, and those of delegatedRules.
func unitSays() []says {
	rules := []says{
		all("delegated-exe", "warning", len(delegated())),
		all("containers", "warning", 3),
		all("prod-web", "warning", 1),
		bad("k3s", 0, 2, "unsandboxed", "k3s.service"),
		all("quadlet-a", "warning", 1),
		bad("quadlet-b", 0, 1, "unsandboxed", "web-b.service"),
		bad("nspawn", 0, 2, "unsandboxed", "systemd-nspawn@.service"),
		// A hardened service runs a file of the host; that of another root directory
		// needs the unit beside it; in a user namespace of its own neither is enough.
		all("origin-exe", "warning", 1),
		all("origin-unit", "warning", 2),
		all("origin-anywhere", "warning", 3),
		bad("free", 0, 1, "sandboxed", "web-a.service"),
		bad("depth-2", 0, 1, "too_deep", "n-deep.service"),
		all("depth-3", "warning", 1),
		bad("started", 0, 1, "unsandboxed", "n-agent.service"),
	}
	for _, d := range delegated() {
		rules = append(rules, bad(ruleOf(d), 0, 1, "unsandboxed", d.unit))
	}
	return rules
}

// delegatedRules are a rule for each unit that its processes try to leave.
func delegatedRules() string {
	var b strings.Builder
	for _, d := range delegated() {
		b.WriteString("  - {name: " + ruleOf(d) + ", match: {unit: [" + d.unit + "]}}\n")
	}
	return b.String()
}

// ruleOf returns the name of the rule about a delegated service.
func ruleOf(d service) string { return strings.TrimSuffix(d.unit, ".service") }

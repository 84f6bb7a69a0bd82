// SPDX-License-Identifier: Apache-2.0

package main

import "fmt"

// verdict is a rule, and what landlockd check ends with because of it.
type verdict struct {
	rule string
	code int
	says string
}

// verdicts are about the services of checkUnits.
var verdicts = []verdict{
	{"{name: free, match: {unit: [web-a.service]}, expect: {state: [unsandboxed]}}",
		1, "free  sandboxed "},
	{"{name: free, match: {unit: [web-b.service]}, expect: {state: [unsandboxed]}}",
		0, "free  compliant "},
	{"{name: deep, match: {unit: [n-deep.service]}, expect: {max_depth: 2}}",
		1, "deep  too_deep "},
	{"{name: deep, match: {unit: [n-deep.service]}, expect: {max_depth: 3}}",
		0, "deep  compliant "},
	{"{name: tool, match: {ancestor_exe: [/opt/t/agent]}}", 1, "n-agent.service  /opt/t/tool"},
	{"{name: host, match: {exe: [/opt/t/origin]}}", 1, "o-hard.service"},
	{"{name: root, match: {unit: [o-root.service], exe: [/opt/t/origin]}}", 1, "o-root.service"},
	{"{name: exec, match: {exe: [/opt/t/delegated]}}", 1, "d-docker.service"},
	{"{name: unit, match: {unit: [d-dot.service]}}", 1, "d-dot.service"},
	{"{name: boot, match: {unit: [systemd-nspawn@deb.service]}}", 1, "systemd-nspawn@deb.service"},
}

// emptyVerdicts are rules about nothing: they are named, and pass, but where each
// rule has to be about something.
var emptyVerdicts = []string{
	"{name: none, match: {unit: [other.service]}}",
	"{name: none, match: {container: [x]}}",
	"{name: none, match: {ancestor_exe: [/opt/t/tool]}}",
	"{name: none, match: {unit: [o-private.service], exe: [/opt/t/origin]}}",
}

// checkVerdicts has landlockd judge the services that checkUnits left, by one rule at
// a time: what it ends with is that rule's doing.
func (h *host) checkVerdicts(t *T) {
	var commands []command
	judge := func(v verdict, flags ...string) {
		file := fmt.Sprintf("/tmp/verdict-%d.yml", len(commands))
		write(t, file, "defaults: {grace: 0s}\nrules:\n  - "+v.rule+"\n")
		args := append([]string{"check", "--config.file=" + file}, flags...)
		name := fmt.Sprintf("%s %v", v.rule, flags)
		commands = append(commands, command{name, 0, args, v.code, v.says})
		recorded := append([]string{"check", "--snapshot=" + unitsSnapshot}, args[1:]...)
		commands = append(commands, command{name, mallory, recorded, v.code, v.says})
	}
	const require = "--require-matches"
	for _, v := range verdicts {
		judge(v, require)
	}
	for _, rule := range emptyVerdicts {
		judge(verdict{rule, 0, "none  no "})
		judge(verdict{rule, 1, "none  no "}, require)
	}
	runCommands(t, commands)
	t.Fact("info", fmt.Sprintf("%d commands", len(commands)))
}

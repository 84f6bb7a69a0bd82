// SPDX-License-Identifier: Apache-2.0

package main

import "time"

// grace and victimGrace are those of the rules below.
const (
	grace       = 3 * time.Second
	victimGrace = 6 * time.Second
)

// mainRules expect something of every kind of service. What comes of each is in
// rules.go.
const mainRules = `
rule_files: [/usr/lib/landlockd/rules.d/*.yml]
defaults: {grace: 3s, severity: warning}
exempt:
  - {unit: [init.scope, t-exempt.service]}
rules:
  - name: instances
    match: {unit: ["t-inst@*.service"]}
  - name: own-slice
    match: {slice: [t-own.slice]}
  - name: hardened
    match: {exe: [/opt/t/hardened]}
    min_processes: 1
  - name: hardened-anywhere
    match: {exe: [/opt/t/hardened], mntns: any}
    min_processes: 2
  - name: delegated
    match: {unit: [t-deleg.service]}
    min_processes: 3
  - name: forking
    match: {unit: [t-fork.service]}
    except: [{main: true}]
    min_processes: 1
  - name: forking-main
    match: {unit: [t-fork.service], main: true}
  - name: shallow
    match: {unit: [t-shallow.service]}
    expect: {min_depth: 2}
  - name: deep
    match: {unit: [t-deep.service]}
    expect: {min_depth: 3}
  - name: weak
    match: {unit: [t-weak.service]}
    expect: {restricts: [fs.write_file]}
  - name: partial
    match: {unit: [t-partial.service]}
    expect: {state: [sandboxed]}
  - name: partial-allowed
    match: {unit: [t-partial.service]}
    expect: {state: [sandboxed, partial]}
  - name: victim
    match: {unit: [t-victim.service]}
    grace: 6s
    min_processes: 1
    severity: critical
  - name: absent
    match: {unit: [t-absent.service]}
    min_processes: 1
  - name: absent-exe
    match: {exe: [/opt/t/absent]}
    min_processes: 1
  - name: guarded
    match: {exe: [/opt/t/guarded]}
  - name: guarded-comm
    match: {comm: [guarded], exe: ["/opt/**"]}
  - name: guarded-anywhere
    match: {exe: [/opt/t/guarded], mntns: any}
  - name: prod-web
    match: {namespace: [prod], container: [web], pod: ["shop-*"]}
    min_processes: 1
  - name: user-unit
    match: {unit: [user@1000/t-user.service]}
    min_processes: 1
  - name: never
    match: {unit: [t-never.service]}
  - name: escape
    match: {unit: [t-escape.service]}
    except: [{exe: [/opt/t/trusted]}]
  - name: leave
    match: {unit: [t-leave.service]}
    min_processes: 1
  - name: untrusted
    match: {uid: [1001]}
    except:
      - {exe: [/opt/t/trusted]}
      - {unit: [t-plain.service]}
    severity: info
`

// packageRules are what a package could ship.
const packageRules = `
rules:
  - name: plain
    match: {unit: [t-plain.service]}
    expect:
      state: [sandboxed]
      min_depth: 1
      restricts: [fs.write_file, "net.*", scope.signal]
    min_processes: 1
    severity: critical
`

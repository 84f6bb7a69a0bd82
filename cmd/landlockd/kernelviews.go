// SPDX-License-Identifier: Apache-2.0

package main

import "github.com/alecthomas/kingpin/v2"

// kernelSettings switch the metrics of the kernel's facts that can be left out.
type kernelSettings struct{ rights, hardening bool }

func (k *kernelSettings) flags(commands ...*kingpin.CmdClause) {
	for _, c := range commands {
		c.Flag("collector.rights", "Export for each right of this kernel how many processes are restricted in it: about 20 series.").Default("true").BoolVar(&k.rights)
		c.Flag("collector.hardening", "Export how many processes have other hardening (no_new_privs, seccomp, another user than root, a user namespace): about 8 series.").
			Default("true").BoolVar(&k.hardening)
	}
}

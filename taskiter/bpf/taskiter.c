/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Three task iterators: scan, which returns everything about every task in one
 * pass; rules, which returns the rules of some tasks' domains; and calibrate, which
 * finds where the kernel keeps them. And ways, which returns what leads to assets.
 *
 * An iterator's program runs in an RCU read-side critical section, and both
 * credentials and what hangs on them (the blob, the domain, its hierarchy) are
 * freed behind one: what is reached from real_cred stays valid for one call.
 */
#include <stdbool.h>
#include "types.h"
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "record.h"
#include "layout.h"
#include "plain.h"
#include "load.h"
#include "warm.h"
#include "cgroup.h"
#include "shared.h"
#include "pids.h"
#include "account.h"
#include "budget.h"
#include "domain.h"
#include "views.h"
#include "spaces.h"
#include "origin.h"
#include "exe.h"
#include "scan_prog.h"
#include "rules_prog.h"
#include "ways_prog.h"
#include "calibrate_prog.h"

char LICENSE[] SEC("license") = "GPL";

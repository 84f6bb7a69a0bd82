/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Counts processes that end, and programs that execve(2) puts others in the place of, by
 * all that rules see of them: tracepoints that note beginnings and ends, and iterators that
 * return what was counted.
 */
#include <stdbool.h>
#include "../../../../taskiter/bpf/types.h"
#include "../../../../taskiter/bpf/kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "../../../../taskiter/bpf/record.h"
#include "../../../../taskiter/bpf/layout.h"
#include "../../../../taskiter/bpf/plain.h"
#include "../../../../taskiter/bpf/cgroup.h"
#include "../../../../taskiter/bpf/account.h"
#include "../../../../taskiter/bpf/origin.h"
#include "cell.h"
#include "maps.h"
#include "state.h"
#include "groups.h"
#include "exes.h"
#include "count.h"
#include "events.h"
#include "drain.h"

char LICENSE[] SEC("license") = "GPL";

// SPDX-License-Identifier: Apache-2.0

#ifndef REAP_H
#define REAP_H

// reap_all kills and reaps every descendant of the caller, which must be their
// subreaper and single-threaded, and returns their number. When it returns,
// waitpid has said that there is no child left.
unsigned long reap_all(void);

// reap_check calls fail if a wait status tells of a crash.
void reap_check(int pid, int status);

#endif

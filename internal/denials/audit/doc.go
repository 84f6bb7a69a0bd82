// SPDX-License-Identifier: Apache-2.0

// Package audit reads what the kernel's audit log has of Landlock.
//
// It listens to the copies of records that the kernel multicasts, beside auditd or
// without it. It never becomes the audit daemon and never changes what is audited:
// where audit is off it waits, and [State] shows that. Joining needs CAP_AUDIT_READ;
// reading needs nothing, so that a socket can be handed to a process without
// privileges.
//
// Audit is never the whole truth: by default nothing is recorded of a program that
// was executed in a domain which it did not make itself.
package audit

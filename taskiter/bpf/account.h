/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Whose budgets a task uses up.
 */
#ifndef LANDLOCKD_ACCOUNT_H
#define LANDLOCKD_ACCOUNT_H

/*
 * Its user in the initial user namespace, or else
 * whoever made the outermost other one, in which he can be as many users as he likes.
 */
static __always_inline __u32 account_of(const struct cred *cred)
{
	struct user_namespace *ns = cred->user_ns;
	__u32 owner = cred->uid.val;
	int i;

	for (i = 0; i < 33 && ns && BPF_CORE_READ(ns, level) > 0; i++) {
		owner = BPF_CORE_READ(ns, owner.val);
		ns = BPF_CORE_READ(ns, parent);
	}
	/* Of one that root made, for a container say, the users are told apart. */
	return owner ? owner : cred->uid.val;
}

#endif

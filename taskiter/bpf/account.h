/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Whose budgets a task uses up.
 */
#ifndef LANDLOCKD_ACCOUNT_H
#define LANDLOCKD_ACCOUNT_H

/*
 * Whoever made the outermost user namespace, other than the initial one, that one at an address
 * is in. A global function, because that is verified once.
 */
__noinline __u32 owner_above(__u64 at)
{
	struct user_namespace *ns = (void *)at;
	__u32 owner = 0;
	int i;

	for (i = 0; i < 33 && ns && BPF_CORE_READ(ns, level) > 0; i++) {
		owner = BPF_CORE_READ(ns, owner.val);
		ns = BPF_CORE_READ(ns, parent);
	}
	return owner;
}

/* The same of credentials. 0: root did, or they are in the initial one. */
static __always_inline __u32 owner_of(const struct cred *cred)
{
	__u64 ns;

	if (!cred->user_ns->level)
		return 0;
	READ(ns, &cred->user_ns);
	return owner_above(ns);
}

/*
 * Its user in the initial user namespace, or else the owner, who can be as many users as he
 * likes. Of one that root made, for a container say, the users are distinguished.
 */
static __always_inline __u32 account_of(const struct cred *cred)
{
	__u32 owner = owner_of(cred);

	return owner ? owner : cred->uid.val;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Iterators that return what was counted, and what executables and cgroups are called.
 */
#ifndef LANDLOCKD_DRAIN_H
#define LANDLOCKD_DRAIN_H

/*
 * Returns a cell that has changed, or with whole every one. Returns whether it is to be
 * removed: a full buffer throws away what a call wrote, and it is called again.
 */
static __always_inline bool put_cell(struct bpf_iter__bpf_map_elem *ctx, struct scratch *tmp)
{
	struct run_control *ctl = get_control();
	struct cell_record *rec = &tmp->record;
	struct cell_key *key = ctx->key;
	struct cell *c = ctx->value;

	if (!ctl || !c || !key)
		return 0;
	rec->key = *key;
	rec->cell = *c;
	if (!ctl->whole && rec->cell.count == rec->cell.shown)
		return 0;
	/* What is being written, or was meanwhile, is no last run. */
	if (rec->cell.busy || c->busy || rec->cell.end != c->end || rec->cell.pid != c->pid)
		rec->cell.pid = 0;
	if (bpf_seq_write(ctx->meta->seq, rec, sizeof(*rec)))
		return 0;
	c->shown = rec->cell.count;
	return ctl->whole;
}

SEC("iter/bpf_map_elem")
int drain0(struct bpf_iter__bpf_map_elem *ctx)
{
	struct scratch *tmp = get_scratch(SCRATCH_ADOPT);

	if (tmp && put_cell(ctx, tmp))
		bpf_map_delete_elem(&cells0, &tmp->record.key);
	return 0;
}

SEC("iter/bpf_map_elem")
int drain1(struct bpf_iter__bpf_map_elem *ctx)
{
	struct scratch *tmp = get_scratch(SCRATCH_ADOPT);

	if (tmp && put_cell(ctx, tmp))
		bpf_map_delete_elem(&cells1, &tmp->record.key);
	return 0;
}

/* Returns names, and reports whether there was room. Where the size is more, there are none. */
static __always_inline bool put_names(struct seq_file *seq, struct name_record *rec, const __u8 *names,
				      __u32 most)
{
	__u32 size = rec->size;

	if (size > most)
		size = 0;
	if (bpf_seq_write(seq, rec, sizeof(*rec)))
		return 0;
	return !size || !bpf_seq_write(seq, names, size);
}

SEC("iter/bpf_map_elem")
int name_exes(struct bpf_iter__bpf_map_elem *ctx)
{
	struct run_control *ctl = get_control();
	struct name_record rec = {};
	struct exe *e = ctx->value;
	__u64 *number = ctx->key;
	struct owner owner;

	if (!ctl || !e || !number)
		return 0;
	rec.id = *number;
	rec.bits = e->bits;
	rec.size = e->size;
	if (!put_names(ctx->meta->seq, &rec, e->names, sizeof(e->names)))
		return 0;
	owner.unit = e->unit;
	owner.account = e->account;
	/* What nobody runs is removed: user space has its name. */
	if (ctl->whole && e->refs <= 0 && !bpf_map_delete_elem(&exes, &rec.id)) {
		give_both(SHARE_EXES, &owner, 0);
		__sync_fetch_and_add(&ctl->used_exes, -1);
	}
	return 0;
}

SEC("iter/bpf_map_elem")
int name_groups(struct bpf_iter__bpf_map_elem *ctx)
{
	struct run_control *ctl = get_control();
	struct name_record rec = {};
	struct group_key *at = ctx->key, key;
	struct group *g = ctx->value;
	struct owner owner;

	if (!ctl || !g || !at)
		return 0;
	key = *at;
	rec.id = key.id;
	rec.bits = key.v1;
	rec.size = g->size;
	if (!put_names(ctx->meta->seq, &rec, g->names, sizeof(g->names)))
		return 0;
	owner.unit = g->unit;
	owner.account = g->account;
	/* The cells of the turn before that one are gone. */
	if (ctl->whole && (__s32)(ctl->turn - g->used) > 1 && !bpf_map_delete_elem(&groups, &key))
		give_both(SHARE_GROUPS, &owner, 0);
	return 0;
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that means harm: hypercalls that are wrong, or take long
 *
 * From when it is loaded until it is removed, threads ask the hypervisor for what
 * comes to their mind. No answer is right or wrong here: other guests and the
 * hypervisor must not notice. How many of each there were is in the log at the end.
 *
 * The guest itself survives: pages are got only into the threads' own, and into
 * frames that the hypervisor must refuse.
 */
#define pr_fmt(fmt) "tmem_hostile: " fmt

#include <linux/atomic.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/pgtable.h>
#include <linux/prandom.h>
#include <linux/vmalloc.h>

#include <asm/xen/hypercall.h>
#include <xen/interface/memory.h>
#include <xen/interface/tmem.h>
#include <xen/page.h>
#include <xen/xen.h>

#define MAX_THREADS	16
#define VERSION		(TMEM_SPEC_VERSION << TMEM_POOL_VERSION_SHIFT)

/* Xen's own memory, as a PV guest would see it */
#define XEN_VIRT	0xffff830000000000UL

/* One thread. Behind @op's page, and behind the @entries, nothing is mapped. */
struct hostile {
	struct task_struct *task;
	struct rnd_state rnd;
	struct tmem_op *op;
	struct tmem_batch_entry *entries;	/* TMEM_BATCH_MAX */
	void *page;
	unsigned long gfn;		/* the page's frame */
	unsigned long page_table;	/* the frame of the entry that maps it */
};

static unsigned int threads = 4;
module_param(threads, uint, 0444);
MODULE_PARM_DESC(threads, "Threads that make hypercalls");

static unsigned int seed = 1;
module_param(seed, uint, 0444);
MODULE_PARM_DESC(seed, "What comes to their mind");

static struct hostile hostiles[MAX_THREADS];
static long max_frame;

/* By return code; what there should not be is in the last. */
static atomic_long_t answers[TMEM_EEMPTY + 2];
/* Puts of frames that are not the guest's, and those that were done */
static atomic_long_t tried, taken;

static u32 below(struct hostile *h, u32 limit)
{
	return prandom_u32_state(&h->rnd) % limit;
}

/* Small and large ones alike */
static u64 any(struct hostile *h)
{
	u64 value = (u64)prandom_u32_state(&h->rnd) << 32;

	return (value | prandom_u32_state(&h->rnd)) >> below(h, 64);
}

#define ONE_OF(h, ...) ({						\
	const u64 __values[] = { __VA_ARGS__ };				\
									\
	__values[below(h, ARRAY_SIZE(__values))];			\
})

/* A frame that is shared with Xen counts as somebody else's; there are few. */
static bool is_foreign(unsigned long gfn)
{
	return !pfn_valid(gfn_to_pfn(gfn));
}

static u64 some_gfn(struct hostile *h, u32 cmd)
{
	u64 gfn = below(h, 3) ? h->gfn :
		  ONE_OF(h, below(h, max_frame), BIT(39), U64_MAX, any(h),
			 h->page_table);

	/* A PV guest cannot write to page tables but through Xen. */
	if (gfn == h->page_table)
		return cmd == TMEM_PUT_PAGE || xen_pv_domain() ? gfn : h->gfn;
	return is_foreign(gfn) ? gfn : h->gfn;
}

/* What removes many pages is rare, so that there are as many as the guest may have. */
static u32 some_cmd(struct hostile *h)
{
	if (!below(h, 200))
		return ONE_OF(h, TMEM_DESTROY_POOL, TMEM_FLUSH_OBJECT,
			      TMEM_FLUSH_RANGE);
	return ONE_OF(h, TMEM_NEW_POOL, TMEM_PUT_PAGE, TMEM_PUT_PAGE,
		      TMEM_GET_PAGE, TMEM_FLUSH_PAGE, TMEM_POOL_PAGES,
		      TMEM_FEATURES, TMEM_BATCH, TMEM_BATCH, 0, 3, 8, 101, 102,
		      any(h));
}

static u32 some_pool(struct hostile *h)
{
	return below(h, 8) ? below(h, TMEM_MAX_POOLS) :
	       ONE_OF(h, TMEM_MAX_POOLS, INT_MAX, INT_MIN, -1, any(h));
}

static u32 some_index(struct hostile *h)
{
	return below(h, 8) ? below(h, 4096) : ONE_OF(h, U32_MAX, any(h));
}

static void make_entry(struct hostile *h, struct tmem_batch_entry *entry)
{
	u32 cmd = below(h, 64) ? ONE_OF(h, TMEM_PUT_PAGE, TMEM_PUT_PAGE,
					TMEM_GET_PAGE, TMEM_FLUSH_PAGE) :
				 some_cmd(h);

	*entry = (struct tmem_batch_entry) {
		.cmd = cmd,
		.pool_id = some_pool(h),
		.index = some_index(h),
		.oid = { below(h, 4) },
		.gmfn = some_gfn(h, cmd),
	};
}

static void make_batch(struct hostile *h, struct tmem_op *op)
{
	unsigned long entries = (unsigned long)h->entries;
	int i;

	for (i = 0; i < TMEM_BATCH_MAX; i++)
		make_entry(h, &h->entries[i]);
	op->u.batch.nr = ONE_OF(h, below(h, TMEM_BATCH_MAX), TMEM_BATCH_MAX,
				TMEM_BATCH_MAX + 1, any(h));
	op->u.batch.done = below(h, 4) ? 0 : any(h);
	op->u.batch.entries = below(h, 4) ? entries :
			      ONE_OF(h, entries + 4, entries + PAGE_SIZE * 5,
				     (unsigned long)op, 0, XEN_VIRT, any(h));
}

static void make_op(struct hostile *h, struct tmem_op *op)
{
	/* What is not said below has to be ignored, or is wrong. */
	prandom_bytes_state(&h->rnd, op, sizeof(*op));
	op->cmd = some_cmd(h);
	op->pool_id = some_pool(h);
	switch (op->cmd) {
	case TMEM_NEW_POOL:
		op->u.new.flags = ONE_OF(h, VERSION, VERSION | TMEM_POOL_PERSIST,
					 VERSION | TMEM_POOL_SHARED, any(h));
		break;
	case TMEM_BATCH:
		make_batch(h, op);
		break;
	default:
		op->u.gen.oid[0] = ONE_OF(h, below(h, 4), any(h));
		op->u.gen.oid[1] = 0;
		op->u.gen.oid[2] = 0;
		op->u.gen.index = some_index(h);
		op->u.gen.len = ONE_OF(h, below(h, 4096), U32_MAX, any(h));
		op->u.gen.gmfn = some_gfn(h, op->cmd);
		break;
	}
}

static void count(int ret, u32 cmd, unsigned long gfn)
{
	atomic_long_inc(&answers[ret >= 0 ? 0 : min(-(unsigned int)ret,
						    TMEM_EEMPTY + 1U)]);
	if (cmd != TMEM_PUT_PAGE || !is_foreign(gfn))
		return;
	atomic_long_inc(&tried);
	if (ret == 1)
		atomic_long_inc(&taken);
}

static void call(struct hostile *h)
{
	struct tmem_op *op = h->op;
	int i, ret;

	make_op(h, op);
	ret = HYPERVISOR_tmem_op(op);
	count(ret, op->cmd, op->u.gen.gmfn);
	if (op->cmd != TMEM_BATCH || ret ||
	    op->u.batch.entries != (unsigned long)h->entries)
		return;
	for (i = 0; i < op->u.batch.nr; i++)
		count(h->entries[i].status, h->entries[i].cmd,
		      h->entries[i].gmfn);
}

/* Not even the address is good. */
static void call_nothing(struct hostile *h)
{
	u64 address = ONE_OF(h, 0, XEN_VIRT, any(h),
			     (unsigned long)h->op + PAGE_SIZE - 40);

	count(HYPERVISOR_tmem_op((struct tmem_op *)address), 0, 0);
}

static int hostile_thread(void *data)
{
	struct hostile *h = data;

	while (!kthread_should_stop()) {
		if (below(h, 32))
			call(h);
		else
			call_nothing(h);
		cond_resched();
	}
	return 0;
}

static unsigned long gfn_of(void *address)
{
	return pfn_to_gfn(page_to_pfn(virt_to_page(address)));
}

static int hostile_start(struct hostile *h, unsigned int number)
{
	unsigned int level;

	BUILD_BUG_ON(TMEM_BATCH_MAX * sizeof(*h->entries) % PAGE_SIZE);
	prandom_seed_state(&h->rnd, seed * (u64)MAX_THREADS + number);
	h->op = vzalloc(PAGE_SIZE);
	h->entries = vcalloc(TMEM_BATCH_MAX, sizeof(*h->entries));
	h->page = (void *)__get_free_page(GFP_KERNEL);
	if (!h->op || !h->entries || !h->page)
		return -ENOMEM;
	h->gfn = gfn_of(h->page);
	h->page_table = gfn_of(lookup_address((unsigned long)h->page, &level));
	h->task = kthread_run(hostile_thread, h, "tmem_hostile/%u", number);
	return PTR_ERR_OR_ZERO(h->task);
}

static void hostile_stop(struct hostile *h)
{
	if (!IS_ERR_OR_NULL(h->task))
		kthread_stop(h->task);
	vfree(h->op);
	vfree(h->entries);
	free_page((unsigned long)h->page);
}

static void hostile_stop_all(void)
{
	struct tmem_op op = { .cmd = TMEM_DESTROY_POOL };
	int i;

	for (i = 0; i < threads; i++)
		hostile_stop(&hostiles[i]);
	for (; op.pool_id < TMEM_MAX_POOLS; op.pool_id++)
		HYPERVISOR_tmem_op(&op);
}

static void __exit hostile_exit(void)
{
	int i;

	hostile_stop_all();
	for (i = 0; i < ARRAY_SIZE(answers); i++)
		if (atomic_long_read(&answers[i]))
			pr_info("answer %d: %ld\n", -i,
				atomic_long_read(&answers[i]));
	pr_info("frames of others: %ld, taken %ld\n", atomic_long_read(&tried),
		atomic_long_read(&taken));
}
module_exit(hostile_exit);

static int __init hostile_init(void)
{
	int i, err = 0;

	if (!xen_domain())
		return -ENODEV;
	threads = min(threads, MAX_THREADS);
	max_frame = HYPERVISOR_memory_op(XENMEM_maximum_ram_page, NULL);
	if (max_frame <= 0)
		return -EIO;
	for (i = 0; i < threads && !err; i++)
		err = hostile_start(&hostiles[i], i);
	if (err)
		hostile_stop_all();
	return err;
}
module_init(hostile_init);

MODULE_DESCRIPTION("Wrong and expensive hypercalls for the tmem of Xen");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Domains for Xen's files of tmem: their frames, of all types and counted, the memory
 * with their structures, that has ends, and their hypercalls. No hypercall returns with
 * a lock held, or with a frame that it has not put.
 */
#include <stdarg.h>
#include "shim.h"
#include "host.h"
#include <public/sysctl.h>

/* What this thread has of guests */
static __thread long refs_held, types_held;
static __thread bool continues;
static __thread unsigned long continue_with;

__thread struct vcpu *current;
__thread unsigned long host_continued;
struct domain *domain_list;
void (*host_on_copy)(void);
void (*host_on_continue)(void);

void guest_check_balance(void)
{
	CHECK(!refs_held && !types_held);
}

static struct page_info *page_of(mfn_t mfn)
{
	return (struct page_info *)mfn.mfn;
}

/* Written to the dirty log only after it was copied to: else a pass could miss it. */
static void drop_page(struct page_info *page)
{
	CHECK(!page->of_heap);
	CHECK(!__atomic_load_n(&page->undirtied, __ATOMIC_RELAXED));
	CHECK(__atomic_fetch_sub(&page->refs, 1, __ATOMIC_RELAXED));
	refs_held--;
}

void put_page(struct page_info *page)
{
	drop_page(page);
}

void put_page_and_type(struct page_info *page)
{
	CHECK(__atomic_fetch_sub(&page->types, 1, __ATOMIC_RELAXED));
	types_held--;
	drop_page(page);
}

int get_page_type(struct page_info *page, unsigned long type)
{
	CHECK(type == PGT_writable_page);
	CHECK(page->refs);
	if (page->untyped)
		return 0;
	__atomic_fetch_add(&page->types, 1, __ATOMIC_RELAXED);
	types_held++;
	return 1;
}

/* As p2m_get_page_from_gfn(): also pages that are no good are had with a reference. */
struct page_info *get_page_from_gfn(struct domain *d, unsigned long gfn,
				    p2m_type_t *type, p2m_query_t query)
{
	struct guest_frame *frame;

	host_check_unlocked();
	CHECK(d == current->domain);
	*type = p2m_invalid;
	if (gfn >= XEN_FRAMES)
		return NULL;
	frame = &d->frame[gfn];
	if (frame->type == p2m_ram_shared && query == P2M_UNSHARE)
		frame->type = p2m_ram_rw;
	*type = frame->type;
	if (*type == p2m_mmio_direct || *type == p2m_ram_paged ||
	    *type == p2m_invalid)
		return NULL;
	__atomic_fetch_add(&frame->page->refs, 1, __ATOMIC_RELAXED);
	refs_held++;
	return frame->page;
}

static void check_source(const struct page_info *page)
{
	if (page->of_heap)
		CHECK(page->written);
	else
		CHECK(page->refs);
}

static void check_target(struct page_info *page)
{
	if (page->of_heap) {
		page->written = true;
		return;
	}
	CHECK(page->refs && page->types && !page->untyped);
	__atomic_store_n(&page->undirtied, true, __ATOMIC_RELAXED);
}

void copy_domain_page(mfn_t to, mfn_t from)
{
	void (*hook)(void) = host_on_copy;

	host_check_unlocked();
	if (hook) {
		host_on_copy = NULL;
		hook();
	}
	check_source(page_of(from));
	memcpy(page_of(to)->content, page_of(from)->content, XEN_CONTENT);
	check_target(page_of(to));
	host_worked();
}

void paging_mark_dirty(struct domain *d, mfn_t mfn)
{
	unsigned int i;

	host_check_unlocked();
	__atomic_store_n(&page_of(mfn)->undirtied, false, __ATOMIC_RELAXED);
	for (i = 0; i < XEN_FRAMES; i++)
		if (d->frame[i].page == page_of(mfn))
			__atomic_fetch_add(&d->frame[i].dirty, 1,
					   __ATOMIC_RELAXED);
}

/* How much of @size is in the guest's memory at @at */
static unsigned long guest_room(unsigned long at, unsigned long size,
				unsigned long end)
{
	if (at < GUEST_BASE || at - GUEST_BASE >= end)
		return 0;
	return size < end - (at - GUEST_BASE) ? size : end - (at - GUEST_BASE);
}

unsigned long raw_copy_from_guest(void *to, const void *from, unsigned long size)
{
	unsigned long at = (unsigned long)from;
	unsigned long room = guest_room(at, size, XEN_MEMORY);

	host_check_unlocked();
	if (room)
		memcpy(to, current->domain->memory + (at - GUEST_BASE), room);
	/* As Xen's does, so that what is used in spite of an error is seen. */
	memset((char *)to + room, 0, size - room);
	return size - room;
}

unsigned long raw_copy_to_guest(void *to, const void *from, unsigned long size)
{
	unsigned long at = (unsigned long)to;
	unsigned long room = guest_room(at, size, current->domain->read_only);

	host_check_unlocked();
	if (room)
		memcpy(current->domain->memory + (at - GUEST_BASE), from, room);
	return size - room;
}

long hypercall_create_continuation(unsigned int op, const char *format, ...)
{
	va_list arguments;

	CHECK(op == __HYPERVISOR_tmem_op && !strcmp(format, "h"));
	va_start(arguments, format);
	continue_with = (unsigned long)va_arg(arguments, XEN_GUEST_HANDLE(void)).p;
	va_end(arguments);
	continues = true;
	return 0;
}

struct domain *rcu_lock_domain_by_id(unsigned short id)
{
	struct domain *d;

	rcu_read_lock(&domlist_read_lock);
	for_each_domain(d)
		if (d->domain_id == id)
			return d;
	rcu_read_unlock(&domlist_read_lock);
	return NULL;
}

void rcu_unlock_domain(struct domain *d)
{
	rcu_read_unlock(&domlist_read_lock);
}

/* As in do_sysctl(): one at a time, what is told when it is done, the rest to go on. */
long guest_control(struct vcpu *v, struct xen_sysctl_tmem_op *op)
{
	static pthread_mutex_t sysctl_lock = PTHREAD_MUTEX_INITIALIZER;
	struct vcpu *before = current;
	struct xen_sysctl_tmem_op done;
	long result;

	current = v;
	for (;;) {
		done = *op;
		pthread_mutex_lock(&sysctl_lock);
		result = tmem_control(&done);
		pthread_mutex_unlock(&sysctl_lock);
		host_check_unlocked();
		guest_check_balance();
		if (result != -ERESTART)
			break;
		op->nr = done.nr;
		host_continued++;
		if (host_on_continue)
			host_on_continue();
	}
	if (!result)
		*op = done;
	current = before;
	return result;
}

long guest_call(struct vcpu *v, unsigned long at)
{
	struct vcpu *before = current;
	long refs = refs_held, types = types_held, result;

	refs_held = 0;
	types_held = 0;
	current = v;
	for (;;) {
		XEN_GUEST_HANDLE_PARAM(void) arg = { (void *)at };

		continues = false;
		result = do_tmem_op(arg);
		host_check_unlocked();
		guest_check_balance();
		if (!continues)
			break;
		CHECK(at == continue_with);
		host_continued++;
		if (host_on_continue)
			host_on_continue();
	}
	current = before;
	refs_held = refs;
	types_held = types;
	return result;
}

bool guest_grow(struct domain *d, unsigned int pages)
{
	unsigned int all;
	bool good;

	spin_lock(&d->page_alloc_lock);
	all = domain_tot_pages(d) + tmem_charged_pages(d);
	good = !d->is_dying && all <= d->max_pages && pages <= d->max_pages - all;
	if (good)
		d->tot_pages += pages;
	spin_unlock(&d->page_alloc_lock);
	return good;
}

void guest_shrink(struct domain *d, unsigned int pages)
{
	spin_lock(&d->page_alloc_lock);
	CHECK(d->tot_pages >= pages);
	d->tot_pages -= pages;
	spin_unlock(&d->page_alloc_lock);
}

struct page_info *guest_page(struct domain *d, unsigned int gfn)
{
	return d->frame[gfn].page;
}

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;

/* In the order of ids, as Xen's are. */
static void link_guest(struct domain *d)
{
	struct domain **link = &domain_list;

	pthread_mutex_lock(&list_lock);
	while (*link && (*link)->domain_id < d->domain_id)
		link = &(*link)->next;
	d->next = *link;
	rcu_assign_pointer(*link, d);
	pthread_mutex_unlock(&list_lock);
}

static void unlink_guest(struct domain *d)
{
	struct domain **link = &domain_list;

	pthread_mutex_lock(&list_lock);
	while (*link != d)
		link = &(*link)->next;
	rcu_assign_pointer(*link, d->next);
	pthread_mutex_unlock(&list_lock);
}

struct domain *guest_create(unsigned int id, bool hardware)
{
	struct domain *d = calloc(1, sizeof(*d));
	unsigned int i;

	CHECK(d);
	d->memory = calloc(1, XEN_MEMORY);
	CHECK(d->memory);
	d->read_only = XEN_MEMORY;
	d->domain_id = id;
	d->is_hardware = hardware;
	d->tot_pages = XEN_FRAMES;
	d->max_pages = hardware ? UINT_MAX : 1u << 20;
	spin_lock_init(&d->page_alloc_lock);
	d->page_alloc_lock.of_domain = true;
	spin_lock_init(&d->domain_lock);
	d->domain_lock.of_domain = true;
	for (i = 0; i < XEN_FRAMES; i++) {
		d->frame[i].page = calloc(1, sizeof(struct page_info));
		CHECK(d->frame[i].page);
		d->frame[i].page->owner = d;
	}
	link_guest(d);
	return d;
}

static void guest_free(struct domain *d)
{
	unsigned int i;

	for (i = 0; i < XEN_FRAMES; i++) {
		CHECK(!d->frame[i].page->refs && !d->frame[i].page->types);
		free(d->frame[i].page);
	}
	pthread_mutex_destroy(&d->page_alloc_lock.mutex);
	pthread_mutex_destroy(&d->domain_lock.mutex);
	free(d->memory);
	free(d);
}

unsigned long guest_destroy(struct domain *d)
{
	unsigned long restarts = 0;
	int rc;

	d->is_dying = true;
	/* As domain_kill() */
	domain_lock(d);
	domain_unlock(d);
	while ((rc = tmem_teardown(d))) {
		CHECK(rc == -ERESTART);
		host_check_unlocked();
		restarts++;
	}
	CHECK(!d->tmem && !d->tmem_pages);
	/* Called for a domain without any, and when everything is done. */
	CHECK(!tmem_teardown(d));
	unlink_guest(d);
	host_quiesce();
	guest_free(d);
	return restarts;
}

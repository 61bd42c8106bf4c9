/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Xen's headers for Xen's own files of tmem, in a program: all headers that they
 * include are this one, but for those that guests know, guest_access.h and tmem.h.
 * What is declared here does what Xen's does and checks how it is used; host.c has
 * what is Xen's, guest.c what is a guest's.
 */
#ifndef _SHIM_H
#define _SHIM_H

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <limits.h>

#define CONFIG_COMPAT
#define CONFIG_TMEM

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define ERESTART	85
#define PAGE_SHIFT	12
#define PAGE_SIZE	(1ul << PAGE_SHIFT)
#define PFN_UP(bytes)	(((bytes) + PAGE_SIZE - 1) >> PAGE_SHIFT)
#define SMP_CACHE_BYTES	64

#define __init
#define __initdata
#define __ro_after_init
#define __read_mostly
#define __maybe_unused	__attribute__((unused))
#define cf_check
#define always_inline	inline __attribute__((always_inline))
#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))
#define BUILD_BUG_ON(condition) _Static_assert(!(condition), #condition)
#define container_of(member_of, type, member) \
	((type *)((char *)(member_of) - offsetof(type, member)))
/* As in Xen, both have to be of one type. */
#define min(a, b) ({ __typeof__(a) _a = (a); __typeof__(b) _b = (b);	\
	(void)(&_a == &_b); _a < _b ? _a : _b; })
#define max(a, b) ({ __typeof__(a) _a = (a); __typeof__(b) _b = (b);	\
	(void)(&_a == &_b); _a > _b ? _a : _b; })
#define min_t(type, a, b) min((type)(a), (type)(b))
#define ASSERT(condition) CHECK(condition)
#define ASSERT_UNREACHABLE() CHECK(false)
/* For headers of the public interface */
#define BUG()		abort()

/* What Xen would not survive, or should not have to */
#define CHECK(condition) do {						\
	if (!(condition)) {						\
		fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
		abort();						\
	}								\
} while (0)

/* An int, as in Xen: what does not fit in is lost. */
static inline int fls(unsigned int x)
{
	return x ? 32 - __builtin_clz(x) : 0;
}

static inline int flsl(unsigned long x)
{
	return x ? 64 - __builtin_clzl(x) : 0;
}

/* Start, parameters, keys: tests do what Xen's start and console do. */
#define __initcall(function) int (*const xen_initcall_##function)(void) = function
#define custom_param(name, function) \
	int (*const xen_param_##function)(const char *s) = function

int parse_bool(const char *s, const char *e);
int parse_boolean(const char *name, const char *s, const char *e);
void register_keyhandler(unsigned char key, void (*handler)(unsigned char key),
			 const char *description, bool diagnostic);
int printk(const char *format, ...);
unsigned int get_random(void);

#define XENLOG_ERR	""

/* Atomics and barriers */
#define read_atomic(p)		__atomic_load_n(p, __ATOMIC_RELAXED)
#define write_atomic(p, x)	__atomic_store_n(p, x, __ATOMIC_RELAXED)
#define smp_mb()		host_barrier()
#define smp_rmb()		host_pause()
#define arch_fetch_and_add(p, n) __atomic_fetch_add(p, n, __ATOMIC_RELAXED)
#define array_index_nospec(index, size) ((index) < (size) ? (index) : 0)

/* A thread is a processor: nobody else is scheduled in Xen. */
#define DECLARE_PER_CPU(type, name) extern __thread type name
#define DEFINE_PER_CPU(type, name) __thread type name
#define this_cpu(name)		(name)

void host_barrier(void);
/* A barrier too. What comes next is read later: others may do much in between. */
void host_pause(void);
void cpu_relax(void);
bool local_irq_is_enabled(void);

/*
 * Locks. Nothing that is called here may be called with one held, and whoever
 * holds a domain's takes no other one.
 */
typedef struct spinlock {
	pthread_mutex_t mutex;
	bool	of_domain;
} spinlock_t;

void spin_lock_init(spinlock_t *lock);
void spin_lock(spinlock_t *lock);
int spin_trylock(spinlock_t *lock);
void spin_unlock(spinlock_t *lock);

/* Memory of Xen */
#define xzalloc(type)	((type *)_xzalloc(sizeof(type), __alignof__(type)))

void *_xzalloc(unsigned long size, unsigned long align);
void xfree(void *memory);
void *vzalloc(size_t size);
/* The first byte that is another one, or NULL */
void *memchr_inv(const void *bytes, int c, size_t n);
void vfree(void *memory);

/* RCU */
typedef struct { int unused; } rcu_read_lock_t;

struct rcu_head {
	struct rcu_head *next;
	void	(*call)(struct rcu_head *head);
};

extern rcu_read_lock_t domlist_read_lock;

#define rcu_dereference(p)	__atomic_load_n(&(p), __ATOMIC_ACQUIRE)
#define rcu_assign_pointer(p, to) __atomic_store_n(&(p), to, __ATOMIC_RELEASE)
#define for_each_domain(d)						\
	for ((d) = rcu_dereference(domain_list); (d);			\
	     (d) = rcu_dereference((d)->next))

void rcu_read_lock(rcu_read_lock_t *lock);
void rcu_read_unlock(rcu_read_lock_t *lock);
void call_rcu(struct rcu_head *head, void (*call)(struct rcu_head *head));

/* Domains */
#define XEN_FRAMES	64	/* of a domain */
#define XEN_MEMORY	32768	/* bytes in which a domain has structures */

typedef enum {
	p2m_ram_rw, p2m_ram_logdirty, p2m_ram_ro, p2m_mmio_direct, p2m_map_foreign,
	p2m_ram_shared, p2m_ram_paged, p2m_invalid,
} p2m_type_t;

struct guest_frame {
	p2m_type_t type;
	struct page_info *page;
	unsigned int dirty;	/* how often it was marked */
};

struct domain {
	unsigned int domain_id;
	struct domain *next;
	bool	is_hardware;
	_Atomic bool is_dying;	/* where Xen reads it as it is */
	spinlock_t domain_lock;
	unsigned int tot_pages;
	unsigned int extra_pages;
	unsigned int max_pages;
	spinlock_t page_alloc_lock;
	struct tmem_domain *tmem;
	unsigned int tmem_pages;

	struct guest_frame frame[XEN_FRAMES];
	uint8_t	*memory;	/* XEN_MEMORY bytes */
	unsigned long read_only; /* those from here on, behind GUEST_BASE */
};

struct vcpu {
	struct domain *domain;
	bool	hcall_compat;
};

extern struct domain *domain_list;
extern __thread struct vcpu *current;

#define domain_lock(d)	spin_lock(&(d)->domain_lock)
#define domain_unlock(d) spin_unlock(&(d)->domain_lock)

struct domain *rcu_lock_domain_by_id(unsigned short id);
void rcu_unlock_domain(struct domain *d);

static inline bool is_hardware_domain(const struct domain *d)
{
	return d->is_hardware;
}

static inline unsigned int domain_tot_pages(const struct domain *d)
{
	return d->tot_pages - d->extra_pages;
}

/* Pages: of the heap, or of a guest */
#define XEN_CONTENT	64	/* bytes of a page that there are */

struct page_info {
	struct domain *owner;
	unsigned int refs;
	unsigned int types;
	bool	of_heap;
	bool	untyped;	/* a guest's page table or so: never writable */
	bool	written;	/* what was in it before is gone */
	bool	undirtied;	/* written to, and not marked */
	uint8_t	content[XEN_CONTENT] __attribute__((aligned(8)));
};

typedef struct { unsigned long mfn; } mfn_t;
typedef struct { unsigned long gfn; } gfn_t;
typedef enum { P2M_ALLOC, P2M_UNSHARE } p2m_query_t;

#define PGT_writable_page	7
#define MEMF_no_scrub		1
#define MEMF_exact_node		2

static inline gfn_t _gfn(unsigned long gfn)
{
	return (gfn_t){ gfn };
}

static inline unsigned long gfn_x(gfn_t gfn)
{
	return gfn.gfn;
}

static inline mfn_t page_to_mfn(const struct page_info *page)
{
	return (mfn_t){ (unsigned long)page };
}

extern unsigned long total_pages, max_page;

unsigned int num_online_nodes(void);
long free_unclaimed_pages(void);
struct page_info *alloc_domheap_page(struct domain *d, unsigned int flags);
void free_domheap_page(struct page_info *page);
struct page_info *get_page_from_gfn(struct domain *d, unsigned long gfn,
				    p2m_type_t *type, p2m_query_t query);
int get_page_type(struct page_info *page, unsigned long type);
void put_page(struct page_info *page);
void put_page_and_type(struct page_info *page);
void copy_domain_page(mfn_t to, mfn_t from);
void paging_mark_dirty(struct domain *d, mfn_t mfn);

/* Hypercalls */
enum xsm_default { XSM_HOOK };

bool hypercall_preempt_check(void);
bool general_preempt_check(void);
long hypercall_create_continuation(unsigned int op, const char *format, ...);
int xsm_tmem_op(enum xsm_default action, const struct domain *d);
/* Bytes that were not copied */
unsigned long raw_copy_from_guest(void *to, const void *from, unsigned long size);
unsigned long raw_copy_to_guest(void *to, const void *from, unsigned long size);

#include <public/xen.h>

/* Not that many domains, for which there would have to be a table each time */
#undef DOMID_FIRST_RESERVED
#define DOMID_FIRST_RESERVED 64

long do_tmem_op(XEN_GUEST_HANDLE_PARAM(void) arg);

#endif /* _SHIM_H */

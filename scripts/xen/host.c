// SPDX-License-Identifier: GPL-2.0-only
/*
 * Xen around its files of tmem: locks, memory, RCU, what it does at its start. It
 * checks that no lock is held where none may be, that memory is given back, and that
 * nobody gets to see what was in a page before.
 */
#include <malloc.h>
#include <sched.h>
#include <stdarg.h>
#include <unistd.h>
#include "shim.h"
#include "host.h"

/* The engine's, a client's, and then a stripe's. Or a domain's alone. */
static __thread const spinlock_t *held[3];
static __thread unsigned int nr_held;
static __thread unsigned int nr_readers;
static __thread unsigned long work, most_work;
static unsigned long bytes, countdown, printed;
static char print_buffer[4096];
static pthread_mutex_t rcu_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rcu_readers = PTHREAD_RWLOCK_INITIALIZER;
static struct rcu_head *rcu_waiting;

unsigned long total_pages = 1 << 20, max_page = 1 << 20;
rcu_read_lock_t domlist_read_lock;

unsigned long host_yield_every;
unsigned long host_busy_locks;
bool host_yields_unlocked, host_no_memory, host_irqs_off;
unsigned int host_nodes = 1;
long host_used;
size_t host_largest;
int host_xsm;
bool (*host_preempts)(void);
void (*host_key)(unsigned char key);
void (*host_on_alloc)(void);

void host_check_unlocked(void)
{
	CHECK(!nr_held);
}

/* A fence would do, but the thread sanitizer does not know any. */
void host_barrier(void)
{
	static unsigned long barrier;

	__atomic_fetch_add(&barrier, 0, __ATOMIC_SEQ_CST);
}

void host_pause(void)
{
	static __thread unsigned int paused;

	host_barrier();
	if (host_yields_unlocked && !nr_held && !(++paused % 8))
		usleep(100);
}

void spin_lock_init(spinlock_t *lock)
{
	pthread_mutex_init(&lock->mutex, NULL);
	lock->of_domain = false;
}

static void now_held(const spinlock_t *lock)
{
	CHECK(nr_held < 3);
	held[nr_held++] = lock;
}

void spin_lock(spinlock_t *lock)
{
	CHECK(!nr_held || (held[nr_held - 1] != lock && !held[0]->of_domain &&
			   !lock->of_domain));
	CHECK(!pthread_mutex_lock(&lock->mutex));
	now_held(lock);
}

int spin_trylock(spinlock_t *lock)
{
	unsigned long busy = __atomic_load_n(&host_busy_locks, __ATOMIC_RELAXED);

	CHECK(!nr_held);
	if (busy) {
		__atomic_fetch_sub(&host_busy_locks, 1, __ATOMIC_RELAXED);
		return false;
	}
	if (pthread_mutex_trylock(&lock->mutex))
		return false;
	now_held(lock);
	return true;
}

void spin_unlock(spinlock_t *lock)
{
	CHECK(nr_held && held[nr_held - 1] == lock);
	nr_held--;
	pthread_mutex_unlock(&lock->mutex);
	if (host_yields_unlocked && !nr_held)
		sched_yield();
}

void cpu_relax(void)
{
	host_check_unlocked();
	sched_yield();
}

bool local_irq_is_enabled(void)
{
	return !host_irqs_off;
}

unsigned long host_bytes(void)
{
	return __atomic_load_n(&bytes, __ATOMIC_RELAXED);
}

void host_fail_at(unsigned long k)
{
	__atomic_store_n(&countdown, k, __ATOMIC_RELAXED);
}

bool host_has_failed(void)
{
	return !__atomic_load_n(&countdown, __ATOMIC_RELAXED);
}

unsigned int num_online_nodes(void)
{
	return host_nodes;
}

static bool fails_now(void)
{
	unsigned long left = __atomic_load_n(&countdown, __ATOMIC_RELAXED);

	if (left && !__atomic_sub_fetch(&countdown, 1, __ATOMIC_RELAXED))
		return true;
	return __atomic_load_n(&host_no_memory, __ATOMIC_RELAXED);
}

static void *obtain(size_t size, size_t align)
{
	void (*hook)(void) = host_on_alloc;
	void *memory;

	host_check_unlocked();
	if (hook) {
		host_on_alloc = NULL;
		hook();
	}
	if (fails_now())
		return NULL;
	CHECK(!posix_memalign(&memory, align < 16 ? 16 : align, size));
	memset(memory, 0, size);
	__atomic_add_fetch(&bytes, malloc_usable_size(memory), __ATOMIC_RELAXED);
	return memory;
}

/* All memory comes from alloc_heap_pages(), which has a page given back and retries. */
static bool try_again(void)
{
	return tmem_give_back(0, 41, 0);
}

static void *obtain_or_evict(size_t size, size_t align)
{
	void *memory = obtain(size, align);

	return memory || !try_again() ? memory : obtain(size, align);
}

static void give(void *memory)
{
	size_t size;

	host_check_unlocked();
	if (!memory)
		return;
	size = malloc_usable_size(memory);
	/* What is used afterwards shall not look right. */
	memset(memory, 0xa5, size);
	__atomic_sub_fetch(&bytes, size, __ATOMIC_RELAXED);
	free(memory);
}

void *_xzalloc(unsigned long size, unsigned long align)
{
	return obtain_or_evict(size, align);
}

void xfree(void *memory)
{
	give(memory);
}

void *vzalloc(size_t size)
{
	if (size > host_largest)
		__atomic_store_n(&host_largest, size, __ATOMIC_RELAXED);
	return obtain_or_evict(size, SMP_CACHE_BYTES);
}

void vfree(void *memory)
{
	give(memory);
}

long free_unclaimed_pages(void)
{
	return (long)total_pages - __atomic_load_n(&host_used, __ATOMIC_RELAXED);
}

static struct page_info *page_from_heap(void)
{
	struct page_info *page;

	if (__atomic_add_fetch(&host_used, 1, __ATOMIC_RELAXED) >
	    (long)total_pages) {
		__atomic_sub_fetch(&host_used, 1, __ATOMIC_RELAXED);
		return NULL;
	}
	page = obtain(sizeof(*page), 16);
	if (!page) {
		__atomic_sub_fetch(&host_used, 1, __ATOMIC_RELAXED);
		return NULL;
	}
	page->of_heap = true;
	/* Nobody has scrubbed what another domain has left here. */
	memset(page->content, 0xdd, sizeof(page->content));
	return page;
}

struct page_info *alloc_domheap_page(struct domain *d, unsigned int flags)
{
	struct page_info *page;

	/* Pages of a domain would be freed with it. */
	CHECK(!d);
	CHECK(!host_irqs_off);
	page = page_from_heap();
	if (!page && try_again())
		page = page_from_heap();
	if (page)
		page->written = !(flags & MEMF_no_scrub);
	return page;
}

/* Of nobody, so that it is scrubbed */
void free_domheap_page(struct page_info *page)
{
	CHECK(page->of_heap);
	CHECK(!page->owner && !page->refs && !page->types);
	CHECK(!host_irqs_off);
	give(page);
	__atomic_sub_fetch(&host_used, 1, __ATOMIC_RELAXED);
	host_worked();
}

void host_worked(void)
{
	if (++work > most_work)
		most_work = work;
}

void host_work_begin(void)
{
	work = 0;
	most_work = 0;
}

unsigned long host_work_most(void)
{
	return most_work;
}

bool hypercall_preempt_check(void)
{
	static unsigned long asked;

	host_check_unlocked();
	guest_check_balance();
	work = 0;
	if (host_preempts)
		return host_preempts();
	return host_yield_every &&
		!(__atomic_add_fetch(&asked, 1, __ATOMIC_RELAXED) %
		  host_yield_every);
}

bool general_preempt_check(void)
{
	return hypercall_preempt_check();
}

int xsm_tmem_op(enum xsm_default action, const struct domain *d)
{
	CHECK(d == current->domain);
	return host_xsm;
}

void rcu_read_lock(rcu_read_lock_t *lock)
{
	CHECK(!pthread_rwlock_rdlock(&rcu_readers));
	nr_readers++;
}

void rcu_read_unlock(rcu_read_lock_t *lock)
{
	CHECK(nr_readers--);
	pthread_rwlock_unlock(&rcu_readers);
}

void call_rcu(struct rcu_head *head, void (*call)(struct rcu_head *head))
{
	head->call = call;
	pthread_mutex_lock(&rcu_lock);
	head->next = rcu_waiting;
	rcu_waiting = head;
	pthread_mutex_unlock(&rcu_lock);
}

void host_quiesce(void)
{
	struct rcu_head *head, *next;

	CHECK(!nr_readers);
	pthread_mutex_lock(&rcu_lock);
	head = rcu_waiting;
	rcu_waiting = NULL;
	pthread_mutex_unlock(&rcu_lock);
	pthread_rwlock_wrlock(&rcu_readers);
	pthread_rwlock_unlock(&rcu_readers);
	for (; head; head = next) {
		next = head->next;
		head->call(head);
	}
}

static bool is_word(const char *word, const char *s, size_t length)
{
	return strlen(word) == length && !strncmp(word, s, length);
}

/* 1 or 0 for what Xen takes for them on its command line, -1 for anything else */
int parse_bool(const char *s, const char *e)
{
	static const char *const words[] = {
		"0", "1", "off", "on", "no", "yes", "false", "true",
		"disable", "enable",
	};
	size_t length = e ? (size_t)(e - s) : strlen(s);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (is_word(words[i], s, length))
			return i % 2;
	return -1;
}

/* NAME, no-NAME, NAME=BOOL; -2 for NAME=ELSE */
int parse_boolean(const char *name, const char *s, const char *e)
{
	size_t length = e ? (size_t)(e - s) : strlen(s), wanted = strlen(name);

	if (length >= 3 && !strncmp(s, "no-", 3))
		return is_word(name, s + 3, length - 3) ? 0 : -1;
	if (length < wanted || strncmp(name, s, wanted))
		return -1;
	if (length == wanted)
		return 1;
	if (s[wanted] != '=')
		return -1;
	length = parse_bool(s + wanted + 1, s + length);
	return (int)length < 0 ? -2 : (int)length;
}

void register_keyhandler(unsigned char key, void (*handler)(unsigned char key),
			 const char *description, bool diagnostic)
{
	host_key = handler;
}

void *memchr_inv(const void *bytes, int c, size_t n)
{
	const unsigned char *at = bytes;

	while (n && *at == c) {
		at++;
		n--;
	}
	return n ? (void *)at : NULL;
}

unsigned int get_random(void)
{
	static unsigned int last = 1;

	last = last * 1103515245 + 12345;
	return last;
}

/* "%pd" is left as a pointer and a letter. */
int printk(const char *format, ...)
{
	size_t room = sizeof(print_buffer) - printed;
	va_list arguments;
	int n;

	host_check_unlocked();
	va_start(arguments, format);
	n = vsnprintf(print_buffer + printed, room, format, arguments);
	va_end(arguments);
	printed += (size_t)n < room ? (size_t)n : room - 1;
	return n;
}

void host_print_begin(void)
{
	printed = 0;
	print_buffer[0] = 0;
}

const char *host_printed(void)
{
	return print_buffer;
}

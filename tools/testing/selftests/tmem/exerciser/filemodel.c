// SPDX-License-Identifier: GPL-2.0
/*
 * The model of fileload's file: for each block what is in it, what is being
 * written to it and what was in it before, in memory that all processes share.
 *
 * A block has one writer at a time: the process that owns it, or the one that
 * is alone in the file. Writers never wait for readers, nor the other way round.
 * A writer calls model_begin() before the system call and model_end() after it.
 * A reader looks at the block before its system call and once more after it:
 *
 *	no write overlapped the read	the block is exactly the old content
 *	one did				old, new or, byte by byte, some of both
 *	more did			nothing can be said
 *
 * The fences make this hold on every machine: "being written" is seen by all
 * who see new data, and who sees "done" sees new data.
 */
#include <stdio.h>
#include <string.h>

#include "filemodel.h"

#define MODEL_MAGIC	0x6c65646f6d656c69ULL
#define MAX_PARTS	4

const char * const verdict_name[NR_VERDICTS] = {
	"right", "overlapped", "inconclusive",
	"stale", "foreign", "torn", "zero", "misplaced"
};

/*
 * Blocks
 */

static __u64 word(__u64 stamp, unsigned int n)
{
	return stamp ? stamp | (__u64)n << STAMP_BITS : 0;
}

static bool is_block(const __u64 *w, __u64 stamp)
{
	unsigned int n;

	for (n = 0; n < BLOCK_WORDS; n++)
		if (w[n] != word(stamp, n))
			return false;
	return true;
}

/* Bytes, since nothing says that copying keeps words together. */
static bool is_mixture(const void *data, const struct allowed *allowed,
		       bool zeroes)
{
	unsigned char a[BLOCK_BYTES], b[BLOCK_BYTES];
	const unsigned char *p = data;
	unsigned int n;

	fill_block(a, allowed->old);
	fill_block(b, allowed->new);
	for (n = 0; n < BLOCK_BYTES; n++)
		if (p[n] != a[n] && p[n] != b[n] && (p[n] || !zeroes))
			return false;
	return true;
}

__u64 make_stamp(__u64 id, unsigned int process, __u64 counter)
{
	return id << (COUNTER_BITS + PROCESS_BITS) |
	       (__u64)process << COUNTER_BITS |
	       (counter & ((1ULL << COUNTER_BITS) - 1));
}

static __u64 id_of(__u64 stamp)
{
	return stamp >> (COUNTER_BITS + PROCESS_BITS);
}

void fill_block(void *data, __u64 stamp)
{
	__u64 *w = data;
	unsigned int n;

	for (n = 0; n < BLOCK_WORDS; n++)
		w[n] = word(stamp, n);
}

void describe_stamp(char *text, __u64 stamp)
{
	if (!stamp)
		snprintf(text, TEXT_BYTES, "zero");
	else
		snprintf(text, TEXT_BYTES,
			 "stamp %llu of process %llu in file %#llx",
			 stamp & ((1ULL << COUNTER_BITS) - 1),
			 stamp >> COUNTER_BITS & ((1 << PROCESS_BITS) - 1),
			 id_of(stamp));
}

/* Words from @n on that are of one stamp; false: @n itself is of none. */
static bool part_of(const __u64 *w, unsigned int n, unsigned int *end,
		    __u64 *stamp)
{
	*end = n + 1;
	*stamp = w[n] & ((1ULL << STAMP_BITS) - 1);
	if (w[n] != word(*stamp, n))
		return false;
	while (*end < BLOCK_WORDS && w[*end] == word(*stamp, *end))
		(*end)++;
	return true;
}

void describe_block(char *text, const void *data)
{
	char name[TEXT_BYTES];
	unsigned int n, end, parts = 0;
	int used = 0;
	__u64 stamp;

	for (n = 0; n < BLOCK_WORDS && parts < MAX_PARTS; n = end, parts++) {
		if (part_of(data, n, &end, &stamp))
			describe_stamp(name, stamp);
		else
			snprintf(name, sizeof(name), "%#llx, no stamp",
				 ((const __u64 *)data)[n]);
		if (!n && end == BLOCK_WORDS)
			snprintf(text, TEXT_BYTES, "%.200s", name);
		else if (used < TEXT_BYTES)
			used += snprintf(text + used, TEXT_BYTES - used,
					 "%sbytes %u-%u: %.100s", n ? "; " : "",
					 n * 8, end * 8 - 1, name);
	}
	if (n < BLOCK_WORDS && used < TEXT_BYTES)
		snprintf(text + used, TEXT_BYTES - used, "; ...");
}

/*
 * Writers
 */

static __u64 load(const __u64 *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void store(__u64 *p, __u64 v)
{
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

__u64 model_stamp(const struct model *m, size_t block)
{
	const struct block *b = &m->block[block];

	return load(&b->value[load(&b->version) / 2 % NR_VALUES]);
}

/* The oldest content that is remembered, differs, and is not zero, or 0 */
__u64 model_older(const struct model *m, size_t block)
{
	const struct block *b = &m->block[block];
	__u64 nr = b->version / 2, now = model_stamp(m, block), old;
	unsigned int age;

	for (age = NR_VALUES - 1; age > 0; age--) {
		old = nr >= age ? b->value[(nr - age) % NR_VALUES] : 0;
		if (old && old != now)
			return old;
	}
	return 0;
}

void model_begin(struct model *m, size_t block, __u64 stamp)
{
	struct block *b = &m->block[block];

	store(&b->value[(b->version / 2 + 1) % NR_VALUES], stamp);
	store(&b->version, b->version + 1);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void model_end(struct model *m, size_t block)
{
	struct block *b = &m->block[block];

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	store(&b->version, b->version + 1);
}

/* Nothing has been written after all. */
void model_undo(struct model *m, size_t block)
{
	struct block *b = &m->block[block];

	store(&b->value[(b->version / 2 + 1) % NR_VALUES],
	      model_stamp(m, block));
	model_end(m, block);
}

/* What has become of a block that nobody reads meanwhile */
void model_set(struct model *m, size_t block, __u64 stamp)
{
	model_begin(m, block, stamp);
	model_end(m, block);
}

void model_move(struct model *m, size_t to, size_t from, size_t nr)
{
	size_t i;

	if (to < from)
		for (i = 0; i < nr; i++)
			model_set(m, to + i, model_stamp(m, from + i));
	else
		for (i = nr; i-- > 0;)
			model_set(m, to + i, model_stamp(m, from + i));
}

void model_zero(struct model *m, size_t first, size_t end)
{
	for (; first < end; first++)
		model_set(m, first, 0);
}

/*
 * Readers
 */

void model_look(const struct model *m, size_t block, struct seen *seen)
{
	const struct block *b = &m->block[block];
	__u64 nr;

	do {
		seen->version = load(&b->version);
		nr = seen->version / 2;
		seen->now = load(&b->value[nr % NR_VALUES]);
		seen->next = load(&b->value[(nr + 1) % NR_VALUES]);
	} while (load(&b->version) != seen->version);
}

/* @stamp is among the last contents of the block; so many writes ago, or 0 */
static unsigned int age_of(const struct model *m, size_t block, __u64 stamp)
{
	const struct block *b = &m->block[block];
	__u64 nr = load(&b->version) / 2;
	unsigned int age;

	for (age = 1; age < NR_VALUES && age <= nr; age++)
		if (load(&b->value[(nr - age) % NR_VALUES]) == stamp)
			return age;
	return 0;
}

static bool find_home(const struct model *m, __u64 stamp, size_t *home)
{
	for (*home = 0; *home < m->max; (*home)++)
		if (model_stamp(m, *home) == stamp || age_of(m, *home, stamp))
			return true;
	return false;
}

/*
 * A stamp that no block remembers must have been written long ago: it is stale.
 */
static enum verdict name_wrong(const struct model *m, size_t block,
			       const __u64 *w)
{
	size_t home;

	if (is_block(w, 0))
		return ZERO;
	if (!is_block(w, w[0]))
		return TORN;
	if (id_of(w[0]) != m->id)
		return FOREIGN;
	if (age_of(m, block, w[0]))
		return STALE;
	return find_home(m, w[0], &home) ? MISPLACED : STALE;
}

/* @zeroes: bytes may be zero for no reason that the model knows */
enum verdict model_judge(const struct model *m, size_t block,
			 const struct seen *before, const void *data,
			 bool zeroes, struct allowed *allowed)
{
	struct seen after;
	__u64 overlapping;

	model_look(m, block, &after);
	overlapping = (after.version + 1) / 2 - before->version / 2;
	if (overlapping > 1)
		return INCONCLUSIVE;
	allowed->old = before->now;
	allowed->new = before->now;
	if (overlapping)
		allowed->new = after.version % 2 ? after.next : after.now;

	if (!overlapping && is_block(data, allowed->old))
		return RIGHT;
	if (overlapping && is_mixture(data, allowed, false))
		return OVERLAPPED;
	if (zeroes && is_mixture(data, allowed, true))
		return INCONCLUSIVE;
	return name_wrong(m, block, data);
}

/* Where data come from, as far as the model knows */
void model_explain(const struct model *m, size_t block, const void *data,
		   char *text)
{
	const __u64 *w = data;
	unsigned int age;
	size_t home;

	*text = '\0';
	if (!is_block(w, w[0]) || (w[0] && id_of(w[0]) != m->id))
		return;
	age = age_of(m, block, w[0]);
	if (w[0] == model_stamp(m, block))
		snprintf(text, TEXT_BYTES, ", which is right now");
	else if (age)
		snprintf(text, TEXT_BYTES, ", its content %u writes ago", age);
	else if (w[0] && find_home(m, w[0], &home))
		snprintf(text, TEXT_BYTES, ", known from block %zu", home);
	else if (w[0])
		snprintf(text, TEXT_BYTES, ", older than the model remembers");
}

/*
 * Files
 */

bool model_save(const struct model *m, const char *path)
{
	struct model_head head = {
		MODEL_MAGIC, m->id, m->max, m->stripe, m->size
	};
	FILE *f = fopen(path, "w");
	__u64 stamp;
	size_t i;
	bool ok;

	if (!f)
		return false;
	ok = fwrite(&head, sizeof(head), 1, f) == 1;
	for (i = 0; ok && i < m->max; i++) {
		stamp = model_stamp(m, i);
		ok = fwrite(&stamp, sizeof(stamp), 1, f) == 1;
	}
	return !fclose(f) && ok;
}

static FILE *open_saved(const char *path, struct model_head *head)
{
	FILE *f = fopen(path, "r");

	if (!f)
		return NULL;
	if (fread(head, sizeof(*head), 1, f) == 1 &&
	    head->magic == MODEL_MAGIC && head->max && head->stripe &&
	    head->size <= head->max && head->max < 1UL << 31)
		return f;
	fclose(f);
	return NULL;
}

bool model_load_head(struct model *m, const char *path)
{
	struct model_head head;
	FILE *f = open_saved(path, &head);

	if (!f)
		return false;
	m->id = head.id;
	m->max = head.max;
	m->stripe = head.stripe;
	m->size = head.size;
	fclose(f);
	return true;
}

bool model_load_stamps(struct model *m, const char *path)
{
	struct model_head head;
	FILE *f = open_saved(path, &head);
	bool ok = f && head.max == m->max;
	__u64 stamp;
	size_t i;

	for (i = 0; ok && i < m->max; i++) {
		ok = fread(&stamp, sizeof(stamp), 1, f) == 1;
		if (ok)
			model_set(m, i, stamp);
	}
	if (f)
		fclose(f);
	return ok;
}

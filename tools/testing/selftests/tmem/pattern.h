/* SPDX-License-Identifier: GPL-2.0 */
/* What a page of pageload holds, and what a page that it finds is. */
#ifndef PATTERN_H
#define PATTERN_H

#include <linux/types.h>
#include <stdbool.h>
#include <string.h>

#define PAGE_BYTES	4096UL
#define PAGE_WORDS	(PAGE_BYTES / sizeof(__u64))
#define HEADER_WORDS	4
#define MAGIC		0x746d656dULL

enum verdict { OK, STALE, FOREIGN, TORN, ZERO, NR_VERDICTS };

static const char * const verdict_name[NR_VERDICTS] = {
	"ok", "stale", "foreign", "torn", "zero"
};

/* How pages are made, the same for all of them */
struct pattern {
	__u64 seed;
	unsigned int zero_percent;
	bool compressible;
};

/* Which page it is; generation 0 was never written and is all zero. */
struct ident {
	__u32 owner;
	__u32 gen;
	__u32 index;
};

static inline __u64 mix(__u64 x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	return x ^ (x >> 33);
}

static inline __u64 rnd(__u64 *state)
{
	*state += 0x9e3779b97f4a7c15ULL;
	return mix(*state);
}

static inline bool chance(__u64 *state, unsigned long percent)
{
	return percent >= 100 || rnd(state) % 100 < percent;
}

static inline bool is_blank(const struct pattern *p, const struct ident *id)
{
	if (!id->gen)
		return true;
	return mix(id->index * 31ULL + id->gen) % 100 < p->zero_percent;
}

static inline __u64 key_of(const __u64 *header)
{
	return mix(header[0] ^ mix(header[1] ^ mix(header[2])));
}

static inline void make_header(const struct pattern *p, const struct ident *id,
			       __u64 *header)
{
	header[0] = MAGIC << 32 | id->gen;
	header[1] = (__u64)id->owner << 32 | id->index;
	header[2] = p->seed;
	header[3] = key_of(header);
}

static inline __u64 body_word(const struct pattern *p, __u64 key,
			      unsigned int n)
{
	if (p->compressible)
		n %= PAGE_WORDS / 3;
	return key + n * 0x9e3779b97f4a7c15ULL;
}

/* Words before @from are left as they are. */
static inline void fill_words(const struct pattern *p, const struct ident *id,
			      __u64 *w, unsigned int from)
{
	__u64 header[HEADER_WORDS];
	unsigned int n;

	make_header(p, id, header);
	if (!from)
		memcpy(w, header, sizeof(header));
	for (n = from < HEADER_WORDS ? HEADER_WORDS : from; n < PAGE_WORDS; n++)
		w[n] = body_word(p, header[3], n);
}

static inline bool all_zero(const __u64 *w)
{
	unsigned int n;

	for (n = 0; n < PAGE_WORDS; n++)
		if (w[n])
			return false;
	return true;
}

static inline bool body_matches(const struct pattern *p, const __u64 *w,
				__u64 key)
{
	unsigned int n;

	for (n = HEADER_WORDS; n < PAGE_WORDS; n++)
		if (w[n] != body_word(p, key, n))
			return false;
	return true;
}

static inline bool is_right(const struct pattern *p, const struct ident *id,
			    const __u64 *w)
{
	__u64 header[HEADER_WORDS];

	if (is_blank(p, id))
		return all_zero(w);
	make_header(p, id, header);
	return !memcmp(w, header, sizeof(header)) &&
	       body_matches(p, w, header[3]);
}

/* A page is not what it should be: tell what it is by what it says. */
static inline enum verdict judge(const struct pattern *p,
				 const struct ident *id, const __u64 *w)
{
	__u64 header[HEADER_WORDS];

	if (all_zero(w))
		return ZERO;
	if (w[0] >> 32 != MAGIC || w[3] != key_of(w) ||
	    !body_matches(p, w, w[3]))
		return TORN;
	make_header(p, id, header);
	if (w[1] == header[1] && w[2] == header[2] && (__u32)w[0] < id->gen)
		return STALE;
	return FOREIGN;
}

#endif /* PATTERN_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hash of an object's name: SipHash-1-3 of J.-P. Aumasson and D. J. Bernstein
 * (2012), keyed, so that no client can make other clients' look-ups slow by a
 * choice of ids.
 */
#include "internal.h"

struct tmem_sip {
	u64 v0, v1, v2, v3;
};

static inline u64 tmem_rotate(u64 word, unsigned int bits)
{
	return word << bits | word >> (64 - bits);
}

static inline void tmem_sip_round(struct tmem_sip *sip)
{
	sip->v0 += sip->v1;
	sip->v1 = tmem_rotate(sip->v1, 13) ^ sip->v0;
	sip->v0 = tmem_rotate(sip->v0, 32);
	sip->v2 += sip->v3;
	sip->v3 = tmem_rotate(sip->v3, 16) ^ sip->v2;
	sip->v0 += sip->v3;
	sip->v3 = tmem_rotate(sip->v3, 21) ^ sip->v0;
	sip->v2 += sip->v1;
	sip->v1 = tmem_rotate(sip->v1, 17) ^ sip->v2;
	sip->v2 = tmem_rotate(sip->v2, 32);
}

static inline void tmem_sip_word(struct tmem_sip *sip, u64 word)
{
	sip->v3 ^= word;
	tmem_sip_round(sip);
	sip->v0 ^= word;
}

/**
 * tmem_hash - hash the name of an object
 * @seed: The engine's.
 * @key: The pool's.
 * @oid: The object's id.
 *
 * What is hashed are the words of the id, without those at its end that are zero,
 * and 7 bytes of the key: these fit in the last word, which has the length. Pools
 * whose keys differ in the eighth byte only have the same buckets, and other objects.
 *
 * Context: Any.
 * Return: 64 bits, each as good as the others.
 */
u64 tmem_hash(const u64 seed[2], u64 key, const u64 oid[3])
{
	struct tmem_sip sip = {
		.v0 = seed[0] ^ 0x736f6d6570736575ull,
		.v1 = seed[1] ^ 0x646f72616e646f6dull,
		.v2 = seed[0] ^ 0x6c7967656e657261ull,
		.v3 = seed[1] ^ 0x7465646279746573ull,
	};
	u64 bytes = 8 + 7;

	tmem_sip_word(&sip, oid[0]);
	if (oid[1] | oid[2]) {
		tmem_sip_word(&sip, oid[1]);
		bytes += 8;
		if (oid[2]) {
			tmem_sip_word(&sip, oid[2]);
			bytes += 8;
		}
	}
	/* The length in bytes is the last word's top byte. */
	tmem_sip_word(&sip, bytes << 56 | key << 8 >> 8);
	sip.v2 ^= 0xff;
	tmem_sip_round(&sip);
	tmem_sip_round(&sip);
	tmem_sip_round(&sip);
	return sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3;
}

/* SPDX-License-Identifier: GPL-2.0 */
/* What the blocks of fileload's file hold, and what they have to hold. */
#ifndef FILEMODEL_H
#define FILEMODEL_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define BLOCK_BYTES	512UL
#define BLOCK_WORDS	(BLOCK_BYTES / sizeof(__u64))

/*
 * A stamp names the content of a block: number of the file, process that wrote
 * it, and how many blocks this process had written before. 0 is a zero block.
 * Word n of the block is the stamp with n in the bits above.
 */
#define COUNTER_BITS	38
#define PROCESS_BITS	6
#define ID_BITS		14
#define STAMP_BITS	(COUNTER_BITS + PROCESS_BITS + ID_BITS)

/* How many contents of a block are remembered, with the one being written */
#define NR_VALUES	8

/* Longest text of a description */
#define TEXT_BYTES	256

struct range {
	size_t first;
	size_t nr;
};

/*
 * A block that has been written k times has version 2k, and 2k + 1 while it is
 * being written again. Its content is value[k], the one being written is
 * value[k + 1], both modulo NR_VALUES: nothing but the version changes when a
 * write is done, so whoever reads finds old and new content side by side.
 */
struct block {
	__u64 version;
	__u64 value[NR_VALUES];
};

/* Blocks from @size on are there, too: all of them zero. */
struct model {
	struct block *block;
	size_t max;	/* blocks the file may have */
	size_t stripe;	/* blocks that belong to one process */
	size_t size;	/* blocks the file has */
	__u64 id;
};

/* The head of a saved model, which the stamps of all blocks follow */
struct model_head {
	__u64 magic;
	__u64 id;
	__u64 max;
	__u64 stripe;
	__u64 size;
};

/* A block at one moment; @next means something only if @version is odd. */
struct seen {
	__u64 version;
	__u64 now;
	__u64 next;
};

enum verdict {
	RIGHT,		/* exactly what it has to be */
	OVERLAPPED,	/* old, new, or some of both: it was being written */
	INCONCLUSIVE,	/* not judged: it changed more than once, or see splice */
	STALE,		/* an older content */
	FOREIGN,	/* of another file */
	TORN,		/* not one whole block */
	ZERO,		/* zero, although written */
	MISPLACED,	/* of another block */
	NR_VERDICTS
};

extern const char * const verdict_name[NR_VERDICTS];

/* What a block may be: @old or, if a write overlapped, @new. */
struct allowed {
	__u64 old;
	__u64 new;
};

__u64 make_stamp(__u64 id, unsigned int process, __u64 counter);
void fill_block(void *data, __u64 stamp);
void describe_stamp(char *text, __u64 stamp);
void describe_block(char *text, const void *data);

__u64 model_stamp(const struct model *m, size_t block);
__u64 model_older(const struct model *m, size_t block);
void model_begin(struct model *m, size_t block, __u64 stamp);
void model_end(struct model *m, size_t block);
void model_undo(struct model *m, size_t block);
void model_set(struct model *m, size_t block, __u64 stamp);
void model_move(struct model *m, size_t to, size_t from, size_t nr);
void model_zero(struct model *m, size_t first, size_t end);

void model_look(const struct model *m, size_t block, struct seen *seen);
enum verdict model_judge(const struct model *m, size_t block,
			 const struct seen *before, const void *data,
			 bool zeroes, struct allowed *allowed);
void model_explain(const struct model *m, size_t block, const void *data,
		   char *text);

bool model_save(const struct model *m, const char *path);
bool model_load_head(struct model *m, const char *path);
bool model_load_stamps(struct model *m, const char *path);

#endif /* FILEMODEL_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of fileload share: options, processes, operations. */
#ifndef FILELOAD_H
#define FILELOAD_H

#include <linux/types.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdnoreturn.h>
#include <sys/types.h>

#include "filemodel.h"

#define BLOCKS_PER_KB	(1024 / BLOCK_BYTES)
#define MAX_PROCESSES	60
#define MAX_OPS		32
#define MAX_DIRECT	4096UL
#define MAX_STEPS	256
#define LAST_OPS	20		/* to be told of */
#define MAX_PAGE	65536UL

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static inline size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

static inline size_t round_down(size_t n, size_t to)
{
	return n / to * to;
}

static inline size_t round_up(size_t n, size_t to)
{
	return round_down(n + to - 1, to);
}

struct options {
	__u64 seed;
	unsigned long ops;
	unsigned long seconds;
	unsigned int processes;
	size_t max;		/* blocks of one operation */
	const char *file;
	const char *model;
	const char *reclaim;
	bool drop_caches;
	bool verbose;
	bool read_only;
	bool break_it;
};

enum outcome { DONE, SKIPPED, REFUSED };

#define OP_READS	1	/* leaves the file as it is */
#define OP_ALONE	2	/* changes the size or moves data */

struct op {
	const char *name;
	enum outcome (*run)(void);
	unsigned int weight;
	unsigned int flags;
};

/* What one process has done and found */
struct tally {
	unsigned long done[MAX_OPS];
	unsigned long skipped;
	unsigned long collisions;	/* of direct I/O with mappings */
	unsigned long seen[NR_VERDICTS];
};

/* One system call or so of an operation */
struct step {
	unsigned long op;
	const char *what;
	struct range range;
};

/* To be told when something is wrong, by this process and, briefly, by others */
struct trace {
	unsigned long nr;
	struct step step[MAX_STEPS];
};

enum stop { GO_ON, ASKED_TO_STOP, FAILED };

/* What all processes see */
struct shared {
	pthread_rwlock_t lock;		/* exclusive: OP_ALONE */
	enum stop stop;
	bool broken;			/* -B has done its work */
	bool refused[MAX_OPS];
	bool worked[MAX_OPS];
	struct tally tally[MAX_PROCESSES + 1];
	struct trace trace[MAX_PROCESSES + 1];
	struct model model;
};

/* Blocks as they were before they were read */
struct look {
	struct range range;
	struct seen *seen;
	bool zeroes;	/* may be seen, see do_splice() and do_mmapread() */
};

/* The process that this is; the last one is the parent, which verifies. */
struct process {
	unsigned int nr;
	__u64 rnd;
	__u64 counter;		/* of stamps */
	unsigned long ops;
	struct trace *trace;
	const struct op *op;
	struct tally *tally;
	struct look look;
	unsigned char *buf;
	struct range last;	/* written */
	int fd;
	int direct;		/* with O_DIRECT, or -1 */
	int pipe[2];
};

extern struct options opt;
extern struct shared *shared;
extern struct process me;
extern const struct op ops[];
extern const size_t nr_ops;
extern bool chosen[MAX_OPS];	/* operations, by the command line */
extern size_t page_bytes;
extern size_t direct_blocks;	/* alignment of direct I/O; 0: there is none */
extern size_t fs_blocks;	/* a block of the filesystem */

/* fileload.c */
noreturn void give_up(void);

/* fileargs.c */
size_t parse_args(int argc, char **argv);

/* fileops.c */
bool usable(const struct op *op);
void run_op(const struct op *op);
const struct op *find_op(const char *name);
const struct op *choose_op(void);

/* filesum.c */
void print_summary(bool failed);

/* fileproc.c */
__u64 rnd(void);
bool one_in(unsigned int n);
void die(const char *what);
noreturn void fail(const char *what);
enum outcome refused(const char *call);
bool collided(void);
void trace(const char *what, struct range range);
void print_steps(void);
void print_trace(unsigned int nr, unsigned long nr_ops);
void *aligned(size_t bytes);
void open_file(void);
void close_file(void);
void set_up_process(unsigned int nr);
bool pick(size_t first, size_t end, size_t align, struct range *range);
bool pick_any(size_t align, struct range *range);
bool pick_own(size_t align, struct range *range);

/* fileread.c */
void prepare_look(struct look *look);
void look_before(struct look *look, struct range range);
void check(const struct look *look, const unsigned char *data);
void check_cut(const unsigned char *data, size_t block, size_t bytes,
	       __u64 stamp);
void check_size(void);
void *map_range(struct range range, int prot, unsigned char **at);
void unmap_range(void *map, struct range range);
ssize_t pread_direct(void *buf, size_t bytes, off_t at);
void verify_all(int fd);
enum outcome do_read(void);
enum outcome do_mmapread(void);
enum outcome do_directread(void);
enum outcome do_splice(void);

/* filewrite.c */
void compose(struct range range, unsigned char *buf);
void end_write(struct range range);
bool write_direct(const unsigned char *buf, struct range range);
void write_all(int fd, const unsigned char *buf, size_t bytes, off_t at);
enum outcome do_write(void);
enum outcome do_mmapwrite(void);
enum outcome do_directwrite(void);
enum outcome do_punch(void);
enum outcome do_zero(void);
enum outcome do_allocate(void);
enum outcome do_clone(void);
enum outcome do_dedupe(void);
enum outcome do_copyrange(void);

/* filesize.c */
enum outcome do_truncate(void);
enum outcome do_extend(void);
enum outcome do_cut(void);
enum outcome do_collapse(void);
enum outcome do_insert(void);

/* filecache.c */
enum outcome do_dontneed(void);
enum outcome do_fsync(void);
enum outcome do_sync_file_range(void);
enum outcome do_reclaim(void);
enum outcome do_dropcaches(void);
enum outcome do_reopen(void);

/* fileaio.c */
enum outcome do_aioread(void);
enum outcome do_aiowrite(void);

#endif /* FILELOAD_H */

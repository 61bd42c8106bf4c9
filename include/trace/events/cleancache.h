/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM cleancache

#if !defined(_TRACE_CLEANCACHE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_CLEANCACHE_H

#include <linux/kdev_t.h>
#include <linux/tracepoint.h>

TRACE_EVENT(cleancache_put,
	    TP_PROTO(int pool, u64 object, pgoff_t index, unsigned int nr,
		     unsigned int held, unsigned int reject),
	    TP_ARGS(pool, object, index, nr, held, reject),
	    TP_STRUCT__entry(__field(int, pool)
			     __field(u64, object)
			     __field(pgoff_t, index)
			     __field(unsigned int, nr)
			     __field(unsigned int, held)
			     __field(unsigned int, reject)
	    ),
	    TP_fast_assign(__entry->pool = pool;
			   __entry->object = object;
			   __entry->index = index;
			   __entry->nr = nr;
			   __entry->held = held;
			   __entry->reject = reject;
	    ),
	    TP_printk("pool=%d object=%llu index=%lu nr=%u held=%u reject=%u",
		      __entry->pool, __entry->object, __entry->index,
		      __entry->nr, __entry->held, __entry->reject));

TRACE_EVENT(cleancache_get,
	    TP_PROTO(int pool, u64 object, pgoff_t index, unsigned int nr,
		     int ret),
	    TP_ARGS(pool, object, index, nr, ret),
	    TP_STRUCT__entry(__field(int, pool)
			     __field(u64, object)
			     __field(pgoff_t, index)
			     __field(unsigned int, nr)
			     __field(int, ret)
	    ),
	    TP_fast_assign(__entry->pool = pool;
			   __entry->object = object;
			   __entry->index = index;
			   __entry->nr = nr;
			   __entry->ret = ret;
	    ),
	    TP_printk("pool=%d object=%llu index=%lu nr=%u ret=%d",
		      __entry->pool, __entry->object, __entry->index,
		      __entry->nr, __entry->ret));

TRACE_EVENT(cleancache_invalidate,
	    TP_PROTO(int pool, u64 object, pgoff_t index, unsigned int nr),
	    TP_ARGS(pool, object, index, nr),
	    TP_STRUCT__entry(__field(int, pool)
			     __field(u64, object)
			     __field(pgoff_t, index)
			     __field(unsigned int, nr)
	    ),
	    TP_fast_assign(__entry->pool = pool;
			   __entry->object = object;
			   __entry->index = index;
			   __entry->nr = nr;
	    ),
	    TP_printk("pool=%d object=%llu index=%lu nr=%u",
		      __entry->pool, __entry->object, __entry->index,
		      __entry->nr));

TRACE_EVENT(cleancache_invalidate_inode,
	    TP_PROTO(int pool, u64 object),
	    TP_ARGS(pool, object),
	    TP_STRUCT__entry(__field(int, pool)
			     __field(u64, object)
	    ),
	    TP_fast_assign(__entry->pool = pool;
			   __entry->object = object;
	    ),
	    TP_printk("pool=%d object=%llu", __entry->pool, __entry->object));

TRACE_EVENT(cleancache_corrupted,
	    TP_PROTO(dev_t dev, unsigned long ino, pgoff_t index,
		     unsigned int nr),
	    TP_ARGS(dev, ino, index, nr),
	    TP_STRUCT__entry(__field(dev_t, dev)
			     __field(unsigned long, ino)
			     __field(pgoff_t, index)
			     __field(unsigned int, nr)
	    ),
	    TP_fast_assign(__entry->dev = dev;
			   __entry->ino = ino;
			   __entry->index = index;
			   __entry->nr = nr;
	    ),
	    TP_printk("dev=%u:%u ino=%lu index=%lu nr=%u",
		      MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		      __entry->index, __entry->nr));

#endif /* _TRACE_CLEANCACHE_H */

/* This part must be outside protection */
#include <trace/define_trace.h>

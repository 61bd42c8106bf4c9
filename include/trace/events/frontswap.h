/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM frontswap

#if !defined(_TRACE_FRONTSWAP_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_FRONTSWAP_H

#include <linux/tracepoint.h>

TRACE_EVENT(frontswap_store,
	    TP_PROTO(unsigned int type, pgoff_t offset, unsigned int nr,
		     unsigned int reject, int ret),
	    TP_ARGS(type, offset, nr, reject, ret),
	    TP_STRUCT__entry(__field(unsigned int, type)
			     __field(pgoff_t, offset)
			     __field(unsigned int, nr)
			     __field(unsigned int, reject)
			     __field(int, ret)
	    ),
	    TP_fast_assign(__entry->type = type;
			   __entry->offset = offset;
			   __entry->nr = nr;
			   __entry->reject = reject;
			   __entry->ret = ret;
	    ),
	    TP_printk("type=%u offset=%lu nr=%u reject=%u ret=%d",
		      __entry->type, __entry->offset, __entry->nr,
		      __entry->reject, __entry->ret));

TRACE_EVENT(frontswap_load,
	    TP_PROTO(unsigned int type, pgoff_t offset, unsigned int nr,
		     bool exclusive, int ret),
	    TP_ARGS(type, offset, nr, exclusive, ret),
	    TP_STRUCT__entry(__field(unsigned int, type)
			     __field(pgoff_t, offset)
			     __field(unsigned int, nr)
			     __field(bool, exclusive)
			     __field(int, ret)
	    ),
	    TP_fast_assign(__entry->type = type;
			   __entry->offset = offset;
			   __entry->nr = nr;
			   __entry->exclusive = exclusive;
			   __entry->ret = ret;
	    ),
	    TP_printk("type=%u offset=%lu nr=%u exclusive=%d ret=%d",
		      __entry->type, __entry->offset, __entry->nr,
		      __entry->exclusive, __entry->ret));

TRACE_EVENT(frontswap_invalidate,
	    TP_PROTO(unsigned int type, pgoff_t offset, unsigned int nr),
	    TP_ARGS(type, offset, nr),
	    TP_STRUCT__entry(__field(unsigned int, type)
			     __field(pgoff_t, offset)
			     __field(unsigned int, nr)
	    ),
	    TP_fast_assign(__entry->type = type;
			   __entry->offset = offset;
			   __entry->nr = nr;
	    ),
	    TP_printk("type=%u offset=%lu nr=%u",
		      __entry->type, __entry->offset, __entry->nr));

TRACE_EVENT(frontswap_writeback,
	    TP_PROTO(unsigned int type, pgoff_t offset, bool to_device,
		     int ret),
	    TP_ARGS(type, offset, to_device, ret),
	    TP_STRUCT__entry(__field(unsigned int, type)
			     __field(pgoff_t, offset)
			     __field(bool, to_device)
			     __field(int, ret)
	    ),
	    TP_fast_assign(__entry->type = type;
			   __entry->offset = offset;
			   __entry->to_device = to_device;
			   __entry->ret = ret;
	    ),
	    TP_printk("type=%u offset=%lu to=%s ret=%d",
		      __entry->type, __entry->offset,
		      __entry->to_device ? "device" : "memory",
		      __entry->ret));

#endif /* _TRACE_FRONTSWAP_H */

/* This part must be outside protection */
#include <trace/define_trace.h>

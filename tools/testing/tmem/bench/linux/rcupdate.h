/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The XArray's RCU in the benchmark: none, all it does is done under its lock.
 */
#ifndef _LINUX_RCUPDATE_H
#define _LINUX_RCUPDATE_H

struct rcu_head {
	void *unused;
};

#define rcu_read_lock()				do { } while (0)
#define rcu_read_unlock()			do { } while (0)
#define rcu_dereference_raw(p)			(p)
#define rcu_dereference_check(p, ...)		(p)
#define rcu_dereference_protected(p, ...)		(p)
#define rcu_assign_pointer(p, v)		((p) = (v))
#define RCU_INIT_POINTER(p, v)			((p) = (v))
#define call_rcu(head, free)			free(head)

#endif /* _LINUX_RCUPDATE_H */
